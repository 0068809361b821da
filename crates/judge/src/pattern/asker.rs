//! How much it weighs what somebody asked or sent, by who it is.

use model::Severity;

use super::Standing;
use super::weight::{LOOK, NOTE};

/// From here on it is told at all.
const TOLD: f64 = 25.0;

/// The program behind questions or packets, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    pub(crate) standing: Standing,
    /// Rules that have found something about the program or the destination, at least medium.
    pub(crate) reasons: Vec<&'static str>,
}

/// What asks the name system for whatever it is told.
const ASKERS: [&str; 10] = [
    "dig",
    "delv",
    "host",
    "nslookup",
    "drill",
    "kdig",
    "dog",
    "doggo",
    "resolvectl",
    "getent",
];

/// Whether a program asks the name system for whatever it is told.
pub(crate) fn asks_as_told(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next();
    name.is_some_and(|it| ASKERS.contains(&it))
}

impl Asker {
    /// Its file is as a package has it, and it does what it is made for and nothing else.
    pub(super) fn is_trusted(&self) -> bool {
        self.standing == Standing::Ordinary
    }

    /// It is known that it is of no package, or does what others tell it.
    pub(super) fn is_known_strange(&self) -> bool {
        matches!(self.standing, Standing::Unpackaged | Standing::Packaged)
    }

    /// What so many points mean for this program. `None`: nothing.
    pub(super) fn weigh(&self, points: u32) -> Option<Severity> {
        let points = f64::from(points);
        let is_strange = !self.is_trusted();
        if self.standing == Standing::Ours || points < TOLD {
            None
        } else if points >= LOOK && !self.reasons.is_empty() {
            Some(Severity::High)
        } else if points >= LOOK || points >= NOTE && (is_strange || !self.reasons.is_empty()) {
            Some(Severity::Medium)
        } else {
            Some(Severity::Low)
        }
    }
}

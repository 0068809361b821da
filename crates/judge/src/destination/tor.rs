//! Relays of Tor. People protect themselves with it, and so do some attackers.

use model::{Confidence, Fact, ListMeaning, NetworkKind, Severity};

use super::{different, kinds};
use crate::fit::{Fit, Piece, Told, Whose};
use crate::rule::Rule;
use crate::seen::Destination;

/// What programs of Tor are called, with their plugs for hiding it. A name proves nothing: it makes the
/// finding one to know of, not one to act on.
const PROGRAMS: [&str; 9] = [
    "tor",
    "tor.exe",
    "tor.real",
    "arti",
    "obfs4proxy",
    "lyrebird",
    "snowflake-client",
    "conjure-client",
    "webtunnel-client",
];

pub(super) struct Tor;

impl Rule for Tor {
    fn word(&self) -> &'static str {
        "tor"
    }

    fn destination(&self, destination: &Destination<'_>, fits: &mut Vec<Fit>) {
        kinds::fits(destination, NetworkKind::Tor, ListMeaning::Tor, fits);
    }

    fn tell(&self, whose: &Whose, pieces: &[&Piece]) -> Told {
        let known = PROGRAMS.contains(&whose.file_name().as_str());
        Told {
            severity: if known {
                Severity::Informational
            } else {
                Severity::Low
            },
            confidence: Confidence::Low,
            facts: vec![("relays", Fact::Count(different(pieces)))],
            attack: vec!["T1090.003"],
        }
    }
}

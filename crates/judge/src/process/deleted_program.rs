//! The file of the program is gone, as after an update, or as of one who removed its traces; or something
//! else has its place that no update puts there: a copy, a pipe, a stranger's program.

use model::{Check, Confidence, Display, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.traces(Check::ProgramFile).iter();
    let mut gone = traces.filter(|it| {
        let signs = [Sign::Deleted, Sign::Replaced, Sign::ReplacedByStranger];
        signs.contains(&it.sign)
    });
    let reason = gone.next().map(|first| {
        let is_stranger = first.sign == Sign::ReplacedByStranger;
        // Another program, not its own copy and no other thing.
        let renews = is_stranger && first.name.is_none() && renews_itself(process);
        let replaced = first.sign == Sign::Replaced;
        let weight = if replaced && !process.is_unpackaged() {
            // It has to be started again.
            (Severity::Informational, Confidence::Low)
        } else if replaced || renews {
            (Severity::Low, Confidence::Low)
        } else {
            (Severity::Medium, Confidence::Medium)
        };
        Reason::new("", weight, &["T1070.004"])
            .raised(Raised::BesideGrave)
            .text("kind", first.sign.word())
            .with(facts(first))
    });
    reason.into_iter().collect()
}

/// Programs that people install themselves, and those that they make, are replaced while they run, and
/// show themselves: by a window, or by a page on this computer.
fn renews_itself(process: &Looked<'_>) -> bool {
    let is_shown = process.examined().display == Some(Display::Shown);
    is_shown || process.life.serves_here || process.is_of_a_build()
}

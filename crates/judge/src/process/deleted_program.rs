//! The file of the program is gone, as after an update, or as of one who removed its traces.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.traces(Check::ProgramFile).iter();
    let mut gone = traces.filter(|it| matches!(it.sign, Sign::Deleted | Sign::Replaced));
    let reason = gone.next().map(|first| {
        let replaced = first.sign == Sign::Replaced;
        let weight = match replaced {
            // It has to be started again.
            true if !process.is_unpackaged() => (Severity::Informational, Confidence::Low),
            true => (Severity::Low, Confidence::Low),
            false => (Severity::Medium, Confidence::Medium),
        };
        Reason::new("", weight, &["T1070.004"])
            .raised(Raised::BesideGrave)
            .text("kind", first.sign.word())
            .with(facts(first))
    });
    reason.into_iter().collect()
}

//! A program of a package that uses a library of none. Interpreters do so with each extension that people
//! add.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::Package, Sign::UnpackagedLibrary);
    let reason = traces.first().map(|first| {
        let weight = if process.is_interpreter() {
            (Severity::Informational, Confidence::Low)
        } else {
            (Severity::Low, Confidence::Low)
        };
        Reason::new("", weight, &["T1574.006"])
            .raised(Raised::BesideTampering)
            .with(facts(first))
            .count(
                "libraries",
                traces.len().saturating_add(process.more(Check::Package)),
            )
    });
    reason.into_iter().collect()
}

//! A thread waits in a system call that was made from memory which belongs to no file. No ordinary program
//! was ever seen to do so, also none that makes code while it runs.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::SystemCalls, Sign::OutsideFiles);
    let first = traces.first().map(|first| {
        Reason::new("", (Severity::Medium, Confidence::High), &["T1055"])
            .raised(Raised::BesideGrave)
            .with(facts(first))
            .count(
                "threads",
                traces
                    .len()
                    .saturating_add(process.more(Check::SystemCalls)),
            )
    });
    first.into_iter().collect()
}

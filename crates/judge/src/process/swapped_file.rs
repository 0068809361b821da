//! What is in memory is not the file that lies at its path: another one was mounted over it, for this
//! process alone, or it was exchanged.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::MappedFiles, Sign::OtherFile);
    let reason = traces.first().map(|first| {
        Reason::new("", (Severity::Medium, Confidence::Medium), &["T1574"])
            .raised(Raised::BesideGrave)
            .with(facts(first))
            .count(
                "files",
                traces
                    .len()
                    .saturating_add(process.more(Check::MappedFiles)),
            )
    });
    reason.into_iter().collect()
}

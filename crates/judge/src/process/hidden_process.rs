//! A process that lives and is not in the list of all processes, also on a second look.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::Reason;

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::Hidden, Sign::NotListed);
    let reason = traces.first().map(|first| {
        Reason::new("", (Severity::High, Confidence::Medium), &["T1014"]).with(facts(first))
    });
    reason.into_iter().collect()
}

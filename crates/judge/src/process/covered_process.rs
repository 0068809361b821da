//! Something else is mounted over the folder of a process in /proc, so that nobody sees what it is.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::Reason;

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::Covered, Sign::MountedOver);
    let reason = traces.first().map(|first| {
        Reason::new("", (Severity::High, Confidence::High), &["T1564.013"]).with(facts(first))
    });
    reason.into_iter().collect()
}

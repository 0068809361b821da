//! Another process holds it as a debugger does, and can read and change all of it.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::Reason;

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::Traced, Sign::Tracer);
    let reason = traces.first().map(|first| {
        Reason::new("", (Severity::Low, Confidence::Low), &["T1055.008"]).with(facts(first))
    });
    reason.into_iter().collect()
}

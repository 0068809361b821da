//! A program that was started by naming it to the loader: so its own file is not the one that the system
//! shows, and needs no right to be executed.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::Reason;

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::Loader, Sign::ByLoader);
    let reason = traces.first().map(|first| {
        Reason::new("", (Severity::Low, Confidence::Medium), &["T1036"]).with(facts(first))
    });
    reason.into_iter().collect()
}

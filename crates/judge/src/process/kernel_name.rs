//! A program that calls itself like a thread of the kernel. None of these has a file.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::Reason;

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::KernelName, Sign::LikeKernel);
    let reason = traces.first().map(|first| {
        Reason::new("", (Severity::High, Confidence::High), &["T1036.004"]).with(facts(first))
    });
    reason.into_iter().collect()
}

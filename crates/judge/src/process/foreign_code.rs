//! A thread will return to memory that belongs to no file.

use model::{Check, Confidence, Severity, Sign};

use super::engine::{Explained, explained};
use super::looked::{Looked, facts};
use super::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::CallStack, Sign::ReturnsOutside);
    let Some(first) = traces.first() else {
        return Vec::new();
    };
    let reason = match explained(process) {
        Explained::Yes | Explained::NotYet => return Vec::new(),
        Explained::Perhaps | Explained::ByHelper => {
            Reason::new("", (Severity::Low, Confidence::Low), &["T1055"])
                .raised(Raised::BesideTampering)
        }
        Explained::No => Reason::new("", (Severity::Medium, Confidence::Medium), &["T1055"])
            .raised(Raised::BesideGrave),
    };
    let threads = traces.len().saturating_add(process.more(Check::CallStack));
    vec![reason.with(facts(first)).count("threads", threads)]
}

//! A program that calls itself like one of another package.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::OtherName, Sign::LikeOther);
    let reason = traces.first().map(|first| {
        Reason::new("", (Severity::Medium, Confidence::Medium), &["T1036.005"])
            .raised(Raised::BesideGrave)
            .with(facts(first))
    });
    reason.into_iter().collect()
}

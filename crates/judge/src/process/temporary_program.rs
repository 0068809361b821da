//! A program in a folder in which anybody may write.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::Places, Sign::TemporaryProgram);
    let reason = traces.first().map(|first| {
        let weight = if process.is_app_image() || process.is_of_a_build() {
            (Severity::Low, Confidence::Low)
        } else {
            (Severity::Medium, Confidence::Medium)
        };
        Reason::new("", weight, &["T1036.005"])
            .raised(Raised::BesideGrave)
            .with(facts(first))
    });
    reason.into_iter().collect()
}

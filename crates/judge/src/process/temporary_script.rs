//! An interpreter runs a script out of a folder in which anybody may write.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts, path_of};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::Places, Sign::TemporaryScript);
    // An interpreter runs many: each script is a finding of its own.
    let reasons = traces.iter().map(|trace| {
        let weight = (Severity::Medium, Confidence::Medium);
        Reason::new(&path_of(trace), weight, &["T1059"])
            .raised(Raised::BesideGrave)
            .with(facts(trace))
    });
    reasons.collect()
}

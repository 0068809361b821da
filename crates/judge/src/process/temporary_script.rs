//! An interpreter runs a script out of a folder in which anybody may write.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use super::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::Places, Sign::TemporaryScript);
    let reason = traces.first().map(|first| {
        Reason::new("", (Severity::Medium, Confidence::Medium), &["T1059"])
            .raised(Raised::BesideGrave)
            .with(facts(first))
    });
    reason.into_iter().collect()
}

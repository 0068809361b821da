//! A library out of a folder in which anybody may write. Java and programs that are packed into one file
//! put theirs there.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::Places, Sign::TemporaryLibrary);
    let reason = traces.first().map(|first| {
        let has_engine = !process
            .signs(Check::ExecutableMemory, Sign::Engine)
            .is_empty();
        let unpacks = has_engine || process.is_interpreter() || process.is_app_image();
        // A program of a package has nothing to look for there.
        let (weight, raised) = if process.is_intact() && !unpacks {
            ((Severity::Medium, Confidence::Medium), Raised::BesideGrave)
        } else {
            ((Severity::Low, Confidence::Low), Raised::BesideTampering)
        };
        Reason::new("", weight, &["T1574.006"])
            .raised(raised)
            .with(facts(first))
            .count("libraries", traces.len())
    });
    reason.into_iter().collect()
}

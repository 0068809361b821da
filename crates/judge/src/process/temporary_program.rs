//! A program in a folder in which anybody may write.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use super::paths::is_of_root;
use super::programs::is_build_tool;
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::Places, Sign::TemporaryProgram);
    let reason = traces.first().map(|first| {
        let weight = if process.is_app_image() || is_of_a_build(process) {
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

/// Whether what started it is a tool that makes programs: tests run where they were made.
fn is_of_a_build(process: &Looked<'_>) -> bool {
    let parent = process.process.parents.first();
    let path = parent.and_then(|it| it.path.as_ref());
    path.is_some_and(|path| {
        let path = path.lossy();
        is_of_root(&path) && is_build_tool(&path)
    })
}

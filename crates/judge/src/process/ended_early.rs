//! A program that had run for a while and ended when whocalls began: some look for who looks at them, and
//! come back later, or under another name.

use std::time::Duration;

use model::{Confidence, Fact, PackageState, Process, Severity, Timestamp};

use super::comes_back::{Runs, elapsed, runs};
use super::looked::Looked;
use super::paths::is_of_windows;
use crate::reason::Reason;

/// So soon after the start of whocalls.
pub(crate) const SOON: Duration = Duration::from_secs(10);
/// It ran at least so long before: what somebody started just then ends by itself.
const A_WHILE: Duration = Duration::from_secs(2);

/// The end of a process soon after whocalls began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// When whocalls began.
    pub(super) begun: Timestamp,
    pub(crate) ended: Timestamp,
    after: Duration,
    /// How long it had run when whocalls began.
    pub(super) before: Duration,
}

/// `None`: it lives, or ended at another time, or who looks at it did not make it end.
pub(crate) fn ending(process: &Process, begun: Option<Timestamp>) -> Option<Ending> {
    let (begun, ended, started) = (begun?, process.ended?, process.started?);
    let after = Duration::from_nanos(elapsed(begun, ended)?);
    let before = Duration::from_nanos(elapsed(started, begun)?);
    let fits = after <= SOON && before >= A_WHILE && !process.kernel_thread;
    fits.then_some(Ending {
        begun,
        ended,
        after,
        before,
    })
}

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let Some(ending) = ending(process.process, process.life.begun) else {
        return Vec::new();
    };
    // It may have ended before its file was compared with those of packages.
    let nobody_knows = process
        .package()
        .is_none_or(|it| it == PackageState::NotTestable);
    let path = process.path();
    let elsewhere = path.is_some_and(|it| !it.starts_with("/usr/") && !is_of_windows(&it));
    let is_unpackaged = process.is_unpackaged() || nobody_knows && elsewhere;
    if !process.life.talks && !is_unpackaged {
        return Vec::new();
    }
    let again = process.life.again;
    let weight = match again {
        Some(_) => (Severity::Medium, Confidence::Medium),
        None => (Severity::Low, Confidence::Low),
    };
    let after_us = again.and_then(|it| it.after_us);
    // An interpreter runs many: each script is a finding of its own.
    let script = match runs(process.process) {
        Runs::Script(script) => Some(script),
        Runs::Itself | Runs::Code => None,
    };
    vec![
        Reason::new(
            script.as_deref().unwrap_or_default(),
            weight,
            &["T1518.001"],
        )
        .with(script.map(|it| ("path", Fact::Text(it))))
        .with([("after", Fact::Duration(ending.after))])
        .with(again.map(|it| ("again", Fact::Text(what_runs(it.process)))))
        .with(after_us.map(|it| ("after_us", Fact::Duration(it)))),
    ]
}

/// A program, and what it was told to run where it is an interpreter.
fn what_runs(process: &Process) -> String {
    let program = process.program().lossy();
    match runs(process) {
        Runs::Script(script) => format!("{program} {script}"),
        Runs::Itself | Runs::Code => program.into_owned(),
    }
}

//! A program that had run for a while and ended when whocalls began: some look for who looks at them, and
//! come back later, or under another name.

use std::time::Duration;

use model::{Confidence, Fact, PackageState, Process, Severity, Timestamp};

use super::looked::Looked;
use crate::reason::Reason;

/// So soon after the start of whocalls.
const SOON: Duration = Duration::from_secs(10);
/// It ran at least so long before: what somebody started just then ends by itself.
const A_WHILE: Duration = Duration::from_secs(2);

/// What is started over and over, and ends by itself, has not run so long when we begin.
const LONG: Duration = Duration::from_secs(60);

/// The end of a process soon after whocalls began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) ended: Timestamp,
    after: Duration,
    /// How long it had run when whocalls began.
    before: Duration,
}

/// `None`: it lives, or ended at another time, or who looks at it did not make it end.
pub(crate) fn ending(process: &Process, begun: Option<Timestamp>) -> Option<Ending> {
    let (begun, ended, started) = (begun?, process.ended?, process.started?);
    let after = Duration::from_nanos(elapsed(begun, ended)?);
    let before = Duration::from_nanos(elapsed(started, begun)?);
    let fits = after <= SOON && before >= A_WHILE && !process.kernel_thread;
    fits.then_some(Ending {
        ended,
        after,
        before,
    })
}

/// `None`: it was the other way round.
fn elapsed(from: Timestamp, to: Timestamp) -> Option<u64> {
    let passed = to.unix_nanos().checked_sub(from.unix_nanos())?;
    u64::try_from(passed).ok()
}

/// Whether what ended runs again as `other`: from the same file at another place, or, of no package, from
/// the same one again.
pub(crate) fn comes_back_as(process: &Process, ending: Ending, other: &Process) -> bool {
    let same_bytes = process.sha256.is_some() && process.sha256 == other.sha256;
    let same_file = process.file.is_some() && process.file == other.file;
    let later = other.started.is_some_and(|it| it >= ending.ended);
    let examined = process.examined.as_deref();
    let package = examined.and_then(|it| it.package.as_ref());
    let state = package.map(|it| it.state);
    let is_intact = state == Some(PackageState::Intact);
    let is_unpackaged = state == Some(PackageState::Unpackaged);
    let elsewhere = process.path != other.path;
    other.id != process.id
        && later
        && !is_intact
        && (same_bytes || same_file)
        && (elsewhere || is_unpackaged && ending.before >= LONG)
}

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let Some(ending) = ending(process.process, process.life.begun) else {
        return Vec::new();
    };
    // It may have ended before its file was compared with those of packages.
    let nobody_knows = process
        .package()
        .is_none_or(|it| it == PackageState::NotTestable);
    let elsewhere = process.path().is_some_and(|it| !it.starts_with("/usr/"));
    let is_unpackaged = process.is_unpackaged() || nobody_knows && elsewhere;
    if !process.life.talks && !is_unpackaged {
        return Vec::new();
    }
    let again = process.life.again;
    let weight = match again {
        Some(_) => (Severity::Medium, Confidence::Medium),
        None => (Severity::Low, Confidence::Low),
    };
    let again = again.map(|it| {
        let path = it.program().lossy().into_owned();
        ("again", Fact::Text(path))
    });
    vec![
        Reason::new("", weight, &["T1518.001"])
            .with([("after", Fact::Duration(ending.after))])
            .with(again),
    ]
}

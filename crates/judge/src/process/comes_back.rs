//! Whether something that ended when whocalls began runs again: under another name, through a child that
//! goes on in its place, or when whocalls has ended.

use std::time::Duration;

use model::{PackageState, Process, Text, Timestamp};

use super::ended_early::Ending;
use super::paths::is_of_root;
use super::programs::{is_interpreter, is_shell};

/// What is started over and over, and ends by itself, has not run so long when we begin.
const LONG: Duration = Duration::from_secs(60);
/// So many other short runs are a habit.
const OVER_AND_OVER: usize = 3;
/// What comes back so soon after we have ended has waited for it.
const SOON_AFTER: Duration = Duration::from_secs(60);

/// What came back of a process that had ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Again<'a> {
    pub(crate) process: &'a Process,
    /// It waited until whocalls had ended, and so long after that. `None`: it did not wait.
    pub(crate) after_us: Option<Duration>,
}

/// How one run belongs to another one that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kin {
    /// It runs the same file, bytes or script.
    is_same: bool,
    /// It was begun by the other one.
    is_child: bool,
}

/// Whether one can be the other again, by what is known of both.
pub(crate) fn may_be_again(process: &Process, other: &Process) -> bool {
    kin(process, other).is_some()
}

/// What ended, again. `us`: when whocalls, which it ended for, has ended itself. `kindred`: all that may
/// be it, and whether each uses the network.
pub(crate) fn comes_back<'a>(
    process: &Process,
    ending: Ending,
    us: Option<Timestamp>,
    kindred: impl Iterator<Item = (&'a Process, bool)>,
) -> Option<Again<'a>> {
    let mut kindred: Vec<_> = kindred
        .filter_map(|(other, talks)| Some((other, kin(process, other)?, talks)))
        .collect();
    kindred.sort_by_key(|(other, ..)| (other.started, other.id));
    // What ends by itself again and again did not end for us.
    let ends_by_itself = |other: &Process| {
        let (started, ended) = (other.started?, other.ended?);
        let lived = Duration::from_nanos(elapsed(started, ended)?);
        (lived < LONG && Some(ending.ended) != other.ended).then_some(())
    };
    let short = kindred
        .iter()
        .filter(|(other, kin, _)| kin.is_same && ends_by_itself(other).is_some());
    if ending.before < LONG && short.count() >= OVER_AND_OVER {
        return None;
    }
    let is_later = |other: &Process| other.started.is_some_and(|it| it >= ending.ended);
    let mut later = kindred
        .iter()
        .filter(|(other, kin, _)| kin.is_same && is_later(other))
        .map(|(other, ..)| *other);
    // What runs again while we are there does not wait for our end.
    let waited = later.clone().next().and_then(|process| {
        let after = Duration::from_nanos(elapsed(us?, process.started?)?);
        let after_us = (after <= SOON_AFTER).then_some(after)?;
        Some(Again {
            process,
            after_us: Some(after_us),
        })
    });
    let is_again = |other: &Process| lies_elsewhere(process, other) || ending.before >= LONG;
    let goes_on = |other: &Process, kin: Kin, talks: bool| {
        kin.is_child && talks && other.started.is_some_and(|it| it >= ending.begun)
    };
    waited.or_else(|| {
        let again = later.find(|other| is_again(other)).or_else(|| {
            let mut all = kindred.iter();
            let child = all.find(|(other, kin, talks)| goes_on(other, *kin, *talks));
            child.map(|(other, ..)| *other)
        });
        again.map(|process| Again {
            process,
            after_us: None,
        })
    })
}

/// `None`: it was the other way round.
pub(super) fn elapsed(from: Timestamp, to: Timestamp) -> Option<u64> {
    let passed = to.unix_nanos().checked_sub(from.unix_nanos())?;
    u64::try_from(passed).ok()
}

/// `None`: they have nothing to do with each other, or what runs is of a package: it is not there to hide.
fn kin(process: &Process, other: &Process) -> Option<Kin> {
    if other.id == process.id || other.kernel_thread {
        return None;
    }
    let kin = Kin {
        is_same: is_same(process, other),
        is_child: is_child(process, other),
    };
    if !kin.is_same && !kin.is_child {
        return None;
    }
    let known = is_packaged(other).or_else(|| {
        let same = kin.is_same.then_some(process);
        same.and_then(is_packaged)
    });
    let is_packaged = known.unwrap_or_else(|| {
        let path = other.path.as_ref().map(Text::lossy);
        path.is_none_or(|path| is_of_root(&path))
    });
    (!is_packaged).then_some(kin)
}

fn is_same(process: &Process, other: &Process) -> bool {
    let same_bytes = process.sha256.is_some() && process.sha256 == other.sha256;
    let same_file = process.file.is_some() && process.file == other.file;
    (same_bytes || same_file)
        && match (runs(process), runs(other)) {
            (Runs::Itself, Runs::Itself) => true,
            (Runs::Script(one), Runs::Script(other)) => is_same_script(&one, &other),
            (Runs::Itself | Runs::Script(_) | Runs::Code, _) => false,
        }
}

/// Who started it knew its folder, and we do not.
fn is_same_script(one: &str, other: &str) -> bool {
    let ends_with = |whole: &str, end: &str| {
        let before = whole.strip_suffix(end);
        before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    ends_with(one, other) || ends_with(other, one)
}

/// Begun by it while it lived, or by what it had begun.
fn is_child(process: &Process, other: &Process) -> bool {
    let lived = |at: Timestamp| {
        process.started.is_some_and(|started| started <= at)
            && process.ended.is_none_or(|ended| at <= ended)
    };
    let mut parents = other.parents.iter();
    other.id.boot == process.id.boot
        && other.started.is_some_and(lived)
        && parents.any(|parent| parent.pid == process.id.pid)
}

/// Of two that run the same script the interpreters may be called differently.
fn lies_elsewhere(process: &Process, other: &Process) -> bool {
    runs(process) == Runs::Itself && process.path != other.path
}

/// `None`: not known.
fn is_packaged(process: &Process) -> Option<bool> {
    if let Runs::Script(script) = runs(process) {
        return Some(is_of_root(&script));
    }
    let examined = process.examined.as_deref();
    match examined?.package.as_ref()?.state {
        PackageState::Intact | PackageState::ThisTool => Some(true),
        PackageState::Modified | PackageState::Unpackaged => Some(false),
        PackageState::NotTestable => None,
    }
}

/// What a process does: that of its program, or what an interpreter or a shell was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    Itself,
    Script(String),
    /// It stands among the arguments, or nothing is known of it.
    Code,
}

pub(super) fn runs(process: &Process) -> Runs {
    let program = process.program().lossy();
    let arguments = process.command_line.as_deref().unwrap_or_default();
    let first = arguments.iter().take(2).map(|it| it.lossy().into_owned());
    let first: Vec<_> = first.collect();
    if !is_interpreter(&program) && !is_shell(&program, &first) {
        return Runs::Itself;
    }
    for argument in arguments.iter().skip(1).map(Text::lossy) {
        let option = argument.strip_prefix('-');
        match option {
            None if argument.is_empty() => {}
            None => return Runs::Script(argument.into_owned()),
            // `python -c`, `perl -ne`, `bash -lc`.
            Some(option) if !option.starts_with('-') && option.ends_with(['c', 'e']) => break,
            Some(_) => {}
        }
    }
    Runs::Code
}

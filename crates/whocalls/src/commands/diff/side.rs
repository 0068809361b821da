//! One side of a comparison: read, judged, and let go but for its outline.

use std::path::{Path, PathBuf};

use anyhow::Result;
use judge::Outline;
use model::{Gap, SavedLook, Shows, Side, SideKind, Snapshot, Tier};
use track::Limits;

use crate::arguments::{ClockOffset, DiffArguments};
use crate::commands::case::{self, Wanted};
use crate::commands::evidence::{self, Evidence};
use crate::commands::imports::{self, Imports};
use crate::commands::{known, looked};
use crate::exit::{self, Exit};
use crate::output::Talk;

/// Gaps with which processes without a connection may be missing.
const WITHOUT_PROCESSES: [&str; 3] = ["no_process_events", "process_events", "no_events"];

/// What a side is read from.
pub(super) enum Source {
    Now,
    Case(PathBuf),
    Files(PathBuf),
}

/// What a side came to.
pub(super) struct Read {
    pub(super) outline: Outline,
    /// What was not read of it.
    pub(super) exit: Exit,
    pub(super) talk: String,
}

impl Source {
    /// Errors: nothing is there of this name, or something that cannot be compared.
    pub(super) fn named(word: &str) -> Result<Self> {
        let words = [word.to_owned()];
        let (evidence, words) = evidence::named(&words)?;
        match evidence {
            None => Err(evidence::missing(words)),
            Some(Evidence::Case(case)) => Ok(Self::Case(case)),
            Some(Evidence::Files(_)) => Ok(Self::Files(PathBuf::from(word))),
        }
    }

    /// `None`: it is this computer.
    pub(super) fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Now => None,
            Self::Case(path) | Self::Files(path) => Some(path.clone()),
        }
    }
}

/// Errors: it cannot be read.
pub(super) fn read(source: &Source, diff: &DiffArguments, talk: Talk) -> Result<Read> {
    match source {
        Source::Now => now(diff),
        Source::Case(path) => of_case(path, diff, talk),
        Source::Files(path) => of_files(path, diff, talk),
    }
}

fn now(diff: &DiffArguments) -> Result<Read> {
    let snapshot = looked::judged(diff.polling, diff.wait)?;
    let side = Side {
        host: Some(snapshot.host.name.clone()),
        boot: Some(snapshot.host.boot),
        span: Some((snapshot.taken, snapshot.taken)),
        tier: Some(snapshot.tier),
        shows: Shows {
            listeners: true,
            every_process: true,
            ..Shows::default()
        },
        ..side(String::new(), SideKind::Now, &snapshot.gaps)
    };
    let exit = exit::after_look(&snapshot, false);
    Ok(read_of(&snapshot, side, exit, String::new()))
}

/// What was recorded and what was imported into it.
fn of_case(path: &Path, diff: &DiffArguments, talk: Talk) -> Result<Read> {
    let case = case::open(path, &diff.identity)?;
    let begun = case.about().map(|about| about.began);
    let wanted = Wanted::WithImports;
    let told = case::replay(&case, None, wanted, Limits::CASE, &mut |_| {}, talk)?;
    let (snapshot, missing) = told;
    let snapshot = known::judged(snapshot);
    let lacks = |gap: &Gap| WITHOUT_PROCESSES.contains(&gap.id.as_str());
    let polls = snapshot.tier == Tier::Polling || snapshot.gaps.iter().any(lacks);
    let side = Side {
        host: Some(snapshot.host.name.clone()),
        boot: Some(snapshot.host.boot),
        span: Some((begun.unwrap_or(snapshot.taken), snapshot.taken)),
        tier: Some(snapshot.tier),
        shows: Shows {
            listeners: true,
            every_process: !polls,
            ..Shows::default()
        },
        ..side(
            path.display().to_string(),
            SideKind::Recording,
            &snapshot.gaps,
        )
    };
    let exit = missing.exit();
    let said = case::missing_text(&missing);
    missing.damage.say();
    Ok(read_of(&snapshot, side, exit, said))
}

/// A look that was saved, or captures, logs and lists of other tools.
fn of_files(path: &Path, diff: &DiffArguments, talk: Talk) -> Result<Read> {
    let paths = [path.to_owned()];
    let offsets: Vec<_> = diff
        .clock_offset
        .iter()
        .filter(|it| is_for(it, path))
        .cloned()
        .collect();
    let mut imports = Imports::of(&paths, &offsets)?;
    let snapshot = imports::read_all(&mut imports, imports::LIMITS, &mut |_| {}, talk)?;
    let snapshot = known::judged(snapshot);
    let looks = imports.looks();
    let alike = |told: fn(&SavedLook) -> Option<_>| all_alike(looks, told);
    let span = imports.covered().span();
    // What was saved of a case tells of more than one moment.
    let is_moment = span.is_none_or(|(from, until)| from == until);
    let kind = match looks {
        [look] if look.until.is_none() && is_moment => SideKind::Look,
        _ => SideKind::Files,
    };
    let waiting = |look: &SavedLook| look.waiting_left_out == Some(0);
    let every = |look: &SavedLook| look.every_process == Some(true);
    let left_out = looks.iter().filter_map(|it| it.others_left_out);
    let side = Side {
        host: alike(|it| it.host.clone()),
        boot: all_alike(looks, |it| it.boot),
        span,
        tier: all_alike(looks, |it| it.tier),
        shows: Shows {
            listeners: !looks.is_empty() && looks.iter().all(waiting),
            every_process: !looks.is_empty() && looks.iter().all(every),
            left_out: left_out.fold(0, u64::saturating_add),
            ..Shows::default()
        },
        ..side(path.display().to_string(), kind, &snapshot.gaps)
    };
    let exit = imports.exit();
    // Which kind of file it is stands in the comparison.
    let said = if talk.verbose || imports.is_loss() {
        imports.text(talk)
    } else {
        String::new()
    };
    Ok(read_of(&snapshot, side, exit, said))
}

fn read_of(snapshot: &Snapshot, side: Side, exit: Exit, talk: String) -> Read {
    Read {
        outline: Outline::of(snapshot, side, &known::knowledge()),
        exit,
        talk,
    }
}

fn side(name: String, kind: SideKind, gaps: &[Gap]) -> Side {
    Side {
        name,
        kind,
        host: None,
        boot: None,
        span: None,
        tier: None,
        shows: Shows::default(),
        gaps: gaps.to_vec(),
    }
}

fn is_for(offset: &ClockOffset, path: &Path) -> bool {
    offset.file.as_ref().is_none_or(|file| file == path)
}

/// What all looks say alike. `None`: they do not, or none says it.
fn all_alike<T: PartialEq>(
    looks: &[SavedLook],
    told: impl Fn(&SavedLook) -> Option<T>,
) -> Option<T> {
    let first = told(looks.first()?)?;
    let alike = looks.iter().all(|it| told(it).as_ref() == Some(&first));
    alike.then_some(first)
}

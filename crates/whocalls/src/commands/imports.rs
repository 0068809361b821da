//! Captures and logs of other tools, read one after the other: files, or those that were imported
//! into a case.

mod kept;
mod moment;

use std::collections::HashSet;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use model::{BootId, ConnectionId, Event, Host, Imported, Text, Tier};
use observe::import::{Error, Import, Options, Skipped};
use record::case::OpenCase;
use show::quantity;
use track::{Limits, Told, Tracker};

use self::kept::{Kept, Unread};
pub(super) use self::moment::{at, at_in_case, beside};
use super::case::damage::Damage;
use crate::arguments::ClockOffset;
use crate::output::{Talk, Usage};

/// How deep folders are gone into, and how many files are taken out of them.
const DEEPEST: usize = 16;
const MOST_FILES: usize = 100_000;
/// Most logs and lists do not tell when a connection ends.
const LIMITS: Limits = Limits {
    open_connections: 2_000_000,
    ..Limits::CASE
};
/// How often it is said how far the reading is.
const SHOWN_EACH: Duration = Duration::from_millis(250);
/// So many files that were left out are named one by one.
const MOST_NAMED: usize = 10;

/// Files to be read.
#[derive(Default)]
pub(super) struct Imports {
    files: Vec<Named>,
    /// Of folders: what is of no kind that is known, or could not be read.
    left_out: LeftOut,
    /// They were imported into a case: what is of no known kind is there because somebody wanted it so.
    is_of_case: bool,
    /// Of a case: what could not be read, or not to its end, and why.
    unread: Vec<(String, String)>,
    /// Of a case: what is not as it was imported.
    damage: Damage,
    /// Of a case: the connections that were told of, to tell them from those of its recording.
    connections: HashSet<ConnectionId>,
    /// Connections for which there was no room.
    let_go: u64,
    /// How many were begun.
    begun: usize,
    reading: Option<Reading>,
    /// Those that were read.
    read: Vec<Read>,
    /// Bytes of the files that were read, and of all.
    done: u64,
    total: u64,
}

struct Named {
    path: PathBuf,
    /// `None`: a file of its own.
    kept: Option<Kept>,
    options: Options,
}

struct Reading {
    path: PathBuf,
    kept: Option<Kept>,
    import: Import,
}

/// What became of a file.
pub(super) struct Read {
    pub(super) path: PathBuf,
    pub(super) kind: &'static str,
    pub(super) skipped: Skipped,
}

impl Imports {
    /// Finds out what each file is, and goes into folders. Nothing is read yet.
    ///
    /// Errors: a file that was named cannot be read or is of no known kind; a clock offset for a file
    /// that was not named.
    pub(super) fn of(paths: &[PathBuf], offsets: &[ClockOffset]) -> Result<Self> {
        let mut imports = Self::default();
        check_offsets(paths, offsets)?;
        for path in paths {
            let options = Options {
                clock_offset_ns: ClockOffset::of(offsets, path),
            };
            if path.is_dir() {
                let (files, left_out) = files_below(path)?;
                imports.left_out.extend(left_out);
                for path in files {
                    match Import::open(&path, options) {
                        Ok(import) => imports.add(path, options, &import),
                        Err(error) => imports.left_out.push((path, error)),
                    }
                }
            } else {
                let import = Import::open(path, options);
                let import = import.map_err(|error| explained(path, error))?;
                imports.add(path.clone(), options, &import);
            }
        }
        if imports.files.is_empty() {
            let names: Vec<_> = paths.iter().map(|it| it.display().to_string()).collect();
            return Err(anyhow!(
                "{} is no case, and holds nothing of a kind that whocalls knows\nhelp: \
                 docs/imports.md names the kinds; a case is a folder with a manifest.sha256",
                names.join(", ")
            ));
        }
        Ok(imports)
    }

    fn add(&mut self, path: PathBuf, options: Options, import: &Import) {
        self.total += import.progress().1;
        self.files.push(Named {
            path,
            kept: None,
            options,
        });
    }

    /// What was imported into a case. What cannot be read of it is left out, and told.
    pub(super) fn of_case(case: &Arc<OpenCase>) -> Self {
        let mut imports = Self {
            is_of_case: true,
            ..Self::default()
        };
        let (damage, unread) = (&mut imports.damage, &mut imports.unread);
        let files = case.imports(&mut |error| {
            if let Err(error) = damage.take(error) {
                unread.push(("imports".to_owned(), error.to_string()));
            }
        });
        for file in files {
            let Some(origin) = file.origin else {
                let why = "its import was interrupted: import it again".to_owned();
                imports.unread.push((file.name, why));
                continue;
            };
            let options = Options {
                clock_offset_ns: origin.clock_offset_ns,
            };
            let path = PathBuf::from(&file.name);
            let kept = Kept::new(case, file.name, origin.bytes);
            match kept.open(options) {
                Ok(import) => {
                    imports.total += import.progress().1;
                    imports.files.push(Named {
                        path,
                        kept: Some(kept),
                        options,
                    });
                }
                Err(error) => imports.gives_up(path, error),
            }
        }
        imports
    }

    fn gives_up(&mut self, path: PathBuf, error: Unread) {
        match error {
            Unread::NoImport(error) => self.left_out.push((path, error)),
            Unread::Case(error) => {
                if let Err(error) = self.damage.take(error) {
                    let name = path.display().to_string();
                    self.unread.push((name, error.to_string()));
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// What is not as it was imported, once.
    pub(super) fn take_damage(&mut self) -> Damage {
        std::mem::take(&mut self.damage)
    }

    /// The connections that imports of a case told of.
    pub(super) fn connections(&self) -> &HashSet<ConnectionId> {
        &self.connections
    }

    /// A tracker for what they tell.
    pub(super) fn tracker(&self) -> Tracker {
        let name = match self.files.as_slice() {
            [file] => file
                .path
                .file_name()
                .map(|it| it.to_string_lossy().into_owned()),
            _ => None,
        };
        let host = Host {
            name: Text::from(name.unwrap_or_else(|| format!("{} files", self.files.len()))),
            boot: BootId([0; 16]),
        };
        Tracker::new(host, Tier::Import, LIMITS)
    }

    /// Reads some more. `false`: that was all.
    ///
    /// Errors: a file cannot be read any further.
    pub(super) fn next(&mut self, seen: &mut Vec<Imported>) -> Result<bool> {
        let Some(mut reading) = self.reading.take() else {
            let Some(file) = self.files.get(self.begun) else {
                return Ok(false);
            };
            self.begun += 1;
            let path = file.path.clone();
            let opened = match &file.kept {
                None => Import::open(&path, file.options).map_err(Unread::NoImport),
                Some(kept) => kept.open(file.options),
            };
            match (opened, file.kept.clone()) {
                (Ok(import), kept) => {
                    self.reading = Some(Reading { path, kept, import });
                }
                (Err(Unread::NoImport(error)), None) => return Err(explained(&path, error)),
                (Err(error), _) => self.gives_up(path, error),
            }
            return Ok(true);
        };
        let before = seen.len();
        let goes_on = reading.import.next(seen);
        let Some(kept) = &reading.kept else {
            let goes_on = goes_on.map_err(|error| explained(&reading.path, error))?;
            self.goes_on(reading, goes_on);
            return Ok(true);
        };
        for imported in seen.iter().skip(before) {
            if let Imported::Connection(connection) = imported {
                self.connections.insert(connection.id);
            }
        }
        let failed = match &goes_on {
            Ok(true) => None,
            Ok(false) | Err(_) => kept.failed(&mut reading.import),
        };
        let goes_on = match (goes_on, failed) {
            (Ok(goes_on), None) => goes_on,
            (Err(error), None) => {
                self.gives_up(reading.path.clone(), Unread::NoImport(error));
                false
            }
            (_, Some(error)) => {
                self.gives_up(reading.path.clone(), Unread::Case(error));
                false
            }
        };
        self.goes_on(reading, goes_on);
        Ok(true)
    }

    fn goes_on(&mut self, reading: Reading, goes_on: bool) {
        if goes_on {
            self.reading = Some(reading);
        } else {
            self.done += reading.import.progress().1;
            self.read.push(Read {
                path: reading.path,
                kind: reading.import.kind(),
                skipped: reading.import.skipped().clone(),
            });
        }
    }

    /// How much has been read, and how much there is, in bytes.
    pub(super) fn progress(&self) -> (u64, u64) {
        let reading = self.reading.as_ref();
        let now = reading.map_or(0, |reading| reading.import.progress().0);
        (self.done + now, self.total)
    }

    /// All is read: counts what there was no room for.
    pub(super) fn settle(&mut self, tracker: &mut Tracker, told: &mut Told<'_>) {
        tracker.settle(told);
        let let_go = tracker.let_go();
        self.let_go = let_go.closed_connections + let_go.open_connections;
    }

    /// Whether something was not understood, or there was no room for it.
    pub(super) fn is_loss(&self) -> bool {
        let lost = |skipped: &Skipped| skipped.count > 0 || skipped.cut.is_some();
        let any = self.read.iter().any(|read| lost(&read.skipped));
        let left_out = !self.left_out.is_empty() && !self.is_of_case;
        any || left_out || self.let_go > 0 || !self.unread.is_empty()
    }

    /// What was read, and what was not understood, for a person.
    pub(super) fn say(&self, talk: Talk) {
        talk.say(&self.text(talk));
    }

    pub(super) fn text(&self, talk: Talk) -> String {
        let mut text = String::new();
        if self.let_go > 0 {
            text.push_str(&format!(
                "{} more connections are not here: there is room for {} that have ended and {} that \
                 have not. Fewer files at once show all.\n",
                self.let_go,
                LIMITS.closed_connections,
                LIMITS.open_connections
            ));
        }
        let is_one = matches!(self.files.as_slice(), [file] if file.kept.is_none());
        for read in &self.read {
            let (name, skipped) = (read.path.display(), &read.skipped);
            if talk.verbose || (is_one && skipped.count == 0 && skipped.cut.is_none()) {
                text.push_str(&format!("{name}: {}\n", read.kind));
            }
            if skipped.count > 0 {
                text.push_str(&format!(
                    "{name}: {}, {} not understood and left out:\n",
                    read.kind,
                    parts(skipped.count)
                ));
                for part in &skipped.first {
                    text.push_str(&format!("  {}: {}\n", part.place, part.why));
                }
                let more = skipped.count - skipped.first.len() as u64;
                if more > 0 {
                    text.push_str(&format!("  and {more} more\n"));
                }
            }
            if let Some(place) = &skipped.cut {
                text.push_str(&format!(
                    "{name}: it ends in the middle, at {place}; all before that is here.\n"
                ));
            }
        }
        for (name, why) in self.unread.iter().take(MOST_NAMED) {
            text.push_str(&format!("{name}: {why}\n"));
        }
        let more = self.unread.len().saturating_sub(MOST_NAMED);
        if more > 0 {
            text.push_str(&format!("So it is with {more} more.\n"));
        }
        if !self.left_out.is_empty() {
            text.push_str(&format!("{} left out:\n", files(self.left_out.len())));
            for (path, error) in self.left_out.iter().take(MOST_NAMED) {
                text.push_str(&format!("  {}: {}\n", path.display(), why(error)));
            }
            let more = self.left_out.len().saturating_sub(MOST_NAMED);
            if more > 0 {
                text.push_str(&format!("  and {more} more\n"));
            }
        }
        text
    }
}

/// Reads all of them into `tracker`, and says how far it is where a person waits. `named` is handed
/// each name that they tell of.
///
/// Errors: as [`Imports::next`].
pub(super) fn fold(
    imports: &mut Imports,
    tracker: &mut Tracker,
    told: &mut Told<'_>,
    named: &mut dyn FnMut(&Event),
    talk: Talk,
) -> Result<()> {
    let begun = Instant::now();
    let mut shown = Instant::now();
    let is_shown = io::stderr().is_terminal() && !talk.quiet;
    let mut was_shown = false;
    let mut seen = Vec::new();
    let outcome = loop {
        match imports.next(&mut seen) {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
        for imported in seen.drain(..) {
            if let Imported::Name(event) = &imported {
                named(event);
            }
            tracker.import(imported, told);
        }
        if is_shown && shown.elapsed() >= SHOWN_EACH {
            shown = Instant::now();
            was_shown = true;
            let (done, total) = imports.progress();
            let percent = done.saturating_mul(100) / total.max(1);
            let line = format!(
                "\r\x1b[K{percent:3} %  {} of {} read, {} connections, {} s",
                quantity::bytes(done),
                quantity::bytes(total),
                tracker.kept(),
                begun.elapsed().as_secs()
            );
            let _ = io::stderr().write_all(line.as_bytes());
        }
    };
    imports.settle(tracker, told);
    if was_shown {
        let _ = io::stderr().write_all(b"\r\x1b[K");
    }
    outcome
}

/// Errors: a clock offset for a file that was not named.
pub(super) fn check_offsets(paths: &[PathBuf], offsets: &[ClockOffset]) -> Result<()> {
    for offset in offsets {
        let is_named = |file: &PathBuf| paths.iter().any(|path| path == file);
        if let Some(file) = offset.file.as_ref().filter(|file| !is_named(file)) {
            let text = format!(
                "--clock-offset is for {}, which is not among what is to be read",
                file.display()
            );
            return Err(Usage(text).into());
        }
    }
    Ok(())
}

/// All files of a folder and of those in it, in the order of their names. Links are not followed.
///
/// Errors: it cannot be read, or there are too many.
pub(super) fn files_below(folder: &Path) -> Result<(Vec<PathBuf>, LeftOut)> {
    let (mut files, mut left_out) = (Vec::new(), Vec::new());
    walk(folder, DEEPEST, &mut files, &mut left_out)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    if files.len() > MOST_FILES {
        return Err(anyhow!(
            "{} holds more than {MOST_FILES} files; name those that matter",
            folder.display()
        ));
    }
    files.sort();
    Ok((files, left_out))
}

/// Why a file is left out.
pub(super) fn why(error: &Error) -> String {
    match error {
        Error::Read(source) => format!("{error}: {source}"),
        Error::Unknown | Error::Empty | Error::NotRegular => error.to_string(),
    }
}

pub(super) fn explained(path: &Path, error: Error) -> anyhow::Error {
    let why = match &error {
        Error::Unknown => format!(
            "{} is of no kind that whocalls knows\nhelp: docs/imports.md names the kinds",
            path.display()
        ),
        Error::Empty => format!("{} is empty", path.display()),
        Error::NotRegular => format!(
            "{} is no regular file\nhelp: save what it gives to a file, and name that",
            path.display()
        ),
        Error::Read(_) => {
            return anyhow::Error::new(error).context(format!("cannot read {}", path.display()));
        }
    };
    anyhow!(why)
}

/// Files that are not read, and why.
type LeftOut = Vec<(PathBuf, Error)>;

/// All files below a folder. Links are not followed; what cannot be gone into is left out.
fn walk(
    folder: &Path,
    deepest: usize,
    files: &mut Vec<PathBuf>,
    left_out: &mut LeftOut,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_file() {
            files.push(path);
        } else if !kind.is_dir() {
            left_out.push((path, Error::NotRegular));
        } else if deepest == 0 {
            let why = "the folder lies too deep";
            left_out.push((path, Error::Read(io::Error::other(why))));
        } else if let Err(error) = walk(&path, deepest - 1, files, left_out) {
            left_out.push((path, Error::Read(error)));
        }
        if files.len().max(left_out.len()) > MOST_FILES {
            break;
        }
    }
    Ok(())
}

fn parts(count: u64) -> String {
    match count {
        1 => "1 part".to_owned(),
        count => format!("{count} parts"),
    }
}

fn files(count: usize) -> String {
    match count {
        1 => "1 file is".to_owned(),
        count => format!("{count} files are"),
    }
}

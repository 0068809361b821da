//! Captures and logs of other tools, read one after the other: files, or those that were imported
//! into a case.

mod captures;
mod folders;
mod kept;
mod moment;
mod said;
mod twins;

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use model::{BootId, ConnectionId, Event, Host, Imported, SavedLook, Snapshot, Text, Tier};
use observe::import::{Import, Options, Skipped};
use record::case::OpenCase;
use show::quantity;
use track::{Limits, Told, Tracker};

use self::captures::Captures;
pub(super) use self::folders::{LeftOut, files_below};
use self::kept::{Kept, Unread};
pub(super) use self::moment::{Covered, at, at_in_case, beside};
pub(super) use self::said::{explained, not_understood};
use super::case::damage::Damage;
use super::data;
use crate::arguments::ClockOffset;
use crate::exit::Exit;
use crate::output::{Talk, Usage};

/// Most logs and lists do not tell when a connection ends.
pub(super) const LIMITS: Limits = Limits {
    open_connections: 2_000_000,
    ..Limits::CASE
};
/// How often it is said how far the reading is.
const SHOWN_EACH: Duration = Duration::from_millis(250);

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
    /// Of which time they tell, as far as they were read.
    covered: Covered,
    /// Of those that are looks of whocalls: what they say of themselves.
    looks: Vec<SavedLook>,
    /// From when until when each capture goes.
    captures: Captures,
    /// Files with the content of another one, which is read in their place.
    twins: Vec<(PathBuf, PathBuf)>,
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
    /// What it is known by. `None`: it is of a case.
    source: Option<BootId>,
}

struct Reading {
    path: PathBuf,
    kept: Option<Kept>,
    import: Import,
    /// It said already that it is a look of whocalls.
    has_look: bool,
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
                imports.left_out.add_all(left_out);
                for path in files {
                    match Import::open(&path, options) {
                        Ok(import) => imports.add(path, options, &import)?,
                        Err(error) => imports.left_out.add(path, error),
                    }
                }
            } else {
                let import = Import::open(path, options);
                let import = import.map_err(|error| explained(path, error))?;
                imports.add(path.clone(), options, &import)?;
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

    fn add(&mut self, path: PathBuf, options: Options, import: &Import) -> Result<()> {
        let source = import.source();
        for known in self
            .files
            .iter()
            .filter(|known| known.source == Some(source))
        {
            let cannot = || format!("cannot read {}", path.display());
            if twins::are_equal(&known.path, &path).with_context(cannot)? {
                if known.options != options {
                    let text = format!(
                        "{} has the same content as {}, which is to be read with another \
                         --clock-offset\nhelp: name one of them only",
                        path.display(),
                        known.path.display()
                    );
                    return Err(Usage(text).into());
                }
                self.twins.push((path, known.path.clone()));
                return Ok(());
            }
        }
        self.total += import.progress().1;
        self.files.push(Named {
            path,
            kept: None,
            options,
            source: Some(source),
        });
        Ok(())
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
                        source: None,
                    });
                }
                Err(error) => imports.gives_up(path, error),
            }
        }
        imports
    }

    fn gives_up(&mut self, path: PathBuf, error: Unread) {
        match error {
            Unread::NoImport(error) => self.left_out.add(path, error),
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

    /// What the files among them say of themselves that are looks of whocalls.
    pub(super) fn looks(&self) -> &[SavedLook] {
        &self.looks
    }

    pub(super) fn covered(&self) -> Covered {
        self.covered
    }

    /// A tracker for what they tell.
    pub(super) fn tracker(&self, limits: Limits) -> Tracker {
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
        Tracker::new(host, Tier::Import, limits).with_addresses(data::addresses())
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
                    self.reading = Some(Reading {
                        path,
                        kept,
                        import,
                        has_look: false,
                    });
                }
                (Err(Unread::NoImport(error)), None) => return Err(explained(&path, error)),
                (Err(error), _) => self.gives_up(path, error),
            }
            return Ok(true);
        };
        let before = seen.len();
        let goes_on = reading.import.next(seen);
        let mut look = None;
        for imported in seen.iter().skip(before) {
            self.covered.add(imported);
            self.captures.add(imported);
            if let Imported::Look(told) = imported {
                look = Some((**told).clone());
            }
        }
        // What comes later of the same file says more.
        if let Some(look) = look {
            match self.looks.last_mut().filter(|_| reading.has_look) {
                Some(last) => *last = look,
                None => self.looks.push(look),
            }
            reading.has_look = true;
        }
        seen.extend(self.captures.gap().map(Imported::Gap));
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
        let any = self.read.iter().any(|read| read.skipped.is_loss());
        let left_out = !self.left_out.is_empty() && !self.is_of_case;
        any || left_out || self.let_go > 0 || !self.unread.is_empty()
    }

    pub(super) fn exit(&self) -> Exit {
        if self.is_loss() {
            Exit::Lost
        } else {
            Exit::Done
        }
    }
}

/// Reads all of them, and gives what they come to. `named` is handed each name that they tell of.
///
/// Errors: as [`Imports::next`].
pub(super) fn read_all(
    imports: &mut Imports,
    limits: Limits,
    named: &mut dyn FnMut(&Event),
    talk: Talk,
) -> Result<Snapshot> {
    let mut tracker = imports.tracker(limits);
    fold(imports, &mut tracker, &mut |_, _, _| {}, named, talk)?;
    Ok(tracker.snapshot())
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

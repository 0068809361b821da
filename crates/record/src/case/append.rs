//! Adding files from elsewhere to a case that was recorded: each is copied untouched into a folder
//! of its own in `imports/`, with an `about.json` beside it, and gets its line in the manifest and
//! its line in the log; at the end there is a new seal. Earlier seals stay those of what was there.
//!
//! The manifest says that the case is not sealed before the first file is made. So wherever this
//! ends in the middle, the case is consistent, and the next import brings it to its end.

mod open_log;

use std::fs::{self, File};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use model::Timestamp;
use serde_json::{Map, Value, json};

use self::open_log::OpenLog;
use super::imported::{self, ABOUT, FOLDER, Origin};
use super::log::FILE_ADDED;
use super::manifest::LogMark;
use super::output::{self, Copied, Raw, Spare, most_encrypted};
use super::scan::{Role, Scan};
use super::verify::{How, Looked, content, look};
use super::{CASE_JSON, Error, LOG, Limits, Line, MANIFEST, Manifest, Seal, Tool, write_manifest};
use crate::crypt::Recipients;
use crate::place::Place;

/// After so many bytes it looks how much room there is.
const LOOK_AT_SPACE_BYTES: u64 = 32 * 1024 * 1024;
/// What lines and folders need beside the file itself.
const BESIDE_BYTES: u64 = 256 * 1024;
/// A recording brings what it has to the disk more often than this.
const QUIET: Duration = Duration::from_secs(10);

/// Who imports, and with what.
#[derive(Clone, Debug)]
pub struct By {
    pub host: String,
    pub by: String,
    pub tool: Tool,
}

/// What is known of a file before it is read.
#[derive(Clone, Debug, Default)]
pub struct Foreign {
    /// Its name, without folders.
    pub name: String,
    pub source: String,
    pub source_hex: Option<String>,
    pub bytes: u64,
    pub modified: Option<Timestamp>,
    /// `None`: of no known kind.
    pub kind: Option<String>,
    pub clock_offset_ns: i64,
}

/// A file that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// In the case, without `.age`.
    pub name: String,
    /// Of the file as it was.
    pub sha256: String,
    pub bytes: u64,
}

/// A case that something is added to. Nothing is written before the first file.
pub struct Append {
    place: Box<dyn Place>,
    root: PathBuf,
    /// Nobody else adds to it as long as this is held.
    _lock: Option<File>,
    recipients: Option<Recipients>,
    limits: Limits,
    by: By,
    spare: Arc<Spare>,
    manifest: Manifest,
    /// `None`: it is encrypted, and sealed with what it holds.
    log: Option<OpenLog>,
    next: u64,
    /// What an import that was cut off has left to do: files without a line in the manifest, those
    /// of the manifest without one in the log, and what is of no use.
    unlisted: Vec<String>,
    untold: Vec<Line>,
    useless: Vec<String>,
    /// `false`: the recording was interrupted, and the case has no seal.
    is_sealable: bool,
    is_begun: bool,
    has_added: bool,
    /// Something failed between two steps that belong together: the next import mends it.
    is_broken: bool,
}

impl Append {
    /// Looks whether the case is as it was recorded; that takes as long as to verify it.
    ///
    /// Errors: no case; it was changed ([`Error::Damaged`]) or is being written; public keys are
    /// missing, or are not for this case.
    pub fn open(
        root: &Path,
        place: Box<dyn Place>,
        recipients: Option<Recipients>,
        limits: Limits,
        by: By,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let lock = lock(root)?;
        let Looked {
            manifest,
            scan,
            problems,
            ..
        } = look(root, How::WithContent)?;
        if let Some(problem) = problems.first() {
            let place = problem.file().unwrap_or(MANIFEST).to_owned();
            let why = problem.to_string();
            let why = why.strip_prefix(&format!("{place}: ")).unwrap_or(&why);
            return Err(Error::Damaged {
                path: root.to_owned(),
                why: why.to_owned(),
                place,
            });
        }
        let manifest = manifest.unwrap_or_default();
        let is_encrypted = scan.files.contains_key(&format!("{CASE_JSON}.age"));
        match (is_encrypted, &recipients) {
            (true, None) => return Err(Error::NoRecipients),
            (false, Some(_)) => return Err(Error::NotEncrypted),
            _ => {}
        }
        if !manifest.is_sealed() && is_being_written(&scan, now) {
            return Err(Error::StillRecorded);
        }
        let mut append = Self {
            place,
            root: root.to_owned(),
            _lock: lock,
            recipients,
            limits,
            by,
            spare: Arc::default(),
            log: None,
            next: next(&manifest, &scan),
            unlisted: Vec::new(),
            untold: Vec::new(),
            useless: Vec::new(),
            is_sealable: manifest.has(&format!("{LOG}.age")),
            is_begun: !manifest.is_sealed(),
            has_added: false,
            is_broken: false,
            manifest,
        };
        if !is_encrypted {
            append.read_log()?;
        }
        if !append.manifest.is_sealed() {
            append.find_left(&scan);
        }
        Ok(append)
    }

    pub fn is_encrypted(&self) -> bool {
        self.recipients.is_some()
    }

    /// What is in the case already and has the same content, where that can be told without a key.
    pub fn twin(&self, added: &Added) -> Option<&str> {
        let mut lines = self.manifest.files();
        let same = lines.find(|line| line.sha256 == added.sha256 && line.name != added.name);
        same.map(|line| line.name.as_str())
    }

    /// Copies a file into the case. `progress` gets the bytes of it so far, and can stop it. After
    /// an error nothing of it is in the case, and others can be added.
    ///
    /// Errors: no room; of `from` ([`Error::Read`]); of the place; [`Error::Stopped`].
    pub fn add(
        &mut self,
        now: Timestamp,
        foreign: &Foreign,
        from: &mut dyn Read,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Added, Error> {
        self.check_whole()?;
        self.check_room(foreign.bytes)?;
        self.begin(now)?;
        let file = imported::harmless(&foreign.name);
        let folder = format!("{FOLDER}/{}-{}", self.next, file.to_lowercase());
        let name = format!("{folder}/{file}");
        super::add::check_name(&name)?;
        for folder in [FOLDER, &folder] {
            let made = self.place.make_folder(folder);
            made.map_err(Error::write(folder))?;
        }
        // A number is never used again, whatever became of what had it.
        self.next += 1;
        let (sha256, bytes) = self.copy(now, &name, foreign, from, progress)?;
        let origin = Origin {
            source: foreign.source.clone(),
            source_hex: foreign.source_hex.clone(),
            file: name.clone(),
            bytes,
            sha256: sha256.clone(),
            modified: foreign.modified.map(|time| time.to_string()),
            imported: now,
            host: self.by.host.clone(),
            by: self.by.by.clone(),
            tool: self.by.tool.clone(),
            kind: foreign.kind.clone(),
            clock_offset_ns: foreign.clock_offset_ns,
            more: Map::new(),
        };
        let about = format!("{folder}/{ABOUT}");
        let text = origin.to_json();
        let all = &mut |_| ControlFlow::Continue(());
        self.copy(now, &about, &Foreign::default(), &mut text.as_slice(), all)?;
        Ok(Added {
            name,
            sha256,
            bytes,
        })
    }

    /// Seals the case again, and tells all its seals, the oldest first. Where nothing was added, it
    /// is as it was.
    ///
    /// Errors: of the place; then it is not sealed, and consistent.
    pub fn finish(mut self, now: Timestamp) -> Result<Appended, Error> {
        self.check_whole()?;
        if self.is_begun && self.is_sealable {
            self.begin(now)?;
            if self.has_added || !self.manifest_is_as_it_was() {
                self.seal()?;
            } else {
                self.write_manifest()?;
            }
        }
        Ok(Appended {
            seal: self.manifest.seal(),
            seals: self.manifest.seals(),
        })
    }
}

/// What a case came to that something was added to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// `None`: the recording was interrupted, and there is none.
    pub seal: Option<Seal>,
    /// All, the oldest first.
    pub seals: Vec<Seal>,
}

impl Append {
    fn read_log(&mut self) -> Result<(), Error> {
        let read = OpenLog::read(&self.root)?;
        self.is_sealable = read.is_closed;
        let untold = self.manifest.files();
        let untold = untold.filter(|line| !read.told.contains(&line.name));
        self.untold = untold.cloned().collect();
        self.log = Some(read.log);
        Ok(())
    }

    /// What an import has left that did not come to its end, or a recording that did, but for its
    /// seal.
    fn find_left(&mut self, scan: &Scan) {
        for (name, lying) in &scan.files {
            if [MANIFEST, LOG].contains(&name.as_str()) || self.manifest.has(name) {
                continue;
            }
            let is_import = imported::number(name).is_some();
            match &lying.role {
                Role::Closed if is_import => self.unlisted.push(name.clone()),
                Role::Unfinished if is_import => self.useless.push(name.clone()),
                // What an interrupted recording has left stays as it is.
                _ if !self.is_sealable => {}
                Role::Unfinished | Role::Open { piece: Some(_), .. } => {
                    self.useless.push(name.clone());
                }
                // A recorded file that has no line: whoever recorded it did not come to its end.
                Role::Closed | Role::Open { piece: None, .. } => self.is_sealable = false,
            }
        }
    }

    /// Says in the manifest that the case is not sealed any more, and ends what was left.
    fn begin(&mut self, now: Timestamp) -> Result<(), Error> {
        if !self.is_begun {
            self.manifest.begin_import();
            self.is_begun = true;
            self.write_manifest()?;
        }
        self.is_broken = true;
        for name in std::mem::take(&mut self.useless) {
            self.place.remove(&name).map_err(Error::write(&name))?;
        }
        for line in std::mem::take(&mut self.untold) {
            let bytes = fs::metadata(self.root.join(&line.name)).map_or(0, |file| file.len());
            self.tell_added(now, &line, bytes, &Map::new())?;
        }
        for name in std::mem::take(&mut self.unlisted) {
            let path = self.root.join(&name);
            let hashed = content::hash(&path);
            let hashed = hashed.map_err(|source| Error::Read { path, source })?;
            let line = Line {
                name,
                sha256: hashed.sha256,
            };
            self.list(now, line, hashed.bytes, &Map::new())?;
        }
        self.is_broken = false;
        Ok(())
    }

    fn check_whole(&self) -> Result<(), Error> {
        let file = MANIFEST.to_owned();
        match self.is_broken {
            true => Err(Error::StillOpen { file }),
            false => Ok(()),
        }
    }

    /// Whether taking the beginning of this import back leaves the seal that was there.
    fn manifest_is_as_it_was(&mut self) -> bool {
        let mut before = self.manifest.clone();
        before.forget_import();
        let is_sealed = before.is_sealed();
        if is_sealed {
            self.manifest = before;
        }
        is_sealed
    }

    fn seal(&mut self) -> Result<(), Error> {
        let mark = match &self.log {
            Some(log) => log.mark().clone(),
            None => {
                let name = format!("{LOG}.age");
                let line = self.manifest.files().find(|line| line.name == name);
                LogMark::of_file(line.ok_or_else(|| Error::StillOpen { file: name.clone() })?)
            }
        };
        self.manifest.add_seal(mark);
        self.write_manifest()
    }

    fn write_manifest(&mut self) -> Result<(), Error> {
        let written = write_manifest(self.place.as_mut(), &self.spare, &self.manifest);
        written.map(drop).map_err(Error::write(MANIFEST))
    }

    /// Writes a whole file and gives it its name and its lines. Tells SHA-256 and length of what
    /// came in.
    fn copy(
        &mut self,
        now: Timestamp,
        name: &str,
        foreign: &Foreign,
        from: &mut dyn Read,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(String, u64), Error> {
        let on_disk = match self.is_encrypted() {
            true => format!("{name}.age"),
            false => name.to_owned(),
        };
        let (folder, _) = name.rsplit_once('/').unwrap_or_default();
        let temporary = format!("{folder}/copy.new");
        let made = self.place.create(&temporary);
        let file = made.map_err(Error::write(&temporary))?;
        let kept = self.fill(file, name, from, progress).and_then(|filled| {
            let named = self.place.rename(&temporary, &on_disk);
            named.map(|()| filled).map_err(Error::write(&on_disk))
        });
        let Copied {
            written,
            sha256,
            bytes,
        } = match kept {
            Ok(kept) => kept,
            Err(error) => {
                // The error that came before is the one to be told; what cannot be removed is of
                // no use, and known to be.
                self.is_broken = self.place.remove(&temporary).is_err();
                return Err(error);
            }
        };
        self.is_broken = true;
        self.place.sync().map_err(Error::write(&on_disk))?;
        let line = Line::new(on_disk, &written.sha256);
        let mut facts = Map::new();
        if !foreign.source.is_empty() {
            facts.insert("source".to_owned(), json!(foreign.source));
            facts.insert("kind".to_owned(), json!(foreign.kind));
            facts.insert("clock_offset_ns".to_owned(), json!(foreign.clock_offset_ns));
        }
        self.list(now, line, written.bytes, &facts)?;
        self.is_broken = false;
        Ok((sha256, bytes))
    }

    fn fill(
        &self,
        file: File,
        name: &str,
        from: &mut dyn Read,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Copied, Error> {
        let raw = Raw::new(file, Arc::clone(&self.spare));
        let (mut bytes, mut looked) = (0, 0);
        output::copy(raw, self.recipients.as_ref(), name, from, &mut |more| {
            bytes += more;
            if bytes - looked >= LOOK_AT_SPACE_BYTES {
                looked = bytes;
                self.check_room(0)?;
            }
            match progress(bytes).is_break() {
                true => Err(Error::Stopped),
                false => Ok(()),
            }
        })
    }

    /// Gives a file that has its name its lines.
    fn list(
        &mut self,
        now: Timestamp,
        line: Line,
        bytes: u64,
        facts: &Map<String, Value>,
    ) -> Result<(), Error> {
        self.manifest.add(line.clone());
        self.has_added = true;
        self.write_manifest()?;
        self.tell_added(now, &line, bytes, facts)
    }

    fn tell_added(
        &mut self,
        now: Timestamp,
        line: &Line,
        bytes: u64,
        more: &Map<String, Value>,
    ) -> Result<(), Error> {
        let Some(log) = &mut self.log else {
            return Ok(());
        };
        log.begin(self.place.as_mut(), now, &self.by)?;
        let mut facts = Map::new();
        facts.insert("file".to_owned(), json!(line.name));
        facts.insert("sha256".to_owned(), json!(line.sha256));
        facts.insert("bytes".to_owned(), json!(bytes));
        facts.extend(more.clone());
        log.tell(self.place.as_mut(), now, FILE_ADDED, facts)
    }

    /// Errors: it does not fit, with what has to stay free.
    fn check_room(&self, bytes: u64) -> Result<(), Error> {
        let space = self.place.space().map_err(Error::write("the case"))?;
        let (free, floor) = (space.free_bytes, self.limits.floor(space));
        let needed = match &self.recipients {
            Some(recipients) => most_encrypted(bytes, recipients),
            None => bytes,
        };
        let needed = needed.saturating_add(BESIDE_BYTES).saturating_add(floor);
        match needed > free {
            true => Err(Error::NoRoomForFile { bytes, free, floor }),
            false => Ok(()),
        }
    }
}

/// Holds the folder, so that two imports do not write at once. `None`: folders cannot be held here.
fn lock(root: &Path) -> Result<Option<File>, Error> {
    let Ok(folder) = File::open(root) else {
        return Ok(None);
    };
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(fs::TryLockError::WouldBlock) => Err(Error::Busy),
        Err(fs::TryLockError::Error(_)) => Ok(None),
    }
}

/// Whether an open file has grown a moment ago.
fn is_being_written(scan: &Scan, now: Timestamp) -> bool {
    scan.files.values().any(|lying| {
        let modified = lying
            .modified
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .and_then(|since| i64::try_from(since.as_nanos()).ok());
        matches!(lying.role, Role::Open { .. })
            && modified.is_some_and(|time| {
                let time = Timestamp::from_unix_nanos(time);
                time <= now && time.until(now) < QUIET
            })
    })
}

/// The number of the next import.
fn next(manifest: &Manifest, scan: &Scan) -> u64 {
    let listed = manifest.files().map(|line| line.name.as_str());
    let lying = scan.files.keys().chain(&scan.folders).map(String::as_str);
    let numbers = listed.chain(lying).filter_map(imported::number);
    numbers.max().unwrap_or(0).saturating_add(1)
}

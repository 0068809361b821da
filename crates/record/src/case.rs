//! The case folder: one examination on disk. Bytes of streams and whole files go in; a folder comes
//! out in which every closed file has its line in `manifest.sha256`, everything that was done has
//! its line in `log.ndjson`, and at the end one short [`Seal`] stands for all of it.
//!
//! What is written goes through a [`Place`]. [`verify()`] checks a folder without anything else,
//! [`OpenCase`] reads one. `docs/case-format.md` has the format.
//!
//! An interrupted recording is no damage: what was closed verifies, and of what was open, all that
//! [`Stream::flush_to_disk`] brought to the disk can be read.

mod about;
mod append;
mod imported;
pub mod log;
mod manifest;
mod name;
mod open;
mod output;
mod ring;
mod scan;
mod seal;
mod segment;
mod start_here;
#[cfg(test)]
pub(crate) mod tests;
mod verify;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

pub use about::{About, AboutFault, Clock, Consent, Depth, Tool};
pub use append::{Added, Append, Appended, By, Foreign};
pub use imported::{ABOUT, ImportedFile, Origin};
pub use log::{Entry, LogEnd, LogFault, read_log};
pub use manifest::{Line, Manifest, ManifestFault};
pub(crate) use name::is_name;
pub use open::{CaseReader, Cut, OpenCase, Segment};
pub use seal::Seal;
pub use segment::Stream;
pub(crate) use verify::{How, Looked, look};
pub use verify::{Interrupted, Outcome, Problem, Verified, verify};

use crate::crypt::{self, Recipients};
use crate::hex;
use crate::place::{Place, Space};
use manifest::LogMark;
use output::{Finished, Raw, Spare, SpareState, Whole, Written, most_encrypted};
use ring::Closed;

/// The format that this build writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The names of the files that every case has.
pub const START_HERE: &str = "START-HERE.txt";
pub const CASE_JSON: &str = "case.json";
pub const LOG: &str = "log.ndjson";
pub const MANIFEST: &str = "manifest.sha256";
/// Holds room on the disk so that manifest and log can still be written when it is full.
const RESERVE: &str = "reserve";
/// What [`START_HERE`] is called until it is whole.
const START_HERE_NEW: &str = "start-here.txt.new";
const RESERVE_BYTES: u64 = 8 * MIB;
/// Folders that [`Case::add`] takes files for, beside those of the streams.
const FOLDERS: [&str; 3] = ["snapshots", "programs", "imports"];
const MIB: u64 = 1024 * 1024;
/// What a case without a greatest size needs to begin, beside what has to stay free.
const LEAST_FREE_BYTES: u64 = 32 * MIB;
const COPY_BYTES: usize = 64 * 1024;
/// The smallest [`About::max_size`].
pub const LEAST_MAX_SIZE: u64 = MIB;
/// What is kept free below [`About::max_size`] for lines of manifest and log, in bytes.
const KEPT_FOR_LINES: u64 = 64 * 1024;

/// What a case is begun with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Goes into `case.json`.
    pub about: About,
    pub limits: Limits,
    /// The case is encrypted for these from its first byte on. `None`: it is not encrypted.
    pub recipients: Option<Recipients>,
}

/// When a segment is closed and the next begun, and when recording has to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub events: SegmentLimit,
    pub packets: SegmentLimit,
    /// So much of the file system stays free, in hundredths...
    pub free_percent: u64,
    /// ... and never less than this, in bytes.
    pub free_least: u64,
}

/// A segment that reaches one of them is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentLimit {
    pub bytes: u64,
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let hour = Duration::from_secs(3600);
        let limit = |bytes| SegmentLimit { bytes, time: hour };
        Self {
            events: limit(64 * MIB),
            packets: limit(512 * MIB),
            free_percent: 5,
            free_least: 64 * MIB,
        }
    }
}

impl Limits {
    /// What has to stay free on a file system of this size, in bytes.
    pub fn floor(&self, space: Space) -> u64 {
        let share = u128::from(space.total_bytes) * u128::from(self.free_percent) / 100;
        u64::try_from(share)
            .unwrap_or(u64::MAX)
            .max(self.free_least)
    }
}

/// What a stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// NDJSON.
    Events,
    /// pcapng.
    Packets,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Events, Self::Packets];

    /// Its folder, and the word for what is counted in it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Packets => "packets",
        }
    }

    /// What the names of its segments end in, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Events => "ndjson",
            Self::Packets => "pcapng",
        }
    }
}

/// Why a case could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot write {file}: {source}")]
    Write { file: String, source: io::Error },
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// Before anything was written.
    #[error("there is not enough room for a case: {needed} bytes are needed, {free} are free")]
    NoRoom { needed: u64, free: u64 },
    #[error("a case cannot be kept below {max_size} bytes: at least {LEAST_MAX_SIZE} are needed")]
    MaxSizeTooSmall { max_size: u64 },
    /// It is time to stop cleanly: close the streams and finish. What was handed in before is
    /// written.
    #[error("the disk is nearly full: {free} bytes are free, {floor} have to stay free")]
    SpaceLow { free: u64, floor: u64 },
    /// Nothing is left that ring mode could let go. What was handed in is not written.
    #[error("cannot write {file}: the case would grow beyond {max_size} bytes")]
    SizeReached { file: String, max_size: u64 },
    #[error("a file in a case cannot be called \"{}\": {why}", name.escape_debug())]
    Name { name: String, why: &'static str },
    /// A segment was not closed, or could not be.
    #[error("the case cannot be sealed: {file} is not closed")]
    StillOpen { file: String },
    /// To be encrypted, or not, as the case is.
    #[error("the case is encrypted: the public keys are needed that it is encrypted to")]
    NoRecipients,
    #[error("the case is not encrypted, and what is added to it is not either")]
    NotEncrypted,
    #[error("the case was written to a moment ago: is it still being recorded?")]
    StillRecorded,
    #[error("something else is just being added to the case")]
    Busy,
    /// It is not taken in.
    #[error(
        "there is not enough room for it: it has {bytes} bytes, {free} are free, and {floor} have to stay free"
    )]
    NoRoomForFile { bytes: u64, free: u64, floor: u64 },
    #[error("stopped before its end")]
    Stopped,
    #[error("cannot write {file}: the case is sealed")]
    Finished { file: String },
    /// No case at all.
    #[error("{} is not a case: {why}", path.display())]
    Foreign { path: PathBuf, why: String },
    #[error("case {} is in format {found}; this build reads up to {FORMAT}", path.display())]
    TooNew { path: PathBuf, found: u32 },
    /// It is a case, and not as it was written.
    #[error("{} is damaged: {place}: {why}", path.display())]
    Damaged {
        path: PathBuf,
        /// The line, or what else tells where.
        place: String,
        why: String,
    },
    #[error("case {} is encrypted: the file with the private key is needed", path.display())]
    Encrypted { path: PathBuf },
    #[error("cannot decrypt {}: {source}", path.display())]
    Decrypt { path: PathBuf, source: crypt::Error },
}

impl Error {
    fn write(file: &str) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        move |source| Self::Write { file, source }
    }
}

/// A case that is being written. Clones are handles of the same case, for other threads.
#[derive(Clone)]
pub struct Case(Arc<Shared>);

struct Shared {
    recipients: Option<Recipients>,
    limits: Limits,
    max_size: Option<u64>,
    spare: Arc<Spare>,
    inner: Mutex<Inner>,
}

struct Inner {
    place: Box<dyn Place>,
    manifest: Manifest,
    manifest_bytes: u64,
    log: log::Writer,
    /// Closed segments in the order of their closing.
    closed: Vec<Closed>,
    /// How many segments of each kind there were.
    numbers: [u64; 2],
    /// Files that were begun and not closed.
    open: Vec<String>,
    /// Folders that were made.
    folders: Vec<String>,
    /// How many programs were copied.
    copies: u64,
    /// All that the case takes on the disk, or may take for what is being written, in bytes.
    used: u64,
    /// The newest time that was handed in: lines about what this crate does by itself carry it.
    now: Timestamp,
    finished: bool,
}

impl Case {
    /// Begins a case in a folder that is empty.
    ///
    /// Errors: no room, a size too small; of the place.
    pub fn begin(mut place: Box<dyn Place>, settings: Settings) -> Result<Self, Error> {
        let Settings {
            about,
            limits,
            recipients,
        } = settings;
        let reserve_bytes = check_room(place.as_ref(), &limits, about.max_size)?;
        let spare = Arc::new(Spare::default());
        let write = Error::write;
        let recipients_of_log = recipients.as_ref();
        let manifest = Manifest::default();
        let manifest_bytes =
            write_manifest(place.as_mut(), &spare, &manifest).map_err(write(MANIFEST))?;
        let reserve = make_reserve(place.as_mut(), reserve_bytes).map_err(write(RESERVE))?;
        spare.keep(reserve);
        let log = log::Writer::begin(recipients_of_log, &spare, &mut |name| place.create(name))
            .map_err(write(LOG))?;
        place.sync().map_err(write(LOG))?;
        let case = Self(Arc::new(Shared {
            recipients,
            limits,
            max_size: about.max_size,
            spare,
            inner: Mutex::new(Inner {
                place,
                manifest,
                manifest_bytes,
                log,
                closed: Vec::new(),
                numbers: [0; 2],
                open: Vec::new(),
                folders: Vec::new(),
                copies: 0,
                used: reserve_bytes + manifest_bytes,
                now: about.began,
                finished: false,
            }),
        }));
        let facts = json!({ "schema": "whocalls/1", "case": about.id, "format": FORMAT });
        case.tell(about.began, log::BEGUN, facts)?;
        let start_here = start_here::text(&about, case.is_encrypted());
        case.put(about.began, START_HERE, false, &mut start_here.as_bytes())?;
        case.put(
            about.began,
            CASE_JSON,
            true,
            &mut about.to_json().as_slice(),
        )?;
        Ok(case)
    }

    pub fn is_encrypted(&self) -> bool {
        self.0.recipients.is_some()
    }

    /// A stream of segments. One of each kind, on the thread that writes it.
    pub fn stream(&self, kind: Kind) -> Stream {
        Stream::new(self.clone(), kind)
    }

    /// Adds a whole file: `snapshots/first.json`, `imports/1-name/...`. It has its name only when
    /// all of it is on the disk. In an encrypted case it gets `.age` behind it.
    ///
    /// Errors: a name that cannot be, or is there already; of `from` ([`Error::Read`]); of the place.
    pub fn add(&self, time: Timestamp, name: &str, from: &mut dyn Read) -> Result<(), Error> {
        check_name(name)?;
        self.put(time, name, true, from)
    }

    /// Adds the file of a program as `programs/<sha256>`, once however often it is added. Tells the
    /// SHA-256 of its content.
    ///
    /// Errors: as [`Case::add`].
    pub fn add_program(&self, time: Timestamp, from: &mut dyn Read) -> Result<String, Error> {
        let copy = {
            let mut inner = self.lock();
            inner.copies += 1;
            format!("programs/copy-{}", inner.copies)
        };
        let (copied, sha256) = self.copy(&copy, true, from)?;
        let name = self.name_on_disk(&format!("programs/{sha256}"), true);
        let is_there = self.lock().manifest.has(&name);
        if is_there {
            self.forget(copied)?;
        } else {
            self.keep(time, &name, copied)?;
        }
        Ok(sha256)
    }

    /// Writes a line of the log and brings it to the disk; [`log`] has the words.
    ///
    /// Errors: of the place; the case is sealed.
    pub fn log(&self, time: Timestamp, what: &str, facts: Map<String, Value>) -> Result<(), Error> {
        self.tell(time, what, Value::Object(facts))
    }

    /// How much room there is where the case lies.
    ///
    /// Errors: of the place.
    pub fn space(&self) -> Result<Space, Error> {
        self.lock().place.space().map_err(Error::write("the case"))
    }

    /// What it takes on the disk, in bytes, with what may be needed for what is being written.
    pub fn size(&self) -> u64 {
        self.lock().used
    }

    /// Ends the log, writes the last manifest, and tells the seal. Every stream is closed before.
    /// `facts` are what the last line of the log is to tell: totals, losses. After an error the case
    /// is as after a crash: not sealed, and consistent.
    ///
    /// Errors: a segment is open, or could not be closed; of the place.
    pub fn finish(self, time: Timestamp, facts: Map<String, Value>) -> Result<Seal, Error> {
        if let Some(file) = self.lock().open.first() {
            let file = file.clone();
            return Err(Error::StillOpen { file });
        }
        self.tell(time, log::CLOSED, Value::Object(facts))?;
        self.lock().seal(&self.0.spare)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, time: Timestamp, what: &str, facts: Value) -> Result<(), Error> {
        let mut inner = self.lock();
        inner.notice(time);
        // Lines are short, and never refused: what they need beyond what is kept for them is made
        // up for by letting go of a segment.
        while self.0.is_beyond(&inner, 0) && inner.drop_oldest(&self.0)? {}
        inner.tell(time, what, facts)
    }

    /// Reserves room for so many bytes more, letting go of old segments when that is wished for.
    fn claim(&self, file: &str, bytes: u64) -> Result<(), Error> {
        let mut inner = self.lock();
        while self.0.is_beyond(&inner, bytes) {
            if !inner.drop_oldest(&self.0)? {
                return Err(Error::SizeReached {
                    file: file.to_owned(),
                    max_size: self.0.max_size.unwrap_or(u64::MAX),
                });
            }
        }
        inner.used += bytes;
        Ok(())
    }

    /// Looks whether enough of the disk is free.
    fn check_space(&self) -> Result<(), Error> {
        let space = self.space()?;
        let floor = self.0.limits.floor(space);
        if space.free_bytes < floor {
            self.0.spare.note(SpareState::Low);
        }
        match self.0.spare.state() {
            SpareState::Enough => Ok(()),
            SpareState::Low | SpareState::Full => Err(Error::SpaceLow {
                free: space.free_bytes,
                floor,
            }),
        }
    }

    fn put(
        &self,
        time: Timestamp,
        name: &str,
        is_sealed: bool,
        from: &mut dyn Read,
    ) -> Result<(), Error> {
        let (copied, _) = self.copy(name, is_sealed, from)?;
        self.keep(time, &self.name_on_disk(name, is_sealed), copied)
    }

    fn name_on_disk(&self, name: &str, is_sealed: bool) -> String {
        match is_sealed && self.is_encrypted() {
            true => format!("{name}.age"),
            false => name.to_owned(),
        }
    }
}

impl Case {
    /// Writes a file that has no name yet, and tells the SHA-256 of what it was made of.
    fn copy(
        &self,
        name: &str,
        is_sealed: bool,
        from: &mut dyn Read,
    ) -> Result<(Copied, String), Error> {
        let temporary = format!("{}.new", self.name_on_disk(name, is_sealed)).to_lowercase();
        let file = {
            let mut inner = self.lock();
            inner.make_folder_of(&temporary)?;
            let spare = &self.0.spare;
            let made = spare.with(|| inner.create(&temporary));
            made.map_err(Error::write(&temporary))?
        };
        let recipients = self.0.recipients.as_ref().filter(|_| is_sealed);
        let mut claimed = 0;
        let copied =
            self.fill(file, recipients, name, from, &mut claimed)
                .map(|(written, sha256)| {
                    let from = temporary.clone();
                    (
                        Copied {
                            from,
                            written,
                            claimed,
                        },
                        sha256,
                    )
                });
        if copied.is_err() {
            let mut inner = self.lock();
            inner.used = inner.used.saturating_sub(claimed);
            inner.discard(&temporary);
        }
        copied
    }

    fn fill(
        &self,
        file: File,
        recipients: Option<&Recipients>,
        name: &str,
        from: &mut dyn Read,
        claimed: &mut u64,
    ) -> Result<(Written, String), Error> {
        let mut claim = |bytes| -> Result<(), Error> {
            self.claim(name, bytes)?;
            *claimed += bytes;
            Ok(())
        };
        if let Some(recipients) = recipients {
            claim(most_encrypted(0, recipients))?;
        }
        let raw = Raw::new(file, Arc::clone(&self.0.spare));
        let mut whole = Whole::new(raw, recipients).map_err(Error::write(name))?;
        let mut content = Sha256::new();
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => buffer.get(..read).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    let path = PathBuf::from(name);
                    return Err(Error::Read { path, source });
                }
            };
            // An encrypted chunk of 64 KiB has 16 bytes more.
            claim(read.len() as u64 + 16)?;
            if self.0.spare.state() == SpareState::Full {
                self.check_space()?;
            }
            content.update(read);
            whole.write_all(read).map_err(Error::write(name))?;
        }
        let written = whole.finish().map_err(Error::write(name))?;
        Ok((written, hex(&content.finalize())))
    }

    /// Removes a copied file again.
    fn forget(&self, copied: Copied) -> Result<(), Error> {
        let mut inner = self.lock();
        inner.used = inner.used.saturating_sub(copied.claimed);
        let removed = inner.place.remove(&copied.from);
        removed.map_err(Error::write(&copied.from))
    }

    /// Gives a copied file its name and its lines.
    fn keep(&self, time: Timestamp, name: &str, copied: Copied) -> Result<(), Error> {
        let Copied {
            from,
            written,
            claimed,
        } = copied;
        let mut inner = self.lock();
        inner.notice(time);
        inner.used = inner.used.saturating_sub(claimed);
        let fault = match inner.finished {
            true => Some(Error::Finished {
                file: name.to_owned(),
            }),
            false => inner
                .place
                .rename(&from, name)
                .err()
                .map(Error::write(name)),
        };
        if let Some(fault) = fault {
            inner.discard(&from);
            return Err(fault);
        }
        inner.used += written.bytes;
        inner.sync(name)?;
        let line = Line::new(name.to_owned(), &written.sha256);
        let facts = json!({ "file": name, "sha256": line.sha256, "bytes": written.bytes });
        inner.manifest.add(line);
        inner.write_manifest(&self.0.spare)?;
        inner.tell(time, log::FILE_ADDED, facts)
    }
}

/// A file that is on the disk and has no name yet.
struct Copied {
    from: String,
    written: Written,
    claimed: u64,
}

impl Shared {
    /// Whether the case would grow beyond its greatest size by so many bytes. The manifest is there
    /// twice while it is replaced.
    fn is_beyond(&self, inner: &Inner, bytes: u64) -> bool {
        let kept = KEPT_FOR_LINES + inner.manifest_bytes;
        self.max_size
            .is_some_and(|most| inner.used.saturating_add(bytes).saturating_add(kept) > most)
    }
}

impl Inner {
    fn notice(&mut self, time: Timestamp) {
        self.now = self.now.max(time);
    }

    fn create(&mut self, name: &str) -> io::Result<File> {
        self.place.create(name)
    }

    /// Removes what could not be written to its end, if it is there. The error that came before is
    /// the one to be told; where this fails too, the case cannot be sealed.
    fn discard(&mut self, name: &str) {
        match self.place.remove(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.open.push(name.to_owned());
            }
            _ => {}
        }
    }

    fn sync(&mut self, file: &str) -> Result<(), Error> {
        self.place.sync().map_err(Error::write(file))
    }

    /// Makes the folders on the way to a file, each once.
    fn make_folder_of(&mut self, name: &str) -> Result<(), Error> {
        for (end, _) in name.match_indices('/') {
            let folder = name.get(..end).unwrap_or_default();
            if !self.folders.iter().any(|made| made == folder) {
                self.place
                    .make_folder(folder)
                    .map_err(Error::write(folder))?;
                self.folders.push(folder.to_owned());
            }
        }
        Ok(())
    }

    fn write_manifest(&mut self, spare: &Spare) -> Result<(), Error> {
        let bytes = write_manifest(self.place.as_mut(), spare, &self.manifest)
            .map_err(Error::write(MANIFEST))?;
        self.used = (self.used + bytes).saturating_sub(self.manifest_bytes);
        self.manifest_bytes = bytes;
        Ok(())
    }

    fn tell(&mut self, time: Timestamp, what: &str, facts: Value) -> Result<(), Error> {
        if self.finished {
            let file = LOG.to_owned();
            return Err(Error::Finished { file });
        }
        let facts = facts.as_object().cloned().unwrap_or_default();
        let what = what.to_owned();
        let place = &mut self.place;
        let (bytes, has_names) = self
            .log
            .append(&Entry { time, what, facts }, &mut |name| place.create(name))
            .map_err(Error::write(LOG))?;
        self.used += bytes;
        match has_names {
            true => self.sync(LOG),
            false => Ok(()),
        }
    }

    /// Closes the log and writes the manifest that the seal is taken from.
    fn seal(&mut self, spare: &Spare) -> Result<Seal, Error> {
        let mut mark = self.log.mark();
        self.finished = true;
        if let Some(finished) = self.log.finish().map_err(Error::write(LOG))? {
            let line = self.name(&finished)?;
            mark = LogMark::of_file(&line);
            self.manifest.add(line);
            self.write_manifest(spare)?;
            self.remove_row(&finished.row)?;
        }
        self.place.remove(RESERVE).map_err(Error::write(RESERVE))?;
        self.sync(RESERVE)?;
        self.manifest.add_seal(mark);
        self.write_manifest(spare)?;
        self.manifest.seal().ok_or_else(|| Error::StillOpen {
            file: MANIFEST.to_owned(),
        })
    }

    /// Gives a file that is on the disk its name.
    fn name(&mut self, finished: &Finished) -> Result<Line, Error> {
        let Finished {
            from, to, written, ..
        } = finished;
        self.place.rename(from, to).map_err(Error::write(to))?;
        self.sync(to)?;
        Ok(Line::new(to.clone(), &written.sha256))
    }

    fn remove_row(&mut self, row: &[String]) -> Result<(), Error> {
        row.iter()
            .try_for_each(|name| self.place.remove(name).map_err(Error::write(name)))
    }
}

/// How large the reserve is.
///
/// Errors: there is not enough room.
fn check_room(place: &dyn Place, limits: &Limits, max_size: Option<u64>) -> Result<u64, Error> {
    if let Some(max_size) = max_size.filter(|size| *size < LEAST_MAX_SIZE) {
        return Err(Error::MaxSizeTooSmall { max_size });
    }
    let reserve = max_size.map_or(RESERVE_BYTES, |size| RESERVE_BYTES.min(size / 16));
    let space = place.space().map_err(Error::write("the case"))?;
    let needed = max_size
        .unwrap_or(LEAST_FREE_BYTES)
        .saturating_add(limits.floor(space));
    match space.free_bytes < needed {
        true => Err(Error::NoRoom {
            needed,
            free: space.free_bytes,
        }),
        false => Ok(reserve),
    }
}

/// Bytes that are written, since a file with holes in it keeps no room.
fn make_reserve(place: &mut dyn Place, bytes: u64) -> io::Result<File> {
    let mut file = place.create(RESERVE)?;
    io::copy(&mut io::repeat(0xff).take(bytes), &mut file)?;
    file.sync_all()?;
    Ok(file)
}

/// Replaces the manifest as a whole, so that there is always a complete one. Tells its length.
fn write_manifest(place: &mut dyn Place, spare: &Spare, manifest: &Manifest) -> io::Result<u64> {
    let new = format!("{MANIFEST}.new");
    let text = manifest.to_bytes();
    let mut write = || {
        let mut file = match place.create(&new) {
            // What a try that failed has left.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                place.remove(&new)?;
                place.create(&new)?
            }
            made => made?,
        };
        file.write_all(&text)?;
        file.sync_all()
    };
    spare.with(&mut write)?;
    place.replace(&new, MANIFEST)?;
    place.sync()?;
    Ok(text.len() as u64)
}

fn check_name(name: &str) -> Result<(), Error> {
    let folder = name.split_once('/').map(|(folder, _)| folder);
    let is_in_folder = folder.is_some_and(|folder| FOLDERS.contains(&folder));
    let is_unfinished = name.contains(".part") || name.ends_with(".new");
    let why = match name::fault(name) {
        Some(why) => why,
        None if !is_in_folder => "it is in none of the folders for files",
        None if is_unfinished || name.ends_with(".age") => "its ending is for other files",
        None => return Ok(()),
    };
    let name = name.to_owned();
    Err(Error::Name { name, why })
}

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
mod add;
mod append;
mod error;
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
mod settings;
mod start_here;
#[cfg(test)]
pub(crate) mod tests;
mod verify;

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::Timestamp;
use serde_json::{Map, Value, json};

pub use about::{About, AboutFault, Clock, Consent, Depth, Tool};
pub use append::{Added, Append, Appended, By, Foreign};
pub use error::Error;
pub use imported::{ABOUT, ImportedFile, Origin};
pub use log::{Entry, LogEnd, LogFault, read_log};
pub use manifest::{Line, Manifest, ManifestFault};
pub(crate) use name::is_name;
pub use open::{CaseReader, Cut, OpenCase, Segment};
pub(crate) use scan::Lying;
pub use seal::Seal;
pub use segment::Stream;
pub use settings::{Kind, Limits, SegmentLimit, Settings};
pub(crate) use verify::{How, Looked, look};
pub use verify::{Interrupted, Outcome, Problem, Verified, verify};

use crate::crypt::Recipients;
use crate::place::{Place, Space};
use manifest::LogMark;
use output::{Finished, Spare, SpareState};
use ring::Closed;

/// The format that this build writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The names of the files that every case has.
pub const START_HERE: &str = "START-HERE.txt";
pub const CASE_JSON: &str = "case.json";
pub const LOG: &str = "log.ndjson";
pub const MANIFEST: &str = "manifest.sha256";
/// What is computed from the case, and no part of it.
pub(crate) const DERIVED: &str = "derived";
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

    /// How much may still be written before too little of the disk is free, in bytes.
    ///
    /// Errors: of the place.
    pub fn room(&self) -> Result<u64, Error> {
        let space = self.space()?;
        Ok(space.free_bytes.saturating_sub(self.0.limits.floor(space)))
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
    pub fn finish(&self, time: Timestamp, facts: Map<String, Value>) -> Result<Seal, Error> {
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
        // Lines are short, and never refused: when most of what is kept for them is taken, that is
        // made up for by letting go of a segment.
        while self.0.is_beyond(&inner, 0, KEPT_FOR_LINES / 4) && inner.drop_oldest(&self.0)? {}
        inner.tell(time, what, facts)
    }

    /// Reserves room for so many bytes more, letting go of old segments when that is wished for.
    fn claim(&self, file: &str, bytes: u64) -> Result<(), Error> {
        let mut inner = self.lock();
        while self.0.is_beyond(&inner, bytes, KEPT_FOR_LINES) {
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
}

impl Shared {
    /// Whether the case would grow beyond its greatest size by so many bytes, with what is kept for
    /// lines. The manifest is there twice while it is replaced.
    fn is_beyond(&self, inner: &Inner, bytes: u64, kept: u64) -> bool {
        let kept = kept + inner.manifest_bytes;
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
        self.append(time, what, facts)
    }

    fn append(&mut self, time: Timestamp, what: &str, facts: Value) -> Result<(), Error> {
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
        self.end_with(mark, spare)
    }

    fn end_with(&mut self, mark: LogMark, spare: &Spare) -> Result<Seal, Error> {
        let unsealed = self.manifest.clone();
        self.manifest.add_seal(mark);
        if let Err(error) = self.write_manifest(spare) {
            self.manifest = unsealed;
            return Err(error);
        }
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

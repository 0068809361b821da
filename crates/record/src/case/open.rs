//! Reading a case.

mod reader;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use self::reader::{CaseReader, Cut};

use self::reader::NotAsWritten;
use super::about::{AboutFault, MOST_BYTES};
use super::log::{Entry, LogEnd, LogFault, read_log};
use super::name::{self, Found};
use super::output::piece_name;
use super::scan::{self, Lying, Role, Scan};
use super::verify::{How, Ledger, Looked, Problem, content, look};
use super::{About, CASE_JSON, Error, Kind, LOG, Manifest, Seal};
use crate::crypt::{self, Identities};

/// A case that is read. Opening looks at names and lengths, at the manifest, at the log and at
/// `case.json`; that a file is as it was written shows when it has been read to its end, or by
/// [`super::verify()`].
#[derive(Debug)]
pub struct OpenCase {
    files: Files,
    about: Option<About>,
    segments: Vec<Segment>,
    log: Option<Segment>,
    problems: Vec<Problem>,
}

/// How files are found and read.
#[derive(Debug)]
struct Files {
    root: PathBuf,
    manifest: Manifest,
    identities: Option<Identities>,
    /// How much is read of a file that is longer than the log tells, in bytes by its name.
    lengths: HashMap<String, u64>,
}

/// A file of a stream, or the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// `None`: the log.
    pub kind: Option<Kind>,
    /// From 1; ring mode lets the first ones go.
    pub number: u64,
    /// As it is called when it is closed and not encrypted.
    pub name: String,
    /// False: the recording was interrupted while it was written; it is read up to where it was cut
    /// off.
    pub is_closed: bool,
    /// On the disk.
    pub bytes: u64,
    /// What is read one after the other, as it lies on the disk.
    files: Vec<String>,
    /// From the manifest. `None`: it has no line there.
    sha256: Option<String>,
}

impl OpenCase {
    /// Opens a case folder. What is wrong in it does not keep the rest from being read; it is in
    /// [`OpenCase::problems`].
    ///
    /// Errors: no case, a newer format; encrypted, and no key that fits.
    pub fn open(root: &Path, identities: Option<&Identities>) -> Result<Self, Error> {
        let Looked {
            manifest,
            scan,
            mut problems,
            ..
        } = look(root, How::NamesOnly)?;
        let is_listed = manifest.is_some();
        let manifest = manifest.unwrap_or_default();
        let encrypted = format!("{CASE_JSON}.age");
        let has_begun = |name: &str| match is_listed {
            true => manifest.has(name),
            false => scan.files.contains_key(name),
        };
        if problems.is_empty()
            && !manifest.is_sealed()
            && !has_begun(CASE_JSON)
            && !has_begun(&encrypted)
        {
            return Err(Error::Foreign {
                path: root.to_owned(),
                why: "the recording was interrupted before it began".to_owned(),
            });
        }
        let is_encrypted = scan.files.contains_key(&encrypted);
        if is_encrypted && identities.is_none() {
            let path = root.to_owned();
            return Err(Error::Encrypted { path });
        }
        let mut segments = segments(&manifest, &scan);
        // What somebody has put beside the files of a case is not shown as a part of it.
        segments.retain(|segment| !problems.iter().any(|it| segment.was_added(it)));
        for segment in &mut segments {
            segment.end_at_hole();
        }
        let log = segments
            .iter()
            .position(|segment| segment.kind.is_none())
            .map(|index| segments.remove(index));
        let lengths = problems.iter().filter_map(|problem| {
            if let Problem::OtherLength { file, expected, .. } = problem {
                Some((file.clone(), *expected))
            } else {
                None
            }
        });
        let files = Files {
            root: root.to_owned(),
            manifest,
            identities: identities.cloned(),
            lengths: lengths.collect(),
        };
        let about = files.about(is_encrypted, &mut problems)?;
        let case = Self {
            files,
            about,
            segments,
            log,
            problems: Vec::new(),
        };
        // That of a plain case was held against its manifest already.
        if is_encrypted {
            let mut ledger = Ledger::default();
            match case.log(&mut |entry| ledger.take(&entry)) {
                Ok(_) => problems.append(&mut case.not_as_told(&ledger)),
                Err(Error::Damaged { place, why, .. }) => {
                    problems.push(Problem::Damaged { file: place, why });
                }
                // The same keys open all files of a case, so this log is not its own.
                Err(error) => {
                    let file = format!("{LOG}.age");
                    let why = format!("nothing could be held against it: {error}");
                    problems.push(Problem::Damaged { file, why });
                }
            }
        }
        Ok(Self { problems, ..case })
    }

    /// Files that the log of an encrypted case, which nobody but its owners can read, does not tell
    /// of as the manifest does: whoever has the public key can encrypt another file to it.
    fn not_as_told(&self, ledger: &Ledger) -> Vec<Problem> {
        let manifest = &self.files.manifest;
        let log = format!("{LOG}.age");
        // What came after the seal stands in no log.
        let recorded = manifest.recorded().filter(|line| line.name != log);
        ledger.held_against(manifest, recorded, usize::from(!self.was_sealed()))
    }

    /// What is not as it was written, as far as names, lengths, the manifest and the log tell, and
    /// what had to be read for opening it.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub fn path(&self) -> &Path {
        &self.files.root
    }

    /// `None`: `case.json` is damaged.
    pub fn about(&self) -> Option<&About> {
        self.about.as_ref()
    }

    /// `None`: the recording was interrupted, or something was added after it was sealed.
    pub fn seal(&self) -> Option<Seal> {
        self.files.manifest.seal()
    }

    /// Whether the recording came to its end, and the case to a seal.
    pub fn was_sealed(&self) -> bool {
        self.files.manifest.log_marks().next().is_some()
    }

    /// In order. The last may be one that was still being written.
    pub fn segments(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Segment> {
        let is_of = move |segment: &&Segment| segment.kind == Some(kind);
        self.segments.iter().filter(is_of)
    }

    /// The number of the first segment that the case is to have. More than 1: those before it were
    /// let go. `None`: it is to have none.
    pub fn first_number(&self, kind: Kind) -> Option<u64> {
        let listed = self.names().filter_map(scan::segment);
        let there = self.segments(kind).map(|segment| (kind, segment.number));
        let of_kind = listed.chain(there).filter(|(of, _)| *of == kind);
        of_kind.map(|(_, number)| number).min()
    }

    /// The files of the manifest by the names that they have without encryption, in the order in
    /// which they were closed.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.files.manifest.files().map(|line| line.name.as_str());
        names.map(|name| name.strip_suffix(".age").unwrap_or(name))
    }

    /// Reads a segment.
    ///
    /// Errors: as [`OpenCase::file`].
    pub fn read(&self, segment: &Segment) -> Result<CaseReader, Error> {
        self.files.read(segment)
    }

    /// Reads a file of the manifest: `snapshots/...`, `programs/...`.
    ///
    /// Errors: the manifest does not name it; it is no file any more; it cannot be decrypted.
    pub fn file(&self, name: &str) -> Result<CaseReader, Error> {
        self.files.file(name)
    }

    /// Hands on the lines of the log, in order.
    ///
    /// Errors: as [`OpenCase::file`]; the log is not as it was written.
    pub fn log(&self, each: &mut dyn FnMut(Entry)) -> Result<LogEnd, Error> {
        let log = self
            .log
            .as_ref()
            .ok_or_else(|| self.files.damaged(LOG, "it is missing"))?;
        let reader = self.files.read(log)?;
        read_log(reader, &mut |_, entry, _| each(entry)).map_err(|fault| match fault {
            LogFault::Line { line, why } => {
                self.files.damaged(&format!("{LOG}, line {line}"), &why)
            }
            LogFault::Read(source) => self.files.fault_of(LOG, source),
        })
    }

    /// What an error of reading means that the reader of [`OpenCase::file`] gave.
    pub fn fault_in(&self, name: &str, error: io::Error) -> Error {
        self.files.fault_of(name, error)
    }

    /// What an error of reading means that a [`CaseReader`] gave, or that has an [`Error`] in it.
    pub fn fault(&self, segment: &Segment, error: io::Error) -> Error {
        match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => self.files.fault_of(&segment.name, error),
        }
    }
}

impl Segment {
    /// A file that is no segment.
    fn whole(name: &str, file: &str, sha256: Option<String>) -> Self {
        Self {
            kind: None,
            number: 0,
            name: name.to_owned(),
            is_closed: true,
            bytes: 0,
            files: vec![file.to_owned()],
            sha256,
        }
    }

    fn was_added(&self, problem: &Problem) -> bool {
        matches!(problem, Problem::Additional { file } if self.files.contains(file))
    }

    /// Of a row in which a piece is missing, leaves those before it.
    fn end_at_hole(&mut self) {
        let first = self.files.first();
        if self.is_closed || !first.is_some_and(|file| file.ends_with(".age")) {
            return;
        }
        let whole = self
            .files
            .iter()
            .zip(1..)
            .take_while(|(file, number)| **file == piece_name(&self.name, *number));
        let whole = whole.count();
        self.files.truncate(whole);
    }
}

/// All segments and the log. Where one is closed, what is left of its row does not count.
fn segments(manifest: &Manifest, scan: &Scan) -> Vec<Segment> {
    let mut found: BTreeMap<(Option<Kind>, u64, String), Segment> = BTreeMap::new();
    let hashes: HashMap<&str, &str> = manifest
        .files()
        .map(|line| (line.name.as_str(), line.sha256.as_str()))
        .collect();
    for Lying {
        name: file,
        bytes,
        role,
        ..
    } in scan.files.values()
    {
        let (name, is_closed) = match role {
            Role::Unfinished => continue,
            Role::Closed => (file.strip_suffix(".age").unwrap_or(file), true),
            Role::Open { name, .. } => (name.as_str(), false),
        };
        let (kind, number) = match (scan::segment(name), name) {
            (Some((kind, number)), _) => (Some(kind), number),
            (None, LOG) => (None, 0),
            (None, _) => continue,
        };
        let segment = found
            .entry((kind, number, name.to_owned()))
            .or_insert_with(|| Segment {
                kind,
                number,
                name: name.to_owned(),
                is_closed,
                bytes: 0,
                files: Vec::new(),
                sha256: None,
            });
        if is_closed && !segment.is_closed {
            segment.is_closed = true;
            segment.files.clear();
            segment.bytes = 0;
        }
        if is_closed == segment.is_closed {
            segment.bytes += bytes;
            segment.files.push(file.clone());
            segment.sha256 = hashes.get(file.as_str()).map(|hash| (*hash).to_owned());
        }
    }
    let mut segments: Vec<Segment> = found.into_values().collect();
    for segment in &mut segments {
        // Names of pieces are in the order of their numbers only up to 999,999.
        segment.files.sort_by_key(|file| (file.len(), file.clone()));
    }
    segments
}

impl Files {
    fn damaged(&self, place: &str, why: &str) -> Error {
        Error::Damaged {
            path: self.root.clone(),
            place: place.to_owned(),
            why: why.to_owned(),
        }
    }

    /// What `case.json` tells, also where it was changed: then that is among the problems. `None`:
    /// nothing of it can be used.
    fn about(
        &self,
        is_encrypted: bool,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<About>, Error> {
        let mut text = Vec::new();
        // Where the manifest is damaged, it is looked for by its usual name.
        let unlisted = || match is_encrypted {
            true => Segment::whole(CASE_JSON, &format!("{CASE_JSON}.age"), None),
            false => Segment::whole(CASE_JSON, CASE_JSON, None),
        };
        let segment = self.listed(CASE_JSON).unwrap_or_else(unlisted);
        match self.read(&segment) {
            Ok(reader) => {
                let read = reader.take(MOST_BYTES).read_to_end(&mut text);
                if let Err(error) = read {
                    note(self.fault_of(CASE_JSON, error), problems)?;
                }
            }
            Err(error) => {
                note(error, problems)?;
                return Ok(None);
            }
        }
        match About::read(&text) {
            Ok(about) => Ok(Some(about)),
            Err(AboutFault::TooNew(_)) if problems.iter().any(|it| it.is_about(CASE_JSON)) => {
                Ok(None)
            }
            Err(AboutFault::TooNew(found)) => Err(Error::TooNew {
                path: self.root.clone(),
                found,
            }),
            Err(AboutFault::Unreadable(why)) => {
                note(self.damaged(CASE_JSON, &why), problems)?;
                Ok(None)
            }
        }
    }

    fn file(&self, name: &str) -> Result<CaseReader, Error> {
        let listed = self.listed(name);
        self.read(&listed.ok_or_else(|| self.damaged(name, "it is missing"))?)
    }

    /// A file of the manifest by its name without encryption.
    fn listed(&self, name: &str) -> Option<Segment> {
        let is_it = |line: &str| line == name || line.strip_suffix(".age") == Some(name);
        let line = self.manifest.files().find(|line| is_it(&line.name))?;
        Some(Segment::whole(name, &line.name, Some(line.sha256.clone())))
    }

    fn read(&self, segment: &Segment) -> Result<CaseReader, Error> {
        let mut files = Vec::new();
        for file in segment.files.iter().rev() {
            let path = match name::find(&self.root, file) {
                Ok(Found::File(path, _)) => path,
                Ok(Found::Missing) => return Err(self.damaged(file, "it is missing")),
                Ok(Found::Link) => return Err(self.damaged(file, "it is a link")),
                Ok(Found::Other) => return Err(self.damaged(file, "it is no file")),
                Err(source) => return Err(self.fault_of(file, source)),
            };
            files.push(path);
        }
        let first = files.last().cloned();
        let most = segment.files.first();
        let most = most.and_then(|file| self.lengths.get(file).copied());
        let mut reader = CaseReader::of(segment, files, self.identities.clone(), most);
        reader.next_file().map_err(|error| {
            // What cannot be decrypted may be for another key, or was changed.
            let was_changed = first
                .zip(segment.sha256.as_ref())
                .is_some_and(|(file, sha256)| {
                    content::hash(&file).is_ok_and(|hashed| hashed.sha256 != *sha256)
                });
            match was_changed {
                true => self.damaged(&segment.name, &NotAsWritten::Changed.to_string()),
                false => self.fault_of(&segment.name, error),
            }
        })?;
        Ok(reader)
    }

    fn fault_of(&self, name: &str, error: io::Error) -> Error {
        let path = self.root.join(name);
        if let Some(fault) = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<NotAsWritten>())
        {
            return self.damaged(name, &fault.to_string());
        }
        let Some(fault) = crypt::Error::inside(&error) else {
            return Error::Read {
                path,
                source: error,
            };
        };
        if matches!(
            fault,
            crypt::Error::WrongKey | crypt::Error::Passphrase | crypt::Error::TooNew
        ) {
            let source = error.into_inner().and_then(|inner| inner.downcast().ok());
            let source = source.map_or(crypt::Error::NotAge, |source| *source);
            return Error::Decrypt { path, source };
        }
        self.damaged(name, &fault.to_string())
    }
}

/// Keeps damage for later, once for each file.
///
/// Errors: any other.
fn note(error: Error, problems: &mut Vec<Problem>) -> Result<(), Error> {
    let Error::Damaged {
        place: file, why, ..
    } = error
    else {
        return Err(error);
    };
    if !problems.iter().any(|it| it.is_about(&file)) {
        problems.push(Problem::Damaged { file, why });
    }
    Ok(())
}

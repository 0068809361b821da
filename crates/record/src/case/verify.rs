//! Whether a case is as it was written. Nothing else is needed for it, no key either; and nothing
//! is written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::log::{self, LogFault, read_log};
use super::manifest::{LogMark, Manifest};
use super::name::{self, Found};
use super::scan::{self, Lying, Role, Scan};
use super::seal::hex;
use super::{CASE_JSON, Error, Kind, LOG, MANIFEST, Seal};

/// How often a case is checked again that was written to meanwhile.
const MOST_TIMES: usize = 4;

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub outcome: Outcome,
    /// Why it is [`Outcome::Changed`].
    pub problems: Vec<Problem>,
    /// What was being written when the recording was interrupted.
    pub interrupted: Vec<Interrupted>,
    /// What lies beside the files of the case and is none of it: not checked.
    pub strangers: Vec<String>,
    /// The oldest first. Each stands for all that was there when it was made.
    pub seals: Vec<Seal>,
    /// Files that are as the manifest says, and their bytes.
    pub files: u64,
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is there and as it was when the last seal was made.
    Sealed,
    /// The recording was interrupted, or something was added since the last seal. What was closed is
    /// as it was written.
    Unsealed,
    /// It is not as it was written.
    Changed,
}

/// What is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("{place}: {why}")]
    Manifest { place: String, why: String },
    #[error("{file}: it was changed")]
    Changed { file: String },
    #[error("{file}: it was changed: it is full of zeros")]
    Zeros { file: String },
    #[error("{file}: it is missing")]
    Missing { file: String },
    /// Of the row of an open file in an encrypted case.
    #[error("{file}: a piece of it is missing")]
    PieceMissing { file: String },
    #[error("{file}: it is not in the manifest")]
    Additional { file: String },
    #[error("{file}: it is a link")]
    Link { file: String },
    #[error("{file}: it is no file")]
    NotAFile { file: String },
    #[error("{file}: it cannot be read: {why}")]
    Unreadable { file: String, why: String },
    /// `line` is 0 when it is about the whole log.
    #[error("{LOG}, line {line}: {why}")]
    Log { line: u64, why: String },
    #[error("the seal is another one: {given} was given")]
    OtherSeal { given: String },
}

/// A file that was not written to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupted {
    pub file: String,
    pub bytes: u64,
    /// How much of it can be read: whole lines, whole blocks. `None`: it is encrypted, and the key
    /// is needed to tell.
    pub readable_bytes: Option<u64>,
}

/// Checks a case folder. A seal that a person wrote down is held against those of the case; blanks,
/// hyphens and capital letters in it do not matter.
///
/// Errors: no case, a newer format, the folder cannot be read. All that is wrong in a case is told
/// in [`Verified`].
pub fn verify(root: &Path, seal: Option<&str>) -> Result<Verified, Error> {
    let mut verified = verify_once(root, seal)?;
    // A case that is being written may have gone on meanwhile.
    for _ in 0..MOST_TIMES {
        let (ref check, ref manifest) = verified;
        let still = scan::manifest(root).ok();
        if check.outcome != Outcome::Changed || still == *manifest {
            break;
        }
        verified = verify_once(root, seal)?;
    }
    Ok(verified.0)
}

/// What a check came to, with the manifest that it was held against. `None`: that cannot be read.
fn verify_once(root: &Path, seal: Option<&str>) -> Result<(Verified, Option<Manifest>), Error> {
    let changed = |place, why| Verified {
        outcome: Outcome::Changed,
        problems: vec![Problem::Manifest { place, why }],
        interrupted: Vec::new(),
        strangers: Vec::new(),
        seals: Vec::new(),
        files: 0,
        bytes: 0,
    };
    let manifest = match scan::manifest(root) {
        Ok(manifest) => manifest,
        Err(Error::Damaged { place, why, .. }) => return Ok((changed(place, why), None)),
        Err(error) => return Err(error),
    };
    let mut scan = match scan::scan(root) {
        Ok(scan) => scan,
        Err(Error::Damaged { place, why, .. }) => {
            return Ok((changed(place, why), Some(manifest)));
        }
        Err(error) => return Err(error),
    };
    let strangers = std::mem::take(&mut scan.strangers);
    let mut check = Check {
        root,
        manifest: &manifest,
        scan: &scan,
        problems: Vec::new(),
        interrupted: Vec::new(),
        files: 0,
        bytes: 0,
    };
    check.listed();
    check.odd();
    let log = check.log();
    check.unlisted(&log);
    let seals = manifest.seals();
    if let Some(given) = seal
        && !Seal::parse(given).is_some_and(|given| seals.contains(&given))
    {
        let given = given.to_owned();
        check.problems.push(Problem::OtherSeal { given });
    }
    let outcome = match (check.problems.is_empty(), manifest.is_sealed()) {
        (false, _) => Outcome::Changed,
        (true, true) => Outcome::Sealed,
        (true, false) => Outcome::Unsealed,
    };
    let verified = Verified {
        outcome,
        problems: check.problems,
        interrupted: check.interrupted,
        strangers,
        seals,
        files: check.files,
        bytes: check.bytes,
    };
    Ok((verified, Some(manifest)))
}

struct Check<'a> {
    root: &'a Path,
    manifest: &'a Manifest,
    scan: &'a Scan,
    problems: Vec<Problem>,
    interrupted: Vec<Interrupted>,
    files: u64,
    bytes: u64,
}

/// The pieces of an open file in an encrypted case. They count from 1.
#[derive(Default)]
struct Row {
    bytes: u64,
    pieces: u64,
    last: u64,
}

/// What the log tells of files. Empty when the case is encrypted.
#[derive(Default)]
struct Ledger {
    /// Hashes by name.
    kept: HashMap<String, String>,
    dropped: HashMap<String, String>,
}

impl<'a> Check<'a> {
    /// Each file that the manifest names.
    fn listed(&mut self) {
        for line in self.manifest.files() {
            let file = line.name.clone();
            let path = match name::find(self.root, &file) {
                Ok(Found::File(path, _)) => path,
                Ok(Found::Missing) => {
                    self.problems.push(Problem::Missing { file });
                    continue;
                }
                Ok(Found::Link) => {
                    self.problems.push(Problem::Link { file });
                    continue;
                }
                Ok(Found::Other) => {
                    self.problems.push(Problem::NotAFile { file });
                    continue;
                }
                Err(error) => {
                    let why = error.to_string();
                    self.problems.push(Problem::Unreadable { file, why });
                    continue;
                }
            };
            match hash(&path) {
                Ok(hashed) if hashed.sha256 == line.sha256 => {
                    self.files += 1;
                    self.bytes += hashed.bytes;
                }
                Ok(hashed) if hashed.is_zeros => self.problems.push(Problem::Zeros { file }),
                Ok(_) => self.problems.push(Problem::Changed { file }),
                Err(error) => {
                    let why = error.to_string();
                    self.problems.push(Problem::Unreadable { file, why });
                }
            }
        }
        let has = |name: &str| self.manifest.has(name);
        if self.manifest.is_sealed() && !has(CASE_JSON) && !has(&format!("{CASE_JSON}.age")) {
            let file = CASE_JSON.to_owned();
            self.problems.push(Problem::Missing { file });
        }
    }

    fn names(&self) -> HashSet<&'a str> {
        self.manifest
            .files()
            .map(|line| line.name.as_str())
            .collect()
    }

    /// What is no file.
    fn odd(&mut self) {
        let listed = self.names();
        for file in &self.scan.links {
            if !listed.contains(file.as_str()) {
                self.problems.push(Problem::Link { file: file.clone() });
            }
        }
        for file in &self.scan.odd {
            if !listed.contains(file.as_str()) {
                let file = file.clone();
                self.problems.push(Problem::NotAFile { file });
            }
        }
    }

    /// Whether the log is as it was when the seals were made, and what it tells of files agrees with
    /// the manifest.
    fn log(&mut self) -> Ledger {
        let mut ledger = Ledger::default();
        let encrypted = format!("{LOG}.age");
        if let Some(line) = self.manifest.files().find(|line| line.name == encrypted) {
            let expected = LogMark::of_file(line);
            if self.manifest.log_marks().any(|mark| *mark != expected) {
                let why = "the seal was made with another one".to_owned();
                self.problems.push(Problem::Log { line: 0, why });
            }
            return ledger;
        }
        let is_of_row = |lying: &Lying| {
            matches!(&lying.role, Role::Open { name, piece: Some(_) } if name == LOG)
                || lying.name == encrypted
        };
        let is_open = self.scan.files.values().any(is_of_row) && !self.manifest.is_sealed();
        if is_open && !self.scan.files.contains_key(LOG) {
            return ledger;
        }
        if !self.scan.files.contains_key(LOG) {
            let is_begun = self.manifest.files().next().is_some() || self.manifest.is_sealed();
            if is_begun && !self.scan.links.iter().any(|link| link == LOG) {
                let file = LOG.to_owned();
                self.problems.push(Problem::Missing { file });
            }
            return ledger;
        }
        let mut marks: HashMap<u64, &LogMark> = HashMap::new();
        for mark in self.manifest.log_marks() {
            marks.insert(mark.lines, mark);
        }
        let mut mismatch = None;
        let read = File::open(self.root.join(LOG))
            .map_err(LogFault::Read)
            .and_then(|file| {
                read_log(file, &mut |line, entry, sha256| {
                    if marks
                        .remove(&line)
                        .is_some_and(|mark| mark.last_sha256 != sha256)
                    {
                        mismatch = mismatch.or(Some(line));
                    }
                    ledger.take(&entry);
                })
            });
        let fault = |line, why: &str| Problem::Log {
            line,
            why: why.to_owned(),
        };
        let end = match read {
            Ok(end) => end,
            Err(LogFault::Line { line, why }) => {
                self.problems.push(fault(line, &why));
                return Ledger::default();
            }
            Err(LogFault::Read(error)) => {
                let (file, why) = (LOG.to_owned(), error.to_string());
                self.problems.push(Problem::Unreadable { file, why });
                return Ledger::default();
            }
        };
        if let Some(line) = mismatch {
            self.problems
                .push(fault(line, "it is not the one of the seal"));
        }
        if let Some(line) = marks.keys().min() {
            self.problems
                .push(fault(*line, "it is missing; the seal was made with it"));
        }
        let last_mark = self.manifest.log_marks().last().map(|mark| mark.lines);
        match (self.manifest.is_sealed(), end.cut_bytes) {
            (true, _) if last_mark.is_some_and(|last| end.lines > last) => {
                self.problems
                    .push(fault(end.lines, "it was added after the seal"));
            }
            (true, 1..) => self
                .problems
                .push(fault(end.lines + 1, "it was added after the seal")),
            (false, 1..) => self.interrupted.push(Interrupted {
                file: LOG.to_owned(),
                bytes: end.cut_bytes,
                readable_bytes: Some(0),
            }),
            _ => {}
        }
        self.ledger(&ledger);
        ledger
    }

    /// Manifest and log are written one after the other, so that a crash leaves at most one file
    /// that only the first of them knows.
    fn ledger(&mut self, ledger: &Ledger) {
        let mut spare = if self.manifest.is_sealed() { 0 } else { 1 };
        for line in self.manifest.files() {
            let file = line.name.clone();
            let told = ledger.kept.get(&file).or_else(|| {
                let dropped = ledger.dropped.get(&file);
                dropped.filter(|_| !self.manifest.is_sealed())
            });
            match told {
                Some(sha256) if *sha256 == line.sha256 => {}
                None if spare > 0 => spare -= 1,
                Some(_) | None => {
                    let why = format!("manifest and log do not tell the same of {file}");
                    self.problems.push(Problem::Log { line: 0, why });
                }
            }
        }
        let listed = self.names();
        let mut forgotten: Vec<&String> = ledger
            .kept
            .keys()
            .filter(|file| !listed.contains(file.as_str()))
            .collect();
        forgotten.sort();
        for file in forgotten {
            let why = format!("it tells of {file}, which the manifest does not name");
            self.problems.push(Problem::Log { line: 0, why });
        }
    }

    /// What lies in the folders and has no line in the manifest.
    fn unlisted(&mut self, ledger: &Ledger) {
        let listed = self.names();
        let is_sealed = self.manifest.is_sealed();
        let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
        let oldest = self.oldest_encrypted();
        // A file that is closed has its name, and then its line: a crash can come between them once.
        // In the same way one that ring mode lets go may have lost its line only.
        let (mut closing, mut dropping) = (1, 1);
        for Lying { name, bytes, role } in self.scan.files.values() {
            let is_ours = name == MANIFEST || name == LOG || listed.contains(name.as_str());
            if is_ours {
                continue;
            }
            let additional = Problem::Additional { file: name.clone() };
            match role {
                _ if is_sealed => self.problems.push(additional),
                Role::Unfinished => {}
                Role::Open { name: whole, piece } => {
                    let is_closed = |name: &str| listed.contains(name);
                    if is_closed(whole) || is_closed(&format!("{whole}.age")) {
                        // What is left of a row.
                    } else if piece.is_none() {
                        self.interrupted.push(Interrupted {
                            file: name.clone(),
                            bytes: *bytes,
                            readable_bytes: self.readable(name),
                        });
                    } else {
                        let row = rows.entry(whole).or_default();
                        row.bytes += bytes;
                        row.pieces += 1;
                        row.last = piece.unwrap_or(0).max(row.last);
                    }
                }
                Role::Closed if ledger.dropped.contains_key(name) && dropping > 0 => dropping -= 1,
                Role::Closed if dropping > 0 && is_older(name, &oldest) => dropping -= 1,
                Role::Closed if closing > 0 => {
                    closing -= 1;
                    self.interrupted.push(Interrupted {
                        file: name.clone(),
                        bytes: *bytes,
                        readable_bytes: (!name.ends_with(".age")).then_some(*bytes),
                    });
                }
                Role::Closed => self.problems.push(additional),
            }
        }
        for (name, row) in rows {
            let file = name.to_owned();
            if row.pieces != row.last {
                self.problems.push(Problem::PieceMissing { file });
                continue;
            }
            self.interrupted.push(Interrupted {
                file,
                bytes: row.bytes,
                readable_bytes: None,
            });
        }
    }

    /// The number of the first encrypted segment of each kind.
    fn oldest_encrypted(&self) -> HashMap<Kind, u64> {
        let mut oldest = HashMap::new();
        for line in self.manifest.files() {
            if let Some((kind, number)) = encrypted_segment(&line.name) {
                let of_kind = oldest.entry(kind).or_insert(number);
                *of_kind = number.min(*of_kind);
            }
        }
        oldest
    }

    /// How much of an open segment can be read.
    fn readable(&self, name: &str) -> Option<u64> {
        let (kind, _) = scan::segment(name.strip_suffix(".part")?)?;
        let file = BufReader::new(File::open(self.root.join(name)).ok()?);
        match kind {
            Kind::Events => whole_lines(file).ok(),
            Kind::Packets => whole_blocks(file).ok(),
        }
    }
}

/// Whether it is an encrypted segment from before all others of its kind: one that was let go. The
/// log, which would tell, cannot be read without a key.
fn is_older(name: &str, oldest: &HashMap<Kind, u64>) -> bool {
    encrypted_segment(name)
        .is_some_and(|(kind, number)| oldest.get(&kind).is_some_and(|oldest| number < *oldest))
}

fn encrypted_segment(name: &str) -> Option<(Kind, u64)> {
    scan::segment(name.strip_suffix(".age")?)
}

impl Ledger {
    fn take(&mut self, entry: &log::Entry) {
        let (Some(file), Some(sha256)) = (entry.text("file"), entry.text("sha256")) else {
            return;
        };
        let (file, sha256) = (file.to_owned(), sha256.to_owned());
        match entry.what.as_str() {
            log::FILE_ADDED | log::SEGMENT_CLOSED => {
                self.kept.insert(file, sha256);
            }
            log::SEGMENT_DROPPED => {
                self.kept.remove(&file);
                self.dropped.insert(file, sha256);
            }
            _ => {}
        }
    }
}

struct Hashed {
    sha256: String,
    bytes: u64,
    is_zeros: bool,
}

fn hash(path: &Path) -> io::Result<Hashed> {
    let mut file = name::open(path)?.ok_or(io::ErrorKind::InvalidData)?;
    let (mut hash, mut bytes, mut is_zeros) = (Sha256::new(), 0, true);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        let read = buffer.get(..read).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        hash.update(read);
        bytes += read.len() as u64;
        is_zeros = is_zeros && read.iter().all(|byte| *byte == 0);
    }
    Ok(Hashed {
        sha256: hex(&hash.finalize()),
        bytes,
        is_zeros: is_zeros && bytes > 0,
    })
}

/// Up to the end of the last line.
fn whole_lines(mut from: impl Read) -> io::Result<u64> {
    let (mut read_before, mut whole) = (0, 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer)?;
        let read = buffer.get(..read).unwrap_or_default();
        if read.is_empty() {
            return Ok(whole);
        }
        if let Some(end) = read.iter().rposition(|byte| *byte == b'\n') {
            whole = read_before + end as u64 + 1;
        }
        read_before += read.len() as u64;
    }
}

/// Up to the end of the last block of a pcapng file of ours (draft-ietf-opsawg-pcapng, 3.1: type,
/// length, body, length; little-endian, as we write it).
fn whole_blocks(mut from: impl Read) -> io::Result<u64> {
    let mut whole = 0;
    loop {
        let mut head = [0; 8];
        if from.read_exact(&mut head).is_err() {
            return Ok(whole);
        }
        let [_, _, _, _, length @ ..] = head;
        let length = u64::from(u32::from_le_bytes(length));
        if length < 12 || !length.is_multiple_of(4) {
            return Ok(whole);
        }
        let body = length - 12;
        let skipped = io::copy(&mut (&mut from).take(body), &mut io::sink())?;
        let mut tail = [0; 4];
        let is_whole = skipped == body
            && from.read_exact(&mut tail).is_ok()
            && u64::from(u32::from_le_bytes(tail)) == length;
        if !is_whole {
            return Ok(whole);
        }
        whole += length;
    }
}

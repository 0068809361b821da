//! Holds what lies in a case against its manifest and its log.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::super::imported;
use super::super::log::{self, LogFault, read_log};
use super::super::manifest::{LogMark, Manifest};
use super::super::name::{self, Found};
use super::super::scan::{self, Lying, Role, Scan};
use super::super::{CASE_JSON, Kind, LOG, Line, MANIFEST};
use super::{How, Interrupted, Problem, content};

pub(super) struct Check<'a> {
    root: &'a Path,
    manifest: &'a Manifest,
    scan: &'a Scan,
    pub(super) problems: Vec<Problem>,
    pub(super) interrupted: Vec<Interrupted>,
    pub(super) files: u64,
    pub(super) bytes: u64,
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
pub(in super::super) struct Ledger {
    /// Hashes by name.
    kept: HashMap<String, String>,
    dropped: HashMap<String, String>,
    /// Lengths by name.
    bytes: HashMap<String, u64>,
}

impl<'a> Check<'a> {
    pub(super) fn new(root: &'a Path, manifest: &'a Manifest, scan: &'a Scan) -> Self {
        Self {
            root,
            manifest,
            scan,
            problems: Vec::new(),
            interrupted: Vec::new(),
            files: 0,
            bytes: 0,
        }
    }

    pub(super) fn all(&mut self, how: How) {
        let mut of_log = Vec::new();
        let ledger = self.log(&mut of_log);
        self.listed(&ledger, how);
        self.odd();
        self.problems.append(&mut of_log);
        self.unlisted(&ledger, how);
    }

    /// Each file that the manifest names.
    fn listed(&mut self, ledger: &Ledger, how: How) {
        for line in self.manifest.files() {
            let file = line.name.clone();
            let (path, bytes) = match name::find(self.root, &file) {
                Ok(Found::File(path, met)) => (path, met.len()),
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
            // Where the log is sure of its length, nothing has to be read to know that it is another.
            let told = ledger.kept.get(&file) == Some(&line.sha256);
            let expected = ledger.bytes.get(&file).filter(|_| told);
            if let Some(expected) = expected.copied().filter(|expected| *expected != bytes) {
                self.problems.push(Problem::OtherLength {
                    file,
                    bytes,
                    expected,
                });
                continue;
            }
            if how == How::NamesOnly {
                continue;
            }
            match content::hash(&path) {
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
        for file in &self.scan.misnamed {
            let file = file.clone();
            self.problems.push(Problem::Name { file });
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
    fn log(&mut self, problems: &mut Vec<Problem>) -> Ledger {
        let mut ledger = Ledger::default();
        let encrypted = format!("{LOG}.age");
        if let Some(line) = self.manifest.files().find(|line| line.name == encrypted) {
            let expected = LogMark::of_file(line);
            if self.manifest.log_marks().any(|mark| *mark != expected) {
                let why = "the seal was made with another one".to_owned();
                problems.push(Problem::Log { line: 0, why });
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
                problems.push(Problem::Missing { file });
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
                problems.push(fault(line, &why));
                return Ledger::default();
            }
            Err(LogFault::Read(error)) => {
                let (file, why) = (LOG.to_owned(), error.to_string());
                problems.push(Problem::Unreadable { file, why });
                return Ledger::default();
            }
        };
        if let Some(line) = mismatch {
            problems.push(fault(line, "it is not the one of the seal"));
        }
        if let Some(line) = marks.keys().min() {
            problems.push(fault(*line, "it is missing; the seal was made with it"));
        }
        let last_mark = self.manifest.log_marks().last().map(|mark| mark.lines);
        match (self.manifest.is_sealed(), end.cut_bytes) {
            (true, _) if last_mark.is_some_and(|last| end.lines > last) => {
                problems.push(fault(end.lines, "it was added after the seal"));
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
        // A crash leaves at most one file that only the first of them knows.
        let spare = usize::from(!self.manifest.is_sealed());
        problems.append(&mut ledger.held_against(self.manifest, self.manifest.files(), spare));
        ledger
    }

    /// What lies in the folders and has no line in the manifest.
    fn unlisted(&mut self, ledger: &Ledger, how: How) {
        let listed = self.names();
        let is_sealed = self.manifest.is_sealed();
        let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
        let oldest = self.oldest_encrypted();
        // A file that is closed has its name, and then its line: a crash can come between them once.
        // In the same way one that ring mode lets go may have lost its line only.
        // An import comes after all that: it has one of its own.
        let (mut closing, mut dropping, mut importing) = (1, 1, 1);
        let new_manifest = format!("{MANIFEST}.new");
        for Lying {
            name, bytes, role, ..
        } in self.scan.files.values()
        {
            let is_ours = name == MANIFEST || name == LOG || listed.contains(name.as_str());
            if is_ours {
                continue;
            }
            let additional = Problem::Additional { file: name.clone() };
            match role {
                // An import that ended before it said so in the manifest has left it.
                Role::Unfinished if *name == new_manifest => {}
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
                            readable_bytes: self.readable(name, how),
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
                Role::Closed if is_import(name) && importing > 0 => {
                    importing -= 1;
                    self.closing(name, *bytes);
                }
                Role::Closed if !is_import(name) && closing > 0 => {
                    closing -= 1;
                    self.closing(name, *bytes);
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

    /// A file that has its name and not its line.
    fn closing(&mut self, name: &str, bytes: u64) {
        self.interrupted.push(Interrupted {
            file: name.to_owned(),
            bytes,
            readable_bytes: (!name.ends_with(".age")).then_some(bytes),
        });
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

    /// How much of an open segment can be read. `None` where content is not looked at.
    fn readable(&self, name: &str, how: How) -> Option<u64> {
        if how == How::NamesOnly {
            return None;
        }
        let (kind, _) = scan::segment(name.strip_suffix(".part")?)?;
        let file = BufReader::new(File::open(self.root.join(name)).ok()?);
        match kind {
            Kind::Events => content::whole_lines(file).ok(),
            Kind::Packets => content::whole_blocks(file).ok(),
        }
    }
}

/// Whether it is an encrypted segment from before all others of its kind: one that was let go. The
/// log, which would tell, cannot be read without a key.
fn is_older(name: &str, oldest: &HashMap<Kind, u64>) -> bool {
    encrypted_segment(name)
        .is_some_and(|(kind, number)| oldest.get(&kind).is_some_and(|oldest| number < *oldest))
}

fn is_import(name: &str) -> bool {
    imported::number(name).is_some()
}

fn encrypted_segment(name: &str) -> Option<(Kind, u64)> {
    scan::segment(name.strip_suffix(".age")?)
}

impl Ledger {
    /// What it and the manifest do not tell the same of. `files` are those of the manifest that it
    /// should tell of; so many of them may be missing in it, since the manifest is written first.
    pub(in super::super) fn held_against<'a>(
        &self,
        manifest: &Manifest,
        files: impl Iterator<Item = &'a Line>,
        mut spare: usize,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        for line in files {
            let file = &line.name;
            let told = self.kept.get(file).or_else(|| {
                let dropped = self.dropped.get(file);
                dropped.filter(|_| !manifest.is_sealed())
            });
            match told {
                Some(sha256) if *sha256 == line.sha256 => {}
                None if spare > 0 => spare -= 1,
                Some(_) | None => {
                    let why = format!("manifest and log do not tell the same of {file}");
                    problems.push(Problem::Log { line: 0, why });
                }
            }
        }
        let listed: HashSet<&str> = manifest.files().map(|line| line.name.as_str()).collect();
        let forgotten = self.kept.keys();
        let mut forgotten: Vec<&String> = forgotten
            .filter(|file| !listed.contains(file.as_str()))
            .collect();
        forgotten.sort();
        for file in forgotten {
            let why = format!("it tells of {file}, which the manifest does not name");
            problems.push(Problem::Log { line: 0, why });
        }
        problems
    }

    pub(in super::super) fn take(&mut self, entry: &log::Entry) {
        let (Some(file), Some(sha256)) = (entry.text("file"), entry.text("sha256")) else {
            return;
        };
        let (file, sha256) = (file.to_owned(), sha256.to_owned());
        match entry.what.as_str() {
            log::FILE_ADDED | log::SEGMENT_CLOSED => {
                if let Some(bytes) = entry.facts.get("bytes").and_then(|it| it.as_u64()) {
                    self.bytes.insert(file.clone(), bytes);
                }
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

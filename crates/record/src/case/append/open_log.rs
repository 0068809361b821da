//! The log of a case that is not encrypted, to write behind its end.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use model::{Timestamp, hex};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::super::log::{self, CLOSED, Entry, IMPORT, LogFault};
use super::super::manifest::LogMark;
use super::super::{Error, LOG};
use super::By;
use crate::place::Place;

/// What was read of a log.
pub(super) struct ReadLog {
    pub(super) log: OpenLog,
    /// The recording came to its end.
    pub(super) is_closed: bool,
    /// The files that it tells of.
    pub(super) told: HashSet<String>,
}

/// The log, to write behind its end.
pub(super) struct OpenLog {
    /// `None`: nothing was written yet.
    file: Option<File>,
    /// What is whole of it, and what is not, in bytes.
    bytes: u64,
    cut_bytes: u64,
    mark: LogMark,
    is_told: bool,
}

impl OpenLog {
    /// Errors: it cannot be read, or is not as it was written.
    pub(super) fn read(root: &Path) -> Result<ReadLog, Error> {
        let path = root.join(LOG);
        let read = |source| Error::Read {
            path: path.clone(),
            source,
        };
        let file = File::open(&path).map_err(read)?;
        let length = file.metadata().map_err(read)?.len();
        let mut told = HashSet::new();
        let mut is_closed = false;
        let end = log::read_log(file, &mut |_, entry, _| {
            is_closed |= entry.what == CLOSED;
            told.extend(entry.text("file").map(str::to_owned));
        });
        let end = end.map_err(|fault| match fault {
            LogFault::Line { line, why } => Error::Damaged {
                path: root.to_owned(),
                place: format!("{LOG}, line {line}"),
                why,
            },
            LogFault::Read(source) => read(source),
        })?;
        let log = Self {
            file: None,
            bytes: length.saturating_sub(end.cut_bytes),
            cut_bytes: end.cut_bytes,
            mark: LogMark {
                lines: end.lines,
                last_sha256: end.last_sha256.unwrap_or_default(),
            },
            is_told: false,
        };
        Ok(ReadLog {
            log,
            is_closed,
            told,
        })
    }

    pub(super) fn mark(&self) -> &LogMark {
        &self.mark
    }

    /// Tells once who adds to the case.
    ///
    /// Errors: of the place.
    pub(super) fn begin(
        &mut self,
        place: &mut dyn Place,
        time: Timestamp,
        by: &By,
    ) -> Result<(), Error> {
        if self.is_told {
            return Ok(());
        }
        let mut facts = Map::new();
        facts.insert("by".to_owned(), json!(by.by));
        facts.insert("host".to_owned(), json!(by.host));
        facts.insert("tool".to_owned(), json!(by.tool));
        if self.cut_bytes > 0 {
            facts.insert("cut_bytes".to_owned(), json!(self.cut_bytes));
        }
        self.tell(place, time, IMPORT, facts)?;
        self.is_told = true;
        Ok(())
    }

    /// Writes a line and brings it to the disk.
    ///
    /// Errors: of the place.
    pub(super) fn tell(
        &mut self,
        place: &mut dyn Place,
        time: Timestamp,
        what: &str,
        facts: Map<String, Value>,
    ) -> Result<(), Error> {
        let what = what.to_owned();
        let entry = Entry { time, what, facts };
        let prev = (self.mark.lines > 0).then_some(self.mark.last_sha256.as_str());
        let mut line = log::bounded(&entry, prev);
        let sha256 = hex(&Sha256::digest(&line));
        line.push(b'\n');
        self.write(place, &line).map_err(Error::write(LOG))?;
        self.bytes += line.len() as u64;
        self.mark.lines += 1;
        self.mark.last_sha256 = sha256;
        Ok(())
    }

    /// Writes all of it, or nothing as far as that can be held.
    fn write(&mut self, place: &mut dyn Place, line: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            file => {
                let opened = place.append(LOG)?;
                // No reader takes a line that was not written to its end.
                if self.cut_bytes > 0 {
                    opened.set_len(self.bytes)?;
                }
                file.insert(opened)
            }
        };
        let written = file.write_all(line).and_then(|()| file.sync_data());
        if written.is_err() {
            let _ = file.set_len(self.bytes);
        }
        written
    }
}

//! `log.ndjson`: everything that was done, or could not be. One object a line; each has the SHA-256
//! of the line before it as `prev` (without its line end; the first has `null`), so that no line
//! can be changed, taken out or put in without changing all that follow.
//!
//! | `what` | told by | other members |
//! |---|---|---|
//! | `begun` | this crate; the first line | `schema`, `case`, `format` |
//! | `file_added` | this crate, when a whole file has its line in the manifest | `file`, `sha256`, `bytes` |
//! | `import` | this crate, before the files of an import | `by`, `host`, `tool`; `cut_bytes`: of a line that was not written to its end |
//! | `segment_closed` | this crate, when a segment has its line in the manifest | `file`, `sha256`, `bytes`, `began`, `ended`, and how many `events` or `packets` |
//! | `segment_dropped` | this crate, when ring mode lets a segment go; its line leaves the manifest | the same |
//! | `closed` | this crate; the last line before the seal | what the recorder adds: totals, losses |
//! | `gap` | the recorder: what it could not see and found out when the events were closed | `id`, `source`, `why`, `missed`, `count` |
//! | `program_copied` | the recorder: the file of a program is in the case | `process`, `sha256`, `file`, `maps` |
//! | `program_not_copied` | the recorder: it could not be | `process`, `why` |
//! | `space_low` | the recorder: it stops because there is no more room | `free_bytes`, `why` |
//! | `ended` | the recorder: who or what has ended it | `by`, and what is known of it |
//! | `note` | the recorder, or a person | `text` |
//!
//! Readers keep words that they do not know.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use model::{Timestamp, hex};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::LOG;
use super::manifest::LogMark;
use super::output::{Finished, Make, Output, Spare};
use crate::crypt::Recipients;

pub(super) const BEGUN: &str = "begun";
pub(super) const FILE_ADDED: &str = "file_added";
pub(super) const IMPORT: &str = "import";
pub(super) const SEGMENT_CLOSED: &str = "segment_closed";
pub(super) const SEGMENT_DROPPED: &str = "segment_dropped";
pub(super) const CLOSED: &str = "closed";

/// Longer lines are neither written nor read, in bytes.
const LONGEST_LINE: usize = 256 * 1024;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub time: Timestamp,
    pub what: String,
    pub facts: Map<String, Value>,
}

impl Entry {
    /// A fact that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.facts.get(name)?.as_str()
    }
}

/// Appends to the log of a case that is being written.
pub(super) struct Writer {
    /// `None`: it is encrypted, and sealed.
    output: Option<Output>,
    lines: u64,
    last_sha256: Option<String>,
}

impl Writer {
    pub(super) fn begin(
        recipients: Option<&Recipients>,
        spare: &Arc<Spare>,
        make: Make<'_>,
    ) -> io::Result<Self> {
        Ok(Self {
            output: Some(Output::begin(LOG, recipients, spare, make)?),
            lines: 0,
            last_sha256: None,
        })
    }

    /// Writes a line and brings it to the disk. Tells its length in bytes, and whether the place has
    /// to sync names.
    pub(super) fn append(&mut self, entry: &Entry, make: Make<'_>) -> io::Result<(u64, bool)> {
        let mut line = bounded(entry, self.last_sha256.as_deref());
        let sha256 = hex(&Sha256::digest(&line));
        line.push(b'\n');
        let output = self.output.as_mut().ok_or(io::ErrorKind::NotFound)?;
        output.write(&[&line], make)?;
        self.lines += 1;
        self.last_sha256 = Some(sha256);
        Ok((
            output.most_bytes(line.len() as u64),
            output.flush_to_disk()?,
        ))
    }

    pub(super) fn mark(&self) -> LogMark {
        LogMark {
            lines: self.lines,
            last_sha256: self.last_sha256.clone().unwrap_or_default(),
        }
    }

    /// Ends it. `None`: it has its name already, and no line in the manifest: what is added to a
    /// sealed case goes behind its last line, which is on the disk.
    pub(super) fn finish(&mut self) -> io::Result<Option<Finished>> {
        let output = self.output.take_if(|output| !output.is_plain());
        output.map(|output| output.finish(LOG)).transpose()
    }
}

/// A line without its end, as long as lines may be. `prev`: the SHA-256 of the line before.
pub(super) fn bounded(entry: &Entry, prev: Option<&str>) -> Vec<u8> {
    let whole = line(entry, &entry.facts, prev);
    if whole.len() <= LONGEST_LINE {
        return whole;
    }
    let left_out = json!({ "facts_left_out_bytes": whole.len() });
    line(entry, left_out.as_object().unwrap_or(&Map::new()), prev)
}

fn line(entry: &Entry, facts: &Map<String, Value>, prev: Option<&str>) -> Vec<u8> {
    let mut line = Map::new();
    line.insert("time".to_owned(), json!(entry.time.to_string()));
    line.insert("what".to_owned(), json!(entry.what));
    for (name, fact) in facts {
        // The three members of every line are not for facts.
        if !matches!(name.as_str(), "time" | "what" | "prev") {
            line.insert(name.clone(), fact.clone());
        }
    }
    line.insert("prev".to_owned(), json!(prev));
    Value::Object(line).to_string().into_bytes()
}

/// What a log came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogEnd {
    pub lines: u64,
    /// Of the last line. `None`: there is none.
    pub last_sha256: Option<String>,
    /// A line that was not written to its end, in bytes.
    pub cut_bytes: u64,
}

/// Why a log cannot be read, or is not as it was written.
#[derive(Debug, thiserror::Error)]
pub enum LogFault {
    #[error("line {line}: {why}")]
    Line { line: u64, why: String },
    #[error("{0}")]
    Read(#[from] io::Error),
}

/// Hands on each line of a log, in order, and holds its chain together.
///
/// Errors: a line that is not ours, is too long, or does not follow from the one before; of reading.
pub fn read_log(
    log: impl Read,
    each: &mut dyn FnMut(u64, Entry, &str),
) -> Result<LogEnd, LogFault> {
    let mut log = io::BufReader::new(log);
    let mut end = LogEnd::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        (&mut log)
            .take(LONGEST_LINE as u64 + 1)
            .read_until(b'\n', &mut line)?;
        let number = end.lines + 1;
        let fault = |why: &str| LogFault::Line {
            line: number,
            why: why.to_owned(),
        };
        if line.pop_if(|byte| *byte == b'\n').is_none() {
            if line.len() > LONGEST_LINE {
                return Err(fault("it is longer than any that is written"));
            }
            end.cut_bytes = line.len() as u64;
            return Ok(end);
        }
        let sha256 = hex(&Sha256::digest(&line));
        let (entry, prev) = entry(&line).map_err(fault)?;
        if prev != end.last_sha256 {
            return Err(fault("it does not follow from the line before"));
        }
        each(number, entry, &sha256);
        end.lines = number;
        end.last_sha256 = Some(sha256);
    }
}

fn entry(line: &[u8]) -> Result<(Entry, Option<String>), &'static str> {
    let Ok(Value::Object(mut facts)) = serde_json::from_slice(line) else {
        return Err("it is no JSON object");
    };
    let mut text = |name| match facts.shift_remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let prev = text("prev");
    let time = text("time").as_deref().and_then(Timestamp::parse);
    let what = text("what");
    match (time, what) {
        (Some(time), Some(what)) => Ok((Entry { time, what, facts }, prev)),
        _ => Err("it has no time, or does not say what it tells"),
    }
}

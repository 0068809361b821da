//! What is observed, as lines of JSON, and back: the events of a case (docs/case-format.md). What
//! goes in comes out again exactly, in the same order, so that folding it a second time gives the
//! same connections.

mod decoder;
mod encoder;
mod event;
mod examined;
mod json;
mod known;
mod look;
mod name;
mod plain;
mod process;
mod reader;
mod replay;
mod restated;
mod start;
#[cfg(test)]
mod tests;
mod value;

use std::io;

use model::{Host, Observed, Restated, Tier, Timestamp};

pub(crate) use self::json::document;

pub use self::encoder::Encoder;
pub use self::reader::{Cut, Lines};
pub use self::replay::{Read, Replay, Segment};

/// What one line tells, or several that belong together.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every line is the large one"
)]
pub enum Line {
    /// The first of each segment.
    Start(Start),
    Observed(Observed),
    /// What was known when this segment began: for a reader that has not read the one before.
    Restated(Box<Restated>),
    /// The last of a run.
    End(End),
    /// This build does not know what it tells.
    Unknown,
}

/// Whose events these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// From 1, in the order of time.
    pub segment: u32,
    pub host: Host,
    pub taken: Timestamp,
    pub tier: Tier,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub time: Timestamp,
    /// Lines of events and of gaps in all segments.
    pub events: u64,
    pub gaps: u64,
    /// Events that the kernel had no room for.
    pub lost: u64,
}

/// Why the events of a case cannot be read, or not on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read events: {0}")]
    Read(#[from] io::Error),
    #[error("these are not the events of a case: the first line does not say so")]
    Foreign,
    #[error("the events are in format {found}; this build reads whocalls/1")]
    TooNew { found: String },
    /// `byte` is where in the segment, from 0.
    #[error("cannot read events: line {line}, byte {byte}: {why}")]
    Damaged { line: u64, byte: u64, why: String },
}

/// What is the matter with a line.
#[derive(Debug)]
enum Fault {
    Json(serde_json::Error),
    Wrong(&'static str),
    /// A word that is not on our list: a newer build may have it.
    Strange,
    Foreign,
    TooNew(String),
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

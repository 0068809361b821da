//! What a case is begun with: what it tells of itself, its limits, for whom it is.

use std::time::Duration;

use super::{About, MIB};
use crate::crypt::Recipients;
use crate::place::Space;

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

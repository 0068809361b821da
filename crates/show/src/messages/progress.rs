//! How a recording goes: the line of `whocalls record`, and what the screen says of it.

use std::fmt::Display;
use std::time::Duration;

use super::grouped;

/// `00:12:31`; days are hours.
pub(crate) fn elapsed(length: Duration) -> String {
    let seconds = length.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

pub(crate) fn events(count: u64) -> String {
    grouped(count, "event", "events")
}

pub(crate) fn packets(count: u64) -> String {
    grouped(count, "packet", "packets")
}

pub(crate) fn lost(lost_events: u64, lost_packets: u64) -> String {
    match (lost_events, lost_packets) {
        (0, 0) => "0 lost".to_owned(),
        (count, 0) => format!("LOST: {}", events(count)),
        (0, count) => format!("LOST: {}", packets(count)),
        (one, other) => format!("LOST: {}, {}", events(one), packets(other)),
    }
}

pub(crate) fn written(size: &dyn Display) -> String {
    format!("{size} written")
}

pub(crate) fn free(size: &dyn Display) -> String {
    format!("{size} free")
}

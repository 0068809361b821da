//! Around the rows: the first lines, the names of the views, the status and the footer.

pub(crate) use super::platform::HOW_TO_RECORD;
use std::time::Duration;

use super::{counted, grouped};
use crate::quantity::{count, duration};

pub(crate) const LOOKING: &str = "whocalls is looking …";
pub(crate) const OTHERS_MAY_SEE: &str =
    "Whoever watches this computer may see this screen. whocalls sends nothing.";

/// `at`: a time of day.
pub(crate) fn recorded_before(at: &str) -> String {
    format!("Recorded. Shown as it stood at {at} UTC; ages are counted from there.")
}

pub(crate) fn too_small(width: u16, height: u16) -> String {
    format!("too small: {width} x {height} at least")
}

// The head.

pub(crate) const HELD: &str = "HELD (Space goes on)";
pub(crate) const OFFLINE: &str = "OFFLINE: attempts still show";
pub(crate) const ONLINE: &str = "online";
pub(crate) const NOT_RECORDING: &str = "not recording";
/// `length`: `00:12:31`. Events are told where packets are not recorded.
pub(crate) fn recording(length: &str, events: u64, packets: Option<u64>, lost: u64) -> String {
    let count = match packets {
        Some(packets) => grouped(packets, "packet", "packets"),
        None => grouped(events, "event", "events"),
    };
    match lost {
        0 => format!("recording {length}, {count}, 0 lost"),
        lost => format!("recording {length}, {count}, {lost} LOST"),
    }
}

/// `from`, `to` and `at` as they are shown.
pub(crate) fn case(name: &str, from: &str, to: &str, at: &str) -> String {
    format!("case {name}, {from} to {to}, at {at}")
}

/// Another moment is on its way.
pub(crate) fn going_to(at: &str) -> String {
    format!("going to {at} …")
}

pub(crate) fn reading(percent: u8) -> String {
    format!("reading {percent} %")
}

pub(crate) const SEAL_NOT_CHECKED: &str = "seal not checked";
pub(crate) const SEAL_INTACT: &str = "sealed";
pub(crate) const SEAL_MISSING: &str = "never sealed";
pub(crate) const SEAL_BROKEN: &str = "CHANGED OR MISSING FILES";
pub(crate) const FEWER_FACTS: &str = "fewer facts than usual";
pub(crate) const MISSES_MUCH: &str = "MISSES MUCH";
pub(crate) const IMPORTED: &str = "imported";

/// `watched 4:00`, `watched 1:04:00`.
pub(crate) fn watched(length: Duration) -> String {
    let seconds = length.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("watched {minutes}:{seconds:02}"),
        _ => format!("watched {hours}:{minutes:02}:{seconds:02}"),
    }
}

// The views.

pub(crate) const OVERVIEW: &str = "Overview";
pub(crate) const CONNECTIONS: &str = "Connections";
pub(crate) const PROCESSES: &str = "Processes";
pub(crate) const DESTINATIONS: &str = "Destinations";
pub(crate) const TIMELINE: &str = "Timeline";
pub(crate) const HISTORY: &str = "History";
pub(crate) const FINDINGS: &str = "Findings";
pub(crate) const NAMES: &str = "Names";

// Where there is less room.

pub(crate) const DESTINATIONS_SHORT: &str = "Dest.";

// The status.

pub(crate) const NO_LISTENERS: &str = "no listeners";
pub(crate) const NO_LOOPBACK: &str = "no loopback";
pub(crate) const NO_LOCAL_NETWORK: &str = "no local network";
pub(crate) const MARKED_ONLY: &str = "marked only";
pub(crate) const ORDER_STANDS: &str = "order stands";

pub(crate) fn filter(filter: &str) -> String {
    format!("filter {filter}")
}

pub(crate) fn not_shown(connections: usize) -> String {
    format!("{connections} not shown")
}

/// `owned_percent`: `None` where there is nothing that could have an owner.
pub(crate) fn open(connections: usize, owned_percent: Option<usize>) -> String {
    match owned_percent {
        Some(percent) => format!("{connections} open, {percent} % owned"),
        None => format!("{connections} open"),
    }
}

pub(crate) fn events(seen: u64, lost: u64) -> String {
    format!("{lost} lost of {}", count(seen))
}

pub(crate) fn let_go(ended: u64) -> String {
    format!("{} let go", counted(ended, "ended one", "ended ones"))
}

pub(crate) fn not_seen(count: usize) -> String {
    format!("{count} not seen")
}

pub(crate) fn tier(word: &str) -> String {
    format!("tier {word}")
}

pub(crate) fn every(refresh: Duration) -> String {
    format!("every {}", duration(refresh))
}

// The footer: what a key does, in a word.

pub(crate) const DETAILS: &str = "details";
pub(crate) const STEP_BACK: &str = "before";
pub(crate) const STEP_ON: &str = "after";
pub(crate) const FILTER: &str = "filter";
pub(crate) const OPEN: &str = "open";
pub(crate) const ALL: &str = "all";
pub(crate) const MENU: &str = "menu";
pub(crate) const RHYTHM: &str = "rhythm";
pub(crate) const OTHER_CALLS: &str = "other calls";
pub(crate) const HOLD: &str = "hold";
pub(crate) const HELP: &str = "help";
pub(crate) const QUIT: &str = "quit";
pub(crate) const CLOSE: &str = "close";
pub(crate) const ITS_CONNECTIONS: &str = "connections";
pub(crate) const READ_ON: &str = "read on";
pub(crate) const READ: &str = "read";
pub(crate) const COMPLETE: &str = "complete";
pub(crate) const KEEP: &str = "keep";
pub(crate) const NO_FILTER: &str = "no filter";
pub(crate) const SAVE: &str = "save";
pub(crate) const CHOOSE: &str = "choose";
pub(crate) const DO: &str = "do";
pub(crate) const BACK: &str = "back";
pub(crate) const DO_NOTHING: &str = "do nothing";

// Messages after a key.

pub(crate) const NOTHING_TO_PICK_BY: &str = "nothing to pick by in this row";
pub(crate) const ORDER_STANDS_FROM_HERE: &str = "the order stands; new rows come last";
pub(crate) const ORDER_OF_SINGLE_ROWS: &str =
    "the order can be kept in the views of connections (2, 6), where they are not grouped";
pub(crate) const GROUPS_OF_SINGLE_ROWS: &str =
    "connections are put together in the views of connections (2, 6)";
pub(crate) const ORDER_FOLLOWS: &str = "the order follows again";

/// `since`: a time of day; `size`: on disk.
pub(crate) fn recorded(
    since: &str,
    events: u64,
    packets: Option<u64>,
    lost: u64,
    size: &str,
    name: &str,
) -> String {
    let events = grouped(events, "event", "events");
    let packets = match packets {
        Some(packets) => grouped(packets, "packet", "packets"),
        None => "no packets".to_owned(),
    };
    format!("recorded since {since}: {events}, {packets}, {lost} lost, {size}, into {name}")
}

pub(crate) const NO_CONNECTION_HERE: &str =
    "Wireshark opens the packets of a connection: choose one (2, 6)";
pub(crate) const PACKETS_AFTERWARDS: &str =
    "packets are being recorded; when it has ended: whocalls open CASE, then W";
pub(crate) const PACKETS_NOT_RECORDED: &str = "no packets are being recorded, events only";
pub(crate) const NO_PACKETS_IN_CASE: &str = "there are no recorded packets here";
pub(crate) const NO_PACKETS_LIVE: &str = "no packets are recorded by this run; r says how to";
pub(crate) const COPIED: &str = "copied, where the terminal allows it";
pub(crate) const NOT_GROUPED: &str = "not grouped";
pub(crate) const BY_PROCESS: &str = "grouped by process";
pub(crate) const BY_DESTINATION: &str = "grouped by destination";
pub(crate) const BY_USER: &str = "grouped by user";
pub(crate) const BY_PORT: &str = "grouped by port";

pub(crate) fn refreshed(refresh: Duration) -> String {
    format!("refreshed every {}", duration(refresh))
}

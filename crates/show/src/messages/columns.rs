//! Headings of columns, and words in their cells. A column is as wide as `tui::columns` says.

use std::time::Duration;

use crate::quantity::{count, duration};

/// Programs that call another end, or are called from there.
pub(crate) const CALLED_BY: &str = "PROGRAMS";
pub(crate) const ANSWER: &str = "ANSWER";
pub(crate) const ASKED: &str = "ASKED";
pub(crate) const ASKED_BY: &str = "ASKED BY";
pub(crate) const CALLS: &str = "CALLS";
pub(crate) const CHECKS: &str = "CHECKS";
pub(crate) const CLOSED: &str = "CLOSED";
pub(crate) const DESTINATION: &str = "DESTINATION";
/// How many other ends.
pub(crate) const DESTINATIONS: &str = "TO";
pub(crate) const FAILED: &str = "FAILED";
pub(crate) const FIRST: &str = "FIRST";
pub(crate) const LAST: &str = "LAST";
pub(crate) const LOCAL: &str = "LOCAL";
pub(crate) const NAME: &str = "NAME";
pub(crate) const OPEN: &str = "OPEN";
pub(crate) const OPENED: &str = "OPENED";
pub(crate) const OUTCOME: &str = "WHAT CAME OF IT";
pub(crate) const PID: &str = "PID";
pub(crate) const PROCESS: &str = "PROCESS";
pub(crate) const PROCESS_TREE: &str = "PROCESS, WHERE IT GOES";
pub(crate) const PROGRAM: &str = "PROGRAM";
pub(crate) const PROTOCOL: &str = "PROTO";
pub(crate) const RECEIVED: &str = "RECVD";
pub(crate) const REMOTE: &str = "REMOTE";
pub(crate) const SENT: &str = "SENT";
pub(crate) const STATE: &str = "STATE";
/// What was called after a name was asked for.
pub(crate) const THEN: &str = "THEN";
pub(crate) const USER: &str = "USER";

// Of findings.

pub(crate) const CONNECTIONS: &str = "CONNS";
pub(crate) const FOUND: &str = "FOUND";
pub(crate) const SINCE: &str = "SINCE";
pub(crate) const WORD: &str = "WHAT TO DO";

// Time from left to right.

pub(crate) const NOW: &str = "now";

/// A point of the axis, before now.
pub(crate) fn before_now(length: Duration) -> String {
    format!("-{}", duration(length))
}

// In cells.

/// When it was opened: before we looked.
pub(crate) const OPENED_BEFORE: &str = "before";
/// When it was closed: not yet.
pub(crate) const STILL_OPEN: &str = "open";
pub(crate) const UNDER_A_SECOND: &str = "<1 s";
/// After the name of a process.
pub(crate) const ENDED: &str = " (ended)";
/// The owner is known by its number only.
pub(crate) const NO_FACTS: &str = "?";

/// `? no rights`; the reason is that of `table::owner`.
pub(crate) fn owner_not_known(why: &str) -> String {
    format!("? {why}")
}

pub(crate) fn processes(count: usize) -> String {
    format!(" ×{count}")
}

/// A name of another end that may as well be that of somebody else at the same address.
pub(crate) fn maybe(name: &str) -> String {
    format!("maybe {name}")
}

/// Before the place where something waits for others.
pub(crate) const AT: &str = "at ";

/// Another end that calls this computer.
pub(crate) fn from(end: &str) -> String {
    format!("from {end}")
}

/// `3+2`.
pub(crate) fn open_and_listening(open: u64, listening: u64) -> String {
    format!("{}+{}", count(open), count(listening))
}

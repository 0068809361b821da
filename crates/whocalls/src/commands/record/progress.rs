//! The line that says how far a recording is.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::run::Numbers;
use crate::output;

const EACH: Duration = Duration::from_secs(1);
/// Where it is not a terminal that moves.
const EACH_LINE: Duration = Duration::from_secs(60);

/// Shows it on standard error: over itself on a terminal, else a line now and then.
pub(super) struct Progress {
    is_wanted: bool,
    /// Whether there are any.
    packets: bool,
    is_terminal: bool,
    shown: Mutex<Option<Instant>>,
}

impl Progress {
    pub(super) fn new(is_wanted: bool, packets: bool) -> Self {
        Self {
            is_wanted,
            packets,
            is_terminal: io::stderr().is_terminal(),
            shown: Mutex::new(None),
        }
    }

    pub(super) fn of(&self, elapsed: Duration, numbers: Numbers) -> show::Progress {
        show::Progress {
            elapsed,
            events: numbers.events,
            packets: self.packets.then_some(numbers.packets),
            lost_events: numbers.events_lost,
            lost_packets: numbers.packets_lost,
            bytes_written: numbers.bytes,
            bytes_free: (numbers.free_bytes > 0).then_some(numbers.free_bytes),
        }
    }

    /// Where it is due.
    pub(super) fn show(&self, elapsed: Duration, numbers: Numbers) {
        let each = if self.is_terminal { EACH } else { EACH_LINE };
        let mut last = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = match *last {
            Some(shown) => shown.elapsed() >= each,
            None => self.is_terminal || elapsed >= each,
        };
        if self.is_wanted && is_due {
            *last = Some(Instant::now());
            self.write(elapsed, numbers, false);
        }
    }

    /// The last one stays.
    pub(super) fn end(&self, elapsed: Duration, numbers: Numbers) {
        if self.is_wanted {
            self.write(elapsed, numbers, true);
        }
    }

    /// Where nobody listens, nothing is said.
    fn write(&self, elapsed: Duration, numbers: Numbers, is_last: bool) {
        let progress = self.of(elapsed, numbers);
        // A full line would begin the next one.
        let width = output::talk_width().unwrap_or(120).saturating_sub(1);
        let line = show::progress(&progress, width);
        let text = match (self.is_terminal, is_last) {
            (true, false) => format!("\r\x1b[K{line}"),
            (true, true) => format!("\r\x1b[K{line}\n"),
            (false, _) => format!("{line}\n"),
        };
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

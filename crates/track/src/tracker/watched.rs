//! Since when a run has watched, how often the counters of connections were read, and what that tells of
//! when they sent.

use std::sync::Arc;
use std::time::Duration;

use model::{Connection, Talk, Timestamp};

/// What is shorter has no rhythm that anybody asks for.
const LASTED: Duration = Duration::from_secs(3);
/// How far apart readings of counters are where nothing else is known.
const READING: Duration = Duration::from_secs(1);
/// Readings that are farther apart say nothing of how often they come.
const LONGEST_READING: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Watched {
    since: Option<Timestamp>,
    /// When the counters were read last.
    read: Option<Timestamp>,
    /// How far the last two readings were apart.
    apart: Option<Duration>,
}

impl Watched {
    /// Something was seen from this moment on. The earliest counts.
    pub(super) fn from(&mut self, time: Timestamp) {
        if let Some(time) = time.told() {
            self.since = Some(self.since.map_or(time, |since| since.min(time)));
        }
    }

    /// `UNTOLD`: nothing was seen yet.
    pub(super) fn since(&self) -> Timestamp {
        self.since.unwrap_or(Timestamp::UNTOLD)
    }

    /// Counters of several connections were read.
    pub(super) fn read_counters(&mut self, time: Timestamp) {
        let apart = self.read.map(|read| read.until(time));
        // Those of one that ends are read besides.
        let is_next = apart.is_some_and(|it| it >= READING / 2 && it <= LONGEST_READING);
        if is_next {
            self.apart = apart;
        }
        if is_next
            || self
                .read
                .is_none_or(|read| read.until(time) > LONGEST_READING)
        {
            self.read = Some(time);
        }
    }

    /// Takes note that a connection has sent more, where its counter says so.
    pub(super) fn note_talk(&self, before: &Connection, after: &mut Connection, time: Timestamp) {
        let (Some(former), Some(now)) = (before.bytes_sent, after.bytes_sent) else {
            return;
        };
        let lasted = after.opened.is_none_or(|it| it.until(time) >= LASTED);
        let Some(sent) = now.checked_sub(former).filter(|sent| *sent > 0 && lasted) else {
            return;
        };
        let resolution = self.apart.unwrap_or(READING).max(READING);
        let talk = after
            .talk
            .get_or_insert_with(|| Arc::new(Talk::new(resolution)));
        Arc::make_mut(talk).sent(time, sent);
    }
}

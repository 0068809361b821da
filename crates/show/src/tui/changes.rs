//! What is new, changed or over, for a few seconds.

use std::collections::HashMap;
use std::time::Duration;

use model::{ConnectionId, Snapshot, Timestamp};

use super::theme::Tone;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    New,
    Changed,
    Closed,
}

impl Sign {
    pub(super) fn character(self) -> char {
        match self {
            Self::New => '+',
            Self::Changed => '~',
            Self::Closed => '-',
        }
    }

    pub(super) fn tone(self) -> Tone {
        match self {
            Self::New => Tone::New,
            Self::Changed => Tone::Changed,
            Self::Closed => Tone::Closed,
        }
    }
}

/// Signs are shown at least so long.
const SHORTEST: Duration = Duration::from_secs(3);

/// The signs of connections, until their time is over.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// Of the last snapshot. `None`: there was none.
    learned: Option<(u64, Timestamp)>,
    recent: HashMap<ConnectionId, (Sign, Timestamp)>,
}

impl Changes {
    pub(super) fn of(&self, id: &ConnectionId) -> Option<Sign> {
        self.recent.get(id).map(|(sign, _)| *sign)
    }

    /// The signs of a moment in the past: what began or ended not longer before it than `length`.
    /// They follow from the times alone, since moments are shown in any order.
    pub(super) fn of_moment(snapshot: &Snapshot, length: Duration) -> Self {
        let now = snapshot.taken;
        let is_recent = |time: Option<Timestamp>| {
            time.is_some_and(|time| time <= now && time.until(now) < length)
        };
        let mut recent = HashMap::new();
        for connection in &snapshot.connections {
            if is_recent(connection.closed) {
                recent.insert(connection.id, (Sign::Closed, now));
            } else if connection.closed.is_none() && is_recent(connection.opened) {
                recent.insert(connection.id, (Sign::New, now));
            }
        }
        Self {
            learned: None,
            recent,
        }
    }

    /// Takes in what a snapshot says that the one before did not.
    pub(super) fn learn(&mut self, snapshot: &Snapshot, refresh: Duration) {
        let now = snapshot.taken;
        let keep = SHORTEST.max(refresh * 2);
        self.recent.retain(|_, (_, since)| since.until(now) < keep);
        if let Some((revision, before)) = self.learned {
            for connection in snapshot.connections.changed_since(revision) {
                let sign = if connection.closed.is_some() {
                    Sign::Closed
                } else if connection.opened.is_some_and(|opened| opened > before) {
                    Sign::New
                } else {
                    // What is new stays so, whatever becomes of it meanwhile.
                    match self.of(&connection.id) {
                        Some(Sign::New) => continue,
                        Some(Sign::Changed | Sign::Closed) | None => Sign::Changed,
                    }
                };
                self.recent.insert(connection.id, (sign, now));
            }
        }
        self.learned = Some((snapshot.connections.revision(), now));
    }
}

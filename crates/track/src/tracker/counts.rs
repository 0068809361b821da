//! What it means for the connections that the kernel has counted on.

use model::{Connection, Counts, State, Timestamp};

use super::connections::{Begun, Key, Life, SocketName};
use super::tally::Tally;
use super::{Change, Told, Tracker};

impl Tracker {
    pub(super) fn count(&mut self, counts: &Counts, told: &mut Told<'_>) {
        self.taken = counts.time;
        let cookie = counts.socket.cookie.map(SocketName::Cookie);
        let Some(key) = cookie.and_then(|socket| self.connections.find(socket, counts.remote))
        else {
            return;
        };
        let tally = Tally::from(counts);
        let counted = self.connections.counted_before(&key);
        let grew = |connection| tally.exceeds(connection, counted);
        let grew = self.connections.latest(&key).is_some_and(grew);
        match self.connections.life(&key) {
            Some(Life::Open) => {
                if grew {
                    let boot_ns = self.clock.boot_ns_at(counts.time);
                    self.connections.used(&key, boot_ns);
                }
                self.update(&key, counts.time, told, |connection| {
                    tally.put(connection, counted);
                });
            }
            Some(Life::Ended | Life::Missing) if grew => {
                self.revive(key, counts.time, tally, told);
            }
            Some(Life::Ended | Life::Missing | Life::Gone) | None => {}
        }
    }

    /// A peer that was silent for long has been heard again.
    fn revive(&mut self, key: Key, time: Timestamp, tally: Tally, told: &mut Told<'_>) {
        let Some(former) = self.connections.latest(&key) else {
            return;
        };
        if former.protocol.has_connections() {
            return;
        }
        let mut connection = Connection {
            state: State::Open,
            opened: Some(time),
            closed: None,
            error: None,
            ..former.clone()
        };
        tally.put(&mut connection, self.connections.counted_by_all(&key));
        let begun = Begun {
            change: Change::Opened,
            time,
            boot_ns: self.clock.boot_ns_at(time),
            looked_at: false,
        };
        self.begin(key, connection, begun, told);
    }
}

//! What a look means for the connections: the first one makes them, later ones mend what was lost.

use std::collections::HashSet;

use model::{Connection, Direction, Look, Owner, ProcessId, State, Tier};

use super::connections::{Begun, Key, Life};
use super::{Change, Told, Tracker};
use crate::{connections, remembered};

impl Tracker {
    pub(super) fn look(&mut self, look: Look, told: &mut Told<'_>) {
        let Look {
            host,
            home_netns,
            taken,
            tier,
            sockets,
            processes,
            users,
            remembered,
            gaps,
        } = look;
        self.taken = taken;
        // Where nobody tells what happens between two looks, what is new in the second came between them.
        let polls = tier == Tier::Polling && self.tier != Tier::NoBtf;
        let is_news = polls && self.watched.since().told().is_some();
        self.watched.from(taken);
        self.home_netns = home_netns;
        self.users = users;
        self.gaps.looked(gaps);
        self.processes.look(processes);
        let begun = Begun {
            change: Change::Present,
            time: taken,
            boot_ns: self.clock.boot_ns_at(taken),
            looked_at: true,
        };
        let mut seen = HashSet::with_capacity(sockets.len());
        let left_before = std::mem::take(&mut self.left);
        for mut connection in connections(&host, sockets) {
            let key = Key::of(&connection);
            let connected = connection.protocol.has_connections();
            let stands = !matches!(connection.state, State::Closed | State::TimeWait);
            seen.insert(key.socket);
            if polls && !stands {
                self.left.insert(key.socket);
            }
            let mut begun = begun;
            if is_news && connected {
                begun.change = Change::Opened;
                connection.opened = Some(taken);
            }
            match self.connections.life(&key) {
                // What is left of one that is over.
                Some(Life::Open) if polls && !stands => {
                    self.finish(&key, taken, Life::Ended, told, unseen_end);
                }
                Some(Life::Open) => self.mend(key, connection, begun, told),
                // Begun anew, or what is left of one that is over.
                Some(Life::Ended) if connected && stands => {
                    self.begin(key, connection, begun, told);
                }
                Some(Life::Missing) if stands => self.begin(key, connection, begun, told),
                Some(Life::Ended | Life::Missing | Life::Gone) => {}
                // It was told, and is known no more.
                None if left_before.contains(&key.socket) && !stands => {}
                None => {
                    self.begin(key, connection, begun, told);
                    // It came and went since the last look.
                    if is_news && !stands {
                        self.finish(&key, taken, Life::Ended, told, unseen_end);
                    }
                }
            }
        }
        self.remembered = remembered::over(remembered, self.connections.shelf());
        let all = self.connections.all_open();
        let missing = all.filter(|(key, used_ns, looked_at, connection)| {
            let expected = *looked_at || connection.owner.process().is_some();
            // It came after the look was taken, or it has no entry in any table yet.
            let new = *used_ns > begun.boot_ns || connection.state == State::Attempted;
            expected && !new && !seen.contains(&key.socket)
        });
        let mut missing: Vec<_> = missing.map(|(key, ..)| key).collect();
        missing.sort_unstable();
        for key in missing {
            self.finish(&key, taken, Life::Missing, told, unseen_end);
        }
    }

    /// Takes over what a look knows better of an open connection.
    fn mend(&mut self, key: Key, seen: Connection, look: Begun, told: &mut Told<'_>) {
        let newer = self.connections.last_used(&key) > look.boot_ns;
        let known = self.connections.open(&key);
        let other_remote = known.is_some_and(|known| {
            known.protocol.has_connections()
                && known.remote.is_some()
                && known.remote != seen.remote
        });
        if other_remote && !newer {
            self.finish(&key, look.time, Life::Ended, told, unseen_end);
            self.begin(key, seen, look, told);
            return;
        }
        self.connections.looked_at(&key);
        self.update(&key, look.time, told, |connection| {
            connection.netns = connection.netns.or(seen.netns);
            connection.socket.inode = seen.socket.inode.or(connection.socket.inode);
            connection.uid = connection.uid.or(seen.uid);
            if newer {
                return;
            }
            held_by(connection, &seen);
            connection.interface = seen.interface;
            connection.state = seen.state;
            connection.local = seen.local;
            connection.remote = seen.remote;
            if matches!(connection.direction, Direction::Unknown | Direction::Local) {
                connection.direction = seen.direction;
            }
            connection.bytes_sent = seen.bytes_sent.or(connection.bytes_sent);
            connection.bytes_received = seen.bytes_received.or(connection.bytes_received);
        });
    }
}

/// It is over, and how it ended was not seen.
pub(super) fn unseen_end(connection: &mut Connection) {
    // Who waited for an answer, and waits no more, hardly ever got one.
    let is_unanswered = connection.state == State::SynSent;
    connection.state = if is_unanswered {
        State::Failed
    } else {
        State::Closed
    };
}

/// The owner stays as long as it holds the socket, or when the look knows of no holder.
fn held_by(connection: &mut Connection, seen: &Connection) {
    let Some(oldest) = seen.owner.process() else {
        if connection.owner.process().is_none() {
            connection.owner = seen.owner;
        }
        return;
    };
    let mut holders: Vec<ProcessId> = vec![oldest];
    holders.extend(&seen.also_held_by);
    let holds = |owner: Owner| {
        owner
            .process()
            .is_some_and(|owner| holders.contains(&owner))
    };
    if !holds(connection.owner) {
        connection.owner = seen.owner;
    }
    let owner = connection.owner.process();
    holders.retain(|holder| Some(*holder) != owner);
    connection.also_held_by = holders;
}

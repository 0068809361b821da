//! Connections of TCP, by their two ends.
//!
//! What the events of Windows mean, as far as it is written down: `Connect` and `Accept` carry what both
//! sides agreed on (the size of segments, the scale of windows), so the connection stands; `Reconnect` is
//! an attempt that is made again, since nobody has answered; `Disconnect` is the wish of this side to end
//! it, and bytes may still come. So it is over when the table of Windows no longer has it.

use std::collections::{HashMap, HashSet};

use model::{
    ConnectionError, Detail, Endpoint, Event, EventKind, Look, Observed, Phase, ProcessId,
    Protocol, Source, State,
};

use super::{Done, Sum, cookie, key};
use crate::parse::etw_kernel_network::Deed;
use crate::stamp::Stamp;

/// So many are followed. Some 150 bytes each.
const MOST: usize = 200_000;
/// One that is over is remembered for so long: Windows keeps its row for a while.
const REMEMBERED: u64 = 5_000_000_000;
/// One that nobody was told of is forgotten when nothing was heard of it for so long.
const SILENT: u64 = 60_000_000_000;
/// Events of the same moment come in any order: the beginning may come after the first bytes.
const MOMENT: u64 = 1_000_000_000;

#[derive(Debug, Default)]
pub(super) struct Streams {
    known: HashMap<(Endpoint, Endpoint), Stream>,
    /// Ports that are listened at.
    served: HashSet<u16>,
    /// Events of those for which there was no room.
    pub(super) left_out: u64,
}

#[derive(Debug)]
struct Stream {
    cookie: u64,
    /// Who used it last. `None`: not known.
    pid: Option<u32>,
    /// An event has told that it was asked for.
    is_begun: bool,
    /// An event has told that it stands.
    is_established: bool,
    /// The beginning was not told, and was taken for granted at this time: bytes went over it.
    granted: Option<u64>,
    /// The table of Windows had it.
    was_seen: bool,
    /// When this side wished to end it.
    closing: Option<u64>,
    /// When it was over.
    closed: Option<u64>,
    /// When it was last heard of.
    used: u64,
    bytes: [u64; 2],
    has_changed: bool,
}

/// What a look means for those that are known.
pub(super) struct Passed {
    pub(super) over: Vec<Over>,
    /// It does not have them, and nobody wished to end them.
    pub(super) missing: Vec<Sum>,
}

/// A connection that has ended.
pub(super) struct Over {
    local: Endpoint,
    remote: Endpoint,
    time: u64,
    sum: Sum,
}

impl Over {
    pub(super) fn closed(&self, stamp: &Stamp) -> Event {
        let mut event = stamp.event(self.time, EventKind::Closed);
        event.source = Source::Etw;
        event.socket = Some(key(self.sum.cookie));
        event.protocol = Some(Protocol::Tcp);
        event.local = Some(self.local);
        event.remote = Some(self.remote);
        [event.bytes_sent, event.bytes_received] = self.sum.bytes.map(Some);
        event
    }
}

impl Stream {
    fn new(cookie: u64, time: u64) -> Self {
        Self {
            cookie,
            pid: None,
            is_begun: false,
            is_established: false,
            granted: None,
            was_seen: false,
            closing: None,
            closed: None,
            used: time,
            bytes: [0; 2],
            has_changed: false,
        }
    }

    fn sum(&self) -> Sum {
        Sum {
            cookie: self.cookie,
            remote: None,
            bytes: self.bytes,
            packets: None,
        }
    }
}

impl Streams {
    pub(super) fn tell(&mut self, done: &Done, stamp: &mut Stamp, seen: &mut Vec<Observed>) {
        let ends = (done.local, done.remote);
        let is_served = done.local.port.is_some_and(|it| self.served.contains(&it));
        let is_new_one = |it: &Stream| {
            // The same ends again: the one before is over, whether or not that was told.
            let begins = matches!(done.deed, Deed::Connect | Deed::Accept);
            let is_late = it
                .granted
                .is_some_and(|at| done.time <= at.saturating_add(MOMENT));
            let begins = begins && !is_late;
            it.closed.is_some() && done.deed != Deed::Disconnect || begins && it.is_established
        };
        if let Some(former) = self.known.get(&ends).filter(|it| is_new_one(it)) {
            if former.closed.is_none() {
                let over = Over {
                    local: done.local,
                    remote: done.remote,
                    time: former.closing.unwrap_or(done.time),
                    sum: former.sum(),
                };
                let event = over.closed(stamp);
                stamp.tell(event, seen);
            }
            self.known.remove(&ends);
        }
        if !self.known.contains_key(&ends) && !self.has_room() {
            self.left_out += 1;
            return;
        }
        let stream = self
            .known
            .entry(ends)
            .or_insert_with(|| Stream::new(cookie(Protocol::Tcp, done), done.time));
        if stream.closed.is_some() {
            return;
        }
        stream.used = stream.used.max(done.time);
        let number = stream.cookie;
        let mut tell = |kind, detail: Option<Detail>| {
            let mut event = done.event(kind, Protocol::Tcp, number, stamp);
            event.detail = detail.unwrap_or(event.detail);
            stamp.tell(event, seen);
        };
        let has_bytes = matches!(done.deed, Deed::Send | Deed::Receive) && done.size > 0;
        if has_bytes && !stream.is_begun && !stream.was_seen {
            (stream.is_begun, stream.is_established) = (true, true);
            stream.granted = Some(done.time);
            tell(beginning(is_served), None);
        }
        match done.deed {
            Deed::Reconnect => {
                if !stream.is_begun {
                    stream.is_begun = true;
                    tell(EventKind::Attempt, None);
                    tell(EventKind::FirstPacket, None);
                }
            }
            // It was told when bytes went over it.
            Deed::Connect | Deed::Accept if stream.granted.is_some() => {}
            Deed::Connect => {
                (stream.is_begun, stream.is_established) = (true, true);
                tell(EventKind::Opened, None);
            }
            Deed::Accept => {
                (stream.is_begun, stream.is_established) = (true, true);
                tell(EventKind::Accepted, None);
            }
            Deed::Send => {
                let [sent, _] = &mut stream.bytes;
                *sent = sent.saturating_add(done.size);
                stream.has_changed = true;
                let is_another = done.pid != 0 && stream.pid.is_some_and(|pid| pid != done.pid);
                if is_another && done.process.is_some() {
                    tell(EventKind::OwnerChanged, Some(Detail::Sends));
                }
            }
            Deed::Receive => {
                let [_, received] = &mut stream.bytes;
                *received = received.saturating_add(done.size);
                stream.has_changed = true;
            }
            Deed::Disconnect => {
                let begins = if stream.is_begun || stream.was_seen {
                    None
                } else if is_served {
                    Some(EventKind::Accepted)
                } else {
                    // Of those that came about another event told.
                    tell(EventKind::Attempt, None);
                    Some(EventKind::FirstPacket)
                };
                if let Some(kind) = begins {
                    stream.is_begun = true;
                    stream.is_established = kind != EventKind::FirstPacket;
                    tell(kind, None);
                }
                stream.closing.get_or_insert(done.time);
                if stream.is_begun && !stream.is_established && !stream.was_seen {
                    stream.closed = Some(done.time);
                    let mut event = done.event(EventKind::Closed, Protocol::Tcp, number, stamp);
                    event.error = Some(ConnectionError {
                        errno: None,
                        phase: Phase::Handshake,
                    });
                    stamp.tell(event, seen);
                }
            }
            // What was sent again was sent before; what was copied was received before.
            Deed::Retransmit | Deed::Copy => {}
        }
        if done.pid != 0 && !matches!(done.deed, Deed::Receive | Deed::Disconnect) {
            stream.pid = Some(done.pid);
        }
    }

    /// Gives the sockets of a look their numbers, and says what of those known is over.
    pub(super) fn name(
        &mut self,
        began: u64,
        look: &mut Look,
        pids: &HashMap<ProcessId, u32>,
    ) -> Passed {
        self.served.clear();
        let mut there = HashMap::new();
        for socket in &mut look.sockets {
            if socket.protocol != Protocol::Tcp {
                continue;
            }
            let Some(remote) = socket.remote else {
                self.served.extend(socket.local.port);
                continue;
            };
            let (Some(own), ends) = (socket.key.cookie, (socket.local, remote)) else {
                continue;
            };
            let is_left = matches!(socket.state, State::TimeWait | State::Closed);
            let known = self.known.get(&ends);
            let is_anew = known.is_some_and(|it| {
                let closed = it.closed.filter(|closed| *closed <= began);
                closed.is_some() && !is_left && it.cookie != own
            });
            if known.is_none() && !self.has_room() {
                continue;
            }
            if is_anew {
                self.known.remove(&ends);
            }
            let stream = self
                .known
                .entry(ends)
                .or_insert_with(|| Stream::new(own, began));
            stream.was_seen |= !is_left;
            let holder = socket.holders.first().map(|holder| holder.process);
            stream.pid = stream.pid.or(holder.and_then(|it| pids.get(&it).copied()));
            socket.key.cookie = Some(stream.cookie);
            there.insert(ends, is_left);
        }
        self.pass(began, &there)
    }

    /// `there`: those of the look, and of which nothing but the row is left.
    fn pass(&mut self, began: u64, there: &HashMap<(Endpoint, Endpoint), bool>) -> Passed {
        let mut passed = Passed {
            over: Vec::new(),
            missing: Vec::new(),
        };
        for (ends, stream) in &mut self.known {
            let stands = there.get(ends).is_some_and(|is_left| !is_left);
            if stands || stream.closed.is_some() || stream.used > began {
                continue;
            }
            match stream.closing {
                Some(time) if time > began => continue,
                Some(time) => passed.over.push(Over {
                    local: ends.0,
                    remote: ends.1,
                    time,
                    sum: stream.sum(),
                }),
                None if there.contains_key(ends) => continue,
                None if stream.is_begun || stream.was_seen => passed.missing.push(stream.sum()),
                // Nobody was told of it: no byte has gone over it.
                None => continue,
            }
            stream.closed = Some(began);
        }
        self.known.retain(|ends, stream| {
            let is_old = |closed: u64| closed.saturating_add(REMEMBERED) < began;
            let is_told = stream.is_begun || stream.was_seen;
            let is_silent = !is_told && stream.used.saturating_add(SILENT) < began;
            there.contains_key(ends) || !stream.closed.is_some_and(is_old) && !is_silent
        });
        // The order of a table that is hashed is none.
        passed.over.sort_by_key(|it| (it.time, it.sum.cookie));
        passed.missing.sort_by_key(|it| it.cookie);
        passed
    }

    pub(super) fn changed(&mut self) -> Vec<Sum> {
        let changed = self.known.values_mut().filter(|it| it.has_changed);
        let mut sums: Vec<_> = changed
            .filter(|it| it.closed.is_none())
            .map(|it| {
                it.has_changed = false;
                it.sum()
            })
            .collect();
        sums.sort_by_key(|it| it.cookie);
        sums
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    fn has_room(&mut self) -> bool {
        if self.known.len() >= MOST {
            self.known.retain(|_, it| it.closed.is_none());
        }
        self.known.len() < MOST
    }
}

/// How one came about that nobody told the beginning of: who listens there was called.
fn beginning(is_served: bool) -> EventKind {
    if is_served {
        EventKind::Accepted
    } else {
        EventKind::Opened
    }
}

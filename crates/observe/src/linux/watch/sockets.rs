//! Turns what the kernel told of sockets into events.

mod peers;

use std::collections::{HashMap, HashSet, VecDeque};

use model::{
    ConnectionError, Counts, Detail, Endpoint, Event, EventKind, NameSeen, NameSource, Observed,
    Phase, ProcessId, Protocol, SocketKey, Timestamp, WhyUnknown,
};

use self::peers::Peers;
use super::frames::FrameSenders;
use super::greetings::Greetings;
use super::processes::ProcessTable;
use super::resolvers::Resolvers;
use crate::linux::events::{PeerCounts, Probes, Said};
use crate::parse::socket_event::{Flags, More, SocketEvent, SocketEventKind};
use crate::stamp::Stamp;

/// The kernel finds a route within the call that makes an attempt.
const ROUTE_FOUND_WITHIN: u64 = 50_000_000;

const ENETUNREACH: i32 = 101;
const EAGAIN: u16 = 11;

/// What is to be remembered between two events of a socket.
pub(super) struct Sockets {
    /// Attempts of which it is not known yet whether they found a route.
    attempts: HashMap<u64, Attempt>,
    attempts_in_time: VecDeque<(u64, u64)>,
    peers: Peers,
    /// Packet sockets: their end passes no hook. False: the last refresh did not find it with any
    /// process, as when it is on its way from one to another.
    packet_sockets: HashMap<u64, bool>,
    frame_senders: FrameSenders,
    resolvers: Resolvers,
    greetings: Greetings,
}

struct Attempt {
    time: u64,
    event: Event,
    failed: Option<(u64, u16)>,
}

impl Sockets {
    pub(super) fn new() -> Self {
        Self {
            attempts: HashMap::new(),
            attempts_in_time: VecDeque::new(),
            peers: Peers::default(),
            packet_sockets: HashMap::new(),
            frame_senders: FrameSenders::default(),
            resolvers: Resolvers::open(),
            greetings: Greetings::default(),
        }
    }

    /// Takes over the names that the resolver says it was asked.
    pub(super) fn hear_resolver(&mut self, now: u64, stamp: &mut Stamp, seen: &mut Vec<Observed>) {
        self.resolvers.read(now, stamp, seen);
    }

    pub(super) fn told(
        &mut self,
        told: SocketEvent,
        stamp: &mut Stamp,
        probes: &mut Probes,
        processes: &mut ProcessTable,
        seen: &mut Vec<Observed>,
    ) {
        let process = owner(&told, stamp, processes, seen);
        let kind = match told.kind {
            SocketEventKind::Attempt => EventKind::Attempt,
            SocketEventKind::FirstPacket => EventKind::FirstPacket,
            SocketEventKind::Opened => EventKind::Opened,
            SocketEventKind::Accepted => EventKind::Accepted,
            SocketEventKind::Listening => EventKind::Listening,
            SocketEventKind::OwnerChanged => EventKind::OwnerChanged,
            SocketEventKind::Error => EventKind::Error,
            SocketEventKind::Closed => EventKind::Closed,
            SocketEventKind::Route => return self.route(&told),
            SocketEventKind::Resolver => {
                return self.resolvers.asked(&told, process, stamp, seen);
            }
            // What was said comes with its bytes; counts are asked for.
            SocketEventKind::Said | SocketEventKind::Counted => return,
        };
        if matches!(told.protocol, Protocol::Packet { .. }) {
            self.packet_sockets.insert(told.cookie, true);
            let gap = self.frame_senders.gap(&told, stamp);
            seen.extend(gap.map(Observed::Gap));
            // Only its first use is an event; the others tell how far it has come.
            if told.kind == SocketEventKind::FirstPacket {
                return seen.push(Observed::Counts(vec![own_counts(&told, stamp)]));
            }
        }
        let mut event = filled(stamp, kind, &told, process);
        event.error = error(&told);
        self.follow_peers(&told, probes);
        match told.kind {
            SocketEventKind::Attempt => {
                // The one before, of the same socket, is over.
                self.give_up(told.cookie, stamp, seen);
                self.attempted(told.cookie, told.time, &event);
            }
            SocketEventKind::FirstPacket | SocketEventKind::Opened => {
                self.attempts.remove(&told.cookie);
            }
            SocketEventKind::Closed => {
                for name in self.greetings.closed(&told) {
                    tell_name(name, &told, process, stamp, seen);
                }
                self.give_up(told.cookie, stamp, seen);
                self.last_counts(&told, stamp, probes, seen);
                // The socket ends with all its peers.
                if !told.protocol.has_connections() {
                    event.remote = None;
                }
            }
            SocketEventKind::Accepted
            | SocketEventKind::Listening
            | SocketEventKind::OwnerChanged
            | SocketEventKind::Error
            | SocketEventKind::Said
            | SocketEventKind::Route
            | SocketEventKind::Resolver
            | SocketEventKind::Counted => {}
        }
        stamp.tell(event, seen);
    }

    /// Something that may have a name in it.
    pub(super) fn said(
        &mut self,
        said: &Said,
        stamp: &mut Stamp,
        processes: &mut ProcessTable,
        seen: &mut Vec<Observed>,
    ) {
        let told = &said.event;
        for name in self.greetings.said(said) {
            let is_question = name.source == NameSource::Dns && name.answer.is_none();
            // To the stub of the resolver; its own questions go elsewhere.
            let to_stub = told.remote.and_then(|remote| remote.ip);
            if let Some(name) = name.name.as_ref().filter(|_| is_question)
                && to_stub.is_some_and(|ip| ip.is_loopback())
            {
                self.resolvers.seen_in_packet(name);
            }
            let process = owner(told, stamp, processes, seen);
            tell_name(name, told, process, stamp, seen);
        }
    }

    /// Tells of greetings that should be whole by `now` what there is of them.
    pub(super) fn hear_out(
        &mut self,
        now: u64,
        stamp: &mut Stamp,
        processes: &mut ProcessTable,
        seen: &mut Vec<Observed>,
    ) {
        while let Some((told, names)) = self.greetings.overdue(now) {
            for name in names {
                let process = owner(&told, stamp, processes, seen);
                tell_name(name, &told, process, stamp, seen);
            }
        }
    }

    /// How many greetings were not understood since this was last asked. `None`: none.
    pub(super) fn greetings_lately_unread(&mut self) -> Option<u64> {
        self.greetings.lately_unread()
    }

    /// How many connections were let go before what they said could be read, since this was last
    /// asked. `None`: none.
    pub(super) fn unread_lately(&mut self) -> Option<u64> {
        self.greetings.lately_let_go()
    }

    /// Says of attempts that are old enough that they had nowhere to go.
    pub(super) fn settle(&mut self, now: u64, stamp: &mut Stamp, seen: &mut Vec<Observed>) {
        while let Some((time, cookie)) = self.attempts_in_time.front().copied() {
            if now < time.saturating_add(ROUTE_FOUND_WITHIN) {
                break;
            }
            self.attempts_in_time.pop_front();
            if self.attempts.get(&cookie).is_some_and(|it| it.time == time) {
                self.give_up(cookie, stamp, seen);
            }
        }
    }

    /// What the peers of UDP sockets have counted, from the second peer of a socket on.
    pub(super) fn counts(&mut self, now: u64, stamp: &Stamp, probes: &mut Probes) -> Vec<Counts> {
        let mut all = Vec::new();
        self.peers.retain(now, probes, |cookie, remote, peer| {
            all.push(peer_counts(cookie, remote, peer, stamp.time(now)));
        });
        all
    }

    /// How many peers there was no room for.
    pub(super) fn peers_left_out(&self) -> u64 {
        self.peers.left_out()
    }

    /// The same, since this was last asked. `None`: none.
    pub(super) fn peers_lately_left_out(&mut self) -> Option<u64> {
        self.peers.lately_left_out()
    }

    pub(super) fn knows_packet_socket(&self, cookie: u64) -> bool {
        self.packet_sockets.contains_key(&cookie)
    }

    /// Tells of packet sockets that no process held, not now and not the time before. `held`: those
    /// that some process holds.
    pub(super) fn close_packet_sockets(
        &mut self,
        held: &HashSet<u64>,
        now: u64,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) {
        for cookie in missing_twice(&mut self.packet_sockets, held) {
            let mut event = stamp.event(now, EventKind::Closed);
            event.socket = Some(key(cookie));
            stamp.tell(event, seen);
        }
    }

    fn attempted(&mut self, cookie: u64, time: u64, event: &Event) {
        let attempt = Attempt {
            time,
            event: event.clone(),
            failed: None,
        };
        self.attempts.insert(cookie, attempt);
        self.attempts_in_time.push_back((time, cookie));
    }

    fn route(&mut self, told: &SocketEvent) {
        if let Some(attempt) = self.attempts.get_mut(&told.cookie) {
            // One table without it, and another with it, or with a better reason.
            attempt.failed = (told.error != 0).then_some((told.time, told.error));
        }
    }

    /// Tells that an attempt failed, when the search for a route did.
    fn give_up(&mut self, cookie: u64, stamp: &mut Stamp, seen: &mut Vec<Observed>) {
        let Some(attempt) = self.attempts.remove(&cookie) else {
            return;
        };
        let Some((time, error)) = attempt.failed else {
            return;
        };
        let mut event = Event {
            time: stamp.time(time),
            boot_ns: time,
            kind: EventKind::Error,
            ..attempt.event
        };
        let errno = match error {
            EAGAIN => ENETUNREACH,
            other => i32::from(other),
        };
        event.error = Some(ConnectionError {
            errno: Some(errno),
            phase: Phase::Connect,
        });
        stamp.tell(event, seen);
    }

    fn follow_peers(&mut self, told: &SocketEvent, probes: &mut Probes) {
        let is_new = matches!(
            told.kind,
            SocketEventKind::Attempt | SocketEventKind::FirstPacket | SocketEventKind::Accepted
        );
        if !is_new || !told.flags.has(Flags::MORE_PEERS) {
            return;
        }
        if let Some(remote) = told.remote {
            self.peers.follow(told.cookie, told.peer, remote, probes);
        }
    }

    /// Before a socket with several connections closes: what each of them has counted.
    fn last_counts(
        &mut self,
        told: &SocketEvent,
        stamp: &Stamp,
        probes: &mut Probes,
        seen: &mut Vec<Observed>,
    ) {
        let peers = self.peers.take(told.cookie);
        let stands_for_itself = told.flags.has(Flags::LISTENED) && told.remote.is_some();
        let one_of_several = !peers.is_empty() || stands_for_itself;
        if told.protocol.has_connections() || !one_of_several {
            return;
        }
        let mut counts = Vec::new();
        if told.remote.is_some() {
            counts.push(own_counts(told, stamp));
        }
        for (key, remote) in peers {
            let peer = probes.peer(&key);
            let time = stamp.time(told.time);
            counts.extend(peer.map(|peer| peer_counts(told.cookie, remote, &peer, time)));
            probes.forget_peer(&key);
        }
        seen.push(Observed::Counts(counts));
    }
}

/// Takes out those that are not held and were not the last time, and notes which are.
fn missing_twice(sockets: &mut HashMap<u64, bool>, held: &HashSet<u64>) -> Vec<u64> {
    let mut missing = Vec::new();
    sockets.retain(|cookie, was_held| {
        let is_held = held.contains(cookie);
        let is_missing = !is_held && !*was_held;
        *was_held = is_held;
        if is_missing {
            missing.push(*cookie);
        }
        !is_missing
    });
    missing.sort_unstable();
    missing
}

/// What a socket says of itself when it is asked.
pub(super) fn own_counts(told: &SocketEvent, stamp: &Stamp) -> Counts {
    let bytes = told.flags.has(Flags::BYTES);
    let packets = told.flags.has(Flags::PACKETS);
    Counts {
        time: stamp.time(told.time),
        socket: key(told.cookie),
        remote: told.remote.filter(|_| !told.protocol.has_connections()),
        bytes_sent: bytes.then_some(told.bytes_sent),
        bytes_received: bytes.then_some(told.bytes_received),
        packets_sent: packets.then_some(u64::from(told.packets_sent)),
        packets_received: packets.then_some(u64::from(told.packets_received)),
    }
}

fn tell_name(
    name: NameSeen,
    told: &SocketEvent,
    process: Option<ProcessId>,
    stamp: &mut Stamp,
    seen: &mut Vec<Observed>,
) {
    let mut event = filled(stamp, EventKind::NameSeen, told, process);
    event.detail = Detail::Name(name);
    stamp.tell(event, seen);
}

fn filled(
    stamp: &mut Stamp,
    kind: EventKind,
    told: &SocketEvent,
    process: Option<ProcessId>,
) -> Event {
    let counts = own_counts(told, stamp);
    let has_thread = !matches!(
        kind,
        EventKind::Opened | EventKind::Closed | EventKind::Error
    );
    let mut event = stamp.event(told.time, kind);
    event.process = process;
    event.thread = told.owner.map(|owner| owner.thread).filter(|_| has_thread);
    event.netns = told.netns;
    event.socket = Some(counts.socket);
    event.protocol = Some(told.protocol);
    event.local = told.local;
    event.remote = told.remote;
    event.bytes_sent = counts.bytes_sent;
    event.bytes_received = counts.bytes_received;
    event.packets_sent = counts.packets_sent;
    event.packets_received = counts.packets_received;
    let why = if told.flags.has(Flags::KERNEL) {
        Some(WhyUnknown::Kernel)
    } else if told.flags.has(Flags::OUTSIDE) {
        Some(WhyUnknown::OutsideNamespace)
    } else {
        None
    };
    event.detail = match (why, process, told.more) {
        (Some(why), None, _) => Detail::NoProcess { why },
        (_, _, More::Nothing | More::There) => Detail::Nothing,
        (_, _, More::BothVersions) => Detail::Listens { only_ipv6: false },
        (_, _, More::OnlyIpv6) => Detail::Listens { only_ipv6: true },
        (_, _, More::Sends) => Detail::Sends,
        (_, _, More::Wrote(from)) => Detail::Wrote { from },
        (_, _, More::MaySend) => Detail::MaySend,
    };
    event
}

/// The process behind an event, told of before the event when it is new.
fn owner(
    told: &SocketEvent,
    stamp: &Stamp,
    processes: &mut ProcessTable,
    seen: &mut Vec<Observed>,
) -> Option<ProcessId> {
    let owner = told.owner.as_ref()?;
    let id = stamp.process(owner.pid, owner.started);
    if processes.get(id).is_none() {
        let met = processes.met(stamp, id, owner);
        seen.push(Observed::Process(met));
    }
    Some(id)
}

fn error(told: &SocketEvent) -> Option<ConnectionError> {
    let errno = (told.error != 0).then_some(i32::from(told.error));
    let tcp = told.protocol == Protocol::Tcp;
    let phase = match told.kind {
        SocketEventKind::Error if !tcp => Phase::Send,
        SocketEventKind::Closed if !tcp => return None,
        SocketEventKind::Error | SocketEventKind::Closed => {
            if told.flags.has(Flags::ESTABLISHED) {
                Phase::Established
            } else if told.flags.has(Flags::SYN_SENT) {
                Phase::Handshake
            } else {
                Phase::Connect
            }
        }
        SocketEventKind::Attempt
        | SocketEventKind::FirstPacket
        | SocketEventKind::Opened
        | SocketEventKind::Accepted
        | SocketEventKind::Listening
        | SocketEventKind::OwnerChanged
        | SocketEventKind::Said
        | SocketEventKind::Route
        | SocketEventKind::Resolver
        | SocketEventKind::Counted => return None,
    };
    let is_error = errno.is_some() || (phase != Phase::Established && told.remote.is_some());
    is_error.then_some(ConnectionError { errno, phase })
}

fn key(cookie: u64) -> SocketKey {
    SocketKey {
        inode: None,
        cookie: (cookie != 0).then_some(cookie),
    }
}

fn peer_counts(cookie: u64, remote: Endpoint, peer: &PeerCounts, time: Timestamp) -> Counts {
    Counts {
        time,
        socket: key(cookie),
        remote: Some(remote),
        bytes_sent: Some(peer.bytes_sent),
        bytes_received: Some(peer.bytes_received),
        packets_sent: Some(peer.packets_sent),
        packets_received: Some(peer.packets_received),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_socket_on_its_way_has_not_ended() {
        let mut sockets = HashMap::from([(1, true), (2, true)]);
        let mut refresh =
            |held: &[u64]| missing_twice(&mut sockets, &held.iter().copied().collect());
        assert_eq!(refresh(&[1]), [0; 0]);
        // It has arrived.
        assert_eq!(refresh(&[1, 2]), [0; 0]);
        assert_eq!(refresh(&[1]), [0; 0]);
        assert_eq!(refresh(&[1]), [2]);
        assert_eq!(refresh(&[]), [0; 0]);
        assert_eq!(refresh(&[]), [1]);
        assert_eq!(refresh(&[]), [0; 0]);
    }
}

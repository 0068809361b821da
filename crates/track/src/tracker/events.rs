//! What each event means for the connections.

use std::sync::Arc;

use model::{
    Connection, ConnectionError, ConnectionId, Detail, Direction, Endpoint, Event, EventKind,
    Owner, Phase, Protocol, SocketKey, State, Text, WhyUnknown,
};

use super::connections::{Begun, Key, Life, SocketName};
use super::tally::Tally;
use super::{Change, Clock, SILENCE, Told, Tracker, nanos};
use crate::direction::of_unconnected;
use crate::owner::used_by;

/// A socket with more peers than this, those that have lately ended among them, serves many; its
/// peers keep the owner they had when another process takes over.
const MOST_PEERS: usize = 64;

impl Tracker {
    pub(super) fn event(&mut self, event: &Event, told: &mut Told<'_>) {
        self.taken = event.time;
        self.watched.from(event.time);
        self.clock = Clock {
            time: event.time,
            boot_ns: event.boot_ns,
        };
        match event.kind {
            EventKind::Attempt => self.attempt(event, told),
            EventKind::FirstPacket
            | EventKind::Opened
            | EventKind::Accepted
            | EventKind::Listening => self.lives(event, told),
            EventKind::OwnerChanged => self.owner_changed(event, told),
            EventKind::Error => self.error(event, told),
            EventKind::Closed => self.closed(event, told),
            EventKind::ProcessEnded => {
                if let Some(process) = event.process {
                    self.processes.end(process, event.time);
                }
            }
            EventKind::Tick => self.time_out(event, told),
            EventKind::NameSeen => self.name_seen(event, true, told),
            EventKind::ProcessExamined => {
                if let (Some(process), Detail::Examined(examined)) = (event.process, &event.detail)
                {
                    self.processes.examined(process, examined);
                }
            }
            EventKind::Idle => {
                if let Detail::Idle(idle) = &event.detail {
                    Arc::make_mut(&mut self.attendance).note(event.time, idle);
                }
            }
            EventKind::ProcessStarted
            | EventKind::ProcessExec
            | EventKind::ClockStep
            | EventKind::Resumed => {}
        }
    }

    fn attempt(&mut self, event: &Event, told: &mut Told<'_>) {
        let Some((key, protocol)) = self.key(event) else {
            return;
        };
        if let Some(known) = self.connections.open(&key) {
            let connected = protocol.has_connections();
            // A look may already show what an event tells of that comes after it.
            let looked_at = known.opened.is_none() && known.remote == event.remote;
            if !connected || looked_at {
                self.connections.used(&key, event.boot_ns);
                self.update(&key, event.time, told, |connection| {
                    if connected {
                        connection.opened = Some(event.time);
                        connection.direction = Direction::Outbound;
                    }
                    fill(connection, event);
                    if let Some(process) = event.process {
                        used_by(connection, process, event.source);
                    }
                });
                return;
            }
            let end = |connection: &mut Connection| end(connection, None);
            self.finish(&key, event.time, Life::Ended, told, end);
        }
        self.begin_by(key, event, protocol, told);
    }

    /// The connection, known or not, has come this far.
    fn lives(&mut self, event: &Event, told: &mut Told<'_>) {
        let Some((key, protocol)) = self.key(event) else {
            return;
        };
        match self.connections.life(&key) {
            Some(Life::Open) => {
                let owner = self.owner(event);
                self.connections.used(&key, event.boot_ns);
                self.update(&key, event.time, told, |connection| {
                    fill(connection, event);
                    connection.state = progress(connection.state, event.kind, protocol);
                    if event.kind != EventKind::FirstPacket {
                        connection.direction = direction(event.kind, protocol);
                    }
                    if matches!(event.kind, EventKind::Opened | EventKind::Accepted) {
                        connection.opened.get_or_insert(event.time);
                    }
                    if connection.owner.process().is_none() && owner.process().is_some() {
                        connection.owner = owner;
                    }
                });
            }
            Some(Life::Gone) => {}
            Some(Life::Ended | Life::Missing) | None => self.begin_by(key, event, protocol, told),
        }
    }

    fn owner_changed(&mut self, event: &Event, told: &mut Told<'_>) {
        let (Some(process), Some(socket)) = (event.process, self.socket(event)) else {
            return;
        };
        if matches!(event.detail, Detail::MaySend) {
            return;
        }
        // Its own key comes first.
        let all = self.connections.all_of_socket(socket);
        let mut used: Vec<_> = all.take(MOST_PEERS + 1).collect();
        if event.remote.is_some() || used.len() > MOST_PEERS {
            used.retain(|key| key.remote.is_none());
            let peer = self.connections.find(socket, event.remote);
            used.extend(peer.filter(|key| key.remote.is_some()));
        }
        for key in used {
            self.connections.used(&key, event.boot_ns);
            self.update(&key, event.time, told, |connection| {
                used_by(connection, process, event.source);
            });
        }
    }

    fn error(&mut self, event: &Event, told: &mut Told<'_>) {
        let (Some(_), Some(socket)) = (&event.error, self.socket(event)) else {
            return;
        };
        let before_connection = failed_before_connection(event);
        let key = self.connections.find(socket, event.remote);
        let state = key.and_then(|key| Some(self.connections.open(&key)?.state));
        match (key, state) {
            (Some(key), Some(State::Attempted | State::SynSent)) if before_connection => {
                let fail = |connection: &mut Connection| {
                    fill(connection, event);
                    end(connection, event.error.clone());
                };
                self.finish(&key, event.time, Life::Ended, told, fail);
            }
            (Some(key), Some(_)) => {
                self.connections.used(&key, event.boot_ns);
                self.update(&key, event.time, told, |connection| {
                    connection.error = event.error.clone();
                });
            }
            // Its attempt was lost.
            (None, _) if before_connection && event.remote.is_some() => {
                if let Some((key, protocol)) = self.key(event) {
                    self.begin_by(key, event, protocol, told);
                    let fail = |connection: &mut Connection| end(connection, event.error.clone());
                    self.finish(&key, event.time, Life::Ended, told, fail);
                }
            }
            (Some(_) | None, None) | (None, Some(_)) => {}
        }
    }

    fn closed(&mut self, event: &Event, told: &mut Told<'_>) {
        let Some(socket) = self.socket(event) else {
            return;
        };
        let key = self.connections.find(socket, event.remote);
        let connection = key.and_then(|key| self.connections.latest(&key));
        let connected = connection.is_some_and(|it| it.protocol.has_connections());
        let one_peer = event.remote.is_some() && !connected;
        if let (Some(key), true) = (key, one_peer || connected) {
            let life = if one_peer { Life::Ended } else { Life::Gone };
            self.close(&key, event, life, true, told);
        } else if key.is_none() && event.remote.is_some() && failed_before_connection(event) {
            // Its attempt was lost.
            let named = self.key(event);
            if let Some((key, protocol)) = named.filter(|(_, it)| it.has_connections()) {
                self.begin_by(key, event, protocol, told);
                self.close(&key, event, Life::Gone, true, told);
            }
        } else if !one_peer {
            let all: Vec<_> = self.connections.all_of_socket(socket).collect();
            for key in &all {
                let counted = all.len() == 1 || key.remote.is_none();
                self.close(key, event, Life::Gone, counted, told);
            }
        }
    }

    /// Ends one connection. `counted`: what the event has counted is of this one.
    fn close(&mut self, key: &Key, event: &Event, life: Life, counted: bool, told: &mut Told<'_>) {
        let before = self.connections.counted_before(key);
        self.finish(key, event.time, life, told, |connection| {
            if counted {
                Tally::from(event).put(connection, before);
            }
            fill(connection, event);
            end(connection, event.error.clone());
        });
        if life == Life::Gone {
            self.connections.is_gone(key);
        }
    }

    /// Ends attempts that came to nothing, and exchanges that have fallen silent.
    fn time_out(&mut self, event: &Event, told: &mut Told<'_>) {
        while let Some((serial, key)) = self.deadlines.passed(event.boot_ns) {
            if !self.connections.is_open(&key, serial) {
                continue;
            }
            let Some(connection) = self.connections.open(&key) else {
                continue;
            };
            let fleeting = matches!(
                connection.state,
                State::Attempted | State::TimeWait | State::SynReceived
            );
            let connected = connection.protocol.has_connections();
            let used = self.connections.last_used(&key);
            let silent_until = used.saturating_add(nanos(SILENCE));
            if connected && !fleeting {
                continue;
            }
            if !connected && silent_until > event.boot_ns {
                self.deadlines.set(silent_until, serial, key);
                continue;
            }
            let end = |connection: &mut Connection| end(connection, None);
            self.finish(&key, event.time, Life::Ended, told, end);
        }
    }

    /// Begins the connection that `event` is the first to tell of.
    fn begin_by(&mut self, key: Key, event: &Event, protocol: Protocol, told: &mut Told<'_>) {
        let remote = event.remote.or(key.remote);
        let remote = remote.filter(|_| event.kind != EventKind::Listening);
        let process = event.process.and_then(|id| self.processes.get(id));
        let (owner, interface) = self.owner_and_interface(event);
        let connection = Connection {
            id: self.id(event, protocol, remote),
            protocol,
            state: progress(State::Attempted, event.kind, protocol),
            direction: direction(event.kind, protocol),
            local: event.local.unwrap_or(Endpoint::NONE),
            remote,
            netns: event.netns,
            interface,
            socket: socket_key(event),
            uid: process.and_then(|process| process.uid),
            opened: Some(event.time),
            closed: None,
            error: None,
            bytes_sent: None,
            bytes_received: None,
            packets_sent: None,
            packets_received: None,
            owner,
            also_held_by: Vec::new(),
            name: None,
            greeting: None,
            device: None,
            talk: None,
        };
        let begun = Begun {
            change: Change::Opened,
            time: event.time,
            boot_ns: event.boot_ns,
            looked_at: false,
        };
        self.begin(key, connection, begun, told);
    }

    /// `None`: the event does not tell the protocol, and no connection of its socket is known.
    fn key(&self, event: &Event) -> Option<(Key, Protocol)> {
        let Some(protocol) = event.protocol else {
            let key = self.connections.find(self.socket(event)?, event.remote)?;
            return Some((key, self.connections.latest(&key)?.protocol));
        };
        let remote = event.remote.filter(|_| event.kind != EventKind::Listening);
        let key = match event.socket.and_then(|socket| socket.cookie) {
            // A first packet whose other side is not told is that of the only peer.
            Some(cookie) if remote.is_none() && event.kind == EventKind::FirstPacket => {
                let socket = SocketName::Cookie(cookie);
                let own = Key { socket, remote };
                self.connections.find(socket, remote).unwrap_or(own)
            }
            Some(cookie) => Key {
                socket: SocketName::Cookie(cookie),
                remote: remote.filter(|_| !protocol.has_connections()),
            },
            None => Key {
                socket: SocketName::Id(self.id(event, protocol, remote)),
                remote: None,
            },
        };
        Some((key, protocol))
    }

    /// `None`: the event does not tell which.
    fn socket(&self, event: &Event) -> Option<SocketName> {
        if let Some(cookie) = event.socket.and_then(|socket| socket.cookie) {
            return Some(SocketName::Cookie(cookie));
        }
        let id = self.id(event, event.protocol?, event.remote);
        Some(SocketName::Id(id))
    }

    fn id(&self, event: &Event, protocol: Protocol, remote: Option<Endpoint>) -> ConnectionId {
        ConnectionId::of(
            self.host.boot,
            event.netns,
            socket_key(event),
            protocol,
            event.local.unwrap_or(Endpoint::NONE),
            remote,
        )
    }

    /// What the kernel does for a tunnel, events do not tell; a look has told it of the same socket.
    fn owner_and_interface(&self, event: &Event) -> (Owner, Option<Text>) {
        let owner = self.owner(event);
        let kernel = Owner::Unknown {
            why: WhyUnknown::Kernel,
        };
        let tunnel = Owner::Unknown {
            why: WhyUnknown::WireGuard,
        };
        let socket = self.socket(event).filter(|_| owner == kernel);
        let own = socket.and_then(|socket| self.connections.all_of_socket(socket).next());
        let own = own.and_then(|key| self.connections.latest(&key));
        match own.filter(|own| own.owner == tunnel) {
            Some(own) => (tunnel, own.interface.clone()),
            None => (owner, None),
        }
    }

    fn owner(&self, event: &Event) -> Owner {
        if let Some(process) = event.process {
            return Owner::Known {
                process,
                source: event.source,
            };
        }
        let why = match event.detail {
            Detail::NoProcess { why } => why,
            Detail::Nothing
            | Detail::Name(_)
            | Detail::Clock { .. }
            | Detail::Idle(_)
            | Detail::Listens { .. }
            | Detail::Sends
            | Detail::Wrote { .. }
            | Detail::MaySend
            | Detail::Examined(_)
            | Detail::Exit { .. } => {
                if self.gaps.is_lost() {
                    WhyUnknown::Lost
                } else {
                    WhyUnknown::NoHolder
                }
            }
        };
        Owner::Unknown { why }
    }
}

fn socket_key(event: &Event) -> SocketKey {
    event.socket.unwrap_or(SocketKey {
        inode: None,
        cookie: None,
    })
}

/// Takes over what the event knows of the two ends.
fn fill(connection: &mut Connection, event: &Event) {
    if let Some(Endpoint { ip, port }) = event.local {
        let local = &mut connection.local;
        if local.ip.is_none_or(|ip| ip.is_unspecified()) {
            local.ip = ip.or(local.ip);
        }
        local.port = port.filter(|port| *port != 0).or(local.port);
    }
    if connection.protocol.has_connections() && event.kind != EventKind::Listening {
        connection.remote = connection.remote.or(event.remote);
    }
    connection.netns = connection.netns.or(event.netns);
    if let Some(inode) = event.socket.and_then(|socket| socket.inode) {
        connection.socket.inode = Some(inode);
    }
}

/// The state after an event of this kind; a connection that is further on stays there.
fn progress(state: State, kind: EventKind, protocol: Protocol) -> State {
    if !protocol.has_connections() {
        let attempted = kind == EventKind::Attempt || kind == EventKind::Error;
        return if attempted { state } else { State::Open };
    }
    let begins = matches!(
        state,
        State::Attempted | State::SynSent | State::SynReceived | State::Unknown
    );
    if kind == EventKind::Listening {
        State::Listen
    } else if kind == EventKind::FirstPacket && state == State::Attempted {
        State::SynSent
    } else if matches!(kind, EventKind::Opened | EventKind::Accepted) && begins {
        State::Established
    } else {
        state
    }
}

/// Who opened a connection that an event of this kind tells of.
fn direction(kind: EventKind, protocol: Protocol) -> Direction {
    if kind == EventKind::Accepted {
        Direction::Inbound
    } else if kind != EventKind::Listening {
        Direction::Outbound
    } else if protocol.has_connections() {
        Direction::Listening
    } else {
        of_unconnected(protocol)
    }
}

/// Whether it says that nothing came of an attempt.
fn failed_before_connection(event: &Event) -> bool {
    let error = event.error.as_ref();
    error.is_some_and(|error| matches!(error.phase, Phase::Connect | Phase::Handshake))
}

/// The last state of a connection, and why. `error`: what came with the end.
fn end(connection: &mut Connection, error: Option<ConnectionError>) {
    let error = error.or_else(|| connection.error.take());
    // Nobody tells that a program gives up, or that nothing could leave this computer.
    let none_told = |phase| ConnectionError { errno: None, phase };
    let connected = connection.protocol.has_connections();
    (connection.state, connection.error) = match (connection.state, error) {
        (State::Attempted | State::SynSent, Some(error)) => (State::Failed, Some(error)),
        (State::Attempted, None) if connected => (State::Failed, Some(none_told(Phase::Connect))),
        (State::SynSent, None) => (State::Failed, Some(none_told(Phase::Handshake))),
        (_, error) => (State::Closed, error),
    };
}

//! The calls that count: all there were, or, where the person wants to see some connections only,
//! those of the connections that are kept and wanted.

use std::collections::{HashMap, HashSet};

use model::{
    Call, Calls, Connection, DeviceId, Direction, IcmpKind, Pair, PairKey, Protocol, Shelf,
    Snapshot, State, Talks, Text, Timestamp,
};

use super::Context;
use crate::tui::programs::program_of;

/// What makes calls one pair, as the tracker has it.
type Line<'a> = (
    Option<&'a Text>,
    Option<DeviceId>,
    std::net::IpAddr,
    Option<u16>,
    Option<u16>,
    Protocol,
);

pub(super) fn pairs(context: &Context<'_>) -> Shelf<Pair> {
    if !context.is_picky() {
        return context.snapshot.pairs.clone();
    }
    let mut pairs: HashMap<Line<'_>, Pair> = HashMap::new();
    let connections = context.snapshot.connections.iter();
    for connection in connections.filter(|it| context.wants(it)) {
        if let Some(line) = line(context.snapshot, connection) {
            let pair = pairs.entry(line).or_insert_with(|| empty(context, line));
            add(pair, connection, context.status.since);
        }
    }
    let mut pairs: Vec<Pair> = pairs.into_values().collect();
    pairs.sort_by_key(|pair| pair.first);
    pairs.into_iter().collect()
}

/// The connections that are kept of some pairs.
pub(in crate::tui) fn connections<'a>(
    context: &Context<'a>,
    of: &HashSet<&PairKey>,
) -> Vec<&'a Connection> {
    let connections = context.snapshot.connections.iter();
    let wanted = connections.filter(|it| context.wants(it));
    wanted
        .filter(|it| {
            let line = line(context.snapshot, it);
            line.is_some_and(|line| of.contains(&key(line)))
        })
        .collect()
}

/// `None`: it has no other side.
fn line<'a>(snapshot: &'a Snapshot, connection: &Connection) -> Option<Line<'a>> {
    let remote = connection.remote?;
    let program = snapshot.owner_of(connection).map(program_of);
    let calls = connection.direction != Direction::Inbound;
    let protocol = match connection.protocol {
        Protocol::Icmp(_) => Protocol::Icmp(IcmpKind::default()),
        Protocol::Tcp
        | Protocol::Mptcp
        | Protocol::Udp
        | Protocol::UdpLite
        | Protocol::Sctp
        | Protocol::Dccp
        | Protocol::Raw { .. }
        | Protocol::Packet { .. }
        | Protocol::Other(_) => connection.protocol,
    };
    Some((
        program,
        connection
            .device
            .filter(|_| connection.owner.process().is_none()),
        remote.ip?,
        remote.port.filter(|_| calls),
        connection.local.port.filter(|_| !calls),
        protocol,
    ))
}

fn key((program, device, ip, port, local_port, protocol): Line<'_>) -> PairKey {
    PairKey {
        program: program.cloned(),
        device,
        destination: ip.to_string(),
        port,
        local_port,
        protocol,
    }
}

/// The pair that a connection is of. `None`: it has no other side.
pub(in crate::tui) fn key_of(snapshot: &Snapshot, connection: &Connection) -> Option<PairKey> {
    line(snapshot, connection).map(key)
}

fn empty(context: &Context<'_>, line: Line<'_>) -> Pair {
    Pair {
        key: key(line),
        first: context.snapshot.taken,
        last: context.status.since,
        connections: 0,
        failed: 0,
        open: 0,
        bytes_sent: 0,
        bytes_received: 0,
        calls: Calls::default(),
        let_go: 0,
        talks: Talks::default(),
        members: std::sync::Arc::default(),
    }
}

/// `since`: when watching began.
fn add(pair: &mut Pair, connection: &Connection, since: Timestamp) {
    let failed = connection.state == State::Failed;
    let (sent, received) = match connection.closed {
        Some(_) => (
            connection.bytes_sent.unwrap_or(0),
            connection.bytes_received.unwrap_or(0),
        ),
        // What is open is counted as open.
        None => (0, 0),
    };
    pair.connections += 1;
    pair.failed += u64::from(failed);
    pair.open += u64::from(connection.closed.is_none());
    pair.bytes_sent = pair.bytes_sent.saturating_add(sent);
    pair.bytes_received = pair.bytes_received.saturating_add(received);
    let times = connection.opened.into_iter().chain(connection.closed);
    for time in times {
        pair.first = pair.first.min(time);
        pair.last = pair.last.max(time);
    }
    if connection.opened.is_none() {
        // It was there when we began.
        pair.first = pair.first.min(since);
    }
    if let Some(opened) = connection.opened {
        pair.calls.add(Call {
            opened,
            closed: connection.closed,
            failed,
            bytes_sent: sent,
            bytes_received: received,
        });
    }
}

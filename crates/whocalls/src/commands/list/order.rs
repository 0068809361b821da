//! The order of the rows.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use model::{Connection, Direction, Endpoint, Process, ProcessId, Snapshot, State};

use crate::arguments::Sort;

/// Sorts by a column; without one, outgoing connections come first, then by process. What is
/// unknown comes last.
pub(super) fn connections(
    snapshot: &Snapshot,
    connections: &mut Vec<&Connection>,
    by: Option<Sort>,
    reverse: bool,
) {
    let places = Places::of(snapshot, by);
    let key = |connection: &Connection| Key {
        column: column(&places, connection, by),
        direction: rank(connection.direction),
        process: places.of_owner(connection),
        remote: Column::endpoint(connection.remote),
        local: Column::endpoint(Some(connection.local)),
    };
    // Each key is made once, not at every comparison.
    let mut rows: Vec<_> = connections
        .iter()
        .map(|connection| (key(connection), *connection))
        .collect();
    rows.sort_unstable_by(|(one, first), (other, second)| {
        one.cmp(other).then_with(|| first.id.cmp(&second.id))
    });
    connections.clear();
    connections.extend(rows.into_iter().map(|(_, connection)| connection));
    if reverse {
        connections.reverse();
    }
}

/// Numbers only, so that 100,000 rows are sorted quickly.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    column: Column,
    direction: u8,
    process: Column,
    remote: Column,
    local: Column,
}

/// A value as a number, which for an endpoint is the address, and the port; what is absent stands
/// behind everything else.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    absent: bool,
    family: u8,
    number: u128,
    port: Option<u16>,
}

impl Column {
    fn number(number: Option<u64>) -> Self {
        let absent = number.is_none();
        Self {
            absent,
            family: 0,
            number: u128::from(number.unwrap_or(0)),
            port: None,
        }
    }

    fn endpoint(endpoint: Option<Endpoint>) -> Self {
        let port = endpoint.and_then(|endpoint| endpoint.port);
        match endpoint.map(|endpoint| endpoint.ip) {
            Some(Some(IpAddr::V4(ip))) => Self {
                absent: false,
                family: 4,
                number: u128::from(ip.to_bits()),
                port,
            },
            Some(Some(IpAddr::V6(ip))) => Self {
                absent: false,
                family: 6,
                number: ip.to_bits(),
                port,
            },
            Some(None) => Self {
                absent: false,
                family: 7,
                number: 0,
                port,
            },
            None => Self {
                absent: true,
                family: 0,
                number: 0,
                port,
            },
        }
    }
}

fn column(places: &Places, connection: &Connection, by: Option<Sort>) -> Column {
    match by {
        None => Column::number(None),
        Some(Sort::Process | Sort::Pid | Sort::User) => places.of_owner(connection),
        Some(Sort::Protocol) => Column::number(place(&PROTOCOLS, connection.protocol.word())),
        Some(Sort::State) => {
            let states = State::ALL.map(State::word);
            Column::number(place(&states, connection.state.word()))
        }
        Some(Sort::Local) => Column::endpoint(Some(connection.local)),
        Some(Sort::Remote) => Column::endpoint(connection.remote),
        // The most comes first.
        Some(Sort::Sent) => Column::number(connection.bytes_sent.map(|bytes| u64::MAX - bytes)),
        Some(Sort::Received) => {
            Column::number(connection.bytes_received.map(|bytes| u64::MAX - bytes))
        }
    }
}

/// The usual ones first.
const PROTOCOLS: [&str; 9] = [
    "tcp", "mptcp", "udp", "udplite", "sctp", "dccp", "icmp", "raw", "packet",
];

fn place(words: &[&str], word: &str) -> Option<u64> {
    let place = words.iter().position(|candidate| *candidate == word)?;
    u64::try_from(place).ok()
}

/// Where each process stands among all of them, by what its column shows.
struct Places(HashMap<ProcessId, u64>);

impl Places {
    fn of(snapshot: &Snapshot, by: Option<Sort>) -> Self {
        let mut processes: Vec<&Process> = snapshot.processes.values().map(Arc::as_ref).collect();
        let run = |process: &Process| (process.id.pid, process.id.start_ticks);
        match by {
            Some(Sort::Pid) => processes.sort_by_key(|process| run(process)),
            Some(Sort::User) => processes.sort_by(|one, other| {
                let user = |process: &Process| (process.user.is_none(), process.user.clone());
                user(one)
                    .cmp(&user(other))
                    .then_with(|| run(one).cmp(&run(other)))
            }),
            None
            | Some(
                Sort::Process
                | Sort::Protocol
                | Sort::State
                | Sort::Local
                | Sort::Remote
                | Sort::Sent
                | Sort::Received,
            ) => processes.sort_by(|one, other| {
                one.name
                    .cmp(&other.name)
                    .then_with(|| run(one).cmp(&run(other)))
            }),
        }
        Self(
            (0..)
                .zip(processes)
                .map(|(place, process)| (process.id, place))
                .collect(),
        )
    }

    fn of_owner(&self, connection: &Connection) -> Column {
        let place = connection
            .owner
            .process()
            .and_then(|process| self.0.get(&process).copied());
        Column::number(place)
    }
}

fn rank(direction: Direction) -> u8 {
    match direction {
        Direction::Outbound => 0,
        Direction::Unknown => 1,
        Direction::Local => 2,
        Direction::Inbound => 3,
        Direction::Listening => 4,
    }
}

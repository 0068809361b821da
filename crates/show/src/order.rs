//! The order of connections, in tables and on the screen.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use model::{
    Connection, DeviceId, Direction, Endpoint, Process, ProcessId, Snapshot, State, Timestamp,
};

/// The column that rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Process,
    Pid,
    User,
    Protocol,
    State,
    Local,
    Remote,
    /// The most first.
    Sent,
    /// The most first.
    Received,
    /// The latest first.
    Opened,
    /// The latest first.
    Closed,
}

/// Sorts by a column; without one, outgoing connections come first, then by process. What is
/// unknown comes last.
pub fn connections(
    snapshot: &Snapshot,
    connections: &mut Vec<&Connection>,
    by: Option<Sort>,
    reverse: bool,
) {
    sort(snapshot, connections, |it| it, by, reverse);
}

/// The same for whatever has a connection.
pub(crate) fn sort<'c, T: Copy>(
    snapshot: &Snapshot,
    rows: &mut Vec<T>,
    connection: impl Fn(T) -> &'c Connection,
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
    let mut keyed: Vec<_> = rows
        .drain(..)
        .map(|row| (key(connection(row)), row))
        .collect();
    keyed.sort_unstable_by(|(one, first), (other, second)| {
        let ids = || connection(*first).id.cmp(&connection(*second).id);
        one.cmp(other).then_with(ids)
    });
    rows.extend(keyed.into_iter().map(|(_, row)| row));
    if reverse {
        rows.reverse();
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

    /// Behind all processes, each by itself.
    fn device(device: DeviceId) -> Self {
        let (family, number) = match device {
            DeviceId::Mac(mac) => (0, mac.iter().fold(0, |all, it| all << 8 | u128::from(*it))),
            DeviceId::Address(IpAddr::V4(ip)) => (4, u128::from(ip.to_bits())),
            DeviceId::Address(IpAddr::V6(ip)) => (6, ip.to_bits()),
        };
        Self {
            absent: true,
            family,
            number,
            port: None,
        }
    }

    fn latest(time: Option<Timestamp>) -> Self {
        Self::number(time.map(|time| u64::MAX - time.unix_nanos().unsigned_abs()))
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
        Some(Sort::Opened) => Column::latest(connection.opened),
        Some(Sort::Closed) => Column::latest(connection.closed),
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
                | Sort::Received
                | Sort::Opened
                | Sort::Closed,
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
        match (place, connection.device) {
            (None, Some(device)) => Column::device(device),
            (place, _) => Column::number(place),
        }
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

//! Which side opened a connection, by a list of sockets that shows who listens.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use model::{Direction, Protocol, State};

use super::Row;

/// An address that listens, for one port; more of them do not change much.
const MOST_ADDRESSES: usize = 256;

/// Where the computer waits for calls.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    /// `None` is an address that is not told.
    waiting: HashMap<(Kind, u16), HashSet<Option<IpAddr>>>,
    /// The list shows those who wait, of these protocols.
    shown: HashSet<Kind>,
}

/// Transports of which a port is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Stream,
    Datagram,
    Sctp,
    Dccp,
}

impl Listeners {
    pub(super) fn see<'a>(&mut self, rows: impl IntoIterator<Item = &'a Row>) {
        for row in rows {
            let Some(kind) = kind(row.protocol).filter(|_| waits(row)) else {
                continue;
            };
            self.shown.insert(kind);
            if let Some(port) = row.local.port {
                let addresses = self.waiting.entry((kind, port)).or_default();
                if addresses.len() < MOST_ADDRESSES {
                    addresses.insert(row.local.endpoint().ip);
                }
            }
        }
    }

    /// Nothing is guessed from the number of a port: a list that shows nobody who waits does not tell.
    pub(super) fn direction(&self, row: &Row) -> Direction {
        if waits(row) {
            return Direction::Listening;
        }
        let Some(kind) = kind(row.protocol).filter(|_| !row.remote.is_nobody()) else {
            return Direction::Unknown;
        };
        match row.state {
            State::SynSent => return Direction::Outbound,
            State::SynReceived => return Direction::Inbound,
            State::Listen
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait
            | State::Closed
            | State::Open
            | State::Attempted
            | State::Failed
            | State::Unknown => {}
        }
        let (local, remote) = (row.local.endpoint(), row.remote.endpoint());
        let here = is_here(local.ip, remote.ip);
        if self.is_waiting(kind, local.ip, local.port) {
            Direction::Inbound
        } else if here && !self.is_waiting(kind, remote.ip, remote.port) {
            Direction::Local
        } else if self.shown.contains(&kind) {
            Direction::Outbound
        } else {
            Direction::Unknown
        }
    }

    fn is_waiting(&self, kind: Kind, ip: Option<IpAddr>, port: Option<u16>) -> bool {
        let addresses = port.and_then(|port| self.waiting.get(&(kind, port)));
        addresses.is_some_and(|addresses| {
            addresses.iter().any(|waiting| match (waiting, ip) {
                (Some(waiting), Some(ip)) => {
                    // `::` takes IPv4 calls as well, unless told not to.
                    *waiting == ip
                        || waiting.is_unspecified() && (waiting.is_ipv6() || ip.is_ipv4())
                }
                _ => true,
            })
        })
    }
}

/// Whether it waits for others. Datagrams have no states.
fn waits(row: &Row) -> bool {
    row.state == State::Listen
        || matches!(row.protocol, Protocol::Udp | Protocol::UdpLite) && row.remote.is_nobody()
}

fn kind(protocol: Protocol) -> Option<Kind> {
    match protocol {
        Protocol::Tcp | Protocol::Mptcp => Some(Kind::Stream),
        Protocol::Udp | Protocol::UdpLite => Some(Kind::Datagram),
        Protocol::Sctp => Some(Kind::Sctp),
        Protocol::Dccp => Some(Kind::Dccp),
        Protocol::Icmp(_) | Protocol::Raw { .. } | Protocol::Packet { .. } | Protocol::Other(_) => {
            None
        }
    }
}

/// Whether both ends are on one computer.
fn is_here(local: Option<IpAddr>, remote: Option<IpAddr>) -> bool {
    match (local, remote) {
        (Some(local), Some(remote)) => {
            local == remote || local.is_loopback() && remote.is_loopback()
        }
        _ => false,
    }
}

//! A connection: who talks to whom, and what is known of it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::{
    ConnectionId, DeviceId, Greeting, NetworkNamespace, Owner, ProcessId, Protocol, RemoteName,
    SocketKey, Talk, Text, Timestamp, WhyUnknown,
};

/// A tracked TCP, UDP or ICMP exchange, or a socket that waits for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    pub protocol: Protocol,
    pub state: State,
    pub direction: Direction,
    pub local: Endpoint,
    /// `None`: a listener, or a socket that can talk to anyone.
    pub remote: Option<Endpoint>,
    pub netns: Option<NetworkNamespace>,
    /// Name of the interface the socket is bound to; of a socket of a tunnel in the kernel, that of the
    /// tunnel. `None`: any interface.
    pub interface: Option<Text>,
    pub socket: SocketKey,
    /// Who created the socket. `None`: the kernel no longer knows (TIME_WAIT, half-open).
    pub uid: Option<u32>,
    /// `None`: it was there before whocalls looked.
    pub opened: Option<Timestamp>,
    pub closed: Option<Timestamp>,
    pub error: Option<ConnectionError>,
    /// Payload bytes. `None`: not counted.
    pub bytes_sent: Option<u64>,
    pub bytes_received: Option<u64>,
    /// `None`: not counted.
    pub packets_sent: Option<u64>,
    pub packets_received: Option<u64>,
    pub owner: Owner,
    /// Other processes with a descriptor for the same socket, oldest first.
    pub also_held_by: Vec<ProcessId>,
    /// Of the other side. `None`: no name was seen for it.
    pub name: Option<Arc<RemoteName>>,
    /// What was said when it began. `None`: not seen.
    pub greeting: Option<Arc<Greeting>>,
    /// Where the source knows devices and no processes.
    pub device: Option<DeviceId>,
    /// When the side that opened it sent, of one that has lasted. `None`: it has not, or nobody counted.
    pub talk: Option<Arc<Talk>>,
}

impl Connection {
    /// Name of the interface the socket is bound to. `None`: any interface.
    pub fn bound_to(&self) -> Option<&Text> {
        let is_of_tunnel = matches!(
            self.owner,
            Owner::Unknown {
                why: WhyUnknown::WireGuard
            }
        );
        self.interface.as_ref().filter(|_| !is_of_tunnel)
    }
}

/// One end of a connection: `local` and `remote`, as this computer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Never an IPv4-mapped IPv6 address; those become IPv4. `None`: packet sockets have none.
    pub ip: Option<IpAddr>,
    /// `None`: the protocol has no ports.
    pub port: Option<u16>,
}

impl Endpoint {
    pub fn new(ip: IpAddr, port: u16) -> Self {
        Self {
            ip: Some(ip.to_canonical()),
            port: Some(port),
        }
    }

    /// An end of a protocol without ports.
    pub fn without_port(ip: IpAddr) -> Self {
        Self {
            ip: Some(ip.to_canonical()),
            port: None,
        }
    }

    /// What a packet socket has.
    pub const NONE: Self = Self {
        ip: None,
        port: None,
    };
}

/// Where a connection stands: the states of TCP (RFC 9293, 3.3.2), and what other protocols and
/// attempts need besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Listen,
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
    Closed,
    /// In use; the protocol has no states of its own.
    Open,
    /// A program asked for it and no answer has come.
    Attempted,
    /// It did not come about; `error` says why.
    Failed,
    Unknown,
}

impl State {
    pub const ALL: [Self; 15] = [
        Self::Listen,
        Self::SynSent,
        Self::SynReceived,
        Self::Established,
        Self::FinWait1,
        Self::FinWait2,
        Self::CloseWait,
        Self::Closing,
        Self::LastAck,
        Self::TimeWait,
        Self::Closed,
        Self::Open,
        Self::Attempted,
        Self::Failed,
        Self::Unknown,
    ];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::SynSent => "syn_sent",
            Self::SynReceived => "syn_received",
            Self::Established => "established",
            Self::FinWait1 => "fin_wait_1",
            Self::FinWait2 => "fin_wait_2",
            Self::CloseWait => "close_wait",
            Self::Closing => "closing",
            Self::LastAck => "last_ack",
            Self::TimeWait => "time_wait",
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Attempted => "attempted",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Which side opened the connection, as this computer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    Outbound,
    Inbound,
    /// Both ends are on this computer, and which of them opened is not known.
    Local,
    /// Waits for others to call.
    Listening,
    Unknown,
}

impl Direction {
    pub const ALL: [Self; 5] = [
        Self::Outbound,
        Self::Inbound,
        Self::Local,
        Self::Listening,
        Self::Unknown,
    ];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
            Self::Local => "local",
            Self::Listening => "listening",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a connection did not come about or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionError {
    /// The kernel's error number (errno(3)). `None`: it told none, the program gave up first.
    pub errno: Option<i32>,
    pub phase: Phase,
}

/// What the connection was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has left this computer yet.
    Connect,
    /// It was asked for, and there was no connection yet.
    Handshake,
    Established,
    Send,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_become_ipv4() {
        let mapped: IpAddr = "::ffff:192.0.2.7".parse().unwrap();
        assert_eq!(
            Endpoint::new(mapped, 80).ip,
            Some(IpAddr::from([192, 0, 2, 7]))
        );
    }
}

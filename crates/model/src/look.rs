//! One look at a computer: its sockets, processes and memories at one moment, as a source gives
//! them. `track` turns looks and events into connections.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::{
    BootId, Endpoint, Gap, NetworkNamespace, Owner, Process, ProcessId, Protocol, SocketKey,
    Source, State, Text, Timestamp, WhyUnknown,
};

/// All that one look gives.
#[derive(Clone, Debug)]
pub struct Look {
    pub host: Host,
    /// The network namespace whocalls runs in. `None`: the platform has none.
    pub home_netns: Option<NetworkNamespace>,
    pub taken: Timestamp,
    pub tier: Tier,
    pub sockets: Vec<Socket>,
    /// Those that hold a socket, or every one, as was asked.
    pub processes: Vec<Process>,
    /// Names of the users who created sockets, as far as this computer lists them.
    pub users: HashMap<u32, Text>,
    /// Connections of the past; empty unless asked for.
    pub remembered: Vec<Remembered>,
    pub gaps: Vec<Gap>,
}

/// The computer that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    pub name: Text,
    pub boot: BootId,
}

/// How much of the computer this run can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    Full,
    NoBtf,
    Polling,
    Import,
}

impl Tier {
    pub const ALL: [Self; 4] = [Self::Full, Self::NoBtf, Self::Polling, Self::Import];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::NoBtf => "no-btf",
            Self::Polling => "polling",
            Self::Import => "import",
        }
    }
}

/// One socket of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    pub key: SocketKey,
    pub protocol: Protocol,
    pub state: State,
    pub local: Endpoint,
    pub remote: Option<Endpoint>,
    pub netns: Option<NetworkNamespace>,
    pub interface: Option<Text>,
    pub uid: Option<u32>,
    pub bytes_sent: Option<u64>,
    pub bytes_received: Option<u64>,
    /// Whether this side opened the connection. `None`: the kernel does not tell.
    pub opened_here: Option<bool>,
    /// Whether it takes nothing of IPv4 (IPV6_V6ONLY). `None`: it is none of IPv6, or the source does
    /// not tell.
    pub only_ipv6: Option<bool>,
    /// Every process with a descriptor for it; each once.
    pub holders: Vec<Holder>,
    /// Holds when there are no holders.
    pub why_unheld: WhyUnknown,
}

/// A process with a descriptor for a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    pub process: ProcessId,
    pub source: Source,
}

/// What some part of this computer has kept for its own use of what it once did on the network: an
/// address, or a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// `None`: only what a program moved was kept.
    pub ip: Option<IpAddr>,
    pub port: Option<u16>,
    pub name: Option<Text>,
    /// `None`: the source does not tell.
    pub protocol: Option<Protocol>,
    pub by: RememberedBy,
    pub netns: Option<NetworkNamespace>,
    /// When the entry was last used, as far as the source tells.
    pub seen: Option<Timestamp>,
    pub bytes_sent: Option<u64>,
    pub bytes_received: Option<u64>,
    /// As the source calls it: a path, a service or a package. `None`: the source does not tell.
    pub program: Option<Text>,
    /// As whom the program ran: a name, or what the system has in place of one.
    pub user: Option<Text>,
    pub owner: Owner,
}

/// Which part of the computer remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RememberedBy {
    TcpMetrics,
    Conntrack,
    Neighbours,
    ResolverCache,
    TcpTable,
    Srum,
}

impl RememberedBy {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::TcpMetrics => "tcp_metrics",
            Self::Conntrack => "conntrack",
            Self::Neighbours => "neighbours",
            Self::ResolverCache => "resolver_cache",
            Self::TcpTable => "tcp_table",
            Self::Srum => "srum",
        }
    }
}

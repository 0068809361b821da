//! What is spoken below the application.

use std::fmt;

/// A transport, or what takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP, and the subflows of MPTCP, which are TCP connections.
    Tcp,
    /// An MPTCP socket that has no subflow yet.
    Mptcp,
    Udp,
    UdpLite,
    Sctp,
    Dccp,
    /// An ICMP or ICMPv6 exchange ("ping socket").
    Icmp(IcmpKind),
    /// A raw IP socket: reads, and can forge, every packet of one IP protocol.
    Raw {
        ip_protocol: u8,
    },
    /// A packet socket (AF_PACKET): reads, and can forge, whole frames. `ethertype` 3 is "all".
    Packet {
        ethertype: u16,
    },
    /// Any other, by its IP protocol number.
    Other(u16),
}

/// What is known of an ICMP exchange; `None` is not known or, for a socket, any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IcmpKind {
    pub kind: Option<u8>,
    pub code: Option<u8>,
    pub id: Option<u16>,
}

impl Protocol {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Mptcp => "mptcp",
            Self::Udp => "udp",
            Self::UdpLite => "udplite",
            Self::Sctp => "sctp",
            Self::Dccp => "dccp",
            Self::Icmp(_) => "icmp",
            Self::Raw { .. } => "raw",
            Self::Packet { .. } => "packet",
            Self::Other(_) => "other",
        }
    }

    /// Whether its ends have ports. Raw and packet sockets have none, nor has ICMP.
    pub fn has_ports(self) -> bool {
        match self {
            Self::Tcp | Self::Mptcp | Self::Udp | Self::UdpLite | Self::Sctp | Self::Dccp => true,
            Self::Icmp(_) | Self::Raw { .. } | Self::Packet { .. } | Self::Other(_) => false,
        }
    }

    /// Whether one socket is at most one connection.
    pub fn has_connections(self) -> bool {
        match self {
            Self::Tcp | Self::Mptcp | Self::Sctp | Self::Dccp => true,
            Self::Udp
            | Self::UdpLite
            | Self::Icmp(_)
            | Self::Raw { .. }
            | Self::Packet { .. }
            | Self::Other(_) => false,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

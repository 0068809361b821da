//! One packet, and whose it is.

use std::net::IpAddr;

use crate::{
    ConnectionId, Endpoint, NetworkNamespace, ProcessId, Protocol, Source, Text, Timestamp,
};

/// Where packets pass: one interface of one network namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceKey {
    /// `None`: the source does not tell.
    pub netns: Option<NetworkNamespace>,
    /// The kernel's number of it in that namespace.
    pub index: u32,
}

/// What is known of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    pub key: InterfaceKey,
    pub name: Text,
    /// What the bytes of its packets begin with.
    pub link: LinkType,
    /// With the length of their prefix.
    pub addresses: Vec<(IpAddr, u8)>,
}

/// What the bytes of a packet begin with, as captures number it (<https://www.tcpdump.org/linktypes.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    pub const ETHERNET: Self = Self(1);
    /// An IP packet, without anything before it.
    pub const RAW_IP: Self = Self(101);
    /// What Linux says of a packet whose link it knows no header of, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// Which way a packet went, as its network namespace sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    Out,
    /// To this computer, or to be handed on by it.
    In,
    /// In, to all.
    Broadcast,
    /// In, to a group.
    Multicast,
    /// Between two others; it was only overheard.
    OtherHost,
}

/// One packet as it passed an interface.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    pub time: Timestamp,
    /// Nanoseconds since boot, suspend included.
    pub boot_ns: u64,
    pub interface: InterfaceKey,
    pub link: LinkType,
    pub way: Way,
    /// Over a loopback interface, where sender and receiver are the same computer.
    pub loopback: bool,
    /// How long it was; `bytes` may be fewer.
    pub length: u32,
    /// From the link's header on.
    pub bytes: &'a [u8],
    /// `None`: no IP, or cut too short to say.
    pub ends: Option<PacketEnds>,
}

/// What the headers of a packet say of its two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketEnds {
    pub protocol: Protocol,
    /// Ports are `None` in the later parts of a fragmented packet.
    pub source: Endpoint,
    pub destination: Endpoint,
    pub part: Part,
    /// `None`: it is not TCP, or cut too short to say.
    pub tcp: Option<TcpSegment>,
    /// Of an ICMP error: the packet that it is about.
    pub about: Option<Quoted>,
}

/// What a TCP header says (RFC 9293, 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpSegment {
    /// FIN is bit 0, SYN 1, RST 2, ACK 4.
    pub flags: u8,
    /// Of the first byte that it carries, or of the SYN before that.
    pub sequence: u32,
    /// How many bytes it carries, also where fewer are there. `None`: the headers do not say.
    pub carries: Option<u32>,
}

/// The packet that an ICMP error quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    pub protocol: Protocol,
    pub source: Endpoint,
    pub destination: Endpoint,
}

/// Whether a packet is a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// The first fragment, with the number that all fragments of a packet have.
    First(u32),
    Later(u32),
}

/// Whose packet it is: known, or why no process belongs to it. Never a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketOwner {
    Known {
        process: ProcessId,
        source: Source,
        /// `None`: it belongs to a socket without a connection of its own.
        connection: Option<ConnectionId>,
    },
    Unknown(WhyNoProcess),
}

/// Why no process belongs to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WhyNoProcess {
    /// Made or taken by the kernel itself: no IP (ARP ...), ICMP, IGMP, a socket of the kernel.
    Kernel,
    /// It only passes through this computer, or this namespace.
    Forwarded,
    /// It asks for a port where nobody listens, or is the answer to that.
    ClosedPort,
    /// Between two others.
    OtherHost,
    /// Nobody here is known to have had a socket for it.
    NoSocket,
    /// Several processes have a socket that it may be from or for.
    Several,
    /// Its process is in a PID namespace that we cannot see.
    OutsideNamespace,
    /// Its socket was there, and its process is not known: no rights, or it was over.
    NoHolder,
    /// The event that would have told was lost.
    Lost,
}

impl WhyNoProcess {
    pub const ALL: [Self; 9] = [
        Self::Kernel,
        Self::Forwarded,
        Self::ClosedPort,
        Self::OtherHost,
        Self::NoSocket,
        Self::Several,
        Self::OutsideNamespace,
        Self::NoHolder,
        Self::Lost,
    ];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Forwarded => "forwarded",
            Self::ClosedPort => "closed_port",
            Self::OtherHost => "other_host",
            Self::NoSocket => "no_socket",
            Self::Several => "several",
            Self::OutsideNamespace => "outside_namespace",
            Self::NoHolder => "no_holder",
            Self::Lost => "lost",
        }
    }
}

//! What a flow and a port are found by: plain numbers, quick to compare.

use std::net::{IpAddr, Ipv6Addr};

use model::{Endpoint, NetworkNamespace, PacketEnds, Protocol};

/// `::ffff:0.0.0.0`
const ANY_IPV4: u128 = 0xffff_0000_0000;

/// What is spoken, as far as it tells sockets apart: the number of IP, and whether a socket writes
/// or reads the header itself. An ICMP socket is such a one, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Class(u16);

impl Class {
    pub(super) const TCP: Self = Self(6);
    pub(super) const UDP: Self = Self(17);
    pub(super) const UDP_LITE: Self = Self(136);
    /// IPPROTO_RAW: sends whatever it likes.
    pub(super) const ANY_RAW: Self = Self(RAW | 255);
    const ICMP: Self = Self(RAW | 1);
    const ICMP_V6: Self = Self(RAW | 58);

    /// Of a socket or a packet. `None`: it has no ends in IP.
    pub(super) fn of(protocol: Protocol, is_v4: bool) -> Option<Self> {
        let raw = |number: u16| Some(Self(RAW | number));
        match protocol {
            Protocol::Tcp => Some(Self::TCP),
            Protocol::Udp => Some(Self::UDP),
            Protocol::UdpLite => Some(Self::UDP_LITE),
            Protocol::Sctp => raw(132),
            Protocol::Dccp => raw(33),
            Protocol::Icmp(_) if is_v4 => Some(Self::ICMP),
            Protocol::Icmp(_) => Some(Self::ICMP_V6),
            Protocol::Raw { ip_protocol } => raw(ip_protocol.into()),
            Protocol::Other(number) if number < RAW => raw(number),
            // Its subflows are TCP; a packet socket has no ends.
            Protocol::Mptcp | Protocol::Packet { .. } | Protocol::Other(_) => None,
        }
    }

    /// A raw socket of the same protocol.
    pub(super) fn raw(self) -> Self {
        Self(RAW | self.0)
    }

    pub(super) fn has_ports(self) -> bool {
        matches!(self, Self::TCP | Self::UDP | Self::UDP_LITE)
    }
}

const RAW: u16 = 0x100;

/// One end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Side {
    /// IPv4 as `::ffff:a.b.c.d`.
    pub(super) ip: u128,
    /// 0: none.
    pub(super) port: u16,
}

impl Side {
    /// `None`: it has no address, or no port where there should be one.
    pub(super) fn of(endpoint: Endpoint, class: Class) -> Option<Self> {
        let ip = number(endpoint.ip?);
        let port = endpoint.port.unwrap_or(0);
        if !class.has_ports() {
            return Some(Self { ip, port: 0 });
        }
        (port != 0).then_some(Self { ip, port })
    }

    pub(super) fn is_any(self) -> bool {
        self.ip == 0 || self.ip == ANY_IPV4
    }

    pub(super) fn is_ipv4(self) -> bool {
        self.ip >> 32 == 0xffff
    }

    pub(super) fn endpoint(self, class: Class) -> Endpoint {
        let ip = Ipv6Addr::from(self.ip).to_canonical();
        if class.has_ports() {
            Endpoint::new(ip, self.port)
        } else {
            Endpoint::without_port(ip)
        }
    }
}

pub(super) fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().into(),
        IpAddr::V6(ip) => ip.into(),
    }
}

/// How close a socket of IPv6 that is bound to no address is to an end of IPv4.
pub(super) const OTHER_VERSION: u8 = 1;

/// How well a socket that is bound to `bound` stands for packets to `to`: the kernel, too, prefers
/// the closer one. 0: not at all. A socket of IPv6 that is bound to no address may take IPv4, too.
pub(super) fn closeness(bound: u128, to: u128) -> u8 {
    let is_v4 = to >> 32 == 0xffff;
    if bound == to {
        3
    } else if bound == if is_v4 { ANY_IPV4 } else { 0 } {
        2
    } else if bound == 0 {
        OTHER_VERSION
    } else {
        0
    }
}

/// Both ends of a flow, where they are, and what is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key([u64; 6]);

impl Key {
    pub(super) fn new(class: Class, netns: u32, local: Side, remote: Side) -> Self {
        let (local_high, local_low) = halves(local.ip);
        let (remote_high, remote_low) = halves(remote.ip);
        let ports = u64::from(local.port) << 16 | u64::from(remote.port);
        Self([
            local_high,
            local_low,
            remote_high,
            remote_low,
            ports,
            u64::from(netns) << 32 | u64::from(class.0),
        ])
    }

    /// The ends of a packet. Later parts of one have no ports.
    pub(super) fn of(
        ends: &PacketEnds,
        netns: Option<NetworkNamespace>,
        out: bool,
    ) -> Option<Self> {
        let (local, remote) = if out {
            (ends.source, ends.destination)
        } else {
            (ends.destination, ends.source)
        };
        Self::of_ends(ends.protocol, netns, local, remote)
    }

    pub(super) fn of_ends(
        protocol: Protocol,
        netns: Option<NetworkNamespace>,
        local: Endpoint,
        remote: Endpoint,
    ) -> Option<Self> {
        let class = Class::of(protocol, local.ip?.is_ipv4())?;
        let side = |endpoint: Endpoint| {
            let ip = number(endpoint.ip?);
            let port = endpoint.port.filter(|_| class.has_ports()).unwrap_or(0);
            Some(Side { ip, port })
        };
        let netns = netns.map_or(0, |netns| netns.0);
        Some(Self::new(class, netns, side(local)?, side(remote)?))
    }

    /// The same ends for a raw socket, which has no ports.
    pub(super) fn of_raw(self, class: Class) -> Self {
        let without = |side: Side| Side { port: 0, ..side };
        let (local, remote) = (without(self.local()), without(self.remote()));
        Self::new(class, self.netns(), local, remote)
    }

    /// The same ends where it is not told in which network namespace.
    pub(super) fn anywhere(self) -> Self {
        Self::new(self.class(), 0, self.local(), self.remote())
    }

    pub(super) fn class(self) -> Class {
        let Self([.., last]) = self;
        Class(low(last))
    }

    pub(super) fn netns(self) -> u32 {
        let Self([.., last]) = self;
        u32::try_from(last >> 32).unwrap_or(0)
    }

    pub(super) fn local(self) -> Side {
        let Self([high, low_half, _, _, ports, _]) = self;
        Side {
            ip: u128::from(high) << 64 | u128::from(low_half),
            port: low(ports >> 16),
        }
    }

    pub(super) fn remote(self) -> Side {
        let Self([_, _, high, low_half, ports, _]) = self;
        Side {
            ip: u128::from(high) << 64 | u128::from(low_half),
            port: low(ports),
        }
    }

    pub(super) fn place(self) -> Place {
        Place::new(self.class(), self.netns(), self.local().port)
    }
}

/// A port in a network namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    netns: u32,
    class: Class,
    port: u16,
}

impl Place {
    pub(super) fn new(class: Class, netns: u32, port: u16) -> Self {
        Self { netns, class, port }
    }
}

fn halves(number: u128) -> (u64, u64) {
    let low = u64::try_from(number & u128::from(u64::MAX)).unwrap_or(0);
    (u64::try_from(number >> 64).unwrap_or(0), low)
}

fn low(number: u64) -> u16 {
    u16::try_from(number & 0xffff).unwrap_or(0)
}

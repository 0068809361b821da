//! What a packet says of itself, as far as it matters for whose it is.

use std::net::IpAddr;

use model::{IcmpKind, Packet, PacketEnds, Part, Protocol, Quoted, TcpSegment, Way};

use super::key::{Class, Key};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// A packet of TCP that is longer carries something, whatever options it has, if it does not say.
const LONGEST_WITHOUT_PAYLOAD: u32 = 150;

/// Requests, and what routers say of themselves (RFC 792, 950, 1256).
const SENT_BY_PROGRAMS_V4: [u8; 5] = [8, 9, 10, 13, 17];
/// Requests, and routes that are better.
const TAKEN_BY_KERNEL_V4: [u8; 4] = [5, 8, 13, 17];
/// Echo requests, and what routers say and ask (RFC 4443, 2710, 4861).
const SENT_BY_PROGRAMS_V6: [u8; 3] = [128, 130, 134];
/// Echo requests, groups, neighbours and routers (RFC 3810 too).
const TAKEN_BY_KERNEL_V6: [u8; 10] = [128, 130, 131, 132, 133, 134, 135, 136, 137, 143];

/// What a packet says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// As the computer sees it: what it sent has its source as local end.
    pub(super) key: Key,
    /// Nanoseconds since boot.
    pub(super) time: u64,
    pub(super) is_out: bool,
    /// Came in for all or for a group.
    pub(super) is_to_many: bool,
    pub(super) part: Part,
    flags: u8,
    pub(super) has_payload: bool,
    /// Which bytes of the stream of TCP it carries, if any.
    pub(super) written: Option<Written>,
    /// Whether it is ICMP of IPv4, and its type.
    pub(super) icmp: Option<(bool, u8)>,
    /// What an ICMP error is about, as it was sent from here.
    pub(super) about: Option<Key>,
}

impl Facts {
    /// `None`: nothing of it is between two ends of IP.
    pub(super) fn of(packet: &Packet<'_>) -> Option<Self> {
        let ends: &PacketEnds = packet.ends.as_ref()?;
        let is_out = packet.way == Way::Out || packet.loopback;
        let netns = packet.interface.netns;
        let flags = ends.tcp.map_or(0, |tcp| tcp.flags);
        let has_payload = match ends.tcp.and_then(|tcp| tcp.carries) {
            Some(carries) => carries > 0,
            None => flags & PSH != 0 || packet.length > LONGEST_WITHOUT_PAYLOAD,
        };
        let to = ends.destination.ip?;
        let icmp = if let Protocol::Icmp(IcmpKind { kind, .. }) = ends.protocol {
            Some((to.is_ipv4(), kind.unwrap_or(0)))
        } else {
            None
        };
        let about = ends.about.and_then(|quoted| {
            let Quoted {
                protocol,
                source,
                destination,
            } = quoted;
            Key::of_ends(protocol, netns, source, destination)
        });
        Some(Self {
            key: Key::of(ends, netns, is_out)?,
            time: packet.boot_ns,
            is_out,
            is_to_many: !is_out && is_to_many(packet.way, to),
            part: ends.part,
            flags,
            has_payload,
            written: ends.tcp.filter(|_| has_payload).map(Written::of),
            icmp,
            about,
        })
    }

    /// Another packet, which was sent a moment ago.
    pub(super) fn was_sent(&self, key: Key) -> Self {
        Self {
            key,
            is_out: true,
            flags: ACK,
            has_payload: false,
            written: None,
            ..*self
        }
    }

    /// Something that a process wrote leaves.
    pub(super) fn is_sent(&self) -> bool {
        self.is_out && (self.has_payload || self.key.class() != Class::TCP)
    }

    /// The first packet of a connection of TCP.
    pub(super) fn asks(&self) -> bool {
        self.flags & (SYN | ACK) == SYN
    }

    /// The answer to it.
    pub(super) fn answers(&self) -> bool {
        self.flags & (SYN | ACK) == SYN | ACK
    }

    pub(super) fn begins(&self) -> bool {
        self.flags & SYN != 0
    }

    pub(super) fn ends(&self) -> bool {
        self.flags & (FIN | RST) != 0
    }

    /// ICMP that the kernel sends or answers by itself, whoever else may read it.
    pub(super) fn is_of_kernel(&self) -> bool {
        match self.icmp {
            Some((true, kind)) if self.is_out => !SENT_BY_PROGRAMS_V4.contains(&kind),
            Some((true, kind)) => TAKEN_BY_KERNEL_V4.contains(&kind),
            Some((false, kind)) if self.is_out => !SENT_BY_PROGRAMS_V6.contains(&kind),
            Some((false, kind)) => TAKEN_BY_KERNEL_V6.contains(&kind),
            None => false,
        }
    }

    pub(super) fn resets(&self) -> bool {
        self.flags & RST != 0
    }
}

/// Some bytes of the stream of TCP: they have numbers, which go round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    first: u32,
    /// `None`: it is not said how many.
    count: Option<u32>,
}

impl Written {
    fn of(tcp: TcpSegment) -> Self {
        let syn = u32::from(tcp.flags & SYN != 0);
        Self {
            first: tcp.sequence.wrapping_add(syn),
            count: tcp.carries,
        }
    }

    pub(super) fn is_from(self, number: u32) -> bool {
        !is_before(self.first, number)
    }

    pub(super) fn is_before(self, number: u32) -> bool {
        let end = self.count.map(|count| self.first.wrapping_add(count));
        is_before(self.first, number) && end.is_some_and(|end| !is_before(number, end))
    }
}

/// Which of two numbers of a stream comes first (RFC 9293, 3.4).
pub(super) fn is_before(one: u32, other: u32) -> bool {
    one.wrapping_sub(other) > u32::MAX / 2
}

fn is_to_many(way: Way, to: IpAddr) -> bool {
    matches!(way, Way::Broadcast | Way::Multicast) || to.is_multicast()
}

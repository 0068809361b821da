//! The headers of a packet. Bytes as they passed an interface go in; its two ends come out. Total
//! and bounded: what is cut off or makes no sense is left out.

use std::net::IpAddr;

use etherparse::{IpNumber, Ipv6ExtensionSlice, LaxIpSlice, ip_number};
use model::{Endpoint, IcmpKind, LinkType, PacketEnds, Part, Protocol, Quoted};

use super::attributes::be16_at;

/// Length of `struct sll2_header` (<https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>).
pub(crate) const SLL2: usize = 20;
/// Where an Ethernet header says what follows: behind both addresses.
const ETHERTYPE_AT: usize = 12;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// 802.1Q, 802.1ad, and what came before that.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Length of a tag with what it says of what follows.
const TAG: usize = 4;
/// More stand in no packet that a person made in earnest.
const MOST_TAGS: usize = 4;
/// How much of the header of an ICMP error stands before what it quotes.
const ICMP_HEADER: usize = 8;
const TCP_FLAGS_AT: usize = 13;

/// The two ends of a packet. `None`: it is not IP, or cut too short to say.
pub(crate) fn ends(link: LinkType, bytes: &[u8]) -> Option<PacketEnds> {
    let ip = Ip::of(network_layer(link, bytes)?)?;
    let (protocol, ports) = ip.transport();
    let is_first = !matches!(ip.part, Part::Later(_));
    let tcp_flags = (protocol == Protocol::Tcp && is_first)
        .then(|| ip.payload.get(TCP_FLAGS_AT).copied())
        .flatten();
    Some(PacketEnds {
        protocol,
        source: end(ip.source, ports.map(|ports| ports.0)),
        destination: end(ip.destination, ports.map(|ports| ports.1)),
        part: ip.part,
        tcp_flags,
        about: if is_first { quoted(&ip) } else { None },
    })
}

/// What follows the header of the link, if that is IP.
fn network_layer(link: LinkType, bytes: &[u8]) -> Option<&[u8]> {
    match link {
        LinkType::RAW_IP => Some(bytes),
        LinkType::LINUX_SLL2 => {
            is_ip(be16_at(bytes, 0)?).then_some(())?;
            bytes.get(SLL2..)
        }
        LinkType::ETHERNET => {
            let mut at = ETHERTYPE_AT;
            for _ in 0..=MOST_TAGS {
                let kind = be16_at(bytes, at)?;
                if is_ip(kind) {
                    return bytes.get(at + 2..);
                }
                if !TAGS.contains(&kind) {
                    return None;
                }
                at += TAG;
            }
            None
        }
        _ => None,
    }
}

fn is_ip(kind: u16) -> bool {
    kind == IPV4 || kind == IPV6
}

/// An IP packet without its headers.
struct Ip<'a> {
    source: IpAddr,
    destination: IpAddr,
    number: IpNumber,
    part: Part,
    payload: &'a [u8],
}

impl<'a> Ip<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (ip, _) = LaxIpSlice::from_slice(bytes).ok()?;
        let (source, destination) = (ip.source_addr(), ip.destination_addr());
        let (part, payload) = match ip {
            LaxIpSlice::Ipv4(ip) => {
                let header = ip.header();
                let place = (
                    header.fragments_offset().value(),
                    header.more_fragments(),
                    u32::from(header.identification()),
                );
                (part(place), ip.payload().clone())
            }
            LaxIpSlice::Ipv6(ip) => {
                let fragment = ip.extensions().clone().into_iter().find_map(|extension| {
                    if let Ipv6ExtensionSlice::Fragment(fragment) = extension {
                        Some(part((
                            fragment.fragment_offset().value(),
                            fragment.more_fragments(),
                            fragment.identification(),
                        )))
                    } else {
                        None
                    }
                });
                (fragment.unwrap_or(Part::Whole), ip.payload().clone())
            }
        };
        Some(Self {
            source,
            destination,
            number: payload.ip_number,
            part,
            payload: payload.payload,
        })
    }

    /// The ports are those of source and destination.
    fn transport(&self) -> (Protocol, Option<(u16, u16)>) {
        let protocol = match self.number {
            ip_number::TCP => Protocol::Tcp,
            ip_number::UDP => Protocol::Udp,
            ip_number::UDP_LITE => Protocol::UdpLite,
            ip_number::SCTP => Protocol::Sctp,
            ip_number::DCCP => Protocol::Dccp,
            ip_number::ICMP | ip_number::IPV6_ICMP => return (Protocol::Icmp(self.icmp()), None),
            IpNumber(number) => return (Protocol::Other(number.into()), None),
        };
        if matches!(self.part, Part::Later(_)) {
            return (protocol, None);
        }
        let ports = be16_at(self.payload, 0).zip(be16_at(self.payload, 2));
        (protocol, ports)
    }

    fn icmp(&self) -> IcmpKind {
        if matches!(self.part, Part::Later(_)) {
            return IcmpKind::default();
        }
        let kind = self.payload.first().copied();
        IcmpKind {
            kind,
            code: self.payload.get(1).copied(),
            id: kind
                .filter(|kind| self.is_question(*kind))
                .and_then(|_| be16_at(self.payload, 4)),
        }
    }

    /// Whether a message of this type has a number that questions and answers share: echo (RFC 792,
    /// RFC 4443), the time (RFC 792) and extended echo (RFC 8335).
    fn is_question(&self, kind: u8) -> bool {
        if self.number == ip_number::ICMP {
            matches!(kind, 0 | 8 | 13 | 14 | 42 | 43)
        } else {
            matches!(kind, 128 | 129 | 160 | 161)
        }
    }

    /// Whether a message of this type quotes the packet that it is about (RFC 792, RFC 4443).
    fn is_error(&self, kind: u8) -> bool {
        match self.number {
            ip_number::ICMP => matches!(kind, 3 | 4 | 5 | 11 | 12),
            // Its informational messages begin with 128; 0 is none.
            ip_number::IPV6_ICMP => (1..128).contains(&kind),
            _ => false,
        }
    }
}

/// Of offset, whether more follow, and number.
fn part((offset, more, number): (u16, bool, u32)) -> Part {
    match (offset, more) {
        (0, false) => Part::Whole,
        (0, true) => Part::First(number),
        _ => Part::Later(number),
    }
}

fn end(ip: IpAddr, port: Option<u16>) -> Endpoint {
    Endpoint {
        ip: Some(ip.to_canonical()),
        port,
    }
}

fn quoted(ip: &Ip<'_>) -> Option<Quoted> {
    let kind = *ip.payload.first()?;
    if !ip.is_error(kind) {
        return None;
    }
    let about = Ip::of(ip.payload.get(ICMP_HEADER..)?)?;
    let (protocol, ports) = about.transport();
    Some(Quoted {
        protocol,
        source: end(about.source, ports.map(|ports| ports.0)),
        destination: end(about.destination, ports.map(|ports| ports.1)),
    })
}

//! The headers of a packet. Bytes as they passed an interface go in; its two ends come out. Total
//! and bounded: what is cut off or makes no sense is left out.

use std::net::IpAddr;

use etherparse::{IpNumber, LaxIpSlice, ip_number};
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
                let extensions = ip.extensions();
                let fragment = fragment(extensions.first_header(), extensions.slice());
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

/// What the first fragment header among the extension headers of IPv6 says (RFC 8200, 4.5). They are
/// walked through here, as etherparse 0.21 does so without checking where they end, and reads beyond
/// its bytes when a row of them makes no sense.
fn fragment(first: Option<IpNumber>, mut headers: &[u8]) -> Option<Part> {
    let mut kind = first?;
    loop {
        let (next, size) = (*headers.first()?, usize::from(*headers.get(1)?));
        let length = match kind {
            ip_number::IPV6_FRAG => {
                let place = be16_at(headers, 2)?;
                let number = u32::from_be_bytes(*headers.get(4..)?.first_chunk()?);
                return Some(part((place >> 3, place & 1 != 0, number)));
            }
            ip_number::AUTH => (size + 2) * 4,
            _ => (size + 1) * 8,
        };
        headers = headers.get(length..)?;
        kind = IpNumber(next);
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

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::{Ipv6FragmentHeader, PacketBuilder};
    use proptest::prelude::*;

    const US: [u8; 4] = [192, 0, 2, 1];
    const THEM: [u8; 4] = [192, 0, 2, 2];
    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

    fn here(port: impl Into<Option<u16>>) -> Endpoint {
        end(US.into(), port.into())
    }

    fn there(port: impl Into<Option<u16>>) -> Endpoint {
        end(THEM.into(), port.into())
    }

    fn udp() -> Vec<u8> {
        let builder = PacketBuilder::ethernet2(MAC, MAC).ipv4(US, THEM, 64);
        let builder = builder.udp(1000, 53);
        let mut bytes = vec![0; builder.size(5)];
        builder.write_to_slice(&mut bytes, b"hello").unwrap();
        bytes
    }

    fn check(link: LinkType, bytes: &[u8], expected: Option<(Protocol, Endpoint, Endpoint)>) {
        let ends = ends(link, bytes);
        let found = ends.map(|ends| (ends.protocol, ends.source, ends.destination));
        assert_eq!(found, expected, "{bytes:?}");
    }

    #[test]
    fn the_ends_are_found_behind_every_link() {
        let udp = udp();
        let expected = Some((Protocol::Udp, here(1000), there(53)));
        check(LinkType::ETHERNET, &udp, expected);
        let (addresses, rest) = udp.split_at(12);
        let tags = [0x88, 0xa8, 0, 7, 0x81, 0, 0, 8];
        let tagged = [addresses, &tags, rest].concat();
        check(LinkType::ETHERNET, &tagged, expected);
        let (kind, packet) = rest.split_at(2);
        check(LinkType::RAW_IP, packet, expected);
        let cooked = [kind, &[0; 18], packet].concat();
        check(LinkType::LINUX_SLL2, &cooked, expected);
        check(LinkType(127), &udp, None);
        // ARP, and tags without an end.
        check(LinkType::ETHERNET, &[addresses, &[8, 6]].concat(), None);
        let tags = [0x81, 0, 0, 7].repeat(100);
        check(LinkType::ETHERNET, &[addresses, &tags, rest].concat(), None);
    }

    #[test]
    fn what_is_cut_off_is_not_known() {
        let udp = udp();
        let ends_of = |length: usize| ends(LinkType::ETHERNET, &udp[..length]);
        assert_eq!(ends_of(33), None);
        let without_ports = ends_of(36).unwrap();
        assert_eq!(without_ports.source, here(None));
        assert_eq!(ends_of(38).unwrap().destination, there(53));
    }

    #[test]
    fn the_flags_of_tcp_are_kept() {
        let builder = PacketBuilder::ipv4(US, THEM, 64).tcp(1, 2, 3, 4);
        let builder = builder.syn().ack(5);
        let mut bytes = vec![0; builder.size(0)];
        builder.write_to_slice(&mut bytes, &[]).unwrap();
        let ends = ends(LinkType::RAW_IP, &bytes).unwrap();
        assert_eq!(ends.tcp_flags, Some(0x12));
        assert_eq!(ends.part, Part::Whole);
    }

    #[test]
    fn an_echo_has_a_number_and_an_error_what_it_is_about() {
        let builder = PacketBuilder::ipv4(US, THEM, 64).icmpv4_echo_request(77, 1);
        let mut echo = vec![0; builder.size(4)];
        builder.write_to_slice(&mut echo, b"ping").unwrap();
        let ends = |bytes: &[u8]| super::ends(LinkType::RAW_IP, bytes).unwrap();
        let kind = |kind, id| {
            Protocol::Icmp(IcmpKind {
                kind: Some(kind),
                code: Some(if kind == 3 { 3 } else { 0 }),
                id,
            })
        };
        assert_eq!(ends(&echo).protocol, kind(8, Some(77)));
        assert_eq!(ends(&echo).about, None);
        // As long as the first computers quoted: the header and eight bytes.
        let port = etherparse::Icmpv4Type::DestinationUnreachable(
            etherparse::icmpv4::DestUnreachableHeader::Port,
        );
        let quoted = &udp()[ETHERNET..ETHERNET + 28];
        let builder = PacketBuilder::ipv4(THEM, US, 64).icmpv4(port);
        let mut error = vec![0; builder.size(quoted.len())];
        builder.write_to_slice(&mut error, quoted).unwrap();
        let about = Quoted {
            protocol: Protocol::Udp,
            source: here(1000),
            destination: there(53),
        };
        assert_eq!(ends(&error).protocol, kind(3, None));
        assert_eq!(ends(&error).about, Some(about));
    }

    const ETHERNET: usize = 14;

    #[test]
    fn fragments_have_the_number_of_their_packet() {
        let of_ipv4 = |field: u16| {
            let mut packet = udp().split_off(ETHERNET);
            packet[4..6].copy_from_slice(&9_u16.to_be_bytes());
            packet[6..8].copy_from_slice(&field.to_be_bytes());
            ends(LinkType::RAW_IP, &packet).unwrap()
        };
        assert_eq!(of_ipv4(0x4000).part, Part::Whole);
        assert_eq!(of_ipv4(0x2000).part, Part::First(9));
        assert_eq!(of_ipv4(0x2000).source, here(1000));
        assert_eq!(of_ipv4(0x2001).part, Part::Later(9));
        assert_eq!(of_ipv4(1).part, Part::Later(9));
        assert_eq!(of_ipv4(1).source, here(None));
        let of_ipv6 = |offset: u16, more| {
            let mut packet = vec![0x60, 0, 0, 0, 0, 0, 44, 64];
            packet.extend([1; 16]);
            packet.extend([2; 16]);
            let offset = offset.try_into().unwrap();
            let next = ip_number::UDP;
            packet.extend(Ipv6FragmentHeader::new(next, offset, more, 70_000).to_bytes());
            packet.extend([0, 7, 0, 8, 0, 8, 0, 0]);
            ends(LinkType::RAW_IP, &packet).unwrap()
        };
        let first = of_ipv6(0, true);
        assert_eq!(
            (first.part, first.source.port),
            (Part::First(70_000), Some(7))
        );
        let later = of_ipv6(1, false);
        assert_eq!((later.part, later.source.port), (Part::Later(70_000), None));
        assert_eq!(later.protocol, Protocol::Udp);
    }

    #[test]
    fn extension_headers_that_make_no_sense_are_no_way_out() {
        let of = |next: u8, headers: &[u8]| {
            let mut packet = vec![0x60, 0, 0, 0, 0, 0, next, 64];
            packet.extend([1; 32]);
            packet.extend(headers);
            ends(LinkType::RAW_IP, &packet).unwrap().part
        };
        // Options for every hop stand once, at the beginning.
        assert_eq!(of(0, &[0; 8]), Part::Whole);
        assert_eq!(of(0, &[0; 16]), Part::Whole);
        assert_eq!(of(60, &[60, 0, 0, 0, 0, 0, 0, 0, 60]), Part::Whole);
        // Behind others it is found.
        let options = [44, 0, 0, 0, 0, 0, 0, 0];
        let fragment = [17, 0, 0, 9, 0, 0, 0, 5];
        assert_eq!(of(0, &[options, fragment].concat()), Part::Later(5));
        assert_eq!(of(60, &[options, fragment].concat()), Part::Later(5));
        assert_eq!(of(43, &[options, fragment].concat()), Part::Later(5));
    }

    proptest! {
        #[test]
        fn never_panics(mut bytes: Vec<u8>, version in 0..2_u8, next in 0..64_u8) {
            for link in [1, 101, 276, 0] {
                let _ = ends(LinkType(link), &bytes);
            }
            // Most bytes are no IP.
            if let Some(first) = bytes.first_mut() {
                *first = if version == 0 { 0x45 } else { 0x60 };
            }
            if let Some(byte) = bytes.get_mut(6).filter(|_| version == 1) {
                *byte = next;
            }
            if let Some(ends) = ends(LinkType::RAW_IP, &bytes) {
                let is_later = matches!(ends.part, Part::Later(_));
                prop_assert!(!is_later || (ends.source.port.is_none() && ends.about.is_none()));
            }
        }
    }
}

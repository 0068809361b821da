//! The headers of a packet. Bytes as they passed an interface go in; its two ends come out. Total
//! and bounded: what is cut off or makes no sense is left out.

use std::net::IpAddr;

use model::{Endpoint, IcmpKind, LinkType, PacketEnds, Part, Protocol, Quoted, TcpSegment};

use self::ip::Ip;
use super::attributes::{be16_at, be32_at};

pub(crate) mod ip;

/// Length of `struct sll2_header` (<https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>).
pub(crate) const SLL2: usize = 20;
/// Where an Ethernet header says what follows: behind both addresses (IEEE 802.3, 3.2).
const ETHERTYPE_AT: usize = 12;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// IEEE 802.1Q, 802.1ad, and what came before that.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Length of a tag with what it says of what follows.
const TAG: usize = 4;
/// More stand in no packet that a person made in earnest.
const MOST_TAGS: usize = 4;
/// How much of the header of an ICMP error stands before what it quotes.
const ICMP_HEADER: usize = 8;
/// RFC 9293, 3.1.
const TCP_SEQUENCE_AT: usize = 4;
const TCP_OFFSET_AT: usize = 12;
const TCP_FLAGS_AT: usize = 13;
/// RFC 768: how long a datagram is with its header, and how long that is.
const UDP_LENGTH_AT: usize = 4;
const UDP_HEADER: u16 = 8;

/// What IP carries (<https://www.iana.org/assignments/protocol-numbers>).
pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
const DCCP: u8 = 33;
pub(crate) const ICMPV6: u8 = 58;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

/// The two ends of a packet. `None`: it is not IP, or cut too short to say.
pub(crate) fn ends(link: LinkType, bytes: &[u8]) -> Option<PacketEnds> {
    let ip = Ip::of(network_layer(link, bytes)?)?;
    let (protocol, ports) = ip.transport();
    Some(PacketEnds {
        protocol,
        source: end(ip.source, ports.map(|ports| ports.0)),
        destination: end(ip.destination, ports.map(|ports| ports.1)),
        part: ip.part,
        tcp: (ip.number == TCP).then(|| segment(&ip)).flatten(),
        about: quoted(&ip),
    })
}

fn segment(ip: &Ip<'_>) -> Option<TcpSegment> {
    let header = usize::from(ip.payload.get(TCP_OFFSET_AT)? >> 4) * 4;
    let length = ip.length.filter(|_| ip.part == Part::Whole);
    let carries = length.and_then(|length| length.checked_sub(header));
    Some(TcpSegment {
        flags: *ip.payload.get(TCP_FLAGS_AT)?,
        sequence: be32_at(ip.payload, TCP_SEQUENCE_AT)?,
        carries: carries.and_then(|carries| u32::try_from(carries).ok()),
    })
}

/// How many bytes a datagram of UDP carries (RFC 768). `None`: it is none, a later part of one, or cut too
/// short to say.
pub(crate) fn datagram(link: LinkType, bytes: &[u8]) -> Option<u32> {
    let ip = Ip::of(network_layer(link, bytes)?)?;
    let begins = ip.number == UDP && !matches!(ip.part, Part::Later(_));
    let length = be16_at(ip.payload, UDP_LENGTH_AT).filter(|_| begins)?;
    length.checked_sub(UDP_HEADER).map(u32::from)
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

impl Ip<'_> {
    /// The ports are those of source and destination, where each of these has them: in the first four
    /// bytes (RFC 9293, 3.1; RFC 768; RFC 3828, 3.1; RFC 9260, 3.1; RFC 4340, 5.1).
    pub(crate) fn transport(&self) -> (Protocol, Option<(u16, u16)>) {
        let protocol = match self.number {
            TCP => Protocol::Tcp,
            UDP => Protocol::Udp,
            UDP_LITE => Protocol::UdpLite,
            SCTP => Protocol::Sctp,
            DCCP => Protocol::Dccp,
            ICMP | ICMPV6 => return (Protocol::Icmp(self.icmp()), None),
            number => return (Protocol::Other(number.into()), None),
        };
        let ports = be16_at(self.payload, 0).zip(be16_at(self.payload, 2));
        (protocol, ports)
    }

    fn icmp(&self) -> IcmpKind {
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
        if self.number == ICMP {
            matches!(kind, 0 | 8 | 13 | 14 | 42 | 43)
        } else {
            matches!(kind, 128 | 129 | 160 | 161)
        }
    }

    /// Whether a message of this type quotes the packet that it is about (RFC 792, RFC 4443).
    fn is_error(&self, kind: u8) -> bool {
        match self.number {
            ICMP => matches!(kind, 3 | 4 | 5 | 11 | 12),
            // Its informational messages begin with 128; 0 is none.
            ICMPV6 => (1..128).contains(&kind),
            _ => false,
        }
    }
}

fn end(ip: IpAddr, port: Option<u16>) -> Endpoint {
    Endpoint {
        ip: Some(ip.to_canonical()),
        port,
    }
}

/// The packet that an ICMP error is about: as much of it as the error has, perhaps only the header and
/// eight bytes (RFC 792; RFC 4443, 2.4).
pub(crate) fn quoted(ip: &Ip<'_>) -> Option<Quoted> {
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
    use proptest::prelude::*;

    const US: [u8; 4] = [192, 0, 2, 1];
    const THEM: [u8; 4] = [192, 0, 2, 2];
    const ETHERNET: usize = 14;

    fn here(port: impl Into<Option<u16>>) -> Endpoint {
        end(US.into(), port.into())
    }

    fn there(port: impl Into<Option<u16>>) -> Endpoint {
        end(THEM.into(), port.into())
    }

    /// As an IPv4 packet from us to them.
    fn ipv4(number: u8, payload: &[u8]) -> Vec<u8> {
        let total = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
        let begin = [0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, number, 0, 0];
        [&begin, &US[..], &THEM, payload].concat()
    }

    /// As an IPv6 packet, without saying how long it is.
    fn ipv6(number: u8, payload: &[u8]) -> Vec<u8> {
        let begin = [0x60, 0, 0, 0, 0, 0, number, 64];
        [&begin, &[1; 16][..], &[2; 16], payload].concat()
    }

    fn udp() -> Vec<u8> {
        let mut bytes = vec![2; 12];
        bytes.extend(IPV4.to_be_bytes());
        let datagram = [&[3, 232, 0, 53, 0, 13, 0, 0], &b"hello"[..]].concat();
        bytes.extend(ipv4(UDP, &datagram));
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
    fn a_datagram_says_how_much_it_carries() {
        let whole = udp();
        assert_eq!(datagram(LinkType::ETHERNET, &whole), Some(5));
        // Of what was captured of it a part is missing.
        let headers = &whole[..ETHERNET + 20 + 8];
        assert_eq!(datagram(LinkType::ETHERNET, headers), Some(5));
        assert_eq!(
            datagram(LinkType::ETHERNET, &whole[..ETHERNET + 20 + 5]),
            None
        );
        let of_tcp = ipv4(TCP, &[3, 232, 0, 53, 0, 13, 0, 0]);
        assert_eq!(datagram(LinkType::RAW_IP, &of_tcp), None);
        let impossible = ipv4(UDP, &[3, 232, 0, 53, 0, 7, 0, 0]);
        assert_eq!(datagram(LinkType::RAW_IP, &impossible), None);
        let mut later = ipv4(UDP, &[3, 232, 0, 53, 0, 13, 0, 0]);
        later[6..8].copy_from_slice(&[0x20, 1]);
        assert_eq!(datagram(LinkType::RAW_IP, &later), None);
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
    fn a_segment_says_where_in_the_stream_it_is() {
        let header = [
            0, 1, 0, 2, 1, 0, 0, 3, 0, 0, 0, 5, 0x60, 0x12, 0, 4, 0, 0, 0, 0, 1, 1, 1, 1,
        ];
        let mut bytes = ipv4(TCP, &[&header, &b"hello"[..]].concat());
        let segment = |bytes: &[u8]| ends(LinkType::RAW_IP, bytes).unwrap().tcp;
        let mut expected = TcpSegment {
            flags: 0x12,
            sequence: 0x100_0003,
            carries: Some(5),
        };
        assert_eq!(segment(&bytes), Some(expected));
        // As much of it as is kept where only headers are.
        assert_eq!(segment(&bytes[..34]), Some(expected));
        assert_eq!(segment(&bytes[..33]), None);
        // A header that is longer than its packet, a packet of more than 64 KiB, a fragment.
        expected.carries = None;
        for (place, odd) in [(32, [0xf0, 0x12]), (2, [0, 0]), (6, [0x20, 0])] {
            let mut bytes = bytes.clone();
            bytes[place..place + 2].copy_from_slice(&odd);
            assert_eq!(segment(&bytes), Some(expected), "{place}");
        }
        // Others have no sequence.
        bytes[9] = UDP;
        assert_eq!(segment(&bytes), None);
    }

    #[test]
    fn an_echo_has_a_number_and_an_error_what_it_is_about() {
        let echo = ipv4(ICMP, b"\x08\0\0\0\0\x4d\0\x01ping");
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
        let quoted = &udp()[ETHERNET..ETHERNET + 28];
        let error = ipv4(ICMP, &[&[3, 3, 0, 0, 0, 0, 0, 0], quoted].concat());
        let about = Quoted {
            protocol: Protocol::Udp,
            source: here(1000),
            destination: there(53),
        };
        assert_eq!(ends(&error).protocol, kind(3, None));
        assert_eq!(ends(&error).about, Some(about));
    }

    #[test]
    fn an_error_of_version_6_has_what_it_is_about() {
        let error = |kind: u8| {
            let quoted = ipv6(UDP, &[3, 232, 0, 53, 0, 13, 0, 0]);
            let error = ipv6(
                ICMPV6,
                &[&[kind, 4, 0, 0, 0, 0, 0, 0], &quoted[..]].concat(),
            );
            ends(LinkType::RAW_IP, &error).unwrap().about
        };
        let end = |of: u8, port| end([of; 16].into(), Some(port));
        let about = Quoted {
            protocol: Protocol::Udp,
            source: end(1, 1000),
            destination: end(2, 53),
        };
        assert_eq!(error(1), Some(about));
        // An echo quotes nothing.
        assert_eq!(error(128), None);
    }

    #[test]
    fn ports_are_where_a_protocol_has_them() {
        for (number, protocol) in [
            (6, Protocol::Tcp),
            (17, Protocol::Udp),
            (33, Protocol::Dccp),
            (132, Protocol::Sctp),
            (136, Protocol::UdpLite),
        ] {
            let packet = ipv4(number, &[3, 232, 0, 53]);
            let expected = Some((protocol, here(1000), there(53)));
            check(LinkType::RAW_IP, &packet, expected);
        }
        // ESP: there they are secret.
        let packet = ipv4(50, &[3, 232, 0, 53]);
        let expected = Some((Protocol::Other(50), here(None), there(None)));
        check(LinkType::RAW_IP, &packet, expected);
    }

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
            let [high, low] = (offset << 3 | u16::from(more)).to_be_bytes();
            let fragment = [UDP, 0, high, low, 0, 1, 0x11, 0x70];
            let packet = ipv6(44, &[fragment, [0, 7, 0, 8, 0, 8, 0, 0]].concat());
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
        let of =
            |next: u8, headers: &[u8]| ends(LinkType::RAW_IP, &ipv6(next, headers)).unwrap().part;
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
        // Not behind options for every hop that stand where they must not.
        let hops = [[0; 8], options, fragment].concat();
        assert_eq!(of(0, &hops), Part::Whole);
        assert_eq!(of(60, &hops), Part::Whole);
    }

    proptest! {
        #[test]
        fn never_panics(mut bytes: Vec<u8>, version in 0..2_u8, next in 0..64_u8) {
            for link in [1, 101, 276, 0] {
                let _ = ends(LinkType(link), &bytes);
                let _ = datagram(LinkType(link), &bytes);
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

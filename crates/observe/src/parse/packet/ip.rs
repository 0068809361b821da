//! The headers of IP. A packet goes in, as much of it as there is; whom it is from and for and what
//! it carries come out. Lengths that make no sense are not believed: then all that is there counts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Part;

use super::be16_at;

/// Length of the header of IPv6, without extensions.
const IPV6_HEADER: usize = 40;
/// Extension headers of IPv6 (RFC 8200, 4.1), as IANA numbers them
/// (<https://www.iana.org/assignments/protocol-numbers>).
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;
/// Length of the header of a fragment (RFC 8200, 4.5).
const FRAGMENT_HEADER: usize = 8;
/// In earnest there are at most eight. A receiver takes more, and more must not hide the ports.
const MOST_EXTENSIONS: usize = 64;

/// A number of a protocol, and the bytes that are of it.
type Carried<'a> = (u8, &'a [u8]);

/// An IP packet without its headers.
pub(crate) struct Ip<'a> {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) part: Part,
    /// What it carries, as IANA numbers protocols.
    pub(crate) number: u8,
    /// Empty in a later fragment: it is from the middle of something, no header stands there.
    pub(crate) payload: &'a [u8],
    /// How long that is by its headers, also where less of it is there. `None`: they do not say, as
    /// in a packet of more than 64 KiB, which a network card cuts up.
    pub(crate) length: Option<usize>,
}

impl<'a> Ip<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        match bytes.first()? >> 4 {
            4 => Self::of_version_4(bytes),
            6 => Self::of_version_6(bytes),
            _ => None,
        }
    }

    /// RFC 791, 3.1.
    fn of_version_4(bytes: &'a [u8]) -> Option<Self> {
        let length = usize::from(bytes.first()? & 0xf) * 4;
        let (header, rest) = bytes.split_at_checked(length)?;
        let (total, number) = (usize::from(be16_at(header, 2)?), *header.get(9)?);
        let source: [u8; 4] = *header.get(12..)?.first_chunk()?;
        let destination: [u8; 4] = *header.get(16..)?.first_chunk()?;
        let (identification, place) = (be16_at(header, 4)?, be16_at(header, 6)?);
        let part = part(place & 0x1fff, place & 0x2000 != 0, identification.into());
        // It is 0 in a packet of more than 64 KiB, which a network card cuts up.
        let length = total.checked_sub(length);
        let payload = length.and_then(|of| rest.get(..of));
        let all = beginning(part, payload.unwrap_or(rest));
        let authenticated = (number == AUTHENTICATION).then(|| authentication(all));
        let (number, payload) = authenticated.flatten().unwrap_or((number, all));
        Some(Self {
            source: Ipv4Addr::from(source).into(),
            destination: Ipv4Addr::from(destination).into(),
            part,
            number,
            payload,
            length: length.and_then(|length| length.checked_sub(all.len() - payload.len())),
        })
    }

    /// RFC 8200, 3.
    fn of_version_6(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<IPV6_HEADER>()?;
        let (length, number) = (usize::from(be16_at(header, 4)?), *header.get(6)?);
        let source: [u8; 16] = *header.get(8..)?.first_chunk()?;
        let destination: [u8; 16] = *header.get(24..)?.first_chunk()?;
        // It is 0 in a packet of more than 64 KiB (RFC 2675, 3).
        let all = rest.get(..length).filter(|_| length > 0).unwrap_or(rest);
        let (part, (number, payload)) = behind_extensions((number, all));
        // Nothing begins in a later fragment; of what stands before it, its own header is sure.
        let headers = if matches!(part, Part::Later(_)) {
            FRAGMENT_HEADER
        } else {
            all.len() - payload.len()
        };
        Some(Self {
            source: Ipv6Addr::from(source).into(),
            destination: Ipv6Addr::from(destination).into(),
            part,
            number,
            payload,
            length: length.checked_sub(headers).filter(|_| length > 0),
        })
    }
}

/// What stands behind the extension headers of IPv6, or at the first that makes no sense.
fn behind_extensions(mut carried: Carried<'_>) -> (Part, Carried<'_>) {
    let mut part = Part::Whole;
    for place in 0..MOST_EXTENSIONS {
        let (number, bytes) = carried;
        let next = match number {
            // They stand only at the beginning (RFC 8200, 4.1).
            HOP_BY_HOP if place > 0 => None,
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS => options(bytes),
            AUTHENTICATION => authentication(bytes),
            FRAGMENT => fragment(bytes).map(|(of, next)| {
                // A fragment in a fragment: the outer one is what passed by.
                if part == Part::Whole {
                    part = of;
                }
                next
            }),
            _ => None,
        };
        let Some(next) = next else { break };
        carried = next;
    }
    (part, carried)
}

/// What follows options or a route (RFC 8200, 4.3, 4.4 and 4.6): the length is in units of eight
/// bytes, without the first.
fn options(bytes: &[u8]) -> Option<Carried<'_>> {
    let &[next, length] = bytes.first_chunk()?;
    Some((next, bytes.get((usize::from(length) + 1) * 8..)?))
}

/// What follows an authentication header (RFC 4302, 2): the length is in units of four bytes, without
/// the first two, and counts a number that is always there.
fn authentication(bytes: &[u8]) -> Option<Carried<'_>> {
    let &[next, length] = bytes.first_chunk()?;
    let behind = bytes.get((usize::from(length) + 2) * 4..)?;
    (length > 0).then_some((next, behind))
}

/// What a fragment header says (RFC 8200, 4.5), and what follows it.
fn fragment(bytes: &[u8]) -> Option<(Part, Carried<'_>)> {
    let (&[next, _, high, low, ref identification @ ..], rest) = bytes.split_first_chunk::<8>()?;
    let place = u16::from_be_bytes([high, low]);
    let identification = u32::from_be_bytes(*identification);
    let part = part(place >> 3, place & 1 != 0, identification);
    Some((part, (next, beginning(part, rest))))
}

fn part(offset: u16, more: bool, identification: u32) -> Part {
    match (offset, more) {
        (0, false) => Part::Whole,
        (0, true) => Part::First(identification),
        _ => Part::Later(identification),
    }
}

/// What begins in these bytes: nothing does in a later fragment.
fn beginning(part: Part, bytes: &[u8]) -> &[u8] {
    if matches!(part, Part::Later(_)) {
        &[]
    } else {
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UDP: u8 = 17;
    const PORTS: [u8; 4] = [0, 7, 0, 8];
    /// With eight bytes of proof.
    const AUTHENTICATED: [u8; 20] = [UDP, 3, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9];

    fn ipv4(total: u8, place: [u8; 2], number: u8, payload: &[u8]) -> Vec<u8> {
        let begin = [0x45, 0, 0, total, 0, 9, place[0], place[1], 64, number];
        [&begin, &[0; 10][..], payload].concat()
    }

    fn ipv6(length: u8, number: u8, payload: &[u8]) -> Vec<u8> {
        let begin = [0x60, 0, 0, 0, 0, length, number, 64];
        [&begin, &[1; 32][..], payload].concat()
    }

    fn check(bytes: &[u8], part: Part, carried: Carried<'_>) {
        let ip = Ip::of(bytes).unwrap();
        let found = (ip.part, (ip.number, ip.payload));
        assert_eq!(found, (part, carried), "{bytes:?}");
    }

    #[test]
    fn what_fills_up_a_short_frame_is_not_of_the_packet() {
        let filled = [&PORTS[..], &[0; 18]].concat();
        check(&ipv4(24, [0, 0], UDP, &filled), Part::Whole, (UDP, &PORTS));
        check(&ipv6(4, UDP, &filled), Part::Whole, (UDP, &PORTS));
    }

    #[test]
    fn a_length_that_makes_no_sense_is_not_believed() {
        for total in [0, 19, 25, 255] {
            let packet = ipv4(total, [0, 0], UDP, &PORTS);
            check(&packet, Part::Whole, (UDP, &PORTS));
        }
        for length in [0, 5, 255] {
            check(&ipv6(length, UDP, &PORTS), Part::Whole, (UDP, &PORTS));
        }
        // Nor a header that is shorter than a header.
        for first in [0x40, 0x44, 0x46, 0x50, 0] {
            let mut packet = ipv4(20, [0, 0], UDP, &[]);
            packet[0] = first;
            assert!(Ip::of(&packet).is_none(), "{first:x}");
        }
        assert!(Ip::of(&[]).is_none());
    }

    #[test]
    fn options_and_proofs_are_passed_by() {
        let mut options = ipv4(28, [0, 0], UDP, &[&[1; 4][..], &PORTS].concat());
        options[0] = 0x46;
        check(&options, Part::Whole, (UDP, &PORTS));
        let payload = [&AUTHENTICATED[..], &PORTS].concat();
        let packet = ipv4(44, [0, 0], AUTHENTICATION, &payload);
        check(&packet, Part::Whole, (UDP, &PORTS));
        let packet = ipv6(24, AUTHENTICATION, &payload);
        check(&packet, Part::Whole, (UDP, &PORTS));
        // Too short to be one, or cut off.
        for payload in [&[UDP, 0, 0, 0, 0, 0, 0, 1][..], &AUTHENTICATED[..19]] {
            let packet = ipv6(0, AUTHENTICATION, payload);
            check(&packet, Part::Whole, (AUTHENTICATION, payload));
        }
    }

    #[test]
    fn nothing_begins_in_a_later_fragment() {
        let payload = [&AUTHENTICATED[..], &PORTS].concat();
        let packet = ipv4(44, [0, 1], AUTHENTICATION, &payload);
        check(&packet, Part::Later(9), (AUTHENTICATION, &[]));
        let later = [DESTINATION_OPTIONS, 0, 0, 8, 0, 0, 0, 5];
        let options = [UDP, 0, 0, 0, 0, 0, 0, 0];
        let payload = [&later[..], &options, &PORTS].concat();
        let packet = ipv6(0, FRAGMENT, &payload);
        check(&packet, Part::Later(5), (DESTINATION_OPTIONS, &[]));
    }

    #[test]
    fn of_a_fragment_in_a_fragment_the_outer_one_counts() {
        let check = |outer: [u8; 2], part, payload: &[u8]| {
            let outer = [FRAGMENT, 0, outer[0], outer[1], 0, 0, 0, 5];
            let inner = [UDP, 0, 0, 8, 0, 0, 0, 6];
            let headers = [&outer[..], &inner, &PORTS].concat();
            check(&ipv6(0, FRAGMENT, &headers), part, (UDP, payload));
        };
        check([0, 1], Part::First(5), &[]);
        // The whole packet in one "fragment" (RFC 6946).
        check([0, 0], Part::Later(6), &[]);
    }

    #[test]
    fn a_row_of_extension_headers_has_an_end() {
        let row = |length: usize| {
            let mut headers = [DESTINATION_OPTIONS, 0, 0, 0, 0, 0, 0, 0].repeat(length);
            headers.extend([UDP, 0, 0, 0, 0, 0, 0, 0]);
            headers.extend(PORTS);
            Ip::of(&ipv6(0, DESTINATION_OPTIONS, &headers)).map(|ip| ip.number)
        };
        assert_eq!(row(MOST_EXTENSIONS - 1), Some(UDP));
        assert_eq!(row(MOST_EXTENSIONS), Some(DESTINATION_OPTIONS));
        assert_eq!(row(8000), Some(DESTINATION_OPTIONS));
    }
}

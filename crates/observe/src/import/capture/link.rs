//! What stands before IP in a packet: the header of its link, of which there are many kinds
//! (<https://www.tcpdump.org/linktypes.html>). Bytes go in; IP, and who sent it on the link, come out.

use super::pktap::{self, Told};

/// A hardware address.
pub(super) type Mac = [u8; 6];

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const ARP: u16 = 0x0806;
/// IEEE 802.1Q, 802.1ad, and what came before that.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// A session of PPPoE (RFC 2516, 5).
const PPPOE: u16 = 0x8864;
/// MPLS (RFC 5332, 3).
const MPLS: [u16; 2] = [0x8847, 0x8848];
/// Headers within headers: more stand in no packet that a person made in earnest.
const MOST_HEADERS: usize = 8;
/// Below it stands a length and not a kind (IEEE 802.3, 3.2.6).
const LEAST_KIND: u16 = 0x0600;
/// LLC and SNAP without an organisation (RFC 1042).
const SNAP: [u8; 6] = [0xaa, 0xaa, 3, 0, 0, 0];
const ETHERNET_HARDWARE: u16 = 1;

/// Which way a packet went, as the computer that captured it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// A packet without the header of its link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linked<'a> {
    pub(super) payload: Payload<'a>,
    /// `None`: the link has none, or does not tell.
    pub(super) sender: Option<Mac>,
    pub(super) way: Option<Way>,
    /// What macOS says of whose it is.
    pub(super) told: Option<Told<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload<'a> {
    Ip(&'a [u8]),
    Arp(&'a [u8]),
    /// Something else, or nothing.
    Other,
    /// Nobody here knows such links.
    UnknownLink(u16),
}

impl<'a> Linked<'a> {
    /// `None`: it is cut within the header.
    #[inline]
    pub(super) fn of(link: u16, bytes: &'a [u8]) -> Option<Self> {
        // Nearly all are.
        if link == 1 {
            return ethernet(bytes);
        }
        Self::of_rare(link, bytes)
    }

    fn of_rare(link: u16, bytes: &'a [u8]) -> Option<Self> {
        let plain = |payload| {
            Some(Self {
                payload,
                sender: None,
                way: None,
                told: None,
            })
        };
        match link {
            // NULL: the family in the byte order of whoever wrote it; LOOP: of the network.
            0 | 108 => {
                let (family, rest) = bytes.split_first_chunk::<4>()?;
                // AF_INET, and AF_INET6 of Linux, NetBSD, FreeBSD and macOS.
                let is_ip = |family| matches!(family, 2 | 10 | 23 | 24 | 28 | 30);
                let is_ip =
                    is_ip(u32::from_le_bytes(*family)) || is_ip(u32::from_be_bytes(*family));
                plain(if is_ip {
                    Payload::Ip(rest)
                } else {
                    Payload::Other
                })
            }
            12 | 14 | 101 | 228 | 229 => plain(Payload::Ip(bytes)),
            9 | 50 => plain(ppp(bytes)?),
            51 => plain(pppoe(bytes)?),
            // Cisco's HDLC.
            104 => plain(of_kind(be16(bytes, 2)?, bytes.get(4..)?)?),
            113 => cooked(bytes),
            276 => cooked_2(bytes),
            149 | 258 => {
                let (told, link, rest) = pktap::of(bytes)?;
                if matches!(link, 149 | 258) {
                    return plain(Payload::Other);
                }
                Some(Self {
                    told: Some(told),
                    way: told.way,
                    ..Self::of(link, rest)?
                })
            }
            link => plain(Payload::UnknownLink(link)),
        }
    }
}

#[inline]
fn ethernet(bytes: &[u8]) -> Option<Linked<'_>> {
    let (&[_, _, _, _, _, _, a, b, c, d, e, f, high, low], rest) = bytes.split_first_chunk()?;
    Some(Linked {
        payload: of_kind(u16::from_be_bytes([high, low]), rest)?,
        sender: Some([a, b, c, d, e, f]),
        way: None,
        told: None,
    })
}

/// What an Ethernet kind says that follows.
#[inline]
fn of_kind(mut kind: u16, mut bytes: &[u8]) -> Option<Payload<'_>> {
    for _ in 0..MOST_HEADERS {
        match kind {
            IPV4 | IPV6 => return Some(Payload::Ip(bytes)),
            ARP => return Some(Payload::Arp(bytes)),
            PPPOE => return pppoe(bytes),
            kind if MPLS.contains(&kind) => return mpls(bytes),
            tag if TAGS.contains(&tag) => {
                kind = be16(bytes, 2)?;
                bytes = bytes.get(4..)?;
            }
            length if length < LEAST_KIND => {
                let Some(named) = bytes.strip_prefix(&SNAP) else {
                    return Some(Payload::Other);
                };
                kind = be16(named, 0)?.max(LEAST_KIND);
                bytes = named.get(2..)?;
            }
            _ => return Some(Payload::Other),
        }
    }
    Some(Payload::Other)
}

/// RFC 2516, 4.
fn pppoe(bytes: &[u8]) -> Option<Payload<'_>> {
    ppp(bytes.get(6..)?)
}

/// RFC 1661, 2, with or without the address and control of HDLC (RFC 1662, 3.1).
fn ppp(bytes: &[u8]) -> Option<Payload<'_>> {
    let bytes = bytes.strip_prefix(&[0xff, 3]).unwrap_or(bytes);
    let first = *bytes.first()?;
    // An odd first byte is the whole number (RFC 1661, 6.5).
    let (protocol, rest) = if first & 1 == 1 {
        (u16::from(first), bytes.get(1..)?)
    } else {
        (be16(bytes, 0)?, bytes.get(2..)?)
    };
    Some(match protocol {
        0x21 | 0x57 => Payload::Ip(rest),
        _ => Payload::Other,
    })
}

/// RFC 3032, 2.1. What follows is not said; IP is told by its version.
fn mpls(mut bytes: &[u8]) -> Option<Payload<'_>> {
    for _ in 0..MOST_HEADERS {
        let (label, rest) = bytes.split_first_chunk::<4>()?;
        bytes = rest;
        if u32::from_be_bytes(*label) & 0x100 != 0 {
            let is_ip = matches!(bytes.first()? >> 4, 4 | 6);
            return Some(if is_ip {
                Payload::Ip(bytes)
            } else {
                Payload::Other
            });
        }
    }
    Some(Payload::Other)
}

/// LINKTYPE_LINUX_SLL.
fn cooked(bytes: &[u8]) -> Option<Linked<'_>> {
    let (way, hardware, length) = (be16(bytes, 0)?, be16(bytes, 2)?, be16(bytes, 4)?);
    let address: Mac = *bytes.get(6..)?.first_chunk()?;
    Some(Linked {
        payload: of_kind(be16(bytes, 14)?, bytes.get(16..)?)?,
        sender: (hardware == ETHERNET_HARDWARE && length == 6).then_some(address),
        way: cooked_way(way),
        told: None,
    })
}

/// LINKTYPE_LINUX_SLL2.
fn cooked_2(bytes: &[u8]) -> Option<Linked<'_>> {
    let (hardware, [way, length]) = (be16(bytes, 8)?, *bytes.get(10..)?.first_chunk()?);
    let address: Mac = *bytes.get(12..)?.first_chunk()?;
    Some(Linked {
        payload: of_kind(be16(bytes, 0)?, bytes.get(20..)?)?,
        sender: (hardware == ETHERNET_HARDWARE && length == 6).then_some(address),
        way: cooked_way(way.into()),
        told: None,
    })
}

/// What was sent to others, or to many, says nothing of whose it is.
fn cooked_way(kind: u16) -> Option<Way> {
    match kind {
        0 => Some(Way::In),
        4 => Some(Way::Out),
        _ => None,
    }
}

/// Who has an address of IP, as ARP over Ethernet says of its sender (RFC 826).
pub(super) fn arp(bytes: &[u8]) -> Option<(Mac, [u8; 4])> {
    let bytes = bytes.strip_prefix(&[0, 1, 8, 0, 6, 4])?;
    let mac: Mac = *bytes.get(2..)?.first_chunk()?;
    Some((mac, *bytes.get(8..)?.first_chunk()?))
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: [u8; 4] = [0x45, 1, 2, 3];
    const MAC: Mac = [2, 0, 0, 0, 0, 7];

    fn check(link: u16, headers: &[&[u8]], sender: Option<Mac>) {
        let bytes = [headers.concat(), PACKET.to_vec()].concat();
        let linked = Linked::of(link, &bytes).expect("whole");
        assert_eq!(linked.payload, Payload::Ip(&PACKET), "{link} {headers:?}");
        assert_eq!(linked.sender, sender);
        // Cut anywhere in the headers it is not understood, and nothing bad happens.
        for end in 0..bytes.len() {
            let cut = Linked::of(link, bytes.get(..end).unwrap_or_default());
            assert!(cut.is_none_or(|cut| cut.payload != Payload::Ip(&PACKET)));
        }
    }

    #[test]
    fn ip_is_found_behind_every_link() {
        check(0, &[&[2, 0, 0, 0]], None);
        check(0, &[&[0, 0, 0, 30]], None);
        check(108, &[&[0, 0, 0, 2]], None);
        for raw in [12, 14, 101, 228, 229] {
            check(raw, &[], None);
        }
        check(9, &[&[0xff, 3, 0, 0x21]], None);
        check(9, &[&[0x57]], None);
        check(50, &[&[0, 0x21]], None);
        check(51, &[&[0x11, 0, 0, 7, 0, 6, 0, 0x21]], None);
        check(104, &[&[0x0f, 0, 8, 0]], None);
        let to_us = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 7, 0, 0, 8, 0];
        check(113, &[&to_us], Some(MAC));
        let sent = [
            0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 7, 0, 0,
        ];
        check(276, &[&sent], Some(MAC));
    }

    #[test]
    fn ip_is_found_behind_headers_in_headers() {
        let addresses: [&[u8]; 2] = [&[9; 6], &MAC];
        let addresses = addresses.concat();
        for headers in [
            &[8, 0][..],
            &[0x81, 0, 0, 5, 8, 0],
            &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd],
            &[0x88, 0x64, 0x11, 0, 0, 7, 0, 6, 0, 0x21],
            &[0x88, 0x47, 0, 1, 0, 64, 0, 1, 1, 64],
            &[0, 40, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0],
        ] {
            check(1, &[&addresses, headers], Some(MAC));
        }
        let tags = [0x81, 0, 0, 7].repeat(100);
        let endless = [&addresses[..], &tags, &[8, 0], &PACKET].concat();
        let linked = Linked::of(1, &endless).expect("whole");
        assert_eq!(linked.payload, Payload::Other);
    }

    #[test]
    fn an_unknown_link_says_its_number() {
        let linked = Linked::of(105, &PACKET).expect("whole");
        assert_eq!(linked.payload, Payload::UnknownLink(105));
    }

    #[test]
    fn the_way_is_what_the_computer_said() {
        let of = |kind| {
            let header = [&[0, kind][..], &[0; 12], &[8, 0], &PACKET].concat();
            Linked::of(113, &header).and_then(|linked| linked.way)
        };
        assert_eq!([of(0), of(4)], [Some(Way::In), Some(Way::Out)]);
        assert_eq!([of(1), of(2), of(3)], [None; 3]);
    }

    #[test]
    fn arp_says_who_has_an_address() {
        let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, 1];
        bytes.extend(MAC);
        bytes.extend([10, 0, 0, 7]);
        assert_eq!(arp(&bytes), Some((MAC, [10, 0, 0, 7])));
        assert_eq!(arp(&bytes[..17]), None);
    }
}

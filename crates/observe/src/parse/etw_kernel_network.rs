//! What the provider Microsoft-Windows-Kernel-Network of event tracing tells: which process did what with
//! which connection. In: the id, the version and the payload of an event. Out: what it says.
//!
//! Layout: the provider's manifest (version 0 of each event), which is that of the classes
//! `TcpIp_TypeGroup1` and `UdpIp_TypeGroup1` of the kernel's trace: process, size, destination, source,
//! then both ports. Numbers are little-endian, addresses and ports in network order. What follows
//! (options, times, `connid`) is not read: its length differs, and it tells nothing that is needed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Endpoint;

/// `{7dd42a49-5329-4832-8dfd-43d979153a88}`.
pub(crate) const PROVIDER: u128 = 0x7dd42a49_5329_4832_8dfd_43d979153a88;
/// `KERNEL_NETWORK_KEYWORD_IPV4` and `..._IPV6`: without both, half of it is not told.
pub(crate) const KEYWORDS: u64 = 0x10 | 0x20;

/// Events of IPv6 have the id of the same event of IPv4 and this.
const IPV6: u16 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Deed {
        deed: Deed,
        is_udp: bool,
        /// 4 and 0 are the system itself.
        pid: u32,
        /// In bytes, of what was said. 0 where nothing was.
        size: u32,
        local: Endpoint,
        remote: Endpoint,
    },
    /// An attempt that failed. It is not told whose, nor to where.
    Failed {
        is_udp: bool,
        /// `Proto` and `FailureCode`, as they stand there: the manifest does not explain them.
        protocol: u16,
        code: u16,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Send,
    Receive,
    /// "Connection attempted". Whether it comes before the other side has answered is not written down.
    Connect,
    /// "Connection closed": "disconnect issued", by this side.
    Disconnect,
    Retransmit,
    Accept,
    Reconnect,
    /// The protocol copied data on behalf of the user.
    Copy,
}

/// What an event says. `None`: not one of those known, or too short.
pub(crate) fn told(id: u16, version: u8, payload: &[u8]) -> Option<Told> {
    if version != 0 {
        return None;
    }
    if let 17 | 49 = id {
        return Some(Told::Failed {
            is_udp: id == 49,
            protocol: array(payload, 0).map(u16::from_le_bytes)?,
            code: array(payload, 2).map(u16::from_le_bytes)?,
        });
    }
    let is_ipv6 = matches!(id, 26..=34 | 58 | 59);
    let (deed, is_udp) = match if is_ipv6 { id - IPV6 } else { id } {
        10 => (Deed::Send, false),
        11 => (Deed::Receive, false),
        12 => (Deed::Connect, false),
        13 => (Deed::Disconnect, false),
        14 => (Deed::Retransmit, false),
        15 => (Deed::Accept, false),
        16 => (Deed::Reconnect, false),
        18 => (Deed::Copy, false),
        42 => (Deed::Send, true),
        43 => (Deed::Receive, true),
        _ => return None,
    };
    let (destination, source) = if is_ipv6 {
        (end6(payload, 8, 40)?, end6(payload, 24, 42)?)
    } else {
        (end4(payload, 8, 16)?, end4(payload, 12, 18)?)
    };
    // The source is this computer, also of what TCP receives; only for UDP it is who sent it.
    let (local, remote) = if is_udp && deed == Deed::Receive {
        (destination, source)
    } else {
        (source, destination)
    };
    Some(Told::Deed {
        deed,
        is_udp,
        pid: array(payload, 0).map(u32::from_le_bytes)?,
        size: array(payload, 4).map(u32::from_le_bytes)?,
        local,
        remote,
    })
}

fn end4(payload: &[u8], address: usize, port: usize) -> Option<Endpoint> {
    let address: [u8; 4] = array(payload, address)?;
    let port = array(payload, port).map(u16::from_be_bytes)?;
    Some(Endpoint::new(IpAddr::V4(Ipv4Addr::from(address)), port))
}

fn end6(payload: &[u8], address: usize, port: usize) -> Option<Endpoint> {
    let address: [u8; 16] = array(payload, address)?;
    let port = array(payload, port).map(u16::from_be_bytes)?;
    Some(Endpoint::new(IpAddr::V6(Ipv6Addr::from(address)), port))
}

fn array<const LENGTH: usize>(payload: &[u8], at: usize) -> Option<[u8; LENGTH]> {
    payload.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// To 192.0.2.1 port 443 from 10.0.0.5 port 50000, by process 4242, 7 bytes.
    fn payload4() -> Vec<u8> {
        let mut bytes = vec![0x92, 0x10, 0, 0, 7, 0, 0, 0];
        bytes.extend([192, 0, 2, 1, 10, 0, 0, 5, 0x01, 0xbb, 0xc3, 0x50]);
        bytes.extend([0; 8]);
        bytes
    }

    /// The same, to `2001:db8::1` from `fe80::5`.
    fn payload6() -> Vec<u8> {
        let mut bytes = vec![0x92, 0x10, 0, 0, 7, 0, 0, 0];
        let ends = ["2001:db8::1", "fe80::5"].map(|it| it.parse::<Ipv6Addr>().unwrap().octets());
        bytes.extend(ends.as_flattened());
        bytes.extend([0x01, 0xbb, 0xc3, 0x50]);
        bytes.extend([0; 8]);
        bytes
    }

    fn check(id: u16, deed: Deed, is_udp: bool, local: &str, remote: &str) {
        let of_ipv6 = local.starts_with('[');
        let bytes = if of_ipv6 { payload6() } else { payload4() };
        let end = |text: &str| {
            let address: std::net::SocketAddr = text.parse().unwrap();
            Endpoint::new(address.ip(), address.port())
        };
        let expected = Told::Deed {
            deed,
            is_udp,
            pid: 4242,
            size: 7,
            local: end(local),
            remote: end(remote),
        };
        assert_eq!(told(id, 0, &bytes), Some(expected), "{id}");
        let needed = if of_ipv6 { 44 } else { 20 };
        assert_eq!(told(id, 0, &bytes[..needed]), Some(expected), "{id}");
        assert_eq!(told(id, 0, &bytes[..needed - 1]), None, "{id}");
        assert_eq!(told(id, 1, &bytes), None, "{id}");
    }

    #[test]
    fn it_is_told_who_did_what() {
        let (here, there) = ("10.0.0.5:50000", "192.0.2.1:443");
        let (here6, there6) = ("[fe80::5]:50000", "[2001:db8::1]:443");
        let deeds = [
            (10, Deed::Send),
            (11, Deed::Receive),
            (12, Deed::Connect),
            (13, Deed::Disconnect),
            (14, Deed::Retransmit),
            (15, Deed::Accept),
            (16, Deed::Reconnect),
            (18, Deed::Copy),
        ];
        for (id, deed) in deeds {
            check(id, deed, false, here, there);
            check(id + 16, deed, false, here6, there6);
        }
        check(42, Deed::Send, true, here, there);
        check(58, Deed::Send, true, here6, there6);
        check(43, Deed::Receive, true, there, here);
        check(59, Deed::Receive, true, there6, here6);
    }

    #[test]
    fn what_failed_is_told_without_its_ends() {
        let expected = |is_udp| Told::Failed {
            is_udp,
            protocol: 2,
            code: 0x0103,
        };
        assert_eq!(told(17, 0, &[2, 0, 3, 1]), Some(expected(false)));
        assert_eq!(told(49, 0, &[2, 0, 3, 1]), Some(expected(true)));
        assert_eq!(told(17, 0, &[2, 0, 3]), None);
    }

    #[test]
    fn unknown_events_are_none() {
        for id in [0, 9, 19, 25, 33, 35, 41, 44, 57, 60, u16::MAX] {
            assert_eq!(told(id, 0, &[0; 64]), None, "{id}");
        }
    }

    #[test]
    fn the_session_asks_for_both_families() {
        assert_eq!(KEYWORDS, 0x30);
        assert_eq!(PROVIDER.to_be_bytes()[..4], [0x7d, 0xd4, 0x2a, 0x49]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_told_or_not(id: u16, version: u8, bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _told = told(id, version, &bytes);
        }
    }
}

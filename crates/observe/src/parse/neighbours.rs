//! Neighbours and own addresses, as rtnetlink tells them (include/uapi/linux/neighbour.h,
//! if_addr.h; net/core/neighbour.c).

use std::net::IpAddr;
use std::time::Duration;

use super::attributes::{attributes, u16_at, u32_at};
use super::tcp_metrics::address;

pub(crate) const RTM_GETADDR: u16 = 22;
pub(crate) const RTM_GETNEIGH: u16 = 30;
/// An empty `struct ndmsg`: the neighbours of every family and interface.
pub(crate) const NEIGHBOURS_QUESTION: [u8; NDMSG] = [0; NDMSG];
/// An empty `struct ifaddrmsg`: the addresses of every family and interface.
pub(crate) const ADDRESSES_QUESTION: [u8; IFADDRMSG] = [0; IFADDRMSG];

const NDMSG: usize = 12;
const IFADDRMSG: usize = 8;
const NUD_NOARP: u16 = 0x40;
const NUD_PERMANENT: u16 = 0x80;
const RTN_UNICAST: u8 = 1;
const NDA_DST: u16 = 1;
const NDA_CACHEINFO: u16 = 3;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
/// Ages are in USER_HZ (include/asm-generic/param.h), which is 100 on every architecture that
/// Rust runs on.
const MS_PER_TICK: u64 = 10;

/// An address on the local network that this computer sent to, or that asked for this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub(crate) address: IpAddr,
    /// Since it was last used, sleep not counted. `None`: an entry that somebody set by hand,
    /// which is not aged.
    pub(crate) age: Option<Duration>,
}

/// Reads one entry. `None`: it names no address, or the kernel made it for itself (loopback,
/// multicast, broadcast).
pub(crate) fn neighbour(entry: &[u8]) -> Option<Neighbour> {
    let state = u16_at(entry, 8)?;
    let kind = *entry.get(11)?;
    if state & NUD_NOARP != 0 || kind != RTN_UNICAST {
        return None;
    }
    let mut found = None;
    let mut age = None;
    for (kind, value) in attributes(entry.get(NDMSG..)?) {
        match kind {
            NDA_DST => found = address(value),
            NDA_CACHEINFO => age = age_of(value),
            _ => {}
        }
    }
    let address = found.filter(|address| !address.is_unspecified() && !address.is_multicast())?;
    Some(Neighbour {
        address,
        age: age.filter(|_| state & NUD_PERMANENT == 0),
    })
}

/// The age of the last use, out of `struct nda_cacheinfo`: confirmed, used, updated, references.
///
/// `used` is set when the entry is made and when a packet has to wait for or doubts the neighbour;
/// while it is known to answer, packets go out without touching it, and its answers (ARP, ND, TCP
/// acknowledgements) set `confirmed` instead. So the younger of the two, as in the kernel's own
/// clean-up (neigh_periodic_work: `used = confirmed` where that is later). `updated` is when the
/// state changed, which needs no traffic.
fn age_of(cache_info: &[u8]) -> Option<Duration> {
    let confirmed = u32_at(cache_info, 0)?;
    let used = u32_at(cache_info, 4)?;
    Some(Duration::from_millis(
        u64::from(confirmed.min(used)) * MS_PER_TICK,
    ))
}

/// An address of this computer, and the one that reaches all of its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnAddress {
    pub(crate) address: IpAddr,
    /// `None`: the interface has no broadcast.
    pub(crate) broadcast: Option<IpAddr>,
}

/// Reads one address of an interface.
pub(crate) fn own_address(entry: &[u8]) -> Option<OwnAddress> {
    let mut of_interface = None;
    let mut local = None;
    let mut broadcast = None;
    for (kind, value) in attributes(entry.get(IFADDRMSG..)?) {
        match kind {
            IFA_ADDRESS => of_interface = address(value),
            IFA_LOCAL => local = address(value),
            IFA_BROADCAST => broadcast = address(value),
            _ => {}
        }
    }
    // On a point-to-point interface IFA_ADDRESS is the other side.
    Some(OwnAddress {
        address: local.or(of_interface)?,
        broadcast,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Linux 6.18: `198.51.100.2 dev remv0 lladdr ea:b6:a6:cc:95:0c used 37/1/37 REACHABLE`, here
    /// with a confirmation 1.00 s ago and the last doubt 37.46 s ago.
    const REACHABLE: &[u8] = b"\x02\0\0\0\x02\0\0\0\x02\0\0\x01\
        \x08\0\x01\0\xc6\x33\x64\x02\
        \x0a\0\x02\0\xea\xb6\xa6\xcc\x95\x0c\0\0\
        \x08\0\x04\0\x04\0\0\0\
        \x14\0\x03\0\x64\0\0\0\xa2\x0e\0\0\xa2\x0e\0\0\x01\0\0\0";

    /// A new entry: the kernel dates its confirmation back by a minute (___neigh_create).
    const STALE: &[u8] = b"\x0a\0\0\0\x02\0\0\0\x04\0\0\x01\
        \x14\0\x01\0\xfe\x80\0\0\0\0\0\0\xe8\xb6\xa6\xff\xfe\xcc\x95\x0c\
        \x14\0\x03\0\x50\x26\0\0\xe0\x0e\0\0\xe0\x0e\0\0\x01\0\0\0";

    /// Linux 6.18: `0.0.0.0 dev lo NOARP`.
    const LOOPBACK: &[u8] = b"\x02\0\0\0\x01\0\0\0\x40\0\0\x03\
        \x08\0\x01\0\0\0\0\0\
        \x14\0\x03\0\x59\x0e\0\0\x59\x0e\0\0\x59\x0e\0\0\0\0\0\0";

    /// Linux 6.18: `ff02::2 dev remv0 lladdr 33:33:00:00:00:02 NOARP`.
    const MULTICAST: &[u8] = b"\x0a\0\0\0\x02\0\0\0\x40\0\0\x05\
        \x14\0\x01\0\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x02";

    fn check(entry: &[u8], address: &str, age_ms: Option<u64>) {
        let expected = Neighbour {
            address: address.parse().unwrap(),
            age: age_ms.map(Duration::from_millis),
        };
        assert_eq!(neighbour(entry), Some(expected));
    }

    #[test]
    fn the_younger_of_used_and_confirmed_counts() {
        check(REACHABLE, "198.51.100.2", Some(1_000));
        check(STALE, "fe80::e8b6:a6ff:fecc:950c", Some(38_080));
    }

    #[test]
    fn an_entry_set_by_hand_has_no_age() {
        let mut permanent = REACHABLE.to_vec();
        permanent[8] = 0x80;
        check(&permanent, "198.51.100.2", None);
    }

    #[test]
    fn leaves_out_what_the_kernel_made_for_itself() {
        assert_eq!(neighbour(LOOPBACK), None);
        assert_eq!(neighbour(MULTICAST), None);
        let mut broadcast = REACHABLE.to_vec();
        broadcast[11] = 3;
        assert_eq!(neighbour(&broadcast), None);
    }

    #[test]
    fn own_addresses_with_their_broadcast() {
        // Linux 6.18: 127.0.0.1/8 of lo without, 198.51.100.1/24 with a broadcast.
        let loopback = b"\x02\x08\x80\xfe\x01\0\0\0\
            \x08\0\x01\0\x7f\0\0\x01\x08\0\x02\0\x7f\0\0\x01\x07\0\x03\0lo\0\0";
        let expected = OwnAddress {
            address: [127, 0, 0, 1].into(),
            broadcast: None,
        };
        assert_eq!(own_address(loopback), Some(expected));
        let ethernet = b"\x02\x18\x80\0\x02\0\0\0\
            \x08\0\x01\0\xc6\x33\x64\x01\x08\0\x02\0\xc6\x33\x64\x01\x08\0\x04\0\xc6\x33\x64\xff";
        let expected = OwnAddress {
            address: [198, 51, 100, 1].into(),
            broadcast: Some([198, 51, 100, 255].into()),
        };
        assert_eq!(own_address(ethernet), Some(expected));
    }

    #[test]
    fn own_side_of_a_point_to_point_interface() {
        let tunnel = b"\x02\x20\x80\0\x05\0\0\0\
            \x08\0\x01\0\x0a\x08\0\x01\x08\0\x02\0\x0a\x08\0\x02";
        let expected = OwnAddress {
            address: [10, 8, 0, 2].into(),
            broadcast: None,
        };
        assert_eq!(own_address(tunnel), Some(expected));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = neighbour(&bytes);
            let _ = own_address(&bytes);
        }
    }
}

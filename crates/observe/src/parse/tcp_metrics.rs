//! What TCP keeps of a remote address for its next connection (include/uapi/linux/tcp_metrics.h,
//! net/ipv4/tcp_metrics.c). Asked over generic netlink (include/uapi/linux/genetlink.h).

use std::net::IpAddr;
use std::time::Duration;

use super::attributes::{attributes, u64_at};
use super::generic_netlink::HEADER;

const TCP_METRICS_CMD_GET: u8 = 1;
const TCP_METRICS_ATTR_ADDR_IPV4: u16 = 1;
const TCP_METRICS_ATTR_ADDR_IPV6: u16 = 2;
const TCP_METRICS_ATTR_AGE: u16 = 3;

/// What its family is called.
pub(crate) const FAMILY: &str = "tcp_metrics";
/// Asks for everything that TCP keeps. Its message type is the family's number.
pub(crate) const TABLE_QUESTION: [u8; HEADER] = [TCP_METRICS_CMD_GET, 1, 0, 0];

/// A remote address that TCP remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Metrics {
    pub(crate) remote: IpAddr,
    /// Since a connection with it last ended in good order, sleep not counted; since one began,
    /// where the entry had been unused for an hour.
    pub(crate) age: Option<Duration>,
}

/// Reads one entry of the table; `None` when it names no address.
pub(crate) fn metrics(entry: &[u8]) -> Option<Metrics> {
    let mut remote = None;
    let mut age = None;
    for (kind, value) in attributes(entry.get(HEADER..)?) {
        match kind {
            TCP_METRICS_ATTR_ADDR_IPV4 | TCP_METRICS_ATTR_ADDR_IPV6 => remote = address(value),
            TCP_METRICS_ATTR_AGE => age = u64_at(value, 0).map(Duration::from_millis),
            _ => {}
        }
    }
    Some(Metrics {
        remote: remote?,
        age,
    })
}

/// An address in network byte order; IPv4-mapped becomes IPv4.
pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(bytes));
    }
    let bytes = <[u8; 16]>::try_from(bytes).ok()?;
    Some(IpAddr::from(bytes).to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Linux 6.18: one IPv4 entry.
    const IPV4: &[u8] = b"\x01\x01\0\0\
        \x08\0\x01\0\xc6\x33\x64\x02\
        \x08\0\x0b\0\xc6\x33\x64\x01\
        \x0c\0\x03\0\xcc\x03\0\0\0\0\0\0\
        \x2c\0\x06\0\x08\0\x06\0\xfb\x04\0\0\x08\0\x01\0\x01\0\0\0\
        \x08\0\x07\0\xb7\x01\0\0\x08\0\x02\0\x01\0\0\0\x08\0\x04\0\x0c\0\0\0";

    /// Linux 6.18: the address and age of one IPv6 entry.
    const IPV6: &[u8] = b"\x01\x01\0\0\
        \x14\0\x02\0\x20\x01\x0d\xb8\0\x51\0\0\0\0\0\0\0\0\0\x02\
        \x14\0\x0c\0\x20\x01\x0d\xb8\0\x51\0\0\0\0\0\0\0\0\0\x01\
        \x0c\0\x03\0\xa0\x02\0\0\0\0\0\0";

    fn check(entry: &[u8], remote: &str, age_ms: u64) {
        let expected = Metrics {
            remote: remote.parse().unwrap(),
            age: Some(Duration::from_millis(age_ms)),
        };
        assert_eq!(metrics(entry), Some(expected));
    }

    #[test]
    fn reads_both_families_of_addresses() {
        check(IPV4, "198.51.100.2", 972);
        check(IPV6, "2001:db8:51::2", 672);
    }

    #[test]
    fn an_entry_without_address_is_none() {
        assert_eq!(metrics(b"\x01\x01\0\0\x06\0\x01\0\xc6\x33\0\0"), None);
        assert_eq!(metrics(b""), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = metrics(&bytes);
        }
    }
}

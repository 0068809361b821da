//! The table of neighbours that the IP helper of Windows gives, for both families
//! (`GetIpNetTable2`; `MIB_IPNET_TABLE2` and `MIB_IPNET_ROW2` of `netioapi.h`, `SOCKADDR_INET` of
//! `ws2ipdef.h`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where the rows begin, behind their number: a row holds a number of 64 bits.
pub(crate) const HEAD: usize = 8;
/// Of one row.
pub(crate) const ROW: usize = 88;
/// Families, as Windows numbers them.
const AF_INET: u16 = 2;
const AF_INET6: u16 = 23;
/// An entry that somebody set by hand, or that Windows made for itself (`NlnsPermanent`).
const PERMANENT: u32 = 6;

/// How many rows the table says it has.
pub(crate) fn count(head: [u8; 4]) -> usize {
    usize::try_from(u32::from_ne_bytes(head)).unwrap_or(0)
}

/// Addresses on the local network that this computer sent to, or that asked for it.
pub(crate) fn neighbours(rows: &[u8]) -> impl Iterator<Item = IpAddr> {
    rows.chunks_exact(ROW).filter_map(neighbour)
}

/// `None`: it is none that was learned.
fn neighbour(row: &[u8]) -> Option<IpAddr> {
    let family = u16::from_ne_bytes(*row.first_chunk()?);
    let ip: IpAddr = match family {
        AF_INET => Ipv4Addr::from(*row.get(4..)?.first_chunk::<4>()?).into(),
        AF_INET6 => Ipv6Addr::from(*row.get(8..)?.first_chunk::<16>()?).into(),
        _ => return None,
    };
    let state = u32::from_ne_bytes(*row.get(76..)?.first_chunk()?);
    let is_one = match ip {
        IpAddr::V4(ip) => !ip.is_broadcast(),
        IpAddr::V6(_) => true,
    };
    (state != PERMANENT
        && is_one
        && !ip.is_unspecified()
        && !ip.is_multicast()
        && !ip.is_loopback())
    .then_some(ip)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(family: u16, address: &[u8], state: u32) -> Vec<u8> {
        let mut row = vec![0; ROW];
        let at = if family == AF_INET { 4 } else { 8 };
        row[..2].copy_from_slice(&family.to_ne_bytes());
        row[at..at + address.len()].copy_from_slice(address);
        row[76..80].copy_from_slice(&state.to_ne_bytes());
        row
    }

    #[test]
    fn neighbours_are_those_that_were_learned() {
        let six: Ipv6Addr = "fe80::1".parse().unwrap();
        let rows = [
            row(AF_INET, &[192, 168, 0, 7], 5),
            row(AF_INET, &[192, 168, 0, 255], PERMANENT),
            row(AF_INET, &[224, 0, 0, 22], 4),
            row(AF_INET, &[255, 255, 255, 255], 4),
            row(AF_INET6, &six.octets(), 4),
            row(7, &[1, 2, 3, 4], 4),
        ]
        .concat();
        let table = [&6_u32.to_ne_bytes()[..], &[0; 4], &rows].concat();
        assert_eq!(count(*table.first_chunk().unwrap()), 6);
        let found: Vec<_> = neighbours(&table[HEAD..])
            .map(|ip| ip.to_string())
            .collect();
        assert_eq!(found, ["192.168.0.7", "fe80::1"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            prop_assert!(neighbours(&bytes).count() <= bytes.len() / ROW);
        }
    }
}

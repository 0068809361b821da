//! Interfaces and their addresses, as rtnetlink(7) tells of them (`struct ifinfomsg`, `struct
//! ifaddrmsg`).

use std::net::IpAddr;

use super::attributes::{attributes, u16_at, u32_at};

const LINK: usize = 16;
const IFLA_IFNAME: u16 = 3;
const ADDRESS: usize = 8;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    /// ARPHRD_...
    pub(crate) kind: u16,
    /// Never empty.
    pub(crate) name: Vec<u8>,
}

/// The body of an RTM_NEWLINK.
pub(crate) fn link(body: &[u8]) -> Option<Link> {
    let kind = u16_at(body, 2)?;
    let index = u32_at(body, 4).filter(|index| *index != 0)?;
    let mut names = attributes(body.get(LINK..)?).filter(|(kind, _)| *kind == IFLA_IFNAME);
    let name = names.next()?.1.split(|byte| *byte == 0).next()?;
    (!name.is_empty()).then(|| Link {
        index,
        kind,
        name: name.to_vec(),
    })
}

/// The body of an RTM_NEWADDR: the interface, its address and the length of the prefix.
pub(crate) fn address(body: &[u8]) -> Option<(u32, (IpAddr, u8))> {
    let prefix = *body.get(1)?;
    let index = u32_at(body, 4).filter(|index| *index != 0)?;
    let mut address = None;
    for (kind, value) in attributes(body.get(ADDRESS..)?) {
        // Where two computers are tied together, IFA_ADDRESS is the other one.
        if kind == IFA_LOCAL || (kind == IFA_ADDRESS && address.is_none()) {
            address = ip(value).or(address);
        }
    }
    let address = address?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    Some((index, (address, prefix.min(longest))))
}

fn ip(value: &[u8]) -> Option<IpAddr> {
    let of_4 = || Some(IpAddr::from(<[u8; 4]>::try_from(value).ok()?));
    let of_6 = || Some(IpAddr::from(<[u8; 16]>::try_from(value).ok()?));
    of_4().or_else(of_6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = u16::try_from(4 + value.len())
            .unwrap()
            .to_ne_bytes()
            .to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn reads_an_interface() {
        let mut body = vec![0; LINK];
        body[2..4].copy_from_slice(&772_u16.to_ne_bytes());
        body[4..8].copy_from_slice(&1_u32.to_ne_bytes());
        body.extend(attribute(IFLA_IFNAME, b"lo\0"));
        let found = link(&body).unwrap();
        assert_eq!((found.index, found.kind), (1, 772));
        assert_eq!(found.name, b"lo");
        body.truncate(LINK);
        body.extend(attribute(IFLA_IFNAME, b"\0"));
        assert_eq!(link(&body), None);
    }

    #[test]
    fn the_own_address_is_taken_not_that_of_the_other_end() {
        let mut body = vec![2, 40, 0, 0];
        body.extend(3_u32.to_ne_bytes());
        body.extend(attribute(IFA_ADDRESS, &[10, 0, 0, 2]));
        let other = IpAddr::from([10, 0, 0, 2]);
        assert_eq!(address(&body), Some((3, (other, 32))));
        let local = attribute(IFA_LOCAL, &[10, 0, 0, 1]);
        let own = IpAddr::from([10, 0, 0, 1]);
        let both = [&body[..], &local].concat();
        assert_eq!(address(&both), Some((3, (own, 32))));
    }

    proptest! {
        #[test]
        fn never_panics(body: Vec<u8>) {
            let _ = link(&body);
            if let Some((_, (ip, prefix))) = address(&body) {
                let longest = if ip.is_ipv4() { 32 } else { 128 };
                prop_assert!(prefix <= longest);
            }
        }
    }
}

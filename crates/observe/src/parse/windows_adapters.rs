//! The network interfaces of Windows, as `GetAdaptersAddresses` gives them.
//!
//! Layouts: `IP_ADAPTER_ADDRESSES_LH` and `IP_ADAPTER_UNICAST_ADDRESS_LH` (iptypes.h) of a 64-bit Windows,
//! lists whose members lead to the next one; `sockaddr_in`, `sockaddr_in6`.

use std::net::IpAddr;

use model::{InterfaceAddress, SystemInterface};

use super::windows_memory::{Memory, address, array, number};

const MOST_INTERFACES: usize = 4_096;
const MOST_ADDRESSES: usize = 4_096;
/// The longest name, in units of UTF-16.
const LONGEST_NAME: usize = 256;
/// Both lists lead on from here.
const NEXT: usize = 8;

/// All of them in their order. A list that leads back to itself ends some time.
pub(crate) fn interfaces(memory: Memory<'_>) -> Vec<SystemInterface> {
    let adapters = list(memory, memory.base).take(MOST_INTERFACES);
    let mut left = MOST_ADDRESSES;
    let one = |adapter| interface(memory, adapter, &mut left);
    adapters.filter_map(one).collect()
}

/// The members of a list, from the first one's address.
fn list(memory: Memory<'_>, first: u64) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(memory.at(first), move |it| memory.at(address(it, NEXT)?))
}

fn interface(memory: Memory<'_>, adapter: &[u8], left: &mut usize) -> Option<SystemInterface> {
    const FIRST_ADDRESS: usize = 24;
    const NAME: usize = 72;
    const HARDWARE: usize = 80;
    /// `IfOperStatusUp`, `IfOperStatusDown`, `IfOperStatusLowerLayerDown`.
    const UP: u32 = 1;
    const DOWN: u32 = 2;
    const NOTHING_BELOW: u32 = 7;

    let hardware: [u8; 8] = array(adapter, HARDWARE)?;
    let length = usize::try_from(number(adapter, 88)?).ok()?;
    let (mtu, kind, status) = (
        number(adapter, 96)?,
        number(adapter, 100)?,
        number(adapter, 104)?,
    );
    let index = match number(adapter, 4)? {
        // Without IPv4 it has only the number that IPv6 knows it by.
        0 => number(adapter, 108)?,
        index => index,
    };
    let found: Vec<_> = list(memory, address(adapter, FIRST_ADDRESS)?)
        .take(*left)
        .filter_map(|it| unicast(memory, it))
        .collect();
    *left = left.saturating_sub(found.len());
    Some(SystemInterface {
        index,
        name: memory
            .text(address(adapter, NAME)?, LONGEST_NAME)
            .unwrap_or_default(),
        kind: kind_of(kind).map(Into::into),
        hardware_type: hardware_type(kind),
        // A pulled cable is "down" too, but an interface that is switched off is not in the list.
        is_up: matches!(status, UP | DOWN | NOTHING_BELOW),
        is_connected: status == UP,
        is_promiscuous: false,
        mtu: Some(mtu).filter(|mtu| *mtu != u32::MAX),
        hardware_address: hardware.get(..length).unwrap_or_default().to_vec(),
        permanent_address: None,
        master: None,
        addresses: found,
    })
}

fn unicast(memory: Memory<'_>, member: &[u8]) -> Option<InterfaceAddress> {
    const SOCKET_ADDRESS: usize = 16;
    const PREFIX: usize = 56;
    const IPV4: u16 = 2;
    const IPV6: u16 = 23;

    let socket = memory.at(address(member, SOCKET_ADDRESS)?)?;
    let address = match u16::from_le_bytes(array(socket, 0)?) {
        IPV4 => IpAddr::from(array::<4>(socket, 4)?),
        IPV6 => IpAddr::from(array::<16>(socket, 8)?),
        _ => return None,
    };
    Some(InterfaceAddress {
        address,
        prefix: member.get(PREFIX).copied()?,
        peer: None,
        broadcast: None,
    })
}

/// Of what is no hardware (IANA, ifType).
fn kind_of(kind: u32) -> Option<&'static str> {
    match kind {
        23 => Some("ppp"),
        53 => Some("virtual"),
        131 => Some("tunnel"),
        _ => None,
    }
}

/// The number that Linux has for an ifType of IANA: Ethernet, Wi-Fi, PPP, loopback, tunnel.
fn hardware_type(kind: u32) -> u16 {
    match kind {
        6 | 71 => 1,
        23 => 512,
        24 => 772,
        131 => 768,
        // ARPHRD_VOID: nothing is known.
        _ => 0xffff,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: u64 = 0x10_0000;

    /// One Ethernet interface at 0, its address at 200, that one's `sockaddr_in` at 300, its name at 400.
    fn piece(next: u64, next_address: u64) -> Vec<u8> {
        let mut piece = vec![0; 500];
        let mut put = |at: usize, bytes: &[u8]| {
            piece[at..at + bytes.len()].copy_from_slice(bytes);
        };
        put(4, &3_u32.to_le_bytes());
        put(8, &next.to_le_bytes());
        put(24, &(BASE + 200).to_le_bytes());
        put(72, &(BASE + 400).to_le_bytes());
        put(80, &[2, 0, 0, 0, 0, 9]);
        put(88, &6_u32.to_le_bytes());
        put(96, &1500_u32.to_le_bytes());
        put(100, &6_u32.to_le_bytes());
        put(104, &1_u32.to_le_bytes());
        put(208, &next_address.to_le_bytes());
        put(216, &(BASE + 300).to_le_bytes());
        put(256, &[24]);
        put(300, &[2, 0, 0, 0, 192, 0, 2, 7]);
        put(400, b"E\0t\0h\0\0\0");
        piece
    }

    fn read(bytes: &[u8]) -> Vec<SystemInterface> {
        interfaces(Memory { bytes, base: BASE })
    }

    #[test]
    fn an_interface_with_its_address() {
        let found = read(&piece(0, 0));
        let [it] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(
            (it.index, &*it.name.lossy(), it.mtu),
            (3, "Eth", Some(1500))
        );
        assert_eq!((it.hardware_type, it.is_connected), (1, true));
        assert_eq!(it.hardware_address, [2, 0, 0, 0, 0, 9]);
        let [address] = it.addresses.as_slice() else {
            panic!("{:?}", it.addresses);
        };
        assert_eq!(address.address, IpAddr::from([192, 0, 2, 7]));
        assert_eq!(address.prefix, 24);
    }

    #[test]
    fn a_list_that_leads_back_to_itself_ends() {
        let found = read(&piece(BASE, BASE + 200));
        assert_eq!(found.len(), MOST_INTERFACES);
        let addresses: usize = found.iter().map(|it| it.addresses.len()).sum();
        assert_eq!(addresses, MOST_ADDRESSES);
    }

    proptest! {
        #[test]
        fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600), base: u64) {
            let found = interfaces(Memory { bytes: &bytes, base });
            prop_assert!(found.len() <= MOST_INTERFACES);
        }
    }
}

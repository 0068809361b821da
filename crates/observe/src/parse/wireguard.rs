//! WireGuard tunnels in the kernel, as it tells of them over generic netlink
//! (include/uapi/linux/wireguard.h).
//!
//! Whoever may ask is also told the private key of the tunnel. It is not read.

use model::Endpoint;

use super::attributes::{attributes, be16_at, u16_at, u64_at};
use super::generic_netlink::{HEADER, question};

/// What its family is called, and the kind of its interfaces (IFLA_INFO_KIND).
pub(crate) const FAMILY: &str = "wireguard";
const WG_CMD_GET_DEVICE: u8 = 0;
const WGDEVICE_A_IFINDEX: u16 = 1;
const WGDEVICE_A_LISTEN_PORT: u16 = 6;
const WGDEVICE_A_PEERS: u16 = 8;
const WGPEER_A_ENDPOINT: u16 = 4;
const WGPEER_A_RX_BYTES: u16 = 7;
const WGPEER_A_TX_BYTES: u16 = 8;
/// include/linux/socket.h
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
/// So many peers of one tunnel are kept; a large server has some thousand.
const MOST_PEERS: usize = 4096;

/// Asks for the tunnel of an interface. The answer comes in several pieces where there are many peers.
pub(crate) fn device_question(index: u32) -> Vec<u8> {
    question(WG_CMD_GET_DEVICE, WGDEVICE_A_IFINDEX, &index.to_ne_bytes())
}

/// A tunnel, or a piece of what is told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Device {
    /// Its own port of UDP, on this computer. `None`: this piece does not say.
    pub(crate) port: Option<u16>,
    pub(crate) peers: Vec<Peer>,
}

/// Another end of a tunnel, where that is known: it may be whoever comes with the right key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) endpoint: Endpoint,
    /// Of all that went to it, and came from it, in bytes.
    pub(crate) sent: Option<u64>,
    pub(crate) received: Option<u64>,
}

/// One piece of the answer to [`device_question`].
pub(crate) fn device(answer: &[u8]) -> Option<Device> {
    let mut device = Device::default();
    for (kind, value) in attributes(answer.get(HEADER..)?) {
        match kind {
            WGDEVICE_A_LISTEN_PORT => device.port = u16_at(value, 0).filter(|port| *port != 0),
            WGDEVICE_A_PEERS => {
                let peers = attributes(value).filter_map(|(_, peer)| self::peer(peer));
                device.peers.extend(peers.take(MOST_PEERS));
            }
            _ => {}
        }
    }
    Some(device)
}

/// `None`: nobody knows where it is.
fn peer(told: &[u8]) -> Option<Peer> {
    let (mut end, mut sent, mut received) = (None, None, None);
    for (kind, value) in attributes(told) {
        match kind {
            WGPEER_A_ENDPOINT => end = endpoint(value),
            WGPEER_A_RX_BYTES => received = u64_at(value, 0),
            WGPEER_A_TX_BYTES => sent = u64_at(value, 0),
            _ => {}
        }
    }
    Some(Peer {
        endpoint: end?,
        sent,
        received,
    })
}

/// `struct sockaddr_in` or `struct sockaddr_in6` (include/uapi/linux/in.h, in6.h). `None`: not set.
fn endpoint(value: &[u8]) -> Option<Endpoint> {
    let port = be16_at(value, 2).filter(|port| *port != 0)?;
    match u16_at(value, 0)? {
        AF_INET => {
            let bytes: &[u8; 4] = value.get(4..)?.first_chunk()?;
            Some(Endpoint::new((*bytes).into(), port))
        }
        AF_INET6 => {
            let bytes: &[u8; 16] = value.get(8..)?.first_chunk()?;
            Some(Endpoint::new((*bytes).into(), port))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use proptest::prelude::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn nested(kind: u16, parts: &[Vec<u8>]) -> Vec<u8> {
        // NLA_F_NESTED
        attribute(kind | 0x8000, &parts.concat())
    }

    fn address(end: &str) -> Vec<u8> {
        let end: SocketAddr = end.parse().unwrap();
        match end {
            SocketAddr::V4(end) => [
                &AF_INET.to_ne_bytes()[..],
                &end.port().to_be_bytes(),
                &end.ip().octets(),
                &[0; 8],
            ]
            .concat(),
            SocketAddr::V6(end) => [
                &AF_INET6.to_ne_bytes()[..],
                &end.port().to_be_bytes(),
                &[0; 4],
                &end.ip().octets(),
                &[0; 4],
            ]
            .concat(),
        }
    }

    /// All that the kernel tells of one, in its order (drivers/net/wireguard/netlink.c, get_peer).
    fn peer_of(end: &str, received: u64, sent: u64) -> Vec<u8> {
        let all = [
            attribute(1, &[1; 32]),
            attribute(2, &[2; 32]),
            attribute(6, &[0; 16]),
            attribute(5, &25_u16.to_ne_bytes()),
            attribute(8, &sent.to_ne_bytes()),
            attribute(7, &received.to_ne_bytes()),
            attribute(10, &1_u32.to_ne_bytes()),
            attribute(4, &address(end)),
            nested(9, &[nested(0, &[attribute(1, &AF_INET.to_ne_bytes())])]),
        ];
        nested(0, &all)
    }

    fn answer(parts: &[Vec<u8>]) -> Vec<u8> {
        [&[0, 1, 0, 0][..], &parts.concat()].concat()
    }

    #[test]
    fn a_tunnel_with_its_peers() {
        let told = answer(&[
            attribute(6, &51820_u16.to_ne_bytes()),
            attribute(7, &0_u32.to_ne_bytes()),
            attribute(1, &4_u32.to_ne_bytes()),
            attribute(2, b"wg0\0"),
            attribute(3, &[7; 32]),
            nested(
                8,
                &[
                    peer_of("198.51.100.7:51820", 1000, 2000),
                    // Nobody has come with its key yet.
                    nested(0, &[attribute(1, &[1; 32])]),
                    peer_of("[2001:db8::7]:4500", 1, 2),
                ],
            ),
        ]);
        let found = device(&told).unwrap();
        assert_eq!(found.port, Some(51820));
        let [one, other] = found.peers.as_slice() else {
            panic!("{found:?}");
        };
        let of = |end: &str| {
            let end: SocketAddr = end.parse().unwrap();
            Endpoint::new(end.ip(), end.port())
        };
        assert_eq!(one.endpoint, of("198.51.100.7:51820"));
        assert_eq!((one.received, one.sent), (Some(1000), Some(2000)));
        assert_eq!(other.endpoint, of("[2001:db8::7]:4500"));
    }

    #[test]
    fn a_piece_that_has_only_peers_and_one_that_is_down() {
        let piece = answer(&[nested(8, &[peer_of("198.51.100.7:51820", 1, 1)])]);
        let found = device(&piece).unwrap();
        assert_eq!((found.port, found.peers.len()), (None, 1));
        let down = answer(&[attribute(6, &0_u16.to_ne_bytes())]);
        assert_eq!(device(&down), Some(Device::default()));
        assert_eq!(device(&[0, 1]), None);
    }

    #[test]
    fn asks_for_one_interface() {
        let asked = device_question(4);
        assert_eq!(asked[..4], [0, 1, 0, 0]);
        let all: Vec<_> = attributes(&asked[4..]).collect();
        assert_eq!(all, [(1, &4_u32.to_ne_bytes()[..])]);
    }

    proptest! {
        #[test]
        fn never_panics(answer: Vec<u8>) {
            let _ = device(&answer);
        }

        #[test]
        fn never_more_than_a_bound(count in 0_usize..6000) {
            let all = vec![peer_of("198.51.100.7:1", 1, 1); count.min(300)];
            // A message is no longer than an attribute can be.
            let found = device(&answer(&[nested(8, &all)])).unwrap();
            prop_assert!(found.peers.len() <= MOST_PEERS);
        }
    }
}

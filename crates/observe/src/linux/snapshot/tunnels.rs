//! Which sockets of the kernel are those of its WireGuard tunnels, and with whom these talk. Such a socket
//! is never connected: what it exchanges with one peer stands beside it.

use std::collections::BTreeSet;

use model::{Gap, Protocol, Socket, Source, Text, WhyUnknown};

use super::collection::Collection;
use crate::linux::namespaces::Namespaces;
use crate::linux::wireguard::{Tunnel, tunnels};
use crate::parse::wireguard::{Device, Peer};

impl Collection {
    /// Asks only where the kernel may have such a socket.
    pub(super) fn name_tunnels(&mut self, namespaces: &Namespaces) {
        let may_be = self.sockets.iter().filter(|socket| may_be_one(socket));
        let places: BTreeSet<_> = may_be.filter_map(|socket| socket.netns).collect();
        for netns in places {
            let Ok(Ok(tunnels)) = namespaces.inside(netns, tunnels) else {
                continue;
            };
            let here = |socket: &&mut Socket| socket.netns == Some(netns) && may_be_one(socket);
            let mut peers = Vec::new();
            for socket in self.sockets.iter_mut().filter(here) {
                if let Some((name, device)) = of_socket(socket, &tunnels) {
                    socket.why_unheld = WhyUnknown::WireGuard;
                    socket.interface = Some(name.clone());
                    let exchanges = device.into_iter().flat_map(|device| &device.peers);
                    peers.extend(exchanges.filter_map(|peer| with_peer(socket, peer)));
                }
            }
            self.sockets.extend(peers);
            let mut refused = tunnels.iter().filter_map(|it| it.device.as_ref().err());
            if let Some(error) = refused.next() {
                let same = |gap: &Gap| gap.id == NOT_ASKED;
                if !self.gaps.iter().any(same) {
                    self.gaps.push(not_asked(error));
                }
            }
        }
    }
}

/// Nobody holds it, and it can talk to anyone.
fn may_be_one(socket: &Socket) -> bool {
    socket.protocol == Protocol::Udp && socket.remote.is_none() && socket.holders.is_empty()
}

/// The tunnel that has the port of a socket. Where tunnels may not be asked for theirs: the only one, of a
/// socket that is the kernel's for certain.
fn of_socket<'a>(socket: &Socket, tunnels: &'a [Tunnel]) -> Option<(&'a Text, Option<&'a Device>)> {
    let port = socket.local.port?;
    let mut told = tunnels
        .iter()
        .filter_map(|it| Some((&it.name, it.device.as_ref().ok()?)));
    if let Some((name, device)) = told.find(|(_, device)| device.port == Some(port)) {
        return Some((name, Some(device)));
    }
    let [only] = tunnels else {
        return None;
    };
    let is_it = only.device.is_err() && socket.why_unheld == WhyUnknown::Kernel;
    is_it.then_some((&only.name, None))
}

/// What it exchanges with a peer. `None`: another socket of the tunnel does, that of the other version of
/// IP.
fn with_peer(socket: &Socket, peer: &Peer) -> Option<Socket> {
    let (own, other) = (socket.local.ip?, peer.endpoint.ip?);
    (own.is_ipv4() == other.is_ipv4()).then(|| Socket {
        remote: Some(peer.endpoint),
        bytes_sent: peer.sent,
        bytes_received: peer.received,
        ..socket.clone()
    })
}

const NOT_ASKED: &str = "wireguard_not_asked";

fn not_asked(error: &std::io::Error) -> Gap {
    Gap::standing(
        NOT_ASKED,
        Source::Netlink,
        format!("the kernel does not tell of its WireGuard tunnels: {error}"),
        "with whom WireGuard tunnels talk, and, of several, which socket is whose",
    )
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::SocketAddr;

    use model::{Endpoint, NetworkNamespace, SocketKey, State};

    use super::*;

    fn end(text: &str) -> Endpoint {
        let end: SocketAddr = text.parse().unwrap();
        Endpoint::new(end.ip(), end.port())
    }

    fn socket(local: &str, why: WhyUnknown) -> Socket {
        Socket {
            key: SocketKey {
                inode: None,
                cookie: Some(7),
            },
            protocol: Protocol::Udp,
            state: State::Open,
            local: end(local),
            remote: None,
            netns: Some(NetworkNamespace(1)),
            interface: None,
            uid: Some(0),
            bytes_sent: None,
            bytes_received: None,
            opened_here: None,
            only_ipv6: None,
            holders: Vec::new(),
            why_unheld: why,
        }
    }

    fn tunnel(name: &str, port: Option<u16>, peers: &[&str]) -> Tunnel {
        let peer = |text: &&str| Peer {
            endpoint: end(text),
            sent: Some(20),
            received: Some(10),
        };
        Tunnel {
            name: name.into(),
            device: port
                .map(|port| Device {
                    port: Some(port),
                    peers: peers.iter().map(peer).collect(),
                })
                .ok_or_else(|| io::Error::from(io::ErrorKind::PermissionDenied)),
        }
    }

    fn name(socket: &Socket, tunnels: &[Tunnel]) -> Option<String> {
        let (name, _) = of_socket(socket, tunnels)?;
        Some(name.lossy().into_owned())
    }

    #[test]
    fn a_socket_is_that_of_the_tunnel_with_its_port() {
        let tunnels = [
            tunnel("wg0", Some(51820), &[]),
            tunnel("wg1", Some(4500), &[]),
        ];
        let of = |local| name(&socket(local, WhyUnknown::NoHolder), &tunnels);
        assert_eq!(of("0.0.0.0:51820").as_deref(), Some("wg0"));
        assert_eq!(of("[::]:4500").as_deref(), Some("wg1"));
        assert_eq!(of("0.0.0.0:4789"), None);
    }

    #[test]
    fn without_rights_only_the_kernels_own_and_only_one_is_named() {
        let one = || tunnel("wg0", None, &[]);
        let own = socket("0.0.0.0:51820", WhyUnknown::Kernel);
        assert_eq!(name(&own, &[one()]).as_deref(), Some("wg0"));
        let unclear = socket("0.0.0.0:51820", WhyUnknown::NoRights);
        assert_eq!(name(&unclear, &[one()]), None);
        assert_eq!(name(&own, &[one(), tunnel("wg1", None, &[])]), None);
        assert_eq!(name(&own, &[]), None);
    }

    #[test]
    fn each_peer_stands_beside_the_socket_of_its_version() {
        let peers = ["198.51.100.7:51820", "[2001:db8::7]:51820"];
        let tunnel = tunnel("wg0", Some(51820), &peers);
        let device = tunnel.device.unwrap();
        for (local, expected) in [("0.0.0.0:51820", peers[0]), ("[::]:51820", peers[1])] {
            let own = socket(local, WhyUnknown::WireGuard);
            let found: Vec<_> = device
                .peers
                .iter()
                .filter_map(|peer| with_peer(&own, peer))
                .collect();
            let [found] = found.as_slice() else {
                panic!("{found:?}");
            };
            assert_eq!(found.remote, Some(end(expected)));
            assert_eq!(
                (found.bytes_sent, found.bytes_received),
                (Some(20), Some(10))
            );
            assert_eq!(found.why_unheld, WhyUnknown::WireGuard);
        }
    }

    #[test]
    fn a_socket_of_a_program_is_none() {
        let mut held = socket("0.0.0.0:51820", WhyUnknown::NoHolder);
        assert!(may_be_one(&held));
        held.remote = Some(end("198.51.100.7:1"));
        assert!(!may_be_one(&held));
        held.remote = None;
        held.protocol = Protocol::Tcp;
        assert!(!may_be_one(&held));
    }
}

//! UDP: sockets by who has them and by their own end, and those they talk to.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{Endpoint, EventKind, Look, Observed, Protocol};

use super::{Done, Sum, cookie};
use crate::parse::etw_kernel_network::Deed;
use crate::stamp::Stamp;

/// So many of those that are talked to are followed.
const MOST_PEERS: usize = 65_536;
/// And so many sockets.
const MOST_SOCKETS: usize = 65_536;

#[derive(Debug, Default)]
pub(super) struct Datagrams {
    /// By the number of their process and their own end.
    sockets: HashMap<(u32, Endpoint), Socket>,
    peers: HashMap<(u64, Endpoint), Peer>,
    /// Datagrams of those for which there was no room.
    pub(super) left_out: u64,
}

#[derive(Clone, Copy, Debug)]
struct Socket {
    cookie: u64,
    /// The table of Windows had it.
    was_seen: bool,
    used: u64,
}

#[derive(Debug, Default)]
struct Peer {
    bytes: [u64; 2],
    packets: [u64; 2],
    has_changed: bool,
}

impl Peer {
    fn sum(&self, cookie: u64, remote: Endpoint) -> Sum {
        Sum {
            cookie,
            remote: Some(remote),
            bytes: self.bytes,
            packets: Some(self.packets),
        }
    }
}

impl Datagrams {
    pub(super) fn tell(&mut self, done: &Done, stamp: &mut Stamp, seen: &mut Vec<Observed>) {
        let is_sent = match done.deed {
            Deed::Send => true,
            Deed::Receive => false,
            Deed::Connect
            | Deed::Disconnect
            | Deed::Retransmit
            | Deed::Accept
            | Deed::Reconnect
            | Deed::Copy => return,
        };
        let Some(cookie) = self.socket(done) else {
            self.left_out += 1;
            return;
        };
        let place = (cookie, done.remote);
        if !self.peers.contains_key(&place) {
            if self.peers.len() >= MOST_PEERS {
                self.left_out += 1;
                return;
            }
            let kind = if is_sent {
                EventKind::FirstPacket
            } else {
                EventKind::Accepted
            };
            let event = done.event(kind, Protocol::Udp, cookie, stamp);
            stamp.tell(event, seen);
        }
        let peer = self.peers.entry(place).or_default();
        let ([sent, received], [packets_sent, packets_received]) =
            (&mut peer.bytes, &mut peer.packets);
        let (bytes, packets) = if is_sent {
            (sent, packets_sent)
        } else {
            (received, packets_received)
        };
        *bytes = bytes.saturating_add(done.size);
        *packets = packets.saturating_add(1);
        peer.has_changed = true;
    }

    /// The number of the socket that did it. `None`: there is no room for another one.
    fn socket(&mut self, done: &Done) -> Option<u64> {
        let place = self.place(done).unwrap_or((done.pid, done.local));
        if !self.sockets.contains_key(&place) && self.sockets.len() >= MOST_SOCKETS {
            return None;
        }
        let socket = self.sockets.entry(place).or_insert_with(|| Socket {
            cookie: cookie(Protocol::Udp, done),
            was_seen: false,
            used: done.time,
        });
        socket.used = socket.used.max(done.time);
        Some(socket.cookie)
    }

    /// Under what a socket is known that may have done it: its own address is often none, or one of IPv6
    /// that serves IPv4 as well, and what is said to a group does not have it.
    fn place(&self, done: &Done) -> Option<(u32, Endpoint)> {
        let (ip, port) = (done.local.ip?, done.local.port?);
        let none6 = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let none = if ip.is_ipv4() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        } else {
            none6
        };
        let places = [ip, none, none6].map(|ip| (done.pid, Endpoint::new(ip, port)));
        let known = places.into_iter().find(|it| self.sockets.contains_key(it));
        if known.is_some() || !is_of_group(ip) {
            return known;
        }
        let mut same: Vec<_> = self
            .sockets
            .keys()
            .filter(|(pid, own)| {
                let family = own.ip.is_some_and(|own| own.is_ipv4() == ip.is_ipv4());
                *pid == done.pid && own.port == Some(port) && family
            })
            .collect();
        same.sort_unstable();
        same.first().map(|place| **place)
    }

    /// Gives the sockets of a look their numbers. Gives what those have counted that it no longer has.
    pub(super) fn name(&mut self, began: u64, look: &mut Look) -> Vec<Sum> {
        let mut there = HashSet::new();
        for socket in &mut look.sockets {
            let holder = socket.holders.first().map(|holder| holder.process.pid);
            let (Protocol::Udp, Some(pid), Some(own)) =
                (socket.protocol, holder, socket.key.cookie)
            else {
                continue;
            };
            let place = (pid, socket.local);
            if !self.sockets.contains_key(&place) {
                let met = self.met(place).unwrap_or(Socket {
                    cookie: own,
                    was_seen: false,
                    used: began,
                });
                if self.sockets.len() >= MOST_SOCKETS {
                    continue;
                }
                self.sockets.insert(place, met);
            }
            if let Some(known) = self.sockets.get_mut(&place) {
                known.was_seen = true;
                socket.key.cookie = Some(known.cookie);
                there.insert(place);
            }
        }
        let mut gone = HashSet::new();
        self.sockets.retain(|place, socket| {
            let stays = there.contains(place) || socket.used > began;
            if !stays {
                gone.insert(socket.cookie);
            }
            stays
        });
        let mut last = Vec::new();
        self.peers.retain(|(cookie, remote), peer| {
            let is_gone = gone.contains(cookie);
            if is_gone {
                last.push(peer.sum(*cookie, *remote));
            }
            !is_gone
        });
        last.sort_by_key(|it| (it.cookie, it.remote));
        last
    }

    /// Takes out the socket that events told of under the address it used, before its own was known.
    fn met(&mut self, (pid, own): (u32, Endpoint)) -> Option<Socket> {
        if !own.ip?.is_unspecified() {
            return None;
        }
        let is_ipv6 = own.ip?.is_ipv6();
        let mut same: Vec<_> = self
            .sockets
            .iter()
            .filter(|((other, used), socket)| {
                let family = used.ip.is_some_and(|ip| is_ipv6 || ip.is_ipv4());
                *other == pid && used.port == own.port && !socket.was_seen && family
            })
            .map(|(place, _)| *place)
            .collect();
        same.sort_unstable();
        self.sockets.remove(same.first()?)
    }

    pub(super) fn changed(&mut self) -> Vec<Sum> {
        let changed = self.peers.iter_mut().filter(|(_, it)| it.has_changed);
        let mut sums: Vec<_> = changed
            .map(|((cookie, remote), peer)| {
                peer.has_changed = false;
                peer.sum(*cookie, *remote)
            })
            .collect();
        sums.sort_by_key(|it| (it.cookie, it.remote));
        sums
    }
}

fn is_of_group(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_multicast() || ip.octets().last() == Some(&255),
        IpAddr::V6(ip) => ip.is_multicast(),
    }
}

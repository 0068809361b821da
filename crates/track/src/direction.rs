//! Which side opened a connection.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use model::{Direction, NetworkNamespace, Protocol, Socket, State};

/// Which side opened each of `sockets`, which are all of this computer.
pub(crate) fn directions(sockets: &[Socket]) -> Vec<Direction> {
    let listeners = Listeners::among(sockets);
    sockets
        .iter()
        .map(|socket| listeners.direction(socket))
        .collect()
}

/// Of a socket that has no remote side and is not a listener of connections.
pub(crate) fn of_unconnected(protocol: Protocol) -> Direction {
    match protocol {
        Protocol::Udp | Protocol::UdpLite => Direction::Listening,
        Protocol::Tcp
        | Protocol::Mptcp
        | Protocol::Sctp
        | Protocol::Dccp
        | Protocol::Icmp(_)
        | Protocol::Raw { .. }
        | Protocol::Packet { .. }
        | Protocol::Other(_) => Direction::Unknown,
    }
}

/// Where this computer waits for calls, and which addresses are its own.
#[derive(Debug)]
struct Listeners<'a> {
    /// Addresses listened on, by namespace and port.
    listening: HashMap<(Option<NetworkNamespace>, u16), Vec<IpAddr>>,
    /// Made when it is first needed; most connections say themselves who opened them.
    own: OnceCell<HashSet<(Option<NetworkNamespace>, IpAddr)>>,
    sockets: &'a [Socket],
}

impl<'a> Listeners<'a> {
    fn among(sockets: &'a [Socket]) -> Self {
        let mut listening = HashMap::<_, Vec<IpAddr>>::new();
        for socket in sockets
            .iter()
            .filter(|socket| socket.state == State::Listen)
        {
            if let (Some(ip), Some(port)) = (socket.local.ip, socket.local.port) {
                listening.entry((socket.netns, port)).or_default().push(ip);
            }
        }
        Self {
            listening,
            own: OnceCell::new(),
            sockets,
        }
    }

    /// What the kernel tells comes first, then whether somebody listens at the local end.
    fn direction(&self, socket: &Socket) -> Direction {
        if socket.state == State::Listen {
            return Direction::Listening;
        }
        let Some(remote) = socket.remote else {
            return of_unconnected(socket.protocol);
        };
        match (socket.opened_here, socket.state) {
            (Some(true), _) | (None, State::SynSent) => Direction::Outbound,
            (Some(false), _) | (None, State::SynReceived) => Direction::Inbound,
            (None, _) if socket.protocol.has_connections() && self.is_listening_at(socket) => {
                Direction::Inbound
            }
            (None, _) if remote.ip.is_some_and(|ip| self.is_own(socket.netns, ip)) => {
                Direction::Local
            }
            (None, _) => Direction::Unknown,
        }
    }

    fn is_listening_at(&self, socket: &Socket) -> bool {
        let (Some(ip), Some(port)) = (socket.local.ip, socket.local.port) else {
            return false;
        };
        self.listening
            .get(&(socket.netns, port))
            .is_some_and(|addresses| {
                // `::` takes IPv4 calls as well, unless told not to.
                addresses.iter().any(|listening| {
                    *listening == ip
                        || listening.is_unspecified() && (listening.is_ipv6() || ip.is_ipv4())
                })
            })
    }

    fn is_own(&self, netns: Option<NetworkNamespace>, ip: IpAddr) -> bool {
        let addresses = || {
            let sockets = self.sockets.iter();
            sockets
                .filter_map(|socket| Some((socket.netns, socket.local.ip?)))
                .collect()
        };
        ip.is_loopback() || self.own.get_or_init(addresses).contains(&(netns, ip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Endpoint, SocketKey, WhyUnknown};

    fn socket(
        state: State,
        local: &str,
        remote: Option<&str>,
        opened_here: Option<bool>,
    ) -> Socket {
        let endpoint = |text: &str| {
            let address: std::net::SocketAddr = text.parse().unwrap();
            Endpoint::new(address.ip(), address.port())
        };
        Socket {
            key: SocketKey {
                inode: None,
                cookie: None,
            },
            protocol: Protocol::Tcp,
            state,
            local: endpoint(local),
            remote: remote.map(endpoint),
            netns: None,
            interface: None,
            uid: None,
            bytes_sent: None,
            bytes_received: None,
            opened_here,
            only_ipv6: None,
            holders: Vec::new(),
            why_unheld: WhyUnknown::NoHolder,
        }
    }

    fn check(local: &str, remote: &str, opened_here: Option<bool>, expected: Direction) {
        let seen = socket(State::Established, local, Some(remote), opened_here);
        let sockets = [socket(State::Listen, "[::]:80", None, None), seen.clone()];
        assert_eq!(directions(&sockets), [Direction::Listening, expected]);
    }

    #[test]
    fn an_accepted_connection_is_inbound() {
        check("192.0.2.7:80", "203.0.113.9:5000", None, Direction::Inbound);
        check(
            "192.0.2.7:80",
            "203.0.113.9:5000",
            Some(false),
            Direction::Inbound,
        );
    }

    #[test]
    fn the_kernel_knows_better_than_the_port() {
        check(
            "192.0.2.7:80",
            "203.0.113.9:5000",
            Some(true),
            Direction::Outbound,
        );
    }

    #[test]
    fn no_guess_from_port_numbers() {
        check(
            "192.0.2.7:40512",
            "203.0.113.9:443",
            None,
            Direction::Unknown,
        );
        check(
            "192.0.2.7:40512",
            "203.0.113.9:443",
            Some(true),
            Direction::Outbound,
        );
    }

    #[test]
    fn both_ends_here() {
        check("127.0.0.1:40512", "127.0.0.1:443", None, Direction::Local);
        check(
            "127.0.0.1:40512",
            "127.0.0.1:443",
            Some(true),
            Direction::Outbound,
        );
    }
}

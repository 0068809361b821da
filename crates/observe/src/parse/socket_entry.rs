//! One entry of a socket table, whichever source told it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{Endpoint, IcmpKind, Protocol, Socket, SocketKey, State, WhyUnknown};

/// One entry of a socket table. Its holders are found elsewhere, and so is its namespace where the
/// source tells none: it is that of the thread that asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SocketEntry {
    pub(crate) socket: Socket,
    /// Index of the interface it is bound to. `None`: any.
    pub(crate) interface: Option<u32>,
}

/// What a table says of a socket before it is understood: the kernel's own numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    /// SOCK_STREAM, SOCK_DGRAM, SOCK_RAW ...
    pub(crate) kind: u16,
    /// IPPROTO_ number.
    pub(crate) protocol: u16,
    /// TCP_ state number (include/net/tcp_states.h); other protocols use some of them.
    pub(crate) state: u8,
    pub(crate) local: IpAddr,
    pub(crate) remote: IpAddr,
    pub(crate) local_port: u16,
    pub(crate) remote_port: u16,
}

const SOCK_RAW: u16 = 3;
const IPPROTO_ICMP: u16 = 1;
const IPPROTO_TCP: u16 = 6;
const IPPROTO_UDP: u16 = 17;
const IPPROTO_DCCP: u16 = 33;
const IPPROTO_ICMPV6: u16 = 58;
const IPPROTO_SCTP: u16 = 132;
const IPPROTO_UDPLITE: u16 = 136;
const IPPROTO_MPTCP: u16 = 262;

impl Numbers {
    /// Protocol, state and both ends.
    pub(crate) fn read(self) -> (Protocol, State, Endpoint, Option<Endpoint>) {
        let protocol = self.protocol();
        let ends = |with_ports: bool| {
            if with_ports {
                let local = Endpoint::new(self.local, self.local_port);
                let called = !self.remote.is_unspecified() || self.remote_port != 0;
                (
                    local,
                    called.then(|| Endpoint::new(self.remote, self.remote_port)),
                )
            } else {
                let called = !self.remote.is_unspecified();
                (
                    Endpoint::without_port(self.local),
                    called.then(|| Endpoint::without_port(self.remote)),
                )
            }
        };
        match protocol {
            Protocol::Tcp | Protocol::Mptcp | Protocol::Sctp | Protocol::Dccp => {
                let (local, remote) = ends(true);
                let state = tcp_state(self.state);
                (
                    protocol,
                    state,
                    local,
                    remote.filter(|_| state != State::Listen),
                )
            }
            Protocol::Udp | Protocol::UdpLite => {
                let (local, remote) = ends(true);
                (protocol, State::Open, local, remote)
            }
            Protocol::Icmp(_)
            | Protocol::Raw { .. }
            | Protocol::Packet { .. }
            | Protocol::Other(_) => {
                let (local, remote) = ends(false);
                (protocol, State::Open, local, remote)
            }
        }
    }

    fn protocol(self) -> Protocol {
        if self.kind == SOCK_RAW {
            return Protocol::Raw {
                ip_protocol: u8::try_from(self.protocol).unwrap_or(u8::MAX),
            };
        }
        match self.protocol {
            IPPROTO_TCP => Protocol::Tcp,
            IPPROTO_MPTCP => Protocol::Mptcp,
            IPPROTO_UDP => Protocol::Udp,
            IPPROTO_UDPLITE => Protocol::UdpLite,
            IPPROTO_SCTP => Protocol::Sctp,
            IPPROTO_DCCP => Protocol::Dccp,
            IPPROTO_ICMP | IPPROTO_ICMPV6 => Protocol::Icmp(IcmpKind {
                kind: None,
                code: None,
                id: Some(self.local_port),
            }),
            other => Protocol::Other(other),
        }
    }
}

impl SocketEntry {
    /// An entry with nothing but its numbers.
    pub(crate) fn of(numbers: Numbers) -> Self {
        let (protocol, state, local, remote) = numbers.read();
        let socket = Socket {
            key: SocketKey {
                inode: None,
                cookie: None,
            },
            protocol,
            state,
            local,
            remote,
            netns: None,
            interface: None,
            uid: None,
            bytes_sent: None,
            bytes_received: None,
            opened_here: None,
            only_ipv6: None,
            holders: Vec::new(),
            why_unheld: WhyUnknown::NoHolder,
        };
        Self {
            socket,
            interface: None,
        }
    }

    /// An entry for a packet socket, which has no addresses.
    pub(crate) fn packet(ethertype: u16) -> Self {
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let mut entry = Self::of(Numbers {
            kind: SOCK_RAW,
            protocol: 0,
            state: 0,
            local: nowhere,
            remote: nowhere,
            local_port: 0,
            remote_port: 0,
        });
        entry.socket.protocol = Protocol::Packet { ethertype };
        entry.socket.local = Endpoint::NONE;
        entry
    }
}

/// Whether the kernel keeps it in a table of its own, so that it counts as a connection or a
/// listener: not a TCP socket that was only created or is closed, nor an unbound one of UDP.
pub(crate) fn is_in_use(socket: &Socket) -> bool {
    match socket.protocol {
        Protocol::Tcp | Protocol::Mptcp | Protocol::Sctp | Protocol::Dccp => {
            socket.state != State::Closed
        }
        Protocol::Udp | Protocol::UdpLite => socket.local.port != Some(0),
        Protocol::Icmp(icmp) => icmp.id != Some(0),
        Protocol::Raw { .. } | Protocol::Packet { .. } | Protocol::Other(_) => true,
    }
}

/// include/net/tcp_states.h
fn tcp_state(number: u8) -> State {
    match number {
        1 => State::Established,
        2 => State::SynSent,
        // 12 is TCP_NEW_SYN_RECV, the same for the other side.
        3 | 12 => State::SynReceived,
        4 => State::FinWait1,
        5 => State::FinWait2,
        6 => State::TimeWait,
        // 13 is TCP_BOUND_INACTIVE: bound, and neither connected nor listening.
        7 | 13 => State::Closed,
        8 => State::CloseWait,
        9 => State::LastAck,
        10 => State::Listen,
        11 => State::Closing,
        _ => State::Unknown,
    }
}

/// An address of `family` (AF_INET, AF_INET6) out of 16 bytes in network order.
pub(crate) fn address(family: u16, bytes: [u8; 16]) -> IpAddr {
    if family == AF_INET6 {
        IpAddr::V6(Ipv6Addr::from(bytes))
    } else {
        let [first, second, third, fourth, ..] = bytes;
        IpAddr::V4(Ipv4Addr::new(first, second, third, fourth))
    }
}

pub(crate) const AF_INET6: u16 = 10;
pub(crate) const AF_PACKET: u16 = 17;

/// Payload received, as the kernel's count has it: the other side's FIN counts as a byte there.
pub(crate) fn received_payload(counted: u64, state: State) -> u64 {
    match state {
        State::CloseWait | State::LastAck | State::Closing => counted.saturating_sub(1),
        State::Listen
        | State::SynSent
        | State::SynReceived
        | State::Established
        | State::FinWait1
        | State::FinWait2
        | State::TimeWait
        | State::Closed
        | State::Open
        | State::Attempted
        | State::Failed
        | State::Unknown => counted,
    }
}

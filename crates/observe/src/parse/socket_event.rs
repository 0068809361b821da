//! The events of sockets that the programs of `linux/bpf/events.bpf.c` tell (`struct event`,
//! `linux/bpf/events.h`).

use model::{Endpoint, NetworkNamespace, Protocol};

use super::attributes::{u16_at, u32_at, u64_at};
use super::socket_entry::{AF_PACKET, Numbers, address};
use super::socket_record::AF_XDP;

const SIZE: usize = 128;
/// `struct said`: the event, where in the stream it is, how much follows.
const SEQUENCE: usize = SIZE;
const LENGTH: usize = SIZE + 4;
const BYTES: usize = SIZE + 8;

/// What happened to a socket, in the kernel's own numbers where they are only passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SocketEvent {
    /// Nanoseconds since boot, suspend included.
    pub(crate) time: u64,
    pub(crate) kind: SocketEventKind,
    pub(crate) flags: Flags,
    pub(crate) cookie: u64,
    /// `None`: it is the kernel's own, outside of our PID namespace, or not known.
    pub(crate) owner: Option<EventOwner>,
    pub(crate) netns: Option<NetworkNamespace>,
    pub(crate) protocol: Protocol,
    pub(crate) local: Option<Endpoint>,
    pub(crate) remote: Option<Endpoint>,
    /// How the table of peers names the remote end (`struct peer_key`).
    pub(crate) peer: PeerKey,
    /// errno(3); 0: none.
    pub(crate) error: u16,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) packets_sent: u32,
    pub(crate) packets_received: u32,
    pub(crate) more: More,
}

/// Cookie of the socket, address, port: as they lie in memory.
pub(crate) type PeerKey = [u64; 4];

/// The process an event names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventOwner {
    pub(crate) pid: u32,
    /// Nanoseconds since boot, suspend included.
    pub(crate) started: u64,
    pub(crate) thread: u32,
    pub(crate) uid: u32,
    name: [u8; 16],
}

impl EventOwner {
    pub(crate) fn name(&self) -> &[u8] {
        self.name
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default()
    }
}

/// `enum event_kind`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocketEventKind {
    Attempt,
    FirstPacket,
    Opened,
    Accepted,
    Listening,
    OwnerChanged,
    Error,
    Closed,
    Said,
    Route,
    Resolver,
    Counted,
}

/// What some kinds of event tell besides: `enum event_more`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    Nothing,
    /// Of `Listening`: it takes IPv4 as well as IPv6.
    BothVersions,
    /// Of `Listening`: it does not.
    OnlyIpv6,
    /// Of `OwnerChanged`: the new one sends from that time on.
    Sends,
    /// Of `OwnerChanged`, of TCP: the new one has written, and this is where in the stream.
    Wrote(u32),
    /// Of `OwnerChanged`, of TCP: this one is at it as well, and may be sending.
    MaySend,
    /// Of `Said`: by the other side; without it, by this computer.
    There,
}

/// `enum event_flags`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Flags(u16);

impl Flags {
    pub(crate) const BYTES: u16 = 1;
    pub(crate) const PACKETS: u16 = 2;
    pub(crate) const MORE_PEERS: u16 = 4;
    pub(crate) const SYN_SENT: u16 = 32;
    pub(crate) const ESTABLISHED: u16 = 64;
    pub(crate) const KERNEL: u16 = 8;
    pub(crate) const OUTSIDE: u16 = 16;
    pub(crate) const LISTENED: u16 = 128;
    pub(crate) const RECEIVED_FIN: u16 = 512;

    pub(crate) const fn of(bits: u16) -> Self {
        Self(bits)
    }

    pub(crate) fn has(self, flag: u16) -> bool {
        self.0 & flag != 0
    }
}

/// Reads one event; `None` when it is cut short or of a kind that we do not know.
pub(crate) fn socket_event(bytes: &[u8]) -> Option<SocketEvent> {
    let bytes: &[u8; SIZE] = bytes.first_chunk()?;
    let half = |offset| u16_at(bytes, offset);
    let word = |offset| u32_at(bytes, offset);
    let long = |offset| u64_at(bytes, offset);
    let kind = match half(64)? {
        1 => SocketEventKind::Attempt,
        2 => SocketEventKind::FirstPacket,
        3 => SocketEventKind::Opened,
        4 => SocketEventKind::Accepted,
        5 => SocketEventKind::Listening,
        6 => SocketEventKind::OwnerChanged,
        7 => SocketEventKind::Error,
        8 => SocketEventKind::Closed,
        9 => SocketEventKind::Said,
        10 => SocketEventKind::Route,
        11 => SocketEventKind::Resolver,
        15 => SocketEventKind::Counted,
        _ => return None,
    };
    let family = half(68)?;
    let (protocol, local, remote) = if matches!(family, AF_PACKET | AF_XDP) {
        let ethertype = u16::from_be(half(70)?);
        (Protocol::Packet { ethertype }, Some(Endpoint::NONE), None)
    } else {
        let octets = |offset: usize| bytes.get(offset..)?.first_chunk().copied();
        let numbers = Numbers {
            kind: u16::from(*bytes.get(74)?),
            protocol: half(70)?,
            state: 0,
            local: address(family, octets(80)?),
            remote: address(family, octets(96)?),
            local_port: half(76)?,
            remote_port: u16::from_be(half(78)?),
        };
        let (protocol, _, local, remote) = numbers.read();
        let is_told = !local.ip.is_some_and(|ip| ip.is_unspecified())
            || local.port.is_some_and(|port| port != 0);
        let is_told = is_told || kind == SocketEventKind::Listening;
        (protocol, Some(local).filter(|_| is_told), remote)
    };
    let pid = word(40)?;
    let mut flags = half(66)?;
    let is_program = pid != 0 && flags & Flags::KERNEL == 0;
    let owner = is_program.then_some(EventOwner {
        pid,
        started: long(16)?,
        thread: word(44)?,
        uid: word(52)?,
        name: *bytes.last_chunk()?,
    });
    if kind == SocketEventKind::Closed && protocol != Protocol::Tcp {
        flags |= Flags::BYTES;
    }
    let more = match (kind, bytes.get(75)?) {
        (SocketEventKind::Listening, 1) => More::BothVersions,
        (SocketEventKind::Listening, 2) => More::OnlyIpv6,
        (SocketEventKind::OwnerChanged, 3) => More::Sends,
        (SocketEventKind::Said, 5) => More::There,
        (SocketEventKind::OwnerChanged, 6) => More::Wrote(word(56)?),
        (SocketEventKind::OwnerChanged, 7) => More::MaySend,
        _ => More::Nothing,
    };
    Some(SocketEvent {
        time: long(0)?,
        kind,
        flags: Flags(flags),
        cookie: long(8)?,
        owner,
        netns: Some(word(48)?).filter(|it| *it != 0).map(NetworkNamespace),
        protocol,
        local,
        remote,
        peer: peer_key(bytes)?,
        error: half(72)?,
        bytes_sent: long(24)?,
        bytes_received: received(long(32)?, flags),
        packets_sent: word(56)?,
        packets_received: word(60)?,
        more,
    })
}

fn peer_key(bytes: &[u8; SIZE]) -> Option<PeerKey> {
    let &[first, second] = bytes.get(78..)?.first_chunk()?;
    let port = u64::from_ne_bytes([first, second, 0, 0, 0, 0, 0, 0]);
    Some([
        u64_at(bytes, 8)?,
        u64_at(bytes, 96)?,
        u64_at(bytes, 104)?,
        port,
    ])
}

/// What is behind an event of the kind `Said`: where it is in the stream, and what was said.
pub(crate) fn said(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let sequence = u32_at(bytes, SEQUENCE)?;
    let length = usize::try_from(u32_at(bytes, LENGTH)?).ok()?;
    Some((sequence, bytes.get(BYTES..)?.get(..length)?))
}

/// The kernel counts a FIN as a byte.
fn received(bytes: u64, flags: u16) -> u64 {
    bytes.saturating_sub(u64::from(flags & Flags::RECEIVED_FIN != 0))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn event(kind: u16, flags: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        for long in [1_000_u64, 77, 2_105_074_748, 512, 2049] {
            bytes.extend(long.to_ne_bytes());
        }
        for word in [4242_u32, 4243, 4_026_531_840, 1000, 3, 4] {
            bytes.extend(word.to_ne_bytes());
        }
        for half in [kind, flags, 2, 6, 111, 1, 40512] {
            bytes.extend(half.to_ne_bytes());
        }
        bytes.extend(443_u16.to_be_bytes());
        bytes.extend([192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([203, 0, 113, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(b"curl");
        bytes.resize(SIZE, 0);
        bytes
    }

    #[test]
    fn reads_the_end_of_a_connection() {
        let closed = socket_event(&event(8, Flags::BYTES | Flags::RECEIVED_FIN)).unwrap();
        assert_eq!(closed.kind, SocketEventKind::Closed);
        assert_eq!((closed.bytes_sent, closed.bytes_received), (512, 2048));
        assert_eq!((closed.cookie, closed.error), (77, 111));
        let owner = closed.owner.unwrap();
        assert_eq!((owner.pid, owner.thread, owner.uid), (4242, 4243, 1000));
        assert_eq!(owner.name(), b"curl");
        let remote = Endpoint::new([203, 0, 113, 9].into(), 443);
        assert_eq!(closed.remote, Some(remote));
    }

    #[test]
    fn a_socket_with_whole_frames_is_a_packet_socket() {
        for family in [AF_PACKET, AF_XDP] {
            let mut bytes = event(15, 0);
            bytes[68..70].copy_from_slice(&family.to_ne_bytes());
            let told = socket_event(&bytes).unwrap();
            assert!(matches!(told.protocol, Protocol::Packet { .. }));
            assert_eq!((told.local, told.remote), (Some(Endpoint::NONE), None));
        }
    }

    #[test]
    fn a_raw_socket_for_tcp_is_raw() {
        let mut bytes = event(5, 0);
        bytes[74..76].copy_from_slice(&3_u16.to_ne_bytes());
        let told = socket_event(&bytes).unwrap();
        assert_eq!(told.protocol, Protocol::Raw { ip_protocol: 6 });
        let remote = Endpoint::without_port([203, 0, 113, 9].into());
        assert_eq!(told.remote, Some(remote));
    }

    #[test]
    fn what_takes_ipv6_only_is_told_apart() {
        for (more, means) in [
            (0, More::Nothing),
            (1, More::BothVersions),
            (2, More::OnlyIpv6),
        ] {
            let mut bytes = event(5, 0);
            bytes[75] = more;
            let told = socket_event(&bytes).unwrap();
            assert_eq!((told.more, told.protocol), (means, Protocol::Tcp));
        }
    }

    #[test]
    fn a_new_owner_may_be_told_when_it_sends() {
        let mut bytes = event(6, 0);
        assert_eq!(socket_event(&bytes).unwrap().more, More::Nothing);
        bytes[75] = 3;
        assert_eq!(socket_event(&bytes).unwrap().more, More::Sends);
        bytes[75] = 6;
        assert_eq!(socket_event(&bytes).unwrap().more, More::Wrote(3));
        bytes[75] = 7;
        assert_eq!(socket_event(&bytes).unwrap().more, More::MaySend);
    }

    #[test]
    fn what_was_said_follows_its_event() {
        let mut bytes = event(9, 0);
        assert_eq!(socket_event(&bytes).unwrap().more, More::Nothing);
        bytes[75] = 5;
        assert_eq!(socket_event(&bytes).unwrap().more, More::There);
        bytes.extend(77_u32.to_ne_bytes());
        bytes.extend(3_u32.to_ne_bytes());
        bytes.extend(b"abcdef");
        assert_eq!(said(&bytes), Some((77, &b"abc"[..])));
        assert_eq!(said(&bytes[..BYTES + 2]), None);
        assert_eq!(said(&bytes[..SIZE]), None);
    }

    #[test]
    fn a_cut_event_is_none() {
        assert_eq!(socket_event(&event(8, 0)[..SIZE - 1]), None);
        assert_eq!(socket_event(&event(99, 0)), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = socket_event(&bytes);
            let _ = said(&bytes);
        }
    }
}

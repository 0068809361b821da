//! The records that the programs of `linux/bpf/sockets.bpf.c` write.

use model::{NetworkNamespace, SocketKey, WhyUnknown};

use super::attributes::{u16_at, u32_at, u64_at};
use super::socket_entry::{AF_INET6, AF_PACKET, Numbers, SocketEntry, address, received_payload};

const IDENTITY_SIZE: usize = 24;
const RECORD_SIZE: usize = 128;

const HELD: u32 = 1;
const UNHELD: u32 = 2;
const IDENTITY: u32 = 3;

const FLAG_BYTES: u32 = 1;
const FLAG_SIDE: u32 = 2;
const FLAG_ACTIVE: u32 = 4;
const FLAG_KERNEL: u32 = 8;
const FLAG_SOCKET: u32 = 16;
const FLAG_HALF_OPEN: u32 = 32;
const FLAG_ONLY_IPV6: u32 = 64;

/// A socket that shares whole frames with the driver of an interface. It is shown as what it does: a
/// packet socket.
pub(crate) const AF_XDP: u16 = 44;

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocketRecord<'a> {
    /// A descriptor of a process leads to the socket.
    Held(Whole<'a>),
    /// No descriptor leads to it.
    Unheld(Whole<'a>),
    /// Some descriptor should lead to it.
    Identity { cookie: u64 },
}

/// A record with everything in it. Read piece by piece, as most of a second holder's is not needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole<'a>(&'a [u8; RECORD_SIZE]);

/// Takes the first record off `bytes`; `None` when they hold no whole one.
pub(crate) fn take_record(bytes: &[u8]) -> Option<(SocketRecord<'_>, &[u8])> {
    match u32_at(bytes, 0)? {
        IDENTITY => {
            let (identity, rest) = bytes.split_first_chunk::<IDENTITY_SIZE>()?;
            Some((
                SocketRecord::Identity {
                    cookie: u64_at(identity, 8)?,
                },
                rest,
            ))
        }
        kind => {
            let (whole, rest) = bytes.split_first_chunk::<RECORD_SIZE>()?;
            match kind {
                HELD => Some((SocketRecord::Held(Whole(whole)), rest)),
                UNHELD => Some((SocketRecord::Unheld(Whole(whole)), rest)),
                _ => None,
            }
        }
    }
}

impl<'a> Whole<'a> {
    /// Of the holder.
    pub(crate) fn pid(self) -> u32 {
        self.word(48)
    }

    /// Start of the holder, in nanoseconds since boot, suspend included.
    pub(crate) fn started(self) -> u64 {
        self.long(24)
    }

    /// Name of the holder.
    pub(crate) fn name(self) -> &'a [u8] {
        let name = self.0.get(112..).unwrap_or_default();
        name.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    pub(crate) fn cookie(self) -> Option<u64> {
        Some(self.long(8)).filter(|cookie| *cookie != 0)
    }

    pub(crate) fn inode(self) -> Option<u64> {
        Some(self.long(16)).filter(|inode| *inode != 0)
    }

    pub(crate) fn netns(self) -> NetworkNamespace {
        NetworkNamespace(self.word(56))
    }

    /// A listener with connections that are not established yet.
    pub(crate) fn is_half_open(self) -> bool {
        self.has(FLAG_HALF_OPEN)
    }

    pub(crate) fn entry(self) -> SocketEntry {
        let family = self.half(68);
        let mut entry = if matches!(family, AF_PACKET | AF_XDP) {
            // The frames it takes stand in a table of their own (packet_diag).
            SocketEntry::packet(0)
        } else {
            SocketEntry::of(Numbers {
                kind: self.half(76),
                protocol: self.half(70),
                state: u8::try_from(self.half(78)).unwrap_or(0),
                local: address(family, self.octets(80)),
                remote: address(family, self.octets(96)),
                local_port: self.half(72),
                remote_port: u16::from_be(self.half(74)),
            })
        };
        entry.interface = Some(self.word(60)).filter(|index| *index != 0);
        let socket = &mut entry.socket;
        let inode = self.inode();
        socket.key = SocketKey {
            inode,
            cookie: self.cookie(),
        };
        socket.netns = Some(self.netns());
        // A socket without its struct socket has forgotten who made it.
        socket.uid = self.has(FLAG_SOCKET).then(|| self.word(64));
        if self.has(FLAG_BYTES) {
            socket.bytes_sent = Some(self.long(32));
            socket.bytes_received = Some(received_payload(self.long(40), socket.state));
        }
        socket.opened_here = self.has(FLAG_SIDE).then(|| self.has(FLAG_ACTIVE));
        let is_ipv6 = family == AF_INET6;
        socket.only_ipv6 = is_ipv6.then(|| self.has(FLAG_ONLY_IPV6));
        if self.has(FLAG_KERNEL) {
            socket.why_unheld = WhyUnknown::Kernel;
        }
        entry
    }

    fn has(self, flag: u32) -> bool {
        self.word(4) & flag != 0
    }

    // The offsets are constants within the record, so that nothing is ever missing.

    fn half(self, offset: usize) -> u16 {
        u16_at(self.0, offset).unwrap_or(0)
    }

    fn word(self, offset: usize) -> u32 {
        u32_at(self.0, offset).unwrap_or(0)
    }

    fn long(self, offset: usize) -> u64 {
        u64_at(self.0, offset).unwrap_or(0)
    }

    fn octets(self, offset: usize) -> [u8; 16] {
        self.0
            .get(offset..)
            .and_then(|rest| rest.first_chunk())
            .copied()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Endpoint, Protocol, State};
    use proptest::prelude::*;

    fn record(kind: u32, flags: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [kind, flags] {
            bytes.extend(word.to_ne_bytes());
        }
        for long in [77_u64, 88, 2_105_074_748, 512, 2048] {
            bytes.extend(long.to_ne_bytes());
        }
        for word in [4242_u32, 3, 4_026_531_840, 0, 1000] {
            bytes.extend(word.to_ne_bytes());
        }
        for half in [2_u16, 6, 40512] {
            bytes.extend(half.to_ne_bytes());
        }
        bytes.extend(443_u16.to_be_bytes());
        for half in [1_u16, 1] {
            bytes.extend(half.to_ne_bytes());
        }
        bytes.extend([192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([203, 0, 113, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(b"curl");
        bytes.resize(RECORD_SIZE, 0);
        bytes
    }

    #[test]
    fn reads_a_held_connection() {
        let bytes = record(HELD, FLAG_BYTES | FLAG_SIDE | FLAG_ACTIVE | FLAG_SOCKET);
        let (SocketRecord::Held(record), rest) = take_record(&bytes).unwrap() else {
            panic!("not a held record");
        };
        assert_eq!(
            (record.pid(), record.started(), rest.len()),
            (4242, 2_105_074_748, 0)
        );
        assert_eq!(record.name(), b"curl");
        let socket = record.entry().socket;
        assert_eq!(socket.state, State::Established);
        assert_eq!(
            socket.remote,
            Some(Endpoint::new([203, 0, 113, 9].into(), 443))
        );
        assert_eq!(socket.local, Endpoint::new([192, 0, 2, 7].into(), 40512));
        assert_eq!(
            (socket.bytes_sent, socket.bytes_received),
            (Some(512), Some(2048))
        );
        assert_eq!((socket.uid, socket.opened_here), (Some(1000), Some(true)));
        assert_eq!(
            socket.key,
            SocketKey {
                inode: Some(88),
                cookie: Some(77)
            }
        );
    }

    #[test]
    fn a_socket_with_whole_frames_is_a_packet_socket() {
        for family in [AF_PACKET, AF_XDP] {
            let mut bytes = record(HELD, FLAG_SOCKET);
            bytes[68..70].copy_from_slice(&family.to_ne_bytes());
            let (SocketRecord::Held(record), _) = take_record(&bytes).unwrap() else {
                panic!("not a held record");
            };
            let socket = record.entry().socket;
            assert_eq!(socket.protocol, Protocol::Packet { ethertype: 0 });
            assert_eq!((socket.local, socket.remote), (Endpoint::NONE, None));
        }
    }

    #[test]
    fn a_cut_record_is_none() {
        let bytes = record(HELD, 0);
        assert_eq!(take_record(&bytes[..RECORD_SIZE - 1]), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = take_record(&bytes);
            if let Some(whole) = bytes.first_chunk() {
                let _ = Whole(whole).entry();
            }
        }
    }
}

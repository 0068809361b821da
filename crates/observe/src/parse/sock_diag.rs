//! Answers of the kernel's socket diagnosis (sock_diag(7), include/uapi/linux/inet_diag.h,
//! include/uapi/linux/packet_diag.h).

use model::{Socket, SocketKey, State};

use super::attributes::{attributes, be16_at, u16_at, u32_at, u64_at};
use super::socket_entry::{Numbers, SocketEntry, address, received_payload};

/// Length of `struct inet_diag_msg`.
const INET_DIAG_MSG: usize = 72;
const INET_DIAG_INFO: u16 = 2;
const INET_DIAG_SKV6ONLY: u16 = 11;
/// Length of `struct packet_diag_msg`.
const PACKET_DIAG_MSG: usize = 16;
const PACKET_DIAG_INFO: u16 = 0;
const PACKET_DIAG_UID: u16 = 5;

/// Reads a `struct inet_diag_msg` and its attributes; `kind` and `protocol` are those asked for.
/// `None` when it is cut short.
pub(crate) fn inet_entry(message: &[u8], kind: u16, protocol: u16) -> Option<SocketEntry> {
    let [family, state, ..] = *message.first_chunk::<4>()?;
    let family = u16::from(family);
    let mut entry = SocketEntry::of(Numbers {
        kind,
        protocol,
        state,
        local: address(family, *message.get(8..)?.first_chunk()?),
        remote: address(family, *message.get(24..)?.first_chunk()?),
        local_port: be16_at(message, 4)?,
        remote_port: be16_at(message, 6)?,
    });
    entry.interface = Some(u32_at(message, 40)?).filter(|index| *index != 0);
    let socket = &mut entry.socket;
    socket.key = key(message, 68, 44)?;
    socket.uid = if socket.key.inode.is_none() {
        None
    } else {
        u32_at(message, 64)
    };
    for (kind, value) in attributes(message.get(INET_DIAG_MSG..)?) {
        match kind {
            INET_DIAG_INFO if socket.state != State::Listen => read_tcp_info(socket, value),
            INET_DIAG_SKV6ONLY => socket.only_ipv6 = value.first().map(|only| *only != 0),
            _ => {}
        }
    }
    Some(entry)
}

/// Byte counts out of `struct tcp_info` (include/uapi/linux/tcp.h); older kernels give less of it.
fn read_tcp_info(socket: &mut Socket, info: &[u8]) {
    let (Some(unacknowledged), Some(acknowledged), Some(received), Some(sent), Some(sent_again)) = (
        u32_at(info, 24),
        u64_at(info, 120),
        u64_at(info, 128),
        u64_at(info, 200),
        u64_at(info, 208),
    ) else {
        return;
    };
    let payload = sent.saturating_sub(sent_again);
    socket.bytes_sent = Some(payload);
    socket.bytes_received = Some(received_payload(received, socket.state));
    // The side that opened counts its SYN among the acknowledged bytes.
    if unacknowledged == 0 && matches!(socket.state, State::Established | State::CloseWait) {
        if acknowledged == payload {
            socket.opened_here = Some(false);
        } else if acknowledged == payload.saturating_add(1) {
            socket.opened_here = Some(true);
        }
    }
}

/// Reads a `struct packet_diag_msg` and its attributes. `None` when it is cut short.
pub(crate) fn packet_entry(message: &[u8]) -> Option<SocketEntry> {
    let mut entry = SocketEntry::packet(u16_at(message, 2)?);
    entry.socket.key = key(message, 4, 8)?;
    for (kind, value) in attributes(message.get(PACKET_DIAG_MSG..)?) {
        match kind {
            PACKET_DIAG_INFO => entry.interface = u32_at(value, 0).filter(|index| *index != 0),
            PACKET_DIAG_UID => entry.socket.uid = u32_at(value, 0),
            _ => {}
        }
    }
    Some(entry)
}

/// The inode, and the cookie: two halves of 32 bits each, the low one first on every platform.
fn key(message: &[u8], inode: usize, cookie: usize) -> Option<SocketKey> {
    let inode = u64::from(u32_at(message, inode)?);
    let cookie =
        u64::from(u32_at(message, cookie)?) | u64::from(u32_at(message, cookie + 4)?) << 32;
    let known = |number: u64| (number != 0).then_some(number);
    Some(SocketKey {
        inode: known(inode),
        cookie: known(cookie),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Endpoint, Protocol};
    use proptest::prelude::*;

    /// An answer of Linux 6.18 for an established loopback connection.
    fn established() -> Vec<u8> {
        let mut message = vec![2, 1, 0, 0];
        message.extend(40512_u16.to_be_bytes());
        message.extend(443_u16.to_be_bytes());
        message.extend([192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        message.extend([203, 0, 113, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for word in [0_u32, 5, 1, 0, 0, 0, 1000, 33322] {
            message.extend(word.to_ne_bytes());
        }
        message
    }

    #[test]
    fn reads_a_connection() {
        let socket = inet_entry(&established(), 1, 6).unwrap().socket;
        assert_eq!(socket.protocol, Protocol::Tcp);
        assert_eq!(
            socket.remote,
            Some(Endpoint::new([203, 0, 113, 9].into(), 443))
        );
        let key = SocketKey {
            inode: Some(33322),
            cookie: Some(5 | 1 << 32),
        };
        assert_eq!((socket.key, socket.uid), (key, Some(1000)));
        assert_eq!(socket.bytes_sent, None);
    }

    #[test]
    fn the_side_that_opened_counts_its_syn() {
        let with_info = |acknowledged: u64| {
            let mut info = vec![0; 216];
            info[120..128].copy_from_slice(&acknowledged.to_ne_bytes());
            info[128..136].copy_from_slice(&2048_u64.to_ne_bytes());
            info[200..208].copy_from_slice(&700_u64.to_ne_bytes());
            info[208..216].copy_from_slice(&188_u64.to_ne_bytes());
            let mut message = established();
            message.extend(220_u16.to_ne_bytes());
            message.extend(INET_DIAG_INFO.to_ne_bytes());
            message.extend(info);
            inet_entry(&message, 1, 6).unwrap().socket
        };
        assert_eq!(with_info(513).opened_here, Some(true));
        assert_eq!(with_info(512).opened_here, Some(false));
        assert_eq!(with_info(9).opened_here, None);
        assert_eq!(with_info(513).bytes_sent, Some(512));
        assert_eq!(with_info(513).bytes_received, Some(2048));
    }

    #[test]
    fn what_takes_ipv6_only_is_told_apart() {
        let with = |only: u8| {
            let mut message = established();
            message.extend(5_u16.to_ne_bytes());
            message.extend(INET_DIAG_SKV6ONLY.to_ne_bytes());
            message.extend([only, 0, 0, 0]);
            inet_entry(&message, 1, 6).unwrap().socket.only_ipv6
        };
        assert_eq!((with(0), with(1)), (Some(false), Some(true)));
        let none = inet_entry(&established(), 1, 6).unwrap();
        assert_eq!(none.socket.only_ipv6, None);
    }

    #[test]
    fn a_short_answer_is_none() {
        assert_eq!(inet_entry(&established()[..71], 1, 6), None);
        assert_eq!(packet_entry(&[17, 3, 3, 0]), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = inet_entry(&bytes, 1, 6);
            let _ = packet_entry(&bytes);
        }
    }
}

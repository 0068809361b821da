//! Sockets that are gone, as the kernel last knew them: `struct inet_diag_msg` and attributes
//! (include/uapi/linux/inet_diag.h; kernel: net/ipv4/inet_diag.c, inet_diag_handler_get_info).

use model::{Endpoint, Protocol};

use super::attributes::{attributes, u32_at, u64_at};
use super::sock_diag::inet_entry;

/// Length of `struct inet_diag_msg`.
const INET_DIAG_MSG: usize = 72;
const INET_DIAG_INFO: u16 = 2;
const INET_DIAG_PROTOCOL: u16 = 10;
/// For the protocols that there are, the type of a socket does not matter.
const SOCK_STREAM: u16 = 1;

/// A TCP or UDP socket that no longer is. Neither its user nor its inode are told, and its state
/// is always closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DestroyedSocket {
    pub(crate) cookie: u64,
    pub(crate) protocol: Protocol,
    /// Port 0: it had none.
    pub(crate) local: Endpoint,
    /// `None`: a listener, or it was not connected. Without a port: the program cut the connection
    /// (SO_LINGER), or waited in vain for it to come about; then the kernel forgets the rest.
    pub(crate) remote: Option<Endpoint>,
    /// Index of the interface it was bound to.
    pub(crate) interface: Option<u32>,
    /// `None`: it was not one of TCP.
    pub(crate) tcp: Option<TcpEnd>,
}

/// What is left of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TcpEnd {
    /// The other side has answered, and not by a refusal.
    pub(crate) was_established: bool,
    /// Whether this side opened the connection. `None`: it can no longer be told.
    pub(crate) opened_here: Option<bool>,
    /// Payload. `None`: forgotten, or an older kernel.
    pub(crate) bytes_sent: Option<u64>,
    /// Payload, and one more where the FIN of the other side came: the kernel counts it, and a
    /// closed socket no longer tells whether it came. Where no payload came, this is 0.
    pub(crate) bytes_received: Option<u64>,
}

/// Reads one message. `None` when it is cut short.
pub(crate) fn destroyed_socket(message: &[u8]) -> Option<DestroyedSocket> {
    let (mut protocol, mut info) = (None, None);
    for (kind, value) in attributes(message.get(INET_DIAG_MSG..)?) {
        match kind {
            INET_DIAG_PROTOCOL => protocol = value.first().copied(),
            INET_DIAG_INFO => info = Some(value),
            _ => {}
        }
    }
    let entry = inet_entry(message, SOCK_STREAM, u16::from(protocol?))?;
    let socket = entry.socket;
    let mut remote = socket.remote;
    let forgotten = remote.is_none_or(|remote| remote.port == Some(0));
    if let Some(Endpoint { ip: Some(ip), .. }) = remote.filter(|_| forgotten) {
        remote = Some(Endpoint::without_port(ip));
    }
    let tcp = info
        .filter(|_| socket.protocol == Protocol::Tcp)
        .map(|info| {
            let end = tcp_end(info, socket.bytes_sent, socket.bytes_received);
            if forgotten { end.without_counts() } else { end }
        });
    Some(DestroyedSocket {
        cookie: socket.key.cookie?,
        protocol: socket.protocol,
        local: socket.local,
        remote,
        interface: entry.interface,
        tcp,
    })
}

/// Reads `struct tcp_info` (include/uapi/linux/tcp.h); older kernels give less of it.
fn tcp_end(info: &[u8], bytes_sent: Option<u64>, bytes_received: Option<u64>) -> TcpEnd {
    let acknowledged = u64_at(info, 120);
    let received = u64_at(info, 128);
    let shortest_round_trip = u32_at(info, 148).filter(|micros| *micros != u32::MAX);
    let segments_with_payload = u32_at(info, 152);
    let some = |count: Option<u64>| count.is_some_and(|count| count > 0);
    // The opening SYN counts as a byte, when it is acknowledged; and so does the FIN.
    let was_established = some(acknowledged) || some(received) || shortest_round_trip.is_some();
    let opened_here = match (acknowledged, bytes_sent) {
        (Some(0), _) if was_established => Some(false),
        (Some(acknowledged), Some(sent)) if acknowledged == sent.saturating_add(2) => Some(true),
        _ => None,
    };
    TcpEnd {
        was_established,
        opened_here,
        bytes_sent,
        bytes_received: match segments_with_payload {
            Some(0) => bytes_received.map(|_| 0),
            _ => bytes_received,
        },
    }
}

impl TcpEnd {
    fn without_counts(self) -> Self {
        Self {
            opened_here: None,
            bytes_sent: None,
            bytes_received: None,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // All of Linux 6.18 on x86-64; the zeros at the end stand in `bytes`.
    /// Sent 100 bytes, received 50 and a FIN.
    const CALLER: &str = "\
        0207000081d684a57f0000010000000000000000000000007f00000100000000000000000000000000000000\
        3d2f310000000000000000000100000000000000000000000000000005000a00060000001c01020007000000\
        0007aa00e01c0300409c00000080000018020000000000000000000000000000000000000000000000000000\
        000000000000000000000000ffff0000d7ff00001c0000000f000000ffffff7f0c000000cbff000003000000\
        00000000d7ff0000000000009d5edbce06000000ffffffffffffffff66000000000000003300000000000000\
        0600000004000000000000000c0000000100000001000000c3c3e37200000000000000000000000000000000\
        0000000000000000000000000300000000000000640000000000000000000000000000000000000000000000\
        0000000000000100000001";
    /// Its other end.
    const CALLED: &str = "\
        0207000084a581d67f0000010000000000000000000000007f00000100000000000000000000000000000000\
        3e2f310000000000000000000000000000000000000000000000000005000a00060000001c01020007000000\
        0007aa00e01c0300409c00000080000018020000000000000000000000000000000000000000000000000000\
        000000000000000000000000ffff0000cbff00001200000008000000ffffff7f0c000000cbff000003000000\
        00000000cbff000000000000c2cef8610a000000ffffffffffffffff33000000000000006500000000000000\
        030000000600000000000000050000000100000001000000c3c3e37200000000000000000000000000000000\
        0000000000000000000000000300000000000000320000000000000000000000000000000000000000000000\
        0000000000000100000001";
    /// Sent 3 bytes.
    const IPV6: &str = "\
        0a07000092eadeaf000000000000000000000000000000010000000000000000000000000000000100000000\
        522f310000000000000000000000000000000000000000000000000005000a00060000001c01020007000000\
        0007aa00802c0300000000000080000018020000000000000000000000000000000000000000000060000000\
        00000000600000000000000000000100c4ff000027160000222c0000ffffff7f0c000000b8ff000003000000\
        00000000c4ff000000000000f260950607000000ffffffffffffffff05000000000000000000000000000000\
        0400000003000000000000000900000000000000010000005c110b000000000080bb00000000000000000000\
        0000000000000000000000000300000000000000030000000000000000000000000000000000000000000000\
        0000000000000100000001";
    /// After a connect(2) that waited and was refused.
    const REFUSED: &str = "\
        02070000b5e00000000000000000000000000000000000007f00000100000000000000000000000000000000\
        4c2f310000000000000000000000000003000000000000000000000005000a00060000001c01020007000000\
        0000000140420f00000000000c0200005800000000000000000000000000000000000000000000007ce8d900\
        000000007ce8d9007ce8d900ffff0000d7ff00000000000090d00300ffffff7f0a000000d7ff000003000000\
        000000000000000000000000ffffffffffffffffffffffffffffffff00000000000000000000000000000000\
        000000000000000002000000ffffffff00000000000000000000000000000000000000000000000000000000\
        0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
        0000000000000000d7ff";
    /// Sent 5 bytes, then cut by SO_LINGER; it was accepted.
    const CUT: &str = "\
        02070000913300007f0000010000000000000000000000007f00000100000000000000000000000000000000\
        4b2f310000000000000000000000000002000100000000000000000005000a00060000001c01020007000000\
        0000000140420f00000000000080000058000000000000000000000000000000000000000000000030000000\
        00000000f0e5d90030000000ffff0000cbff00000000000090d00300ffffff7f0a000000cbff000003000000\
        00000000cbff0000000000004747b2b808000000ffffffffffffffff00000000000000000000000000000000\
        0000000000000000020001000c0000000000000000000000aaaac2a200000000000000000000000000000000\
        0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
        0000000000000100000001";
    /// Closed while nobody answered.
    const GIVEN_UP: &str = "\
        02070000bb5a00510a0000010000000000000000000000000affff0100000000000000000000000000000000\
        572f310000000000000000000000000001000000000000000000000005000a00060000001c01020007000000\
        0000000140420f00000000000c020000580000000000000000000000000000000000000000000000a0ffd900\
        00000000a0ffd900a0ffd900dc050000f0fa00000000000090d00300ffffff7f0a000000b405000003000000\
        000000000000000000000000ffffffffffffffffffffffffffffffff00000000000000000000000000000000\
        010000000000000000000000ffffffff00000000000000000000000000000000000000000000000000000000\
        0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
        0000000000000000f0fa";
    /// Connected to port 9.
    const UDP: &str = "\
        02010000e1d400097f0000010000000000000000000000007f00000100000000000000000000000000000000\
        542f3100000000000000000000000000ffffffff000000000000000005000a0011";

    fn bytes(hexadecimal: &str, length: usize) -> Vec<u8> {
        let digits: Vec<_> = hexadecimal
            .chars()
            .map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap())
            .collect();
        let mut bytes: Vec<_> = digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect();
        bytes.resize(length, 0);
        bytes
    }

    fn read(hexadecimal: &str) -> DestroyedSocket {
        destroyed_socket(&bytes(hexadecimal, 364)).unwrap()
    }

    fn check(hexadecimal: &str, local: &str, remote: &str, tcp: TcpEnd) {
        let endpoint = |text: &str| {
            let address: std::net::SocketAddr = text.parse().unwrap();
            Endpoint::new(address.ip(), address.port())
        };
        let socket = read(hexadecimal);
        assert_eq!(socket.local, endpoint(local));
        assert_eq!(socket.remote, Some(endpoint(remote)));
        assert_eq!((socket.protocol, socket.tcp), (Protocol::Tcp, Some(tcp)));
        assert_eq!(socket.interface, None);
    }

    #[test]
    fn reads_both_ends() {
        let end = TcpEnd {
            was_established: true,
            opened_here: Some(true),
            bytes_sent: Some(100),
            bytes_received: Some(51),
        };
        check(CALLER, "127.0.0.1:33238", "127.0.0.1:33957", end);
        let end = TcpEnd {
            opened_here: None,
            bytes_sent: Some(50),
            bytes_received: Some(101),
            ..end
        };
        check(CALLED, "127.0.0.1:33957", "127.0.0.1:33238", end);
        let end = TcpEnd {
            opened_here: Some(true),
            bytes_sent: Some(3),
            bytes_received: Some(0),
            ..end
        };
        check(IPV6, "[::1]:37610", "[::1]:57007", end);
        assert_eq!(read(CALLER).cookie, 0x31_2f3d);
    }

    #[test]
    fn what_never_came_about_is_known() {
        let end = TcpEnd {
            was_established: false,
            opened_here: None,
            bytes_sent: Some(0),
            bytes_received: Some(0),
        };
        check(GIVEN_UP, "10.0.0.1:47962", "10.255.255.1:81", end);
    }

    #[test]
    fn what_the_kernel_forgot_is_not_zero() {
        for (message, was_established) in [(REFUSED, false), (CUT, true)] {
            let socket = read(message);
            let remote = Endpoint::without_port([127, 0, 0, 1].into());
            assert_eq!(socket.remote, Some(remote));
            let end = TcpEnd {
                was_established,
                opened_here: None,
                bytes_sent: None,
                bytes_received: None,
            };
            assert_eq!(socket.tcp, Some(end));
        }
    }

    #[test]
    fn reads_udp() {
        let socket = destroyed_socket(&bytes(UDP, 80)).unwrap();
        let remote = Endpoint::new([127, 0, 0, 1].into(), 9);
        assert_eq!((socket.protocol, socket.tcp), (Protocol::Udp, None));
        assert_eq!(socket.remote, Some(remote));
        assert_eq!(socket.cookie, 0x31_2f54);
    }

    #[test]
    fn older_kernels_tell_less() {
        // `struct tcp_info` of Linux 4.2: up to the received bytes.
        let mut older = bytes(CALLER, 364);
        older.truncate(72 + 8 + 4 + 136);
        older[80..82].copy_from_slice(&140_u16.to_ne_bytes());
        let end = TcpEnd {
            was_established: true,
            opened_here: None,
            bytes_sent: None,
            bytes_received: None,
        };
        assert_eq!(destroyed_socket(&older).unwrap().tcp, Some(end));
    }

    #[test]
    fn a_short_message_is_none() {
        let udp = bytes(UDP, 80);
        for length in 0..77 {
            assert_eq!(destroyed_socket(&udp[..length]), None);
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = destroyed_socket(&bytes);
        }

        #[test]
        fn never_panics_on_damage(at in 0..364_usize, byte: u8) {
            let mut damaged = bytes(CALLER, 364);
            damaged[at] = byte;
            let _ = destroyed_socket(&damaged);
        }

        #[test]
        fn reads_back_what_was_counted(payload_sent: u32, received: u32, cookie in 1..u64::MAX) {
            let (payload_sent, received) = (u64::from(payload_sent), u64::from(received));
            let mut message = bytes(CALLER, 364);
            message[44..52].copy_from_slice(&cookie.to_le_bytes());
            for (at, count) in [(120, payload_sent + 2), (128, received), (200, payload_sent + 7), (208, 7)] {
                message[84 + at..84 + at + 8].copy_from_slice(&count.to_ne_bytes());
            }
            let socket = destroyed_socket(&message).unwrap();
            let tcp = socket.tcp.unwrap();
            prop_assert_eq!((tcp.bytes_sent, tcp.bytes_received), (Some(payload_sent), Some(received)));
            prop_assert_eq!((tcp.opened_here, socket.cookie), (Some(true), cookie));
        }
    }
}

//! The socket tables of `/proc/PID/net` as text (Documentation/networking/proc_net_tcp.rst; raw,
//! icmp and udp have the same columns) and the counts of `sockstat`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::socket_entry::{Numbers, SocketEntry};

/// Reads one line; `kind` and `protocol` are those of the table, and a raw socket's port column
/// holds its protocol. `None`: the heading, or not such a line.
pub(crate) fn table_line(line: &str, kind: u16, protocol: Option<u16>) -> Option<SocketEntry> {
    let mut fields = line.split_ascii_whitespace();
    let (_slot, local, remote) = (fields.next()?, fields.next()?, fields.next()?);
    let state = u8::from_str_radix(fields.next()?, 16).ok()?;
    // Queues, timer, retransmits.
    let uid = fields.nth(3)?.parse().ok()?;
    let inode: u64 = fields.nth(1)?.parse().ok()?;
    let (local, local_port) = endpoint(local)?;
    let (remote, remote_port) = endpoint(remote)?;
    let mut entry = SocketEntry::of(Numbers {
        kind,
        protocol: protocol.unwrap_or(local_port),
        state,
        local,
        remote,
        local_port,
        remote_port,
    });
    entry.socket.key.inode = (inode != 0).then_some(inode);
    entry.socket.uid = (inode != 0).then_some(uid);
    Some(entry)
}

/// `0100007F:1F40`: the address as 32-bit words in this computer's byte order, the port as a number.
fn endpoint(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |start: usize| {
        Some(
            u32::from_str_radix(address.get(start..start + 8)?, 16)
                .ok()?
                .to_ne_bytes(),
        )
    };
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for (start, to) in [0, 8, 16, 24].into_iter().zip(bytes.chunks_exact_mut(4)) {
                to.copy_from_slice(&word(start)?);
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some((address, port))
}

/// What `sockstat` and `sockstat6` count for TCP in one network namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TcpCounts {
    /// In the tables: connections and listeners, half-open and TIME_WAIT not counted.
    pub(crate) in_use: u64,
    pub(crate) time_wait: u64,
}

/// Adds up the TCP lines of `sockstat` and `sockstat6`. `None` when there is none.
pub(crate) fn tcp_counts(sockstat: &str) -> Option<TcpCounts> {
    let mut counts = None;
    for line in sockstat.lines() {
        let Some(("TCP" | "TCP6", rest)) = line.split_once(':') else {
            continue;
        };
        let counts: &mut TcpCounts = counts.get_or_insert_default();
        let mut words = rest.split_ascii_whitespace();
        while let (Some(name), Some(number)) = (words.next(), words.next()) {
            let number: u64 = number.parse().ok()?;
            match name {
                "inuse" => counts.in_use = counts.in_use.saturating_add(number),
                "tw" => counts.time_wait = counts.time_wait.saturating_add(number),
                _ => {}
            }
        }
    }
    counts
}

/// How many TCP connections this network namespace has ever opened and accepted: `ActiveOpens` and
/// `PassiveOpens` of `snmp` (RFC 4022). Two lines, the names and the numbers.
pub(crate) fn tcp_opens(snmp: &str) -> Option<(u64, u64)> {
    let mut lines = snmp.lines().filter_map(|line| line.strip_prefix("Tcp:"));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let number = |wanted: &str| {
        let place = names
            .split_ascii_whitespace()
            .position(|name| name == wanted)?;
        numbers.split_ascii_whitespace().nth(place)?.parse().ok()
    };
    Some((number("ActiveOpens")?, number("PassiveOpens")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Endpoint, Protocol, State};
    use proptest::prelude::*;

    const RAW: &str = "   1: 0100007F:0001 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 33322 2 00000000abcdef01 0";
    const TCP6: &str = "   0: 0000000000000000FFFF00000100007F:1F40 0000000000000000FFFF00000100007F:C3A2 01 00000000:00000000 00:00000000 00000000  1000        0 44 1 0000000000000000 20 4 30 10 -1";

    #[test]
    fn reads_a_raw_socket() {
        let socket = table_line(RAW, 3, None).unwrap().socket;
        assert_eq!(socket.protocol, Protocol::Raw { ip_protocol: 1 });
        assert_eq!(socket.local, Endpoint::without_port([127, 0, 0, 1].into()));
        assert_eq!((socket.key.inode, socket.uid), (Some(33322), Some(0)));
        assert_eq!(socket.remote, None);
    }

    #[test]
    fn a_mapped_address_is_ipv4() {
        let socket = table_line(TCP6, 1, Some(6)).unwrap().socket;
        assert_eq!(
            socket.remote,
            Some(Endpoint::new([127, 0, 0, 1].into(), 0xc3a2))
        );
        assert_eq!((socket.state, socket.uid), (State::Established, Some(1000)));
    }

    #[test]
    fn headings_are_not_entries() {
        assert_eq!(
            table_line("  sl  local_address rem_address   st tx_queue", 1, Some(6)),
            None
        );
        assert_eq!(table_line("", 1, Some(6)), None);
    }

    #[test]
    fn counts_both_families() {
        let text = "sockets: used 13\nTCP: inuse 4 orphan 0 tw 2 alloc 5 mem 36\nUDP: inuse 0 mem 0\nTCP6: inuse 3\n";
        assert_eq!(
            tcp_counts(text),
            Some(TcpCounts {
                in_use: 7,
                time_wait: 2
            })
        );
        assert_eq!(tcp_counts("UDP: inuse 0"), None);
    }

    #[test]
    fn finds_the_opens_by_their_names() {
        let text = "Ip: Forwarding\nIp: 1\nTcp: RtoMin ActiveOpens PassiveOpens\nTcp: 200 31 17\n";
        assert_eq!(tcp_opens(text), Some((31, 17)));
        assert_eq!(tcp_opens("Tcp: RtoMin\nTcp: 200\n"), None);
        assert_eq!(tcp_opens(""), None);
    }

    proptest! {
        #[test]
        fn never_panics(line: String) {
            let _ = tcp_opens(&line);
            let _ = table_line(&line, 1, Some(6));
            let _ = tcp_counts(&line);
        }
    }
}

//! The tables of sockets that the IP helper of Windows gives: `GetExtendedTcpTable` and
//! `GetExtendedUdpTable`, with the process of each row, and with the time it was made where that was
//! asked for.
//!
//! Layouts: `tcpmib.h` and `udpmib.h` (`MIB_TCPROW_OWNER_MODULE`, `MIB_TCP6ROW_OWNER_MODULE` and so on)
//! as a 64-bit Windows has them. Numbers are little-endian; addresses and ports are in network order, a
//! port in the first two bytes of four.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{Endpoint, State, Timestamp};

/// Which table the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Tcp4,
    Tcp6,
    Udp4,
    Udp6,
}

/// How much of each row was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// `..._OWNER_PID`.
    Pid,
    /// `..._OWNER_MODULE`: with the time as well.
    Module,
}

/// One socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) state: State,
    pub(crate) local: Endpoint,
    /// `None`: of UDP, and of who waits for others to call.
    pub(crate) remote: Option<Endpoint>,
    /// 0: the system does not tell, or nobody has it any more.
    pub(crate) pid: u32,
    /// When the socket was made. `None`: not asked for, or not told.
    pub(crate) made: Option<Timestamp>,
}

/// The rows of a table, at most as many as it says and as there are bytes for.
pub(crate) fn rows(table: Table, detail: Detail, bytes: &[u8]) -> Vec<Row> {
    let Some(count) = number(bytes, 0).and_then(|count| usize::try_from(count).ok()) else {
        return Vec::new();
    };
    // The rows begin where a number of 64 bits may stand when they have one.
    let (first, length) = match (table, detail) {
        (Table::Tcp4, Detail::Pid) => (4, 24),
        (Table::Tcp6, Detail::Pid) => (4, 56),
        (Table::Udp4, Detail::Pid) => (4, 12),
        (Table::Udp6, Detail::Pid) => (4, 28),
        (Table::Tcp4 | Table::Udp4, Detail::Module) => (8, 160),
        (Table::Tcp6, Detail::Module) => (8, 192),
        (Table::Udp6, Detail::Module) => (8, 176),
    };
    let rows = bytes.get(first..).unwrap_or_default();
    let rows = rows.chunks_exact(length).take(count);
    rows.filter_map(|row| one(table, detail, row)).collect()
}

fn one(table: Table, detail: Detail, row: &[u8]) -> Option<Row> {
    // Where the time stands.
    let (state, local, remote, pid, made) = match table {
        Table::Tcp4 => {
            let (local, remote) = (end4(row, 4, 8)?, end4(row, 12, 16)?);
            (number(row, 0)?, local, Some(remote), number(row, 20)?, 24)
        }
        Table::Tcp6 => {
            let (local, remote) = (end6(row, 0, 20)?, end6(row, 24, 44)?);
            (number(row, 48)?, local, Some(remote), number(row, 52)?, 56)
        }
        Table::Udp4 => (0, end4(row, 0, 4)?, None, number(row, 8)?, 16),
        Table::Udp6 => (0, end6(row, 0, 20)?, None, number(row, 24)?, 32),
    };
    let state = match table {
        Table::Tcp4 | Table::Tcp6 => state_of(state),
        Table::Udp4 | Table::Udp6 => State::Open,
    };
    let made = match detail {
        Detail::Module => file_time(long(row, made)?),
        Detail::Pid => None,
    };
    Some(Row {
        state,
        local,
        remote: remote.filter(|_| state != State::Listen),
        pid,
        made,
    })
}

/// `MIB_TCP_STATE` (RFC 4022, `tcpConnectionState`).
fn state_of(number: u32) -> State {
    match number {
        // Of a row that is about to go (DELETE_TCB) nothing is left.
        1 | 12 => State::Closed,
        2 => State::Listen,
        3 => State::SynSent,
        4 => State::SynReceived,
        5 => State::Established,
        6 => State::FinWait1,
        7 => State::FinWait2,
        8 => State::CloseWait,
        9 => State::Closing,
        10 => State::LastAck,
        11 => State::TimeWait,
        _ => State::Unknown,
    }
}

/// A time as Windows keeps it (`FILETIME`): units of 100 ns since 1601. `None`: 0, which stands for none,
/// or one that nobody can mean.
pub(crate) fn file_time(ticks: u64) -> Option<Timestamp> {
    /// From 1601 to 1970.
    const UNIX_EPOCH: u64 = 116_444_736_000_000_000;
    let since = ticks.checked_sub(UNIX_EPOCH)?;
    let nanos = i64::try_from(since).ok()?.checked_mul(100)?;
    Some(Timestamp::from_unix_nanos(nanos))
}

fn end4(row: &[u8], address: usize, port: usize) -> Option<Endpoint> {
    let address: [u8; 4] = array(row, address)?;
    Some(Endpoint::new(
        IpAddr::V4(Ipv4Addr::from(address)),
        self::port(row, port)?,
    ))
}

fn end6(row: &[u8], address: usize, port: usize) -> Option<Endpoint> {
    let address: [u8; 16] = array(row, address)?;
    Some(Endpoint::new(
        IpAddr::V6(Ipv6Addr::from(address)),
        self::port(row, port)?,
    ))
}

fn port(row: &[u8], at: usize) -> Option<u16> {
    array(row, at).map(u16::from_be_bytes)
}

fn number(row: &[u8], at: usize) -> Option<u32> {
    array(row, at).map(u32::from_le_bytes)
}

fn long(row: &[u8], at: usize) -> Option<u64> {
    array(row, at).map(u64::from_le_bytes)
}

fn array<const N: usize>(row: &[u8], at: usize) -> Option<[u8; N]> {
    row.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-01-01 00:00:00 UTC, 20,454 days after 1970, which is 134,774 days after 1601.
    const A_DAY: u64 = (20_454 + 134_774) * 86_400 * 10_000_000;

    fn table(header: &[u8], rows: &[Vec<u8>]) -> Vec<u8> {
        let mut table = header.to_vec();
        table.extend(rows.concat());
        table
    }

    fn padded(mut row: Vec<u8>, length: usize) -> Vec<u8> {
        row.resize(length, 0);
        row
    }

    fn tcp4(state: u8, pid: u8) -> Vec<u8> {
        let mut row = vec![state, 0, 0, 0, 192, 0, 2, 1, 0x9e, 0x34, 0, 0];
        row.extend([198, 51, 100, 7, 0x01, 0xbb, 0xff, 0xff, pid, 0, 0, 0]);
        row
    }

    #[test]
    fn a_connection_with_its_process() {
        let bytes = table(&[1, 0, 0, 0], &[tcp4(5, 42)]);
        let expected = Row {
            state: State::Established,
            local: Endpoint::new([192, 0, 2, 1].into(), 40500),
            remote: Some(Endpoint::new([198, 51, 100, 7].into(), 443)),
            pid: 42,
            made: None,
        };
        assert_eq!(rows(Table::Tcp4, Detail::Pid, &bytes), [expected]);
    }

    #[test]
    fn the_time_it_was_made() {
        let mut row = tcp4(5, 42);
        row.extend(A_DAY.to_le_bytes());
        let bytes = table(&[1, 0, 0, 0, 0, 0, 0, 0], &[padded(row, 160)]);
        let found = rows(Table::Tcp4, Detail::Module, &bytes);
        let made = found[0].made.unwrap().unix_nanos();
        assert_eq!(made, 20_454 * 86_400 * 1_000_000_000);
        assert_eq!(found[0].pid, 42);
    }

    #[test]
    fn who_listens_has_nobody_at_the_other_end() {
        let bytes = table(&[2, 0, 0, 0], &[tcp4(2, 4), tcp4(11, 0)]);
        let found = rows(Table::Tcp4, Detail::Pid, &bytes);
        assert_eq!((found[0].state, found[0].remote), (State::Listen, None));
        assert_eq!((found[1].state, found[1].pid), (State::TimeWait, 0));
    }

    #[test]
    fn both_kinds_of_addresses_and_protocols() {
        let six = |last| [[0x20, 1, 0xd, 0xb8].to_vec(), vec![0; 11], vec![last]].concat();
        let mut tcp6 = [six(1), vec![0; 4], vec![0x9e, 0x34, 0, 0]].concat();
        tcp6.extend([six(2), vec![0; 4], vec![1, 0xbb, 0, 0]].concat());
        tcp6.extend([5, 0, 0, 0, 9, 0, 0, 0]);
        let found = rows(Table::Tcp6, Detail::Pid, &table(&[1, 0, 0, 0], &[tcp6]));
        let remote = Endpoint::new("2001:db8::2".parse().unwrap(), 443);
        assert_eq!((found[0].remote, found[0].pid), (Some(remote), 9));

        let udp4 = padded(vec![0, 0, 0, 0, 0, 53, 0, 0, 7], 12);
        let found = rows(Table::Udp4, Detail::Pid, &table(&[1, 0, 0, 0], &[udp4]));
        let local = Endpoint::new([0, 0, 0, 0].into(), 53);
        assert_eq!((found[0].local, found[0].pid), (local, 7));

        let mut udp6 = [six(3), vec![0; 4], vec![0, 53, 0, 0], vec![8, 0, 0, 0]].concat();
        udp6 = padded(udp6, 32);
        udp6.extend(A_DAY.to_le_bytes());
        let bytes = table(&[1, 0, 0, 0, 0, 0, 0, 0], &[padded(udp6, 176)]);
        let found = rows(Table::Udp6, Detail::Module, &bytes);
        assert_eq!((found[0].pid, found[0].made.is_some()), (8, true));
    }

    #[test]
    fn no_more_rows_than_there_are_bytes_for() {
        let bytes = table(&[255, 255, 255, 255], &[tcp4(5, 1), vec![0; 23]]);
        assert_eq!(rows(Table::Tcp4, Detail::Pid, &bytes).len(), 1);
        let bytes = table(&[1, 0, 0, 0], &[tcp4(5, 1), tcp4(5, 2)]);
        assert_eq!(rows(Table::Tcp4, Detail::Pid, &bytes).len(), 1);
        assert!(rows(Table::Udp6, Detail::Module, &[]).is_empty());
    }

    #[test]
    fn times_that_nobody_can_mean_are_none() {
        for ticks in [0, 1, u64::MAX] {
            assert_eq!(file_time(ticks), None, "{ticks}");
        }
    }

    proptest! {
        #[test]
        fn takes_any_bytes(bytes: Vec<u8>) {
            for table in [Table::Tcp4, Table::Tcp6, Table::Udp4, Table::Udp6] {
                for detail in [Detail::Pid, Detail::Module] {
                    prop_assert!(rows(table, detail, &bytes).len() <= bytes.len());
                }
            }
        }
    }
}

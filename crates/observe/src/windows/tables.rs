//! The sockets of this computer, from the tables of the IP helper.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::collections::HashMap;
use std::io;

use model::{Endpoint, Holder, ProcessId, Protocol, Socket, SocketKey, Source, State, WhyUnknown};
use sha2::{Digest, Sha256};
use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED, NO_ERROR,
};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GetExtendedTcpTable, GetExtendedUdpTable, TCP_TABLE_OWNER_MODULE_ALL, TCP_TABLE_OWNER_PID_ALL,
    UDP_TABLE_OWNER_MODULE, UDP_TABLE_OWNER_PID,
};
use windows_sys::Win32::Networking::WinSock::{AF_INET, AF_INET6};

use super::bytes::Counters;
use crate::parse::windows_tables::{Detail, Row, Table, rows};

/// The largest table that is read: some 400,000 rows.
const MOST_BYTES: u32 = 64 * 1024 * 1024;
/// The table grows while it is asked for: so often it is tried.
const TRIES: usize = 8;
/// What a table is asked for first.
const FIRST_BYTES: u32 = 64 * 1024;

/// All four tables, and which could not be read.
pub(super) struct Sockets {
    pub(super) sockets: Vec<Socket>,
    pub(super) failed: Vec<(Protocol, io::Error)>,
}

/// Reads the tables once. Processes are those that run just now, by their number. `None`: bytes are not
/// asked for.
pub(super) fn sockets(
    processes: &HashMap<u32, ProcessId>,
    mut counters: Option<&mut Counters>,
) -> Sockets {
    let mut found = Sockets {
        sockets: Vec::new(),
        failed: Vec::new(),
    };
    for table in [Table::Tcp4, Table::Tcp6, Table::Udp4, Table::Udp6] {
        let protocol = protocol_of(table);
        match read(table) {
            Ok(rows) => {
                for row in &rows {
                    let mut socket = socket(protocol, row, processes);
                    let counted = counters.as_mut().and_then(|it| it.of(row));
                    (socket.bytes_sent, socket.bytes_received) = counted.unzip();
                    found.sockets.push(socket);
                }
            }
            Err(error) => found.failed.push((protocol, error)),
        }
    }
    found
}

fn protocol_of(table: Table) -> Protocol {
    match table {
        Table::Tcp4 | Table::Tcp6 => Protocol::Tcp,
        Table::Udp4 | Table::Udp6 => Protocol::Udp,
    }
}

fn socket(protocol: Protocol, row: &Row, processes: &HashMap<u32, ProcessId>) -> Socket {
    let process = processes.get(&row.pid).filter(|_| row.pid != 0);
    let holders = process.map(|process| Holder {
        process: *process,
        source: Source::IpHelper,
    });
    Socket {
        key: SocketKey {
            inode: None,
            cookie: Some(cookie(protocol, row)),
        },
        protocol,
        state: row.state,
        local: row.local,
        remote: row.remote,
        netns: None,
        interface: None,
        uid: None,
        bytes_sent: None,
        bytes_received: None,
        opened_here: None,
        only_ipv6: None,
        holders: holders.into_iter().collect(),
        why_unheld: why_unheld(row),
    }
}

fn why_unheld(row: &Row) -> WhyUnknown {
    match row.state {
        State::TimeWait | State::Closed => WhyUnknown::NoHolder,
        _ if row.pid == 0 => WhyUnknown::NotInSource,
        // It had ended when the processes were read.
        _ => WhyUnknown::NoHolder,
    }
}

/// What stands for the number that Linux gives each socket: the same as long as the row is the same. A
/// connection whose process has let go of it keeps its ends and its time, but not its process.
fn cookie(protocol: Protocol, row: &Row) -> u64 {
    let mut hash = Sha256::new();
    hash.update(protocol.word());
    for end in [Some(row.local), row.remote].into_iter().flatten() {
        let Endpoint { ip, port } = end;
        hash.update(ip.map(|ip| ip.to_string()).unwrap_or_default());
        hash.update(port.unwrap_or_default().to_be_bytes());
    }
    // With another end as well, it is one connection; what is left of it may have lost its time.
    if let Some(made) = row.made.filter(|_| row.remote.is_none()) {
        hash.update(made.unix_nanos().to_be_bytes());
    } else if row.remote.is_none() {
        // Several may share a port.
        hash.update(row.pid.to_be_bytes());
    }
    let hash: [u8; 32] = hash.finalize().into();
    let first = hash.first_chunk().copied().unwrap_or_default();
    // The two that stand for none and for any.
    u64::from_be_bytes(first).clamp(1, u64::MAX - 1)
}

/// With the time of each row where this Windows tells it.
fn read(table: Table) -> io::Result<Vec<Row>> {
    match ask(table, Detail::Module) {
        Ok(bytes) => Ok(rows(table, Detail::Module, &bytes)),
        Err(_) => Ok(rows(table, Detail::Pid, &ask(table, Detail::Pid)?)),
    }
}

fn ask(table: Table, detail: Detail) -> io::Result<Vec<u8>> {
    let mut size = FIRST_BYTES;
    for _ in 0..TRIES {
        let room = usize::try_from(size).map_err(io::Error::other)?;
        // Of numbers of 64 bits, so that the rows are aligned as they have to be.
        let mut units = vec![0_u64; room.div_ceil(size_of::<u64>())];
        match call(table, detail, &mut units, &mut size) {
            NO_ERROR => return Ok(units.into_iter().flat_map(u64::to_ne_bytes).collect()),
            ERROR_INSUFFICIENT_BUFFER if size <= MOST_BYTES => {
                // Some more come in the meantime.
                size = size.saturating_add(size / 8).saturating_add(4096);
            }
            ERROR_INSUFFICIENT_BUFFER => break,
            ERROR_INVALID_PARAMETER | ERROR_NOT_SUPPORTED => {
                return Err(io::ErrorKind::Unsupported.into());
            }
            other => return Err(io::Error::from_raw_os_error(other.cast_signed())),
        }
    }
    Err(io::Error::other("the table is larger than can be read"))
}

/// `units` have `size` bytes and more; `size` becomes how many there should be.
fn call(table: Table, detail: Detail, units: &mut [u64], size: &mut u32) -> u32 {
    let family = match table {
        Table::Tcp4 | Table::Udp4 => AF_INET,
        Table::Tcp6 | Table::Udp6 => AF_INET6,
    };
    let (pointer, family) = (units.as_mut_ptr().cast(), u32::from(family));
    match protocol_of(table) {
        Protocol::Tcp => {
            let class = match detail {
                Detail::Pid => TCP_TABLE_OWNER_PID_ALL,
                Detail::Module => TCP_TABLE_OWNER_MODULE_ALL,
            };
            // SAFETY: `pointer` has room for `size` bytes, and both outlive the call.
            unsafe { GetExtendedTcpTable(pointer, size, 0, family, class, 0) }
        }
        _ => {
            let class = match detail {
                Detail::Pid => UDP_TABLE_OWNER_PID,
                Detail::Module => UDP_TABLE_OWNER_MODULE,
            };
            // SAFETY: as above.
            unsafe { GetExtendedUdpTable(pointer, size, 0, family, class, 0) }
        }
    }
}

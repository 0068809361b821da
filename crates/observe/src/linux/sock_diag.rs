//! The socket tables of one network namespace, asked by netlink (sock_diag(7)).

use std::collections::BTreeSet;
use std::io;

use model::{Gap, Protocol, Source};
use rustix::net::netlink;

use super::netlink::{Dump, Netlink};
use crate::parse::attributes::be16_at;
use crate::parse::sock_diag::{inet_entry, packet_entry};
use crate::parse::socket_entry::SocketEntry;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const AF_PACKET: u8 = 17;
const PACKET_SHOW_INFO: u32 = 1;
const TCP_LISTEN: u32 = 10;
/// INET_DIAG_INFO as a bit: byte counts of TCP.
const WITH_TCP_INFO: u8 = 1 << 1;
/// How often a table that changes while it is read is read anew.
const ATTEMPTS: usize = 3;

const SOCK_STREAM: u16 = 1;
const SOCK_DGRAM: u16 = 2;
const SOCK_RAW: u16 = 3;

/// A table the kernel can be asked for.
#[derive(Clone, Copy)]
pub(crate) struct InetTable {
    name: &'static str,
    kind: u16,
    protocol: u8,
    extensions: u8,
}

pub(crate) const TCP: InetTable = InetTable {
    name: "TCP",
    kind: SOCK_STREAM,
    protocol: 6,
    extensions: WITH_TCP_INFO,
};
pub(crate) const UDP: InetTable = InetTable {
    name: "UDP",
    kind: SOCK_DGRAM,
    protocol: 17,
    extensions: 0,
};
pub(crate) const UDP_LITE: InetTable = InetTable {
    name: "UDP-Lite",
    kind: SOCK_DGRAM,
    protocol: 136,
    extensions: 0,
};
pub(crate) const SCTP: InetTable = InetTable {
    name: "SCTP",
    kind: SOCK_STREAM,
    protocol: 132,
    extensions: 0,
};
pub(crate) const RAW: InetTable = InetTable {
    name: "raw",
    kind: SOCK_RAW,
    protocol: 255,
    extensions: 0,
};

/// Asks for a whole table of both IP families, in the network namespace `netlink` was opened in.
///
/// Error `ENOENT`: the kernel cannot tell about this protocol.
pub(crate) fn inet(netlink: &mut Netlink, table: InetTable) -> io::Result<Vec<SocketEntry>> {
    inet_in_states(netlink, table, u32::MAX)
}

/// The cookies of the TCP listeners; a table of its own, and a short one.
pub(crate) fn listeners(netlink: &mut Netlink) -> io::Result<BTreeSet<u64>> {
    let without_info = InetTable {
        extensions: 0,
        ..TCP
    };
    let entries = inet_in_states(netlink, without_info, 1 << TCP_LISTEN)?;
    Ok(entries
        .iter()
        .filter_map(|entry| entry.socket.key.cookie)
        .collect())
}

/// `states` has a bit for each wanted TCP_ state (include/net/tcp_states.h).
fn inet_in_states(
    netlink: &mut Netlink,
    table: InetTable,
    states: u32,
) -> io::Result<Vec<SocketEntry>> {
    let mut entries = Vec::new();
    for family in [AF_INET, AF_INET6] {
        let mut request = vec![family, table.protocol, table.extensions, 0];
        // An empty `struct inet_diag_sockid` follows.
        request.extend(states.to_ne_bytes());
        request.resize(56, 0);
        dump_settled(netlink, &request, &mut entries, |message| {
            let mut entry = inet_entry(message, table.kind, u16::from(table.protocol))?;
            if table.kind == SOCK_RAW {
                // The port of a raw socket is its protocol.
                let port = be16_at(message, 4)?;
                let ip_protocol = u8::try_from(port).unwrap_or(u8::MAX);
                entry.socket.protocol = Protocol::Raw { ip_protocol };
            }
            Some(entry)
        })?;
    }
    Ok(entries)
}

/// Asks for the packet sockets (AF_PACKET) of the namespace.
pub(crate) fn packet(netlink: &mut Netlink) -> io::Result<Vec<SocketEntry>> {
    let mut request = vec![AF_PACKET, 0, 0, 0];
    request.extend(0_u32.to_ne_bytes());
    request.extend(PACKET_SHOW_INFO.to_ne_bytes());
    request.resize(20, 0);
    let mut entries = Vec::new();
    dump_settled(netlink, &request, &mut entries, packet_entry)?;
    Ok(entries)
}

/// Reads a table until one reading was not disturbed, at most a few times.
fn dump_settled(
    netlink: &mut Netlink,
    request: &[u8],
    entries: &mut Vec<SocketEntry>,
    read: impl Fn(&[u8]) -> Option<SocketEntry>,
) -> io::Result<()> {
    let before = entries.len();
    for _ in 0..ATTEMPTS {
        entries.truncate(before);
        let consistency = netlink.dump(SOCK_DIAG_BY_FAMILY, request, |_kind, message| {
            entries.extend(read(message));
        })?;
        if consistency == Dump::Consistent {
            break;
        }
    }
    Ok(())
}

/// Opens the socket for the namespace of this thread.
pub(crate) fn open() -> io::Result<Netlink> {
    Netlink::open(netlink::SOCK_DIAG)
}

/// What is missing when a table could not be read; nothing when the kernel has no such protocol.
pub(crate) fn gap(table: InetTable, error: &io::Error) -> Option<Gap> {
    let no_such_protocol = rustix::io::Errno::NOENT.raw_os_error();
    (error.raw_os_error() != Some(no_such_protocol)).then(|| {
        Gap::standing(
            "socket_table_not_read",
            Source::Netlink,
            format!(
                "cannot read the {} table: netlink sock_diag: {error}",
                table.name
            ),
            format!("{} sockets that no process holds", table.name),
        )
    })
}

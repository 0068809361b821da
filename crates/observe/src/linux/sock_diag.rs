//! The socket tables of one network namespace, asked by netlink (sock_diag(7)).

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

use model::{Gap, Protocol, Source};
use rustix::io::Errno;
use rustix::net::netlink;

use super::netlink::{Dump, Netlink};
use crate::parse::attributes::be16_at;
use crate::parse::sock_diag::{inet_entry, packet_entry};
use crate::parse::socket_entry::SocketEntry;
use crate::parse::unix_diag::{UnixSocket, unix_entry};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const SOCK_DESTROY: u16 = 21;
/// Length of `struct inet_diag_req_v2`.
const INET_DIAG_REQ: usize = 56;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const AF_PACKET: u8 = 17;
const PACKET_SHOW_INFO: u32 = 1;
const AF_UNIX: u8 = 1;
const UDIAG_SHOW_NAME: u32 = 1;
const UDIAG_SHOW_PEER: u32 = 4;
const MOST_UNIX_SOCKETS: usize = 1_000_000;
const TCP_TIME_WAIT: u32 = 6;
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
const WITHOUT_INFO: InetTable = InetTable {
    extensions: 0,
    ..TCP
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
    let entries = inet_in_states(netlink, WITHOUT_INFO, 1 << TCP_LISTEN)?;
    Ok(entries
        .iter()
        .filter_map(|entry| entry.socket.key.cookie)
        .collect())
}

/// The TCP connection with this cookie. `None`: there is none, or none any more.
pub(crate) fn connection(netlink: &mut Netlink, cookie: u64) -> io::Result<Option<SocketEntry>> {
    let of_connections = !(1 << TCP_LISTEN | 1 << TCP_TIME_WAIT);
    let entries = inet_in_states(netlink, WITHOUT_INFO, of_connections)?;
    let is_it = |entry: &SocketEntry| entry.socket.key.cookie == Some(cookie);
    Ok(entries.into_iter().find(is_it))
}

/// Closes a TCP connection as if its program had reset it. The kernel finds it by its ends, and
/// compares the cookie.
///
/// Errors: `ENOENT`, there is none between these ends; `ESTALE`, it is another one; `EPERM`, no
/// CAP_NET_ADMIN in its namespace; `EOPNOTSUPP`, the kernel is built without it; `EINVAL`, the
/// entry has no cookie or is none of a connection.
pub(crate) fn destroy(netlink: &mut Netlink, entry: &SocketEntry) -> io::Result<()> {
    let request = destroy_request(entry).ok_or(Errno::INVAL)?;
    netlink.ask(SOCK_DESTROY, &request, |_kind, _message| ())
}

/// A `struct inet_diag_req_v2`. A socket of IPv6 that talks over IPv4 is found as one of IPv4.
fn destroy_request(entry: &SocketEntry) -> Option<Vec<u8>> {
    let (local, remote) = (entry.socket.local, entry.socket.remote?);
    let address = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => (AF_INET, ip.octets().to_vec()),
        IpAddr::V6(ip) => (AF_INET6, ip.octets().to_vec()),
    };
    let (family, mut from) = address(local.ip?);
    let (same_family, mut to) = address(remote.ip?);
    if family != same_family {
        return None;
    }
    from.resize(16, 0);
    to.resize(16, 0);
    let mut request = vec![family, TCP.protocol, 0, 0];
    request.extend(u32::MAX.to_ne_bytes());
    request.extend(local.port?.to_be_bytes());
    request.extend(remote.port?.to_be_bytes());
    request.extend(from);
    request.extend(to);
    request.extend(entry.interface.unwrap_or(0).to_ne_bytes());
    // Two halves, the low one first on every platform.
    let cookie = entry.socket.key.cookie?;
    let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).ok();
    request.extend(half(cookie)?.to_ne_bytes());
    request.extend(half(cookie >> 32)?.to_ne_bytes());
    debug_assert_eq!(request.len(), INET_DIAG_REQ);
    Some(request)
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
        request.resize(INET_DIAG_REQ, 0);
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

/// Asks for the Unix sockets of the namespace, with their names and what they are connected to.
pub(crate) fn unix(netlink: &mut Netlink) -> io::Result<Vec<UnixSocket>> {
    // A `struct unix_diag_req`: all states, no inode, what to show, no cookie.
    let mut request = vec![AF_UNIX, 0, 0, 0];
    request.extend(u32::MAX.to_ne_bytes());
    request.extend(0_u32.to_ne_bytes());
    request.extend((UDIAG_SHOW_NAME | UDIAG_SHOW_PEER).to_ne_bytes());
    request.resize(24, 0);
    let mut entries = Vec::new();
    // One that comes or goes meanwhile does no harm.
    netlink.dump(SOCK_DIAG_BY_FAMILY, &request, |_kind, message| {
        if entries.len() < MOST_UNIX_SOCKETS {
            entries.extend(unix_entry(message));
        }
    })?;
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
    let no_such_protocol = Errno::NOENT.raw_os_error();
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

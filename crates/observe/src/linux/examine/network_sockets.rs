//! The sockets of the network namespace of a process, out of its own tables (proc_pid_net(5)).

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;

use model::{State, Text, Untested};
use rustix::fs::{Mode, OFlags};

use super::Subject;
use super::subject::untested;
use crate::parse::proc_net::table_line;
use crate::parse::socket_entry::SocketEntry;

/// Of each table: some 100,000 sockets.
const MOST_TABLE_BYTES: u64 = 16 * 1024 * 1024;
const LONGEST_LINE: usize = 512;

/// One table: its file, and (kind, protocol) as in socket(2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub(super) file: &'static str,
    kind: u16,
    protocol: Option<u16>,
}

const fn table(file: &'static str, kind: u16, protocol: Option<u16>) -> Table {
    Table {
        file,
        kind,
        protocol,
    }
}

pub(super) const TCP: Table = table("tcp", 1, Some(6));
pub(super) const TCP6: Table = table("tcp6", 1, Some(6));
pub(super) const UDP: Table = table("udp", 2, Some(17));
pub(super) const UDP6: Table = table("udp6", 2, Some(17));
pub(super) const RAW: Table = table("raw", 3, None);
pub(super) const RAW6: Table = table("raw6", 3, None);

/// Hands the sockets of a table over until one is what was looked for.
pub(super) fn any(
    subject: &Subject,
    table: Table,
    mut is_it: impl FnMut(&SocketEntry) -> bool,
) -> Result<bool, Untested> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let path = format!("net/{}", table.file);
    let file = rustix::fs::openat(subject.folder(), path, flags, Mode::empty());
    let file = File::from(file.map_err(untested)?);
    let mut lines = BufReader::with_capacity(64 * 1024, file.take(MOST_TABLE_BYTES));
    let mut line = Vec::with_capacity(LONGEST_LINE);
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line);
        if read.map_err(|_| Untested::Unreadable)? == 0 {
            return Ok(false);
        }
        let text = String::from_utf8_lossy(&line);
        let entry = table_line(&text, table.kind, table.protocol);
        if entry.is_some_and(|entry| is_it(&entry)) {
            return Ok(true);
        }
    }
}

/// The other side of a socket. `None`: it has none.
pub(super) fn remote(entry: &SocketEntry) -> Option<SocketAddr> {
    let remote = entry.socket.remote?;
    Some(SocketAddr::new(remote.ip?, remote.port?))
}

/// A connection of this process over a network, first one that leaves this computer: `tcp 203.0.113.9:4444`.
/// `None`: it has none.
pub(super) fn connection(subject: &Subject) -> Result<Option<Text>, Untested> {
    let sockets = subject.sockets()?;
    let mut found = None;
    if sockets.inodes.is_empty() {
        return Ok(found);
    }
    for (word, table) in [("tcp", TCP), ("tcp", TCP6), ("udp", UDP), ("udp", UDP6)] {
        let leaves = any(subject, table, |entry| {
            let is_own = entry.socket.key.inode.is_some_and(|it| sockets.has(it));
            let remote = remote(entry)
                .filter(|it| is_own && it.port() != 0 && entry.socket.state != State::Listen);
            let Some(remote) = remote else {
                return false;
            };
            let leaves = !remote.ip().is_loopback();
            if leaves || found.is_none() {
                found = Some(Text::from(format!("{word} {remote}")));
            }
            leaves
        })?;
        if leaves {
            break;
        }
    }
    match found {
        None if sockets.cut => Err(Untested::TooLarge),
        found => Ok(found),
    }
}

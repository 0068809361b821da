//! The socket tables of one network namespace, read from inside it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::{Gap, NetworkNamespace, Source};

use super::bpf::BpfError;
use super::iterators::{Iterators, Table};
use super::sock_diag::{self, InetTable};
use crate::parse::proc_net::{TcpCounts, table_line, tcp_counts, tcp_opens};
use crate::parse::socket_entry::SocketEntry;
use crate::parse::socket_record::SocketRecord;

const SOCK_STREAM: u16 = 1;
const SOCK_DGRAM: u16 = 2;
const SOCK_RAW: u16 = 3;
/// A line is at most about 250 bytes; a table of 400,000 sockets.
const MOST_BYTES: u64 = 100 * 1024 * 1024;

/// What the tables of a namespace hold.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) entries: Vec<SocketEntry>,
    /// Cookies of sockets that some descriptor should lead to (iterators only).
    pub(crate) expected: Vec<u64>,
    pub(crate) gaps: Vec<Gap>,
}

impl Tables {
    fn add(&mut self, table: InetTable, result: io::Result<Vec<SocketEntry>>) {
        match result {
            Ok(entries) => self.entries.extend(entries),
            Err(error) => self.gaps.extend(sock_diag::gap(table, &error)),
        }
    }

    fn add_text(&mut self, folder: &Path, tables: &[TextTable]) {
        for (name, kind, protocol) in tables {
            match bounded_text(&folder.join(name)) {
                Ok(text) => {
                    let lines = text.lines();
                    let entries = lines.filter_map(|line| table_line(line, *kind, *protocol));
                    self.entries.extend(entries);
                }
                // It belongs to a protocol that is not there.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.gaps.push(Gap::standing(
                    "socket_table_not_read",
                    Source::Proc,
                    format!("cannot read /proc/PID/net/{name}: {error}"),
                    format!("sockets of the table '{name}'"),
                )),
            }
        }
    }
}

/// Asks by netlink for every protocol, and reads from /proc what netlink does not tell. With
/// `held_elsewhere` TCP and UDP are left out: the iterators tell them.
pub(crate) fn by_netlink(held_elsewhere: bool) -> Tables {
    let mut tables = Tables::default();
    let folder = Path::new("/proc/thread-self/net");
    let mut netlink = match sock_diag::open() {
        Ok(netlink) => netlink,
        Err(error) => {
            tables.gaps.push(Gap::standing(
                "socket_table_not_read",
                Source::Netlink,
                format!("cannot open netlink sock_diag: {error}"),
                "byte counts and packet sockets",
            ));
            let text = by_text(folder, held_elsewhere);
            tables.entries = text.entries;
            tables.gaps.extend(text.gaps);
            return tables;
        }
    };
    let asked: &[InetTable] = if held_elsewhere {
        &[sock_diag::UDP_LITE, sock_diag::SCTP]
    } else {
        &[
            sock_diag::TCP,
            sock_diag::UDP,
            sock_diag::UDP_LITE,
            sock_diag::SCTP,
        ]
    };
    for table in asked {
        tables.add(*table, sock_diag::inet(&mut netlink, *table));
    }
    match sock_diag::inet(&mut netlink, sock_diag::RAW) {
        Ok(entries) => tables.entries.extend(entries),
        // Many kernels come without raw_diag.
        Err(_) => tables.add_text(folder, RAW_TEXT),
    }
    tables.add_text(folder, ICMP_TEXT);
    match sock_diag::packet(&mut netlink) {
        Ok(entries) => tables.entries.extend(entries),
        Err(error) => tables.gaps.push(Gap::standing(
            "packet_sockets_not_read",
            Source::Netlink,
            format!("cannot read the packet sockets: netlink packet_diag: {error}"),
            "programs that read or forge whole frames (sniffers)",
        )),
    }
    tables
}

/// TCP and UDP alone, by netlink.
pub(crate) fn by_netlink_again() -> io::Result<Vec<SocketEntry>> {
    let mut netlink = sock_diag::open()?;
    let mut entries = sock_diag::inet(&mut netlink, sock_diag::TCP)?;
    entries.extend(sock_diag::inet(&mut netlink, sock_diag::UDP)?);
    Ok(entries)
}

/// Reads the tables of `/proc/PID/net`: no cookies, no byte counts, but any process will do, and
/// no namespace has to be entered.
pub(crate) fn by_text(folder: &Path, held_elsewhere: bool) -> Tables {
    let mut tables = Tables::default();
    tables.add_text(folder, RAW_TEXT);
    tables.add_text(folder, ICMP_TEXT);
    if !held_elsewhere {
        tables.add_text(folder, TRANSPORT_TEXT);
    }
    tables
}

/// File name, socket type, and protocol where the file does not tell it.
type TextTable = (&'static str, u16, Option<u16>);
const RAW_TEXT: &[TextTable] = &[("raw", SOCK_RAW, None), ("raw6", SOCK_RAW, None)];
const ICMP_TEXT: &[TextTable] = &[
    ("icmp", SOCK_DGRAM, Some(1)),
    ("icmp6", SOCK_DGRAM, Some(58)),
];
const TRANSPORT_TEXT: &[TextTable] = &[
    ("tcp", SOCK_STREAM, Some(6)),
    ("tcp6", SOCK_STREAM, Some(6)),
    ("udp", SOCK_DGRAM, Some(17)),
    ("udp6", SOCK_DGRAM, Some(17)),
    ("udplite", SOCK_DGRAM, Some(136)),
    ("udplite6", SOCK_DGRAM, Some(136)),
];

fn bounded_text(path: &PathBuf) -> io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    fs::File::open(path)?
        .take(MOST_BYTES)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// What the descriptors led to in a namespace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// TCP connections and listeners.
    pub(crate) tcp: u64,
    /// Cookies of the listeners among them.
    pub(crate) listeners: BTreeSet<u64>,
    /// Some listener has connections that are not established yet.
    pub(crate) half_open: bool,
}

/// What the kernel itself counts of TCP in a namespace. Two that are equal say that no TCP socket
/// came into being between them: each new one is a listener or is counted as opened or accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Census {
    counts: TcpCounts,
    opens: (u64, u64),
    listeners: BTreeSet<u64>,
}

impl Census {
    /// Takes it in the namespace of this thread. `None`: the kernel does not tell all of it.
    pub(crate) fn take() -> Option<Self> {
        let folder = Path::new("/proc/thread-self/net");
        let read = |name: &str| fs::read_to_string(folder.join(name));
        // Without IPv6 in the kernel there is no second file.
        let sockets = read("sockstat").ok()? + &read("sockstat6").unwrap_or_default();
        Some(Self {
            counts: tcp_counts(&sockets)?,
            opens: tcp_opens(&read("snmp").ok()?)?,
            listeners: sock_diag::listeners(&mut sock_diag::open().ok()?).ok()?,
        })
    }

    /// Whether the descriptors, read after this census was taken, led to every TCP socket.
    fn is_matched_by(&self, held: &Held) -> bool {
        let all_held = TcpCounts {
            in_use: held.tcp,
            time_wait: 0,
        };
        self.counts == all_held
            && self.listeners == held.listeners
            && !held.half_open
            && Self::take().as_ref() == Some(self)
    }
}

/// Reads the kernel's own tables for what no descriptor holds.
///
/// The table of TCP is long where there are many connections, and walking it costs as much as
/// walking the descriptors. It is left out when a census taken before proves that these led to
/// all of it.
pub(crate) fn by_iterators(
    iterators: &mut Iterators,
    netns: NetworkNamespace,
    held: &Held,
    before: Option<&Census>,
) -> Result<Tables, BpfError> {
    let mut tables = by_netlink(true);
    let mut wanted = vec![Table::Udp];
    if !before.is_some_and(|before| before.is_matched_by(held)) {
        wanted.push(Table::Tcp);
    }
    for table in wanted {
        iterators.read(table, |record| match record {
            SocketRecord::Unheld(record) if record.netns() == netns => {
                tables.entries.push(record.entry());
            }
            SocketRecord::Identity { cookie } => tables.expected.push(cookie),
            SocketRecord::Unheld(_) | SocketRecord::Held(_) => {}
        })?;
    }
    Ok(tables)
}

//! The table of connections, in one run or under a heading per process, remote address or user.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;

use model::{
    Addresses, Connection, DeviceId, NetworkNamespace, Owner, ProcessId, State, Text, WhyUnknown,
};

use super::cell::Cell;
use super::endpoint;
use super::grid::{Column, Grid, Style};
use super::owner::{Owners, foreign, why_unknown};
use super::{Group, TableOptions};
use crate::lookup;
use crate::quantity::compact_bytes;
use crate::visible::{Cut, shorten_end, visible};

/// From this width on there is room for the path of the program.
const WIDE_SCREEN: usize = 160;
/// Columns that rows stand in from their heading.
const INDENT: usize = 2;
/// Names are at most 15 bytes, unless there is something to make visible.
const HEADING_NAME: usize = 24;
/// `255.255.255.255:65535`.
const IPV4: usize = 21;
/// Most IPv6 addresses of servers, with brackets and port.
const IPV6: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Process,
    Pid,
    User,
    Protocol,
    State,
    Local,
    Remote,
    RemotePort,
    Sent,
    Received,
    Announcer,
    Path,
}

/// Columns that leave before an address is shortened, first the first.
const SPARE: [Kind; 3] = [Kind::Received, Kind::Sent, Kind::User];
const LAST_RESORT: [Kind; 5] = [
    Kind::State,
    Kind::Protocol,
    Kind::Local,
    Kind::Pid,
    Kind::RemotePort,
];

struct Table<'a> {
    owners: &'a Owners,
    options: &'a TableOptions,
    addresses: &'a Addresses,
}

pub(super) fn write(
    owners: &Owners,
    shown: &[&Connection],
    options: &TableOptions,
    addresses: &Addresses,
    out: &mut impl Write,
) -> io::Result<()> {
    let table = Table {
        owners,
        options,
        addresses,
    };
    let indent = if options.group.is_some() { INDENT } else { 0 };
    let mut grid = Grid::new(columns(options, addresses), indent, options.color);
    for connection in shown {
        grid.measure(|kind, cell| table.fill(kind, connection, cell));
    }
    grid.fit(options.width, &SPARE, &LAST_RESORT);
    grid.header(out)?;
    match options.group {
        None => {
            for connection in shown {
                table.row(&mut grid, connection, out)?;
            }
        }
        Some(group) => {
            for (key, connections) in table.groups(group, shown) {
                grid.heading(options.width, out, |cell| {
                    table.heading(&key, &connections, cell)
                })?;
                for connection in connections {
                    table.row(&mut grid, connection, out)?;
                }
            }
        }
    }
    grid.note_left_out(options.width, out)
}

/// All columns but those that the headings say.
fn columns(options: &TableOptions, addresses: &Addresses) -> Vec<Column<Kind>> {
    let mut columns = Vec::new();
    if options.group != Some(Group::Process) {
        columns.push(Column::shared(Kind::Process, "PROCESS", 15, 11));
        columns.push(Column::fixed(Kind::Pid, "PID"));
        if options.group != Some(Group::User) {
            columns.push(Column::shared(Kind::User, "USER", 8, 6));
        }
    }
    columns.push(Column::fixed(Kind::Protocol, "PROTO"));
    columns.push(Column::fixed(Kind::State, "STATE"));
    columns.push(Column::shared(Kind::Local, "LOCAL", IPV4, IPV4 - 2));
    if options.group == Some(Group::Remote) {
        columns.push(Column::shared(Kind::RemotePort, "PORT", 6, 5));
    } else {
        columns.push(Column::shared(Kind::Remote, "REMOTE", IPV6, IPV4));
    }
    columns.push(Column::number(Kind::Sent, "SENT"));
    columns.push(Column::number(Kind::Received, "RECEIVED"));
    // Where there is no screen, rows stay as other programs take them apart.
    let wide = options.width.is_some_and(|width| width >= WIDE_SCREEN);
    if wide && addresses.is_known() && options.group != Some(Group::Remote) {
        columns.push(Column::shared(Kind::Announcer, "ANNOUNCED BY", 24, 16));
    }
    if options.group != Some(Group::Process)
        && options.width.is_none_or(|width| width >= WIDE_SCREEN)
    {
        columns.push(Column::shared(Kind::Path, "PATH", 24, 24));
    }
    columns
}

/// What the connections under one heading have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key<'c> {
    Process(ProcessId, Option<NetworkNamespace>),
    /// The word for why it is not known, and the tunnel.
    NoProcess(&'static str, Option<&'c Text>, Option<NetworkNamespace>),
    /// It stands in the place of a process.
    Device(DeviceId),
    /// The interface belongs to an address that means another computer on each.
    Remote(Option<IpAddr>, Option<&'c Text>),
    User(Option<u32>),
}

impl Table<'_> {
    fn row(
        &self,
        grid: &mut Grid<Kind>,
        connection: &Connection,
        out: &mut impl Write,
    ) -> io::Result<()> {
        grid.row(style(connection.state), out, |kind, cell| {
            self.fill(kind, connection, cell)
        })
    }

    fn fill(&self, kind: Kind, connection: &Connection, cell: &mut Cell) {
        let numeric = self.options.numeric;
        match kind {
            Kind::Process => self.owners.name(cell, connection, self.foreign(connection)),
            Kind::Pid => pid(cell, connection),
            Kind::User => self.owners.user(cell, connection),
            Kind::Protocol => cell.head.push_str(connection.protocol.word()),
            Kind::State => cell.head.push_str(connection.state.word()),
            Kind::Local => endpoint::local(cell, connection, numeric),
            Kind::Remote => endpoint::remote(cell, connection, numeric),
            Kind::RemotePort => endpoint::remote_port(cell, connection, numeric),
            Kind::Sent => count(cell, connection.bytes_sent),
            Kind::Received => count(cell, connection.bytes_received),
            Kind::Announcer => {
                let other = connection.remote.and_then(|remote| remote.ip);
                let announcer = other.and_then(|ip| self.announcer(ip));
                cell.head.push_str(announcer.as_deref().unwrap_or("-"));
                cell.cut = Some(Cut::End);
            }
            Kind::Path => match self.owners.process(connection) {
                Some(process) => process.path(cell),
                None => cell.head.push('-'),
            },
        }
    }

    /// Who announces an address, where somebody is known to.
    fn announcer(&self, ip: IpAddr) -> Option<String> {
        lookup::announcer(&self.addresses.of(ip)?)
    }

    /// The network namespace, where it is not the one that most of the computer is in.
    fn foreign(&self, connection: &Connection) -> Option<NetworkNamespace> {
        foreign(connection, self.options.home_netns)
    }

    /// In the order of their first connections.
    fn groups<'c>(
        &self,
        group: Group,
        shown: &[&'c Connection],
    ) -> Vec<(Key<'c>, Vec<&'c Connection>)> {
        let mut groups: Vec<(Key<'_>, Vec<&Connection>)> = Vec::new();
        let mut index_of: HashMap<Key<'_>, usize> = HashMap::new();
        for connection in shown {
            let key = self.key(group, connection);
            let index = *index_of.entry(key).or_insert(groups.len());
            match groups.get_mut(index) {
                Some((_, connections)) => connections.push(connection),
                None => groups.push((key, vec![connection])),
            }
        }
        groups
    }

    fn key<'c>(&self, group: Group, connection: &'c Connection) -> Key<'c> {
        match group {
            Group::Process => match connection.owner {
                Owner::Known { process, .. } => Key::Process(process, self.foreign(connection)),
                Owner::Unknown { why } => match connection.device {
                    Some(device) => Key::Device(device),
                    None => {
                        let tunnel = connection.interface.as_ref();
                        let tunnel = tunnel.filter(|_| why == WhyUnknown::WireGuard);
                        Key::NoProcess(why_unknown(why), tunnel, self.foreign(connection))
                    }
                },
            },
            Group::Remote => {
                let ip = connection.remote.and_then(|remote| remote.ip);
                let scoped = ip.is_some_and(endpoint::is_link_local);
                Key::Remote(ip, connection.interface.as_ref().filter(|_| scoped))
            }
            Group::User => Key::User(self.owners.uid(connection)),
        }
    }

    fn heading(&self, key: &Key<'_>, connections: &[&Connection], cell: &mut Cell) {
        let Some(first) = connections.first() else {
            return;
        };
        match key {
            Key::Process(id, foreign) => {
                self.owners.name(cell, first, *foreign);
                let name = shorten_end(&cell.head, HEADING_NAME).into_owned();
                cell.head = name + &cell.tail;
                cell.tail.clear();
                let _ = write!(cell.head, " {}", id.pid);
                if let Some(process) = self.owners.process(first) {
                    let _ = write!(cell.head, " {}  {}", process.user, process.path);
                }
            }
            Key::Device(_) => self.owners.name(cell, first, None),
            Key::NoProcess(.., foreign) => self.owners.name(cell, first, *foreign),
            Key::Remote(Some(ip), interface) => {
                let _ = write!(cell.head, "{ip}");
                if let Some(interface) = interface {
                    let _ = write!(cell.head, "%{}", visible(interface));
                }
                if let Some(announcer) = self.announcer(*ip) {
                    let _ = write!(cell.head, "  announced by {announcer}");
                }
            }
            Key::Remote(None, _) => cell.head.push_str("* listens, or can talk to anyone"),
            Key::User(None) => cell.head.push_str("? no user known"),
            Key::User(Some(uid)) => {
                self.owners.user(cell, first);
                let _ = write!(cell.head, " (uid {uid})");
            }
        }
        cell.cut = Some(Cut::Middle);
        let plural = if connections.len() == 1 { "" } else { "s" };
        let _ = write!(cell.tail, "  {} connection{plural}", connections.len());
    }
}

/// The process, and how many more hold the same socket: `1464+2`.
fn pid(cell: &mut Cell, connection: &Connection) {
    let Some(process) = connection.owner.process() else {
        return cell.head.push('-');
    };
    let _ = write!(cell.head, "{}", process.pid);
    if !connection.also_held_by.is_empty() {
        let _ = write!(cell.head, "+{}", connection.also_held_by.len());
    }
}

pub(super) fn count(cell: &mut Cell, bytes: Option<u64>) {
    match bytes {
        Some(bytes) => {
            let _ = write!(cell.head, "{}", compact_bytes(bytes));
        }
        None => cell.head.push('-'),
    }
}

/// What is over, or ending, stands back.
fn style(state: State) -> Style {
    match state {
        State::FinWait1
        | State::FinWait2
        | State::Closing
        | State::LastAck
        | State::TimeWait
        | State::Closed => Style::Dim,
        State::Listen
        | State::SynSent
        | State::SynReceived
        | State::Established
        | State::CloseWait
        | State::Open
        | State::Attempted
        | State::Failed
        | State::Unknown => Style::Plain,
    }
}

//! From rows of a list to what an import hands on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use model::{
    Connection, ConnectionId, Endpoint, Imported, NameSource, NameStrength, Owner, Process,
    ProcessId, Protocol, RemoteName, Source, State, WhyUnknown,
};

use super::super::format::Out;
use super::direction::Listeners;
use super::end::End;
use super::{List, Program, Row};

/// What only the whole list tells: what `*` stands for, and what was cut.
pub(super) fn settle(list: &mut List) {
    let any = list.any_is_v6.map(|v6| {
        if v6 {
            IpAddr::from(Ipv6Addr::UNSPECIFIED)
        } else {
            Ipv4Addr::UNSPECIFIED.into()
        }
    });
    for row in &mut list.rows {
        for end in [&mut row.local, &mut row.remote] {
            end.forget_what_is_cut(list.longest);
            if end.any {
                end.ip = any;
            }
        }
    }
}

/// Gives out so many rows, and with the last of them the processes. `keep`: so many rows stay, to be
/// completed by the next lines. `false`: that was all.
pub(super) fn some(
    list: &mut List,
    listeners: &Listeners,
    most: usize,
    keep: usize,
    out: &mut Out,
) -> bool {
    for _ in 0..most {
        let row = (list.rows.len() > keep)
            .then(|| list.rows.pop_front())
            .flatten();
        let Some(row) = row else {
            for (pid, program) in std::mem::take(&mut list.programs) {
                let process = process(pid, program, out);
                out.seen.push(Imported::Process(Arc::new(process)));
            }
            return false;
        };
        let connection = connection(row, list.day_first, listeners, out);
        out.seen.push(Imported::Connection(Box::new(connection)));
    }
    true
}

fn connection(row: Row, day_first: Option<bool>, listeners: &Listeners, out: &Out) -> Connection {
    let direction = listeners.direction(&row);
    let local = without_needless_port(row.protocol, row.local.endpoint());
    let nobody = row.state == State::Listen || row.remote.is_nobody();
    let remote = (!nobody).then(|| without_needless_port(row.protocol, row.remote.endpoint()));
    // One socket may stand in several lines: each is an observation.
    let mut socket = out.socket(&row.nth.to_le_bytes());
    socket.inode = row.inode.filter(|inode| *inode != 0);
    let opened = row.opened.and_then(|when| when.time(day_first));
    let mut holders = row.holders.iter().map(|pid| id(*pid, out));
    let owner = holders.next();
    Connection {
        id: ConnectionId::of(out.source(), None, socket, row.protocol, local, remote),
        protocol: row.protocol,
        state: row.state,
        direction,
        local,
        remote,
        netns: None,
        interface: row.local.interface,
        socket,
        uid: row.uid,
        opened: opened.map(|time| out.time(time.unix_nanos())),
        closed: None,
        error: None,
        bytes_sent: row.bytes_sent,
        bytes_received: row.bytes_received,
        packets_sent: row.packets_sent,
        packets_received: row.packets_received,
        owner: match owner {
            Some(process) => Owner::Known {
                process,
                source: Source::Log,
            },
            None => Owner::Unknown {
                why: WhyUnknown::NotInSource,
            },
        },
        also_held_by: holders.collect(),
        name: name(row.remote),
        greeting: None,
        device: None,
        talk: None,
    }
}

/// What the tool wrote in the place of the other side's address. It asked for the name of the
/// address and nobody else did: the weakest there is, and told only because the address is not.
fn name(remote: End) -> Option<Arc<RemoteName>> {
    let name = remote.name.filter(|_| remote.ip.is_none())?;
    Some(Arc::new(RemoteName {
        name,
        source: NameSource::Log,
        strength: NameStrength::AnsweredToAnother,
    }))
}

/// Raw sockets have none; what stands there is their protocol.
fn without_needless_port(protocol: Protocol, end: Endpoint) -> Endpoint {
    let port = end.port.filter(|_| protocol.has_ports());
    Endpoint { port, ..end }
}

fn process(pid: u32, program: Program, out: &Out) -> Process {
    let mut services = program.services.into_iter();
    // No list tells when a process began.
    Process {
        name: program.name.unwrap_or_default(),
        path: program.path,
        uid: program.uid,
        user: program.user,
        unit: services.next().filter(|_| services.next().is_none()),
        ..Process::unknown(id(pid, out))
    }
}

fn id(pid: u32, out: &Out) -> ProcessId {
    ProcessId {
        boot: out.source(),
        pid,
        start_ticks: 0,
    }
}

//! What the events mean.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use model::{
    Answer, Connection, Direction, Endpoint, IcmpKind, Imported, NameSeen, NameSource, Owner,
    Protocol, Source, Text, Timestamp,
};

use super::super::field;
use super::super::format::Out;
use super::super::sides;
use super::super::told::{self, Ends};
use super::processes::{Processes, number};
use super::record::{Provider, Record};
use crate::parse::windows_answer;

/// So many addresses of computers, and so many connections of the firewall, are kept in mind.
const MOST_ADDRESSES: usize = 1 << 14;
const MOST_WAITING: usize = 1 << 18;

type Told = Result<(), &'static str>;

/// What is between two processes and what a packet has: the same in both logs, whichever end is
/// named first.
type Key = (Option<ProcessPid>, Protocol, Endpoint, Option<Endpoint>);
type ProcessPid = (model::BootId, u32);

#[derive(Default)]
pub(super) struct Events {
    processes: Processes,
    /// Addresses from which a computer has called, by its name.
    own: HashMap<Vec<u8>, HashSet<IpAddr>>,
    /// Connections of Sysmon, and those of the firewall, which may be the same.
    of_sysmon: HashSet<Key>,
    waiting: Vec<Connection>,
    records: u64,
}

impl Events {
    pub(super) fn tell(&mut self, record: &Record<'_>, out: &mut Out) -> Told {
        self.records += 1;
        let time = record
            .field("UtcTime")
            .and_then(field::time)
            .or(record.written);
        let time = time.map(|time| out.time(time));
        match (record.provider, record.event) {
            (Provider::Sysmon, 1) => self.processes.start(record, time, out),
            (Provider::Sysmon, 3) => self.connection(record, time, out)?,
            (Provider::Sysmon, 5) => self.processes.end(record, time, out),
            (Provider::Sysmon, 22) => self.name(record, time, out)?,
            (Provider::Security, 5156) => self.allowed(record, time, out)?,
            _ => {}
        }
        Ok(())
    }

    /// What the firewall let through and Sysmon did not write.
    pub(super) fn end(&mut self, out: &mut Out) {
        let waiting = std::mem::take(&mut self.waiting);
        let others = waiting
            .into_iter()
            .filter(|one| !self.of_sysmon.contains(&key(one)));
        out.seen
            .extend(others.map(|one| Imported::Connection(Box::new(one))));
    }

    fn connection(&mut self, record: &Record<'_>, time: Option<Timestamp>, out: &mut Out) -> Told {
        let protocol = protocol(record.field("Protocol").unwrap_or_default());
        let end = |ip, port| end(record, ip, port);
        let source = end("SourceIp", "SourcePort").ok_or("it has no addresses")?;
        let other = end("DestinationIp", "DestinationPort").ok_or("it has no addresses")?;
        let sides = match record.field("Initiated") {
            Some(b"true" | b"True" | b"TRUE") => {
                self.own(record, source);
                (source, other, Direction::Outbound)
            }
            Some(_) if self.source_is_local(record, source, other) => {
                (source, other, Direction::Inbound)
            }
            Some(_) => (other, source, Direction::Inbound),
            None => sides::unopened(source, other),
        };
        let connection = self.owned(record, protocol, sides, time, out);
        if self.of_sysmon.len() < MOST_WAITING {
            self.of_sysmon.insert(key(&connection));
        }
        out.seen.push(Imported::Connection(Box::new(connection)));
        check_ports(record, ["SourcePort", "DestinationPort"])
    }

    fn own(&mut self, record: &Record<'_>, end: Endpoint) {
        let known = self.own.values().map(HashSet::len).sum::<usize>();
        if known < MOST_ADDRESSES {
            let own = self.own.entry(record.computer.to_vec()).or_default();
            own.extend(end.ip);
        }
    }

    /// Of a connection from elsewhere: some versions name the end of this computer first, others
    /// the end that called. Its own addresses tell, else the ports: who calls has a high one.
    fn source_is_local(&self, record: &Record<'_>, source: Endpoint, other: Endpoint) -> bool {
        let own = self.own.get(&*record.computer);
        let is_own = |end: Endpoint| {
            let ip = end.ip.filter(|ip| !ip.is_loopback());
            ip.is_some_and(|ip| own.is_some_and(|own| own.contains(&ip)))
        };
        match (is_own(source), is_own(other)) {
            (true, false) => true,
            (false, true) => false,
            _ => source.port <= other.port,
        }
    }

    /// Event 5156 names the end that called first.
    fn allowed(&mut self, record: &Record<'_>, time: Option<Timestamp>, out: &mut Out) -> Told {
        let number = record.field("Protocol").and_then(field::port);
        let protocol = match number.ok_or("it has no protocol")? {
            1 | 58 => Protocol::Icmp(IcmpKind::default()),
            6 => Protocol::Tcp,
            17 => Protocol::Udp,
            132 => Protocol::Sctp,
            other => Protocol::Other(other),
        };
        let end = |ip, port| end(record, ip, port);
        let source = end("SourceAddress", "SourcePort").ok_or("it has no addresses")?;
        let other = end("DestAddress", "DestPort").ok_or("it has no addresses")?;
        let sides = match record.field("Direction") {
            Some(b"%%14592" | b"Inbound") => (other, source, Direction::Inbound),
            Some(b"%%14593" | b"Outbound") => (source, other, Direction::Outbound),
            _ => sides::unopened(source, other),
        };
        let connection = self.owned(record, protocol, sides, time, out);
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push(connection);
        } else {
            out.seen.push(Imported::Connection(Box::new(connection)));
        }
        check_ports(record, ["SourcePort", "DestPort"])
    }

    fn owned(
        &mut self,
        record: &Record<'_>,
        protocol: Protocol,
        (local, remote, direction): (Endpoint, Endpoint, Direction),
        time: Option<Timestamp>,
        out: &mut Out,
    ) -> Connection {
        let socket = out.socket(&self.records.to_le_bytes());
        let ends = Ends {
            socket,
            protocol,
            local,
            remote: Some(remote),
            direction,
        };
        let unknown = ends.connection(ends.id(out));
        let process = self.processes.of(record, out);
        Connection {
            opened: time,
            owner: process.map_or(unknown.owner, |process| Owner::Known {
                process,
                source: Source::Log,
            }),
            ..unknown
        }
    }

    /// Event 22: what Windows' resolver was asked, which may have answered from memory.
    fn name(&mut self, record: &Record<'_>, time: Option<Timestamp>, out: &mut Out) -> Told {
        let process = self.processes.of(record, out);
        let name = NameSeen {
            name: Some(Text::from(
                record.field("QueryName").ok_or("it has no name")?,
            )),
            source: NameSource::Resolver,
            question: None,
            answer: answer(record).map(Box::new),
            greeting: None,
        };
        let event = told::name_of(time.ok_or("it has no time")?, process, name);
        out.seen.push(Imported::Name(Box::new(event)));
        Ok(())
    }
}

fn key(connection: &Connection) -> Key {
    let Connection {
        owner,
        protocol,
        local,
        remote,
        ..
    } = connection;
    let process = owner.process().map(|process| (process.boot, process.pid));
    let (first, second) = match remote {
        Some(remote) if remote < local => (*remote, Some(*local)),
        remote => (*local, *remote),
    };
    (process, *protocol, first, second)
}

/// Errors: something stands where a number should.
fn check_ports(record: &Record<'_>, ports: [&str; 2]) -> Told {
    field::check_numbers(Protocol::Tcp, &ports.map(|port| record.field(port)), &[])
}

fn end(record: &Record<'_>, ip: &str, port: &str) -> Option<Endpoint> {
    let ip = field::address(record.field(ip)?)?;
    Some(match record.field(port).and_then(field::port) {
        Some(port) => Endpoint::new(ip, port),
        None => Endpoint::without_port(ip),
    })
}

fn protocol(name: &[u8]) -> Protocol {
    match name {
        b"tcp" => Protocol::Tcp,
        b"udp" => Protocol::Udp,
        b"icmp" => Protocol::Icmp(IcmpKind::default()),
        other => Protocol::Other(field::port(other).unwrap_or(u16::MAX)),
    }
}

/// `None`: nobody answered, or it is not known.
fn answer(record: &Record<'_>) -> Option<Answer> {
    let status = record.field("QueryStatus").and_then(number)?;
    let results = record.field("QueryResults").unwrap_or_default();
    windows_answer::answer(u32::try_from(status).ok()?, results)
}

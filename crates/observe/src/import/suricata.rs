//! `eve.json` of Suricata: one event on each line. `flow` and `netflow` become connections; `dns`,
//! `mdns`, `tls`, `quic`, `http`, `ssh` and `dhcp` names. (Suricata documentation, "Eve JSON Format".)
//!
//! The flow id makes the connection, in one file; Suricata gives the same numbers again in another
//! run. A flow that only other events tell of (alerts, anomalies, files) is a connection of which
//! only both ends are known, and when it was first seen.
//!
//! Suricata counts whole frames, with headers: the bytes of a connection stay unknown. What its rules
//! say of a flow is counted and told as a gap, with the names of the first rules: the model has no place
//! for the findings of others.

mod names;

use std::collections::HashMap;
use std::io;

use model::{
    Connection, ConnectionError, Direction, Endpoint, Gap, IcmpKind, Imported, Phase, Protocol,
    Source, State,
};

use super::field;
use super::format::{self, Format, Out};
use super::input::Input;
use super::json::Value;
use super::lines::{self, Lines};
use super::sides;
use super::told::{Devices, Ends};

pub(super) const KIND: format::Kind = format::Kind {
    name: "Suricata eve.json",
    recognises,
    open: || Box::<Suricata>::default(),
};

/// So many lines are read at once.
const LINES: usize = 2048;
/// So many flows are kept in mind.
const MOST_FLOWS: usize = 1 << 23;
/// errno(3).
const ECONNREFUSED: i32 = 111;
/// So many rules are named, and so many characters of each.
const MOST_NAMED: usize = 5;
const LONGEST_NAME: usize = 120;

fn recognises(head: &[u8]) -> bool {
    let head = lines::decoded(head);
    let mut lines = lines::of_head(&head).filter(|line| !line.trim_ascii().is_empty());
    let first = lines.next().and_then(Value::object);
    first.is_some_and(|event| {
        event.member("event_type").is_some() && event.member("timestamp").is_some()
    })
}

#[derive(Default)]
struct Suricata {
    lines: Lines,
    /// Which flows were told, and whether by an event about the flow itself.
    flows: HashMap<u64, bool>,
    alerts: Alerts,
    devices: Devices,
}

/// What its rules said.
#[derive(Default)]
struct Alerts {
    count: u64,
    /// The first of them by their names, made harmless.
    first: Vec<String>,
}

impl Alerts {
    fn add(&mut self, event: Value<'_>) {
        self.count += 1;
        if self.first.len() >= MOST_NAMED {
            return;
        }
        let alert = event.member("alert");
        let name = alert.and_then(|alert| alert.member("signature")?.string());
        if let Some(name) = name {
            let name = String::from_utf8_lossy(&name);
            let name = name.chars().take(LONGEST_NAME).collect::<String>();
            let name = name.escape_debug().to_string();
            if !self.first.contains(&name) {
                self.first.push(name);
            }
        }
    }

    /// What is not kept of them. `None`: there were none.
    fn gap(&self) -> Option<Gap> {
        let named = match self.first.as_slice() {
            [] => String::new(),
            first => format!(", among them \"{}\"", first.join("\", \"")),
        };
        let gap = Gap::standing(
            "alerts_not_kept",
            Source::Log,
            "whocalls has no place for the findings of other programs",
            format!("what the rules of Suricata say{named}; their flows are listed"),
        );
        let count = Some(self.count).filter(|count| *count > 0);
        count.is_some().then_some(Gap { count, ..gap })
    }
}

impl Format for Suricata {
    fn read(&mut self, input: &mut Input, out: &mut Out) -> io::Result<bool> {
        for _ in 0..LINES {
            if !self.line(input, out)? {
                self.end(out);
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Suricata {
    fn line(&mut self, input: &mut Input, out: &mut Out) -> io::Result<bool> {
        let Some((number, line)) = self.lines.next(input, out)? else {
            return Ok(false);
        };
        if line.trim_ascii().is_empty() {
            return Ok(true);
        }
        let told = match Value::object(line) {
            Some(event) => {
                let (flows, devices) = (&mut self.flows, &mut self.devices);
                Row::of(event).tell(number, flows, &mut self.alerts, devices, out)
            }
            None => Err("it is no JSON object"),
        };
        if let Err(why) = told {
            self.lines.skip(out, why);
        }
        Ok(true)
    }

    fn end(&mut self, out: &mut Out) {
        let alerts = std::mem::take(&mut self.alerts);
        out.seen.extend(alerts.gap().map(Imported::Gap));
    }
}

/// The members that events have in common.
#[derive(Default)]
struct Row<'a> {
    event: Value<'a>,
    kind: &'a [u8],
    time: Option<i64>,
    flow_id: Option<u64>,
    source: Option<&'a [u8]>,
    source_port: Option<&'a [u8]>,
    destination: Option<&'a [u8]>,
    destination_port: Option<&'a [u8]>,
    protocol: Option<&'a [u8]>,
    icmp: [Option<u8>; 2],
    /// What the event itself is about, and what is said of its flow.
    flow: Value<'a>,
    ether: Value<'a>,
    tcp: Value<'a>,
    direction: Option<&'a [u8]>,
}

impl<'a> Row<'a> {
    fn of(event: Value<'a>) -> Self {
        let mut row = Row {
            event,
            ..Row::default()
        };
        let byte = |value: Value<'_>| value.number().and_then(|byte| u8::try_from(byte).ok());
        for (name, value) in event.members() {
            match name {
                b"event_type" => row.kind = value.plain().unwrap_or_default(),
                b"timestamp" => row.time = value.plain().and_then(field::any_time),
                b"flow_id" => row.flow_id = value.number(),
                b"src_ip" => row.source = value.plain(),
                b"src_port" => row.source_port = value.plain(),
                b"dest_ip" => row.destination = value.plain(),
                b"dest_port" => row.destination_port = value.plain(),
                b"proto" => row.protocol = value.plain(),
                b"icmp_type" => row.icmp[0] = byte(value),
                b"icmp_code" => row.icmp[1] = byte(value),
                b"flow" | b"netflow" => row.flow = value,
                b"ether" => row.ether = value,
                b"tcp" => row.tcp = value,
                b"direction" => row.direction = value.plain(),
                _ => {}
            }
        }
        row
    }

    fn tell(
        &self,
        number: u64,
        flows: &mut HashMap<u64, bool>,
        alerts: &mut Alerts,
        devices: &mut Devices,
        out: &mut Out,
    ) -> Result<(), &'static str> {
        if self.kind == b"alert" {
            alerts.add(self.event);
        }
        // Counters of Suricata itself, and what belongs to no flow.
        let about_no_flow = matches!(self.kind, b"stats" | b"engine" | b"arp")
            || (self.flow_id.is_none() && self.source.is_none());
        if about_no_flow {
            return Ok(());
        }
        if self.kind.is_empty() {
            return Err("it says no kind of event");
        }
        let ends = self.ends(number, out).ok_or("it has no addresses")?;
        let of_flow = matches!(self.kind, b"flow" | b"netflow");
        let known = self.flow_id.and_then(|id| flows.get(&id).copied());
        if of_flow || known.is_none() {
            if let Some(id) = self.flow_id
                && (flows.len() < MOST_FLOWS || known.is_some())
            {
                flows.insert(id, of_flow);
            }
            // What is no longer kept in mind must not take the place of what is known of it.
            if of_flow || flows.len() < MOST_FLOWS {
                let connection = self.connection(&ends, of_flow, devices, out);
                out.seen.push(Imported::Connection(Box::new(connection)));
            }
        }
        names::tell(self, &ends, devices, out)?;
        self.check_numbers()
    }

    /// Errors: something stands where a number should.
    fn check_numbers(&self) -> Result<(), &'static str> {
        let ports = [self.source_port, self.destination_port];
        let count = |name| self.flow.member(name).and_then(Value::plain);
        let counts = ["pkts", "pkts_toserver", "pkts_toclient"].map(count);
        field::check_numbers(self.protocol(), &ports, &counts)
    }

    /// `None`: it has no addresses.
    fn ends(&self, number: u64, out: &Out) -> Option<Ends> {
        let protocol = self.protocol();
        let has_ports = protocol.has_ports();
        let end = |address: Option<&[u8]>, port: Option<&[u8]>| {
            let ip = field::address(address?)?;
            Some(match port.filter(|_| has_ports).and_then(field::port) {
                Some(port) => Endpoint::new(ip, port),
                None => Endpoint::without_port(ip),
            })
        };
        let source = end(self.source, self.source_port)?;
        let destination = end(self.destination, self.destination_port)?;
        // Events other than flows are about one packet, which may go either way.
        let (opener, other) = if self.comes_from_server(source, destination) {
            (destination, source)
        } else {
            (source, destination)
        };
        let socket = match self.flow_id {
            Some(id) => out.socket(&[b"flow", &id.to_le_bytes()[..]].concat()),
            None => out.socket(&number.to_le_bytes()),
        };
        let (local, remote, direction) = sides::of(opener, other);
        Some(Ends {
            socket,
            protocol,
            local,
            remote: Some(remote),
            direction,
        })
    }

    /// Whether the packet that the event is about came from the side that was called.
    fn comes_from_server(&self, source: Endpoint, destination: Endpoint) -> bool {
        if matches!(self.kind, b"flow" | b"netflow") {
            return false;
        }
        if let Some(direction) = self.direction {
            return direction == b"to_client";
        }
        // Newer ones say in each event how the flow began.
        let opener = self.flow.member("src_ip").and_then(Value::plain);
        if let Some(opener) = opener.and_then(field::address) {
            let port = self.flow.member("src_port").and_then(Value::plain);
            let port = port.and_then(field::port);
            let is = |end: Endpoint| end.ip == Some(opener.to_canonical()) && end.port == port;
            return !is(source) && is(destination);
        }
        // A file goes from the server to the client, and ports below 1024 are those of servers.
        let low = |end: Endpoint| end.port.is_some_and(|port| port < 1024);
        self.kind == b"fileinfo" && low(source) && !low(destination)
    }

    fn protocol(&self) -> Protocol {
        let protocol = self.protocol.unwrap_or_default();
        if protocol.eq_ignore_ascii_case(b"tcp") {
            Protocol::Tcp
        } else if protocol.eq_ignore_ascii_case(b"udp") {
            Protocol::Udp
        } else if protocol.eq_ignore_ascii_case(b"sctp") {
            Protocol::Sctp
        } else if protocol
            .get(..4)
            .is_some_and(|icmp| icmp.eq_ignore_ascii_case(b"icmp"))
            || protocol.eq_ignore_ascii_case(b"ipv6-icmp")
        {
            let [kind, code] = self.icmp;
            Protocol::Icmp(IcmpKind {
                kind,
                code,
                id: None,
            })
        } else {
            Protocol::Other(field::port(protocol).unwrap_or(u16::MAX))
        }
    }

    fn connection(
        &self,
        ends: &Ends,
        of_flow: bool,
        devices: &mut Devices,
        out: &mut Out,
    ) -> Connection {
        let time = |value: Option<Value<'_>>| {
            value
                .and_then(Value::plain)
                .and_then(field::any_time)
                .map(|time| out.time(time))
        };
        let started = time(self.flow.member("start"));
        let opened = started.or_else(|| self.time.map(|time| out.time(time)));
        let closed = if of_flow {
            time(self.flow.member("end")).or(opened)
        } else {
            None
        };
        let (state, error) = self.state(ends, of_flow);
        let (packets_sent, packets_received) = match of_flow {
            true => self.packets(ends),
            false => (None, None),
        };
        let device = ends.local.ip.and_then(|ip| {
            // Of an end that may be anywhere it may be that of a router.
            let mac = self.mac(ends).filter(|_| sides::is_inside(ip));
            devices.at(mac, ip, out)
        });
        Connection {
            state,
            opened,
            closed,
            error,
            packets_sent,
            packets_received,
            device,
            ..ends.connection(ends.id(out))
        }
    }

    /// Those of a netflow went one way: from the source.
    fn packets(&self, ends: &Ends) -> (Option<u64>, Option<u64>) {
        let number = |name| self.flow.member(name).and_then(Value::number);
        let (up, down) = if self.kind == b"netflow" {
            (number("pkts"), None)
        } else {
            (number("pkts_toserver"), number("pkts_toclient"))
        };
        if ends.direction == Direction::Inbound {
            (down, up)
        } else {
            (up, down)
        }
    }

    fn state(&self, ends: &Ends, of_flow: bool) -> (State, Option<ConnectionError>) {
        if !of_flow {
            return (State::Unknown, None);
        }
        if ends.protocol != Protocol::Tcp {
            return (State::Closed, None);
        }
        let fails = |errno| {
            let phase = Phase::Handshake;
            (State::Failed, Some(ConnectionError { errno, phase }))
        };
        let is_set = |name| self.tcp.member(name).and_then(Value::plain) == Some(b"true");
        let state = self.flow.member("state").and_then(Value::plain);
        let tcp_state = self.tcp.member("state").and_then(Value::plain);
        let answered = self.flow.member("pkts_toclient").and_then(Value::number);
        match (tcp_state, state) {
            (Some(b"syn_sent"), _) | (None, Some(b"new")) if answered == Some(0) => fails(None),
            // Nothing but a reset came back.
            (Some(b"closed"), _)
                if is_set("rst") && is_set("syn") && !is_set("psh") && answered == Some(1) =>
            {
                fails(Some(ECONNREFUSED))
            }
            (None, None) => (State::Unknown, None),
            _ => (State::Closed, None),
        }
    }

    /// Of the local side. Where there are several, it is not known which one.
    fn mac(&self, ends: &Ends) -> Option<[u8; 6]> {
        let local_is_source = ends.local.ip == field::address(self.source?);
        let [one, several] = match local_is_source {
            true => ["src_mac", "src_macs"],
            false => ["dest_mac", "dest_macs"],
        };
        let one = self.ether.member(one).or_else(|| {
            let mut all = self.ether.member(several)?.items();
            all.next().filter(|_| all.next().is_none())
        });
        field::mac(one?.plain()?)
    }
}

#[cfg(test)]
mod tests;

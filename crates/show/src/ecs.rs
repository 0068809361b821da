//! Connections as events of the Elastic Common Schema (ECS), a JSON document on each line.
//!
//! Names and types are those of ECS 8.17 (<https://www.elastic.co/guide/en/ecs/8.17/>); what ECS has
//! no name for stands below `whocalls`. What is not known is left out. docs/export.md says what each
//! field comes from.

use std::io::{self, Write};

use model::{
    Connection, Direction, Greeting, NameSource, Owner, Process, Protocol, Snapshot, State, Text,
    hex,
};

use crate::devices::{Known, mac_address};
use crate::errors;
use crate::json::writer::{Object, object, string};
use crate::sides::{Side, Sides, community_id, ip_protocol};

/// The version of the schema whose names are used.
const VERSION: &str = "8.17.0";
/// The buffer is handed on whenever it holds this much.
const CHUNK: usize = 256 * 1024;

/// A line for each connection, in the order given.
pub fn write<'a>(
    snapshot: &Snapshot,
    connections: impl IntoIterator<Item = &'a Connection>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(CHUNK + CHUNK / 4);
    for connection in connections {
        object(&mut buffer, |line| document(line, snapshot, connection));
        buffer.push(b'\n');
        if buffer.len() >= CHUNK {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    out.write_all(&buffer)?;
    out.flush()
}

fn document(line: &mut Object<'_>, snapshot: &Snapshot, connection: &Connection) {
    let process = snapshot.owner_of(connection);
    let device = Known::of(connection, &snapshot.devices);
    let sides = Sides::of(connection);
    line.given_plain("@timestamp", connection.opened.or(snapshot.taken.told()));
    line.object("ecs", |ecs| ecs.word("version", VERSION));
    line.object("event", |it| event(it, snapshot, connection));
    if let Some(error) = &connection.error {
        line.object("error", |object| {
            object.given_plain("code", error.errno);
            object.text("message", &errors::word(error));
        });
    }
    line.object("network", |it| network(it, connection));
    let ends = [("source", sides.source), ("destination", sides.destination)];
    for (name, side) in ends {
        if let Some(side) = side {
            line.object(name, |object| {
                end(object, side);
                let mac = device.filter(|_| side.end == connection.local);
                let mac = mac.and_then(|it| it.mac).map(hyphened);
                object.given_text("mac", mac.as_deref());
                let domain = connection.name.as_ref().filter(|_| !side.local);
                let domain = domain.map(|it| it.name.lossy());
                object.given_text("domain", domain.as_deref());
            });
        }
    }
    let ends = [("client", sides.source), ("server", sides.destination)];
    for (name, side) in ends {
        if let Some(side) = side.filter(|_| sides.known) {
            line.object(name, |object| end(object, side));
        }
    }
    related(line, connection, device);
    greeting(line, connection);
    line.object("host", |host| {
        host.text("name", &snapshot.host.name.lossy());
        host.object("boot", |boot| boot.plain("id", snapshot.host.boot));
    });
    line.object("observer", |observer| {
        observer.text("hostname", &snapshot.host.name.lossy());
        observer.word("product", "whocalls");
        observer.word("type", "sensor");
        observer.word("version", env!("CARGO_PKG_VERSION"));
    });
    if let Some(process) = process {
        line.object("process", |object| of_process(object, process));
        if let Some(container) = &process.container {
            line.object("container", |object| {
                object.text("id", &container.id.lossy());
                object.word("runtime", container.engine);
            });
        }
    }
    let user = snapshot.user_of(connection).map(Text::lossy);
    let uid = process.and_then(|it| it.uid);
    let uid = if process.is_some() {
        uid
    } else {
        connection.uid
    };
    if user.is_some() || uid.is_some() {
        line.object("user", |object| {
            object.given_plain("id", uid);
            object.given_text("name", user.as_deref());
        });
    }
    line.object("whocalls", |it| rest(it, snapshot, connection, process));
}

fn event(event: &mut Object<'_>, snapshot: &Snapshot, connection: &Connection) {
    event.word("kind", "event");
    let words = |object: &mut Object<'_>, name, words: &[&str]| {
        object.array(name, words, |out, word| string(out, word));
    };
    words(event, "category", &["network"]);
    let failed = connection.state == State::Failed;
    let (kinds, action): (&[&str], _) = match (connection.remote, connection.closed) {
        (None, _) if connection.state == State::Listen => (&["info"], "listening"),
        (None, _) => (&["info"], "socket-open"),
        (Some(_), _) if failed => (&["connection", "end"], "connection-failed"),
        (Some(_), Some(_)) if connection.opened.is_some() => {
            (&["connection", "start", "end"], "connection-closed")
        }
        (Some(_), Some(_)) => (&["connection", "end"], "connection-closed"),
        (Some(_), None) if matches!(connection.state, State::Attempted | State::SynSent) => {
            (&["connection", "start"], "connection-attempted")
        }
        (Some(_), None) => (&["connection", "start"], "connection-opened"),
    };
    words(event, "type", kinds);
    event.word("action", action);
    event.word("module", "whocalls");
    event.word("dataset", "whocalls.connection");
    event.plain("id", connection.id);
    event.given_plain("created", snapshot.taken.told());
    event.given_plain("start", connection.opened);
    event.given_plain("end", connection.closed);
    if let (Some(opened), Some(closed)) = (connection.opened, connection.closed) {
        event.number("duration", opened.until(closed).as_nanos());
    }
    let outcome = match connection.state {
        State::Failed => "failure",
        State::Attempted | State::SynSent | State::SynReceived | State::Unknown => "unknown",
        State::Listen
        | State::Established
        | State::FinWait1
        | State::FinWait2
        | State::CloseWait
        | State::Closing
        | State::LastAck
        | State::TimeWait
        | State::Closed
        | State::Open => "success",
    };
    event.word("outcome", outcome);
}

fn network(network: &mut Object<'_>, connection: &Connection) {
    let is_v6 = connection.local.ip.map(|ip| ip.is_ipv6());
    let transport = match connection.protocol {
        Protocol::Tcp | Protocol::Mptcp => Some("tcp"),
        Protocol::Udp => Some("udp"),
        Protocol::UdpLite => Some("udplite"),
        Protocol::Sctp => Some("sctp"),
        Protocol::Dccp => Some("dccp"),
        Protocol::Icmp(_) if is_v6 == Some(true) => Some("ipv6-icmp"),
        Protocol::Icmp(_) => Some("icmp"),
        // The number below says which.
        Protocol::Raw { .. } | Protocol::Packet { .. } | Protocol::Other(_) => None,
    };
    if let Some(transport) = transport {
        network.word("transport", transport);
    }
    network.given_plain("iana_number", ip_protocol(connection));
    if let Some(is_v6) = is_v6 {
        network.word("type", if is_v6 { "ipv6" } else { "ipv4" });
    }
    // As a program on the computer itself sees it.
    match connection.direction {
        Direction::Outbound => network.word("direction", "egress"),
        Direction::Inbound => network.word("direction", "ingress"),
        Direction::Local => network.word("direction", "internal"),
        Direction::Unknown => network.word("direction", "unknown"),
        Direction::Listening => {}
    }
    if let Some(id) = community_id(connection) {
        network.word("community_id", &id);
    }
    let sum = |one: Option<u64>, other: Option<u64>| Some(one?.saturating_add(other?));
    let bytes = sum(connection.bytes_sent, connection.bytes_received);
    network.given_number("bytes", bytes);
    let packets = sum(connection.packets_sent, connection.packets_received);
    network.given_number("packets", packets);
}

fn end(object: &mut Object<'_>, side: Side) {
    if let Some(ip) = side.end.ip {
        object.ip("address", ip);
        object.ip("ip", ip);
    }
    object.given_number("port", side.end.port);
    object.given_number("bytes", side.bytes);
    object.given_number("packets", side.packets);
}

fn related(line: &mut Object<'_>, connection: &Connection, device: Option<Known<'_>>) {
    let remote = connection.remote.and_then(|it| it.ip);
    let ips = connection.local.ip.into_iter().chain(remote);
    let ips: Vec<_> = ips.filter(|ip| !ip.is_unspecified()).collect();
    let names = connection.name.iter().map(|it| &it.name);
    let names = names.chain(device.and_then(|it| it.name));
    let names: Vec<_> = names.map(Text::lossy).collect();
    if ips.is_empty() && names.is_empty() {
        return;
    }
    line.object("related", |related| {
        if !ips.is_empty() {
            related.array("ip", ips, |out, ip| string(out, &ip.to_string()));
        }
        if !names.is_empty() {
            related.array("hosts", &names, |out, name| string(out, name));
        }
    });
}

/// What the client said first.
fn greeting(line: &mut Object<'_>, connection: &Connection) {
    match connection.greeting.as_deref() {
        Some(Greeting::Tls(_)) => {
            let name = connection.name.as_ref();
            if let Some(name) = name.filter(|it| it.source == NameSource::Sni) {
                line.object("tls", |tls| {
                    tls.object("client", |client| {
                        client.text("server_name", &name.name.lossy());
                    });
                });
            }
        }
        Some(Greeting::Http(http)) => {
            if let Some(method) = &http.method {
                line.object("http", |it| {
                    it.object("request", |it| it.text("method", &method.lossy()));
                });
            }
            if let Some(target) = &http.target {
                line.object("url", |it| it.text("original", &target.lossy()));
            }
            if let Some(agent) = &http.user_agent {
                line.object("user_agent", |it| it.text("original", &agent.lossy()));
            }
        }
        Some(Greeting::Ssh { .. }) | None => {}
    }
}

fn of_process(object: &mut Object<'_>, process: &Process) {
    object.plain("entity_id", process.id);
    object.number("pid", process.id.pid);
    object.text("name", &process.name.lossy());
    object.given_plain("start", process.started);
    object.given_plain("end", process.ended);
    let path = process.path.as_ref().map(Text::lossy);
    object.given_text("executable", path.as_deref());
    if let Some(arguments) = &process.command_line {
        let arguments: Vec<_> = arguments.iter().map(Text::lossy).collect();
        object.text("command_line", &arguments.join(" "));
        // Where some were cut off, how many there were is not known.
        if !process.command_line_truncated {
            object.number("args_count", arguments.len());
        }
        object.array("args", &arguments, |out, it| string(out, it));
    }
    if let Some(hash) = process.sha256 {
        object.object("hash", |object| object.plain("sha256", hex(&hash)));
    }
    if let Some(parent) = process.parents.first() {
        object.object("parent", |object| {
            object.number("pid", parent.pid);
            object.text("name", &parent.name.lossy());
            let path = parent.path.as_ref().map(Text::lossy);
            object.given_text("executable", path.as_deref());
        });
    }
}

/// What the schema has no name for.
fn rest(
    object: &mut Object<'_>,
    snapshot: &Snapshot,
    connection: &Connection,
    process: Option<&Process>,
) {
    object.word("protocol", connection.protocol.word());
    object.word("state", connection.state.word());
    object.word("direction", connection.direction.word());
    object.word("tier", snapshot.tier.word());
    object.object("owner", |object| match connection.owner {
        Owner::Known { source, .. } => {
            object.boolean("known", true);
            object.word("source", source.word());
        }
        Owner::Unknown { why } => {
            object.boolean("known", false);
            object.word("why", why.word());
        }
    });
    if let Some(name) = &connection.name {
        object.word("name_source", name.source.word());
        object.word("name_strength", name.strength.word());
    }
    if let Some(Greeting::Tls(tls)) = connection.greeting.as_deref() {
        let ja4 = tls.ja4.as_ref().map(Text::lossy);
        object.given_text("ja4", ja4.as_deref());
    }
    if let Some(device) = Known::of(connection, &snapshot.devices) {
        object.object("device", |object| {
            object.given_text("mac", device.mac.map(mac_address).as_deref());
            object.given_text("name", device.name.map(Text::lossy).as_deref());
            if let Some(ip) = device.ip {
                object.ip("ip", ip);
            }
        });
    }
    object.given_number("netns", connection.netns.map(|it| it.0));
    object.given_number("socket_cookie", connection.socket.cookie);
    let interface = connection.interface.as_ref().map(Text::lossy);
    object.given_text("interface", interface.as_deref());
    if !connection.also_held_by.is_empty() {
        object.array("also_held_by", &connection.also_held_by, |out, id| {
            string(out, &id.to_string());
        });
    }
    let Some(process) = process else { return };
    object.given_plain("path_state", process.path_state.word());
    object.given_text("unit", process.unit.as_ref().map(Text::lossy).as_deref());
    let above = process.parents.get(1..).unwrap_or_default();
    if !above.is_empty() {
        object.array("ancestors", above, |out, parent| {
            let name = parent.name.lossy();
            string(out, &format!("{name} {}", parent.pid));
        });
    }
}

/// As ECS wants it (RFC 7042, 2.1): `02-00-5E-10-00-01`.
fn hyphened(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02X}")).join("-")
}

#[cfg(test)]
mod tests;

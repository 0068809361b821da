//! Connections as events of the Open Cybersecurity Schema Framework (OCSF): class Network Activity
//! (4001), a JSON document on each line.
//!
//! Names and numbers are those of OCSF 1.7.0 (<https://schema.ocsf.io/1.7.0/classes/network_activity>)
//! with the profiles for hosts and containers; what it has no name for stands in `unmapped`. What is
//! not known is left out, or `0` where the schema wants a number for that. docs/export.md says what
//! each attribute comes from.

use std::borrow::Cow;
use std::io::{self, Write};

use model::{
    Connection, Direction, Owner, Phase, Process, Protocol, Snapshot, State, Text, Timestamp, hex,
};

use crate::devices::{Known, mac_address};
use crate::errors;
use crate::json::writer::{Object, object, string};
use crate::sides::{Side, Sides, community_id, ip_protocol};

/// The version of the schema whose names are used.
const VERSION: &str = "1.7.0";
const CATEGORY: u32 = 4;
const CLASS: u32 = 4001;
/// Something to know about, no more: nothing is judged here.
const INFORMATIONAL: u32 = 1;
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

/// What happened last, as the schema counts it.
fn activity(connection: &Connection) -> (u32, &'static str) {
    let errno = connection.error.as_ref().and_then(|it| it.errno);
    let phase = connection.error.as_ref().map(|it| it.phase);
    let failed = connection.state == State::Failed;
    let was_reset = errno == Some(errors::CONNECTION_RESET) && phase == Some(Phase::Established);
    if connection.state == State::Listen {
        (7, "Listen")
    } else if connection.remote.is_none() {
        (99, "Socket")
    } else if failed && errno == Some(errors::CONNECTION_REFUSED) {
        (5, "Refuse")
    } else if failed {
        (4, "Fail")
    } else if connection.closed.is_none() {
        (1, "Open")
    } else if was_reset {
        (3, "Reset")
    } else {
        (2, "Close")
    }
}

fn document(line: &mut Object<'_>, snapshot: &Snapshot, connection: &Connection) {
    let process = snapshot.owner_of(connection);
    let (activity, name) = activity(connection);
    line.number("activity_id", activity);
    line.word("activity_name", name);
    line.number("category_uid", CATEGORY);
    line.word("category_name", "Network Activity");
    line.number("class_uid", CLASS);
    line.word("class_name", "Network Activity");
    line.number("type_uid", CLASS * 100 + activity);
    line.number("severity_id", INFORMATIONAL);
    line.word("severity", "Informational");
    let last = connection.closed.or(connection.opened);
    line.given_number("time", last.or(snapshot.taken.told()).map(millis));
    line.given_number("start_time", connection.opened.map(millis));
    line.given_number("end_time", connection.closed.map(millis));
    if let (Some(opened), Some(closed)) = (connection.opened, connection.closed) {
        line.number("duration", opened.until(closed).as_millis());
    }
    status(line, connection);
    line.object("metadata", |it| metadata(it, snapshot, connection));
    let sides = Sides::of(connection);
    let device = Known::of(connection, &snapshot.devices);
    for (name, side) in [
        ("src_endpoint", sides.source),
        ("dst_endpoint", sides.destination),
    ] {
        if let Some(side) = side {
            line.object(name, |object| {
                end(object, side);
                let here = side.local.then(|| hostname(snapshot, device)).flatten();
                object.given_text("hostname", here.as_deref());
                let device = device.filter(|_| side.end == connection.local);
                let mac = device.and_then(|it| it.mac).map(mac_address);
                object.given_text("mac", mac.as_deref());
                let name = connection.name.as_ref().filter(|_| !side.local);
                let name = name.map(|it| it.name.lossy());
                object.given_text("hostname", name.as_deref());
            });
        }
    }
    line.boolean("is_src_dst_assignment_known", sides.known);
    line.object("connection_info", |it| info(it, connection));
    traffic(line, connection);
    line.object("device", |object| {
        let name = hostname(snapshot, device);
        object.given_text("hostname", name.as_deref());
        if let Some(device) = device {
            let mac = device.mac.map(mac_address);
            object.given_text("mac", mac.as_deref());
            if let Some(ip) = device.ip {
                object.ip("ip", ip);
            }
        }
        // Unknown: a laptop and a server look the same from inside.
        object.number("type_id", 0);
        object.word("type", "Unknown");
    });
    if let Some(process) = process {
        line.object("actor", |actor| {
            actor.object("process", |object| of_process(object, process));
        });
    }
    line.object("unmapped", |it| rest(it, snapshot, connection, process));
}

fn status(line: &mut Object<'_>, connection: &Connection) {
    let (id, status) = match connection.state {
        State::Failed => (2, "Failure"),
        State::Attempted | State::SynSent | State::SynReceived | State::Unknown => (0, "Unknown"),
        State::Listen
        | State::Established
        | State::FinWait1
        | State::FinWait2
        | State::CloseWait
        | State::Closing
        | State::LastAck
        | State::TimeWait
        | State::Closed
        | State::Open => (1, "Success"),
    };
    line.number("status_id", id);
    line.word("status", status);
    if let Some(error) = &connection.error {
        line.given_plain("status_code", error.errno);
        line.text("status_detail", &errors::word(error));
    }
}

fn metadata(metadata: &mut Object<'_>, snapshot: &Snapshot, connection: &Connection) {
    metadata.word("version", VERSION);
    metadata.object("product", |product| {
        product.word("name", "whocalls");
        product.word("vendor_name", "whocalls");
        product.word("version", env!("CARGO_PKG_VERSION"));
    });
    metadata.array("profiles", ["host", "container"], string);
    metadata.plain("uid", connection.id);
    metadata.given_number("logged_time", snapshot.taken.told().map(millis));
}

/// Of this computer; in a capture, of the device that stands in its place. `None`: it has not said.
fn hostname<'a>(snapshot: &'a Snapshot, device: Option<Known<'a>>) -> Option<Cow<'a, str>> {
    match device {
        Some(device) => device.name.map(Text::lossy),
        None => Some(snapshot.host.name.lossy()),
    }
}

fn end(object: &mut Object<'_>, side: Side) {
    if let Some(ip) = side.end.ip {
        object.ip("ip", ip);
    }
    object.given_number("port", side.end.port);
}

fn info(info: &mut Object<'_>, connection: &Connection) {
    let (direction, name) = match connection.direction {
        Direction::Inbound => (1, "Inbound"),
        Direction::Outbound => (2, "Outbound"),
        Direction::Local => (4, "Local"),
        Direction::Listening => (99, "Listening"),
        Direction::Unknown => (0, "Unknown"),
    };
    info.number("direction_id", direction);
    info.word("direction", name);
    // Lower case, as the IANA names it.
    let name = match connection.protocol {
        Protocol::Mptcp => Some("tcp"),
        Protocol::Raw { .. } | Protocol::Packet { .. } | Protocol::Other(_) => None,
        known @ (Protocol::Tcp
        | Protocol::Udp
        | Protocol::UdpLite
        | Protocol::Sctp
        | Protocol::Dccp
        | Protocol::Icmp(_)) => Some(known.word()),
    };
    if let Some(name) = name {
        info.word("protocol_name", name);
    }
    info.given_number("protocol_num", ip_protocol(connection));
    if let Some(ip) = connection.local.ip {
        let (version, name) = if ip.is_ipv6() {
            (6, "IPv6")
        } else {
            (4, "IPv4")
        };
        info.number("protocol_ver_id", version);
        info.word("protocol_ver", name);
    }
    info.plain("uid", connection.id);
    if let Some(id) = community_id(connection) {
        info.word("community_uid", &id);
    }
}

/// In and out as the computer sees it.
fn traffic(line: &mut Object<'_>, connection: &Connection) {
    let (sent, received) = (connection.bytes_sent, connection.bytes_received);
    let (out, r#in) = (connection.packets_sent, connection.packets_received);
    let counts = [sent, received, out, r#in];
    if counts.iter().all(Option::is_none) {
        return;
    }
    let sum = |one: Option<u64>, other: Option<u64>| Some(one?.saturating_add(other?));
    line.object("traffic", |traffic| {
        traffic.given_number("bytes", sum(sent, received));
        traffic.given_number("bytes_in", received);
        traffic.given_number("bytes_out", sent);
        traffic.given_number("packets", sum(out, r#in));
        traffic.given_number("packets_in", r#in);
        traffic.given_number("packets_out", out);
    });
}

fn of_process(object: &mut Object<'_>, process: &Process) {
    object.plain("uid", process.id);
    object.number("pid", process.id.pid);
    object.text("name", &process.name.lossy());
    object.given_number("created_time", process.started.map(millis));
    object.given_number("terminated_time", process.ended.map(millis));
    if let Some(arguments) = &process.command_line {
        let arguments: Vec<_> = arguments.iter().map(Text::lossy).collect();
        object.text("cmd_line", &arguments.join(" "));
    }
    if let Some(path) = &process.path {
        object.object("file", |object| file(object, path, process.sha256));
    }
    if process.user.is_some() || process.uid.is_some() {
        object.object("user", |user| {
            let name = process.user.as_ref().map(Text::lossy);
            user.given_text("name", name.as_deref());
            user.given_plain("uid", process.uid);
        });
    }
    if let Some(parent) = process.parents.first() {
        object.object("parent_process", |object| {
            object.number("pid", parent.pid);
            object.text("name", &parent.name.lossy());
            if let Some(path) = &parent.path {
                object.object("file", |object| file(object, path, None));
            }
        });
    }
    if let Some(container) = &process.container {
        object.object("container", |object| {
            object.text("uid", &container.id.lossy());
            object.word("runtime", container.engine);
        });
    }
}

fn file(object: &mut Object<'_>, path: &Text, hash: Option<[u8; 32]>) {
    let path = path.lossy();
    let name = path.rsplit('/').next().unwrap_or_default();
    object.text("name", if name.is_empty() { &path } else { name });
    object.text("path", &path);
    object.number("type_id", 1);
    object.word("type", "Regular File");
    if let Some(hash) = hash {
        object.array("hashes", [hash], |out, hash| {
            crate::json::writer::object(out, |object| {
                object.number("algorithm_id", 3);
                object.word("algorithm", "SHA-256");
                object.plain("value", hex(&hash));
            });
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
    object.word("tier", snapshot.tier.word());
    match connection.owner {
        Owner::Known { source, .. } => object.word("owner_source", source.word()),
        Owner::Unknown { why } => object.word("owner_why", why.word()),
    }
    // Of a process that is known it stands with it.
    if process.is_none() {
        object.given_number("uid", connection.uid);
    }
    object.given_number("netns", connection.netns.map(|it| it.0));
    object.given_number("socket_cookie", connection.socket.cookie);
    let interface = connection.interface.as_ref().map(Text::lossy);
    object.given_text("interface", interface.as_deref());
    object.plain("boot", snapshot.host.boot);
    if let Some(process) = process {
        object.given_plain("path_state", process.path_state.word());
        object.given_text("unit", process.unit.as_ref().map(Text::lossy).as_deref());
    }
}

/// As the schema counts time: milliseconds since 1970, UTC.
fn millis(time: Timestamp) -> i64 {
    time.unix_nanos().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests;

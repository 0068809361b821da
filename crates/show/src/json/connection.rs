//! A connection in JSON.

use model::{Connection, ConnectionError, Endpoint, Owner, Protocol, SocketKey};

use super::encoder::Encoder;
use super::lookup::address;
use super::name;
use super::writer::{self, Object};
use crate::errors;
use crate::sides::community_id;

/// All members of a connection; those of its processes come from `processes`.
pub(super) fn members(object: &mut Object<'_>, connection: &Connection, processes: &Encoder) {
    object.plain("id", connection.id);
    object.word("protocol", connection.protocol.word());
    object.word("state", connection.state.word());
    object.word("direction", connection.direction.word());
    object.object("local", |local| endpoint(local, connection.local));
    match connection.remote {
        Some(remote) => object.object("remote", |object| {
            endpoint(object, remote);
            name::remote_name(object, connection.name.as_deref());
        }),
        None => object.null("remote"),
    }
    protocol_details(object, connection.protocol);
    object.optional_number("netns", connection.netns.map(|netns| netns.0));
    object.optional_text(
        "interface",
        connection
            .interface
            .as_ref()
            .map(|name| name.lossy())
            .as_deref(),
    );
    object.object("socket", |object| socket(object, connection.socket));
    object.optional_number("uid", connection.uid);
    object.optional_plain("opened", connection.opened);
    object.optional_plain("closed", connection.closed);
    optional_error(object, connection.error.as_ref());
    object.optional_number("bytes_sent", connection.bytes_sent);
    object.optional_number("bytes_received", connection.bytes_received);
    object.optional_number("packets_sent", connection.packets_sent);
    object.optional_number("packets_received", connection.packets_received);
    match community_id(connection) {
        Some(id) => object.word("community_id", &id),
        None => object.null("community_id"),
    }
    object.object("owner", |object| owner(object, connection.owner));
    match connection.owner.process() {
        Some(id) => processes.brief(object, "process", id),
        None => object.null("process"),
    }
    object.array("also_held_by", &connection.also_held_by, |out, id| {
        processes.holder(out, *id);
    });
    name::device(object, connection, processes.devices());
    name::greeting(object, connection.greeting.as_deref());
    let other = connection.remote.and_then(|remote| remote.ip);
    match other.and_then(|ip| processes.addresses().of(ip)) {
        Some(facts) => object.object("address", |it| address(it, &facts)),
        None => object.null("address"),
    }
    let process = connection.owner.process();
    let process = process.and_then(|id| processes.process(id));
    let findings = processes.found().about(connection, process);
    object.array("findings", findings, |out, it| {
        writer::string(out, &it.id.to_string());
    });
}

pub(super) fn socket(object: &mut Object<'_>, socket: SocketKey) {
    object.optional_number("inode", socket.inode);
    object.optional_number("cookie", socket.cookie);
}

pub(super) fn endpoint(object: &mut Object<'_>, endpoint: Endpoint) {
    match endpoint.ip {
        Some(ip) => object.ip("ip", ip),
        None => object.null("ip"),
    }
    object.optional_number("port", endpoint.port);
}

pub(super) fn protocol_details(object: &mut Object<'_>, protocol: Protocol) {
    match protocol {
        Protocol::Icmp(icmp) => object.object("icmp", |object| {
            object.optional_number("type", icmp.kind);
            object.optional_number("code", icmp.code);
            object.optional_number("id", icmp.id);
        }),
        Protocol::Raw { ip_protocol } => object.number("ip_protocol", ip_protocol),
        Protocol::Packet { ethertype } => object.number("ethertype", ethertype),
        Protocol::Other(number) => object.number("ip_protocol", number),
        Protocol::Tcp
        | Protocol::Mptcp
        | Protocol::Udp
        | Protocol::UdpLite
        | Protocol::Sctp
        | Protocol::Dccp => {}
    }
}

pub(super) fn owner(object: &mut Object<'_>, owner: Owner) {
    match owner {
        Owner::Known { source, .. } => {
            object.boolean("known", true);
            object.word("source", source.word());
            object.null("why");
        }
        Owner::Unknown { why } => {
            object.boolean("known", false);
            object.null("source");
            object.word("why", why.word());
        }
    }
}

pub(super) fn optional_error(object: &mut Object<'_>, error: Option<&ConnectionError>) {
    let Some(error) = error else {
        return object.null("error");
    };
    object.object("error", |object| {
        object.optional_number("errno", error.errno);
        object.word("word", &errors::word(error));
        object.word("phase", errors::phase(error.phase));
    });
}

//! A connection in JSON.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Connection, ConnectionError, Endpoint, Owner, Phase, ProcessId, Protocol, Snapshot};
use sha1::{Digest, Sha1};

use super::process;
use super::writer::{Object, object};

/// Encodes connections; each process once.
pub(super) struct Encoder {
    processes: HashMap<ProcessId, Encoded>,
}

struct Encoded {
    brief: Vec<u8>,
    /// As it stands in `also_held_by`.
    holder: Vec<u8>,
}

impl Encoder {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let encoded = |process: &model::Process| {
            let mut brief = Vec::new();
            process::brief(&mut brief, process);
            let mut holder = Vec::new();
            object(&mut holder, |object| {
                object.plain("id", process.id);
                object.number("pid", process.id.pid);
                object.text("name", &process.name.lossy());
            });
            Encoded { brief, holder }
        };
        let processes = snapshot.processes.iter();
        Self {
            processes: processes
                .map(|(id, process)| (*id, encoded(process)))
                .collect(),
        }
    }

    pub(super) fn connection(&self, object: &mut Object<'_>, connection: &Connection) {
        object.plain("id", connection.id);
        object.word("protocol", connection.protocol.word());
        object.word("state", connection.state.word());
        object.word("direction", connection.direction.word());
        object.object("local", |local| endpoint(local, connection.local));
        match connection.remote {
            Some(remote) => object.object("remote", |object| {
                endpoint(object, remote);
                // Names come from the traffic, which this build does not read.
                object.null("name");
                object.null("name_source");
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
        object.object("socket", |socket| {
            socket.optional_number("inode", connection.socket.inode);
            socket.optional_number("cookie", connection.socket.cookie);
        });
        object.optional_number("uid", connection.uid);
        object.optional_plain("opened", connection.opened);
        object.optional_plain("closed", connection.closed);
        match &connection.error {
            Some(error) => object.object("error", |object| connection_error(object, error)),
            None => object.null("error"),
        }
        object.optional_number("bytes_sent", connection.bytes_sent);
        object.optional_number("bytes_received", connection.bytes_received);
        object.optional_number("packets_sent", connection.packets_sent);
        object.optional_number("packets_received", connection.packets_received);
        match community_id(connection) {
            Some(id) => object.word("community_id", &id),
            None => object.null("community_id"),
        }
        object.object("owner", |object| owner(object, connection.owner));
        let process = connection
            .owner
            .process()
            .and_then(|id| self.processes.get(&id));
        match process {
            Some(process) => object.raw("process", &process.brief),
            None => object.null("process"),
        }
        object.array(
            "also_held_by",
            &connection.also_held_by,
            |out, id| match self.processes.get(id) {
                Some(process) => out.extend(&process.holder),
                None => out.extend(b"null"),
            },
        );
        // Owner tables and rules are not part of this build.
        object.null("address");
        object.raw("findings", b"[]");
    }
}

fn endpoint(object: &mut Object<'_>, endpoint: Endpoint) {
    match endpoint.ip {
        Some(ip) => object.ip("ip", ip),
        None => object.null("ip"),
    }
    object.optional_number("port", endpoint.port);
}

fn protocol_details(object: &mut Object<'_>, protocol: Protocol) {
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

fn connection_error(object: &mut Object<'_>, error: &ConnectionError) {
    object.number("errno", error.errno);
    object.null("word");
    let phase = match error.phase {
        Phase::Connect => "connect",
        Phase::Established => "established",
        Phase::Send => "send",
    };
    object.word("phase", phase);
}

/// Community ID version 1 with seed 0 (github.com/corelight/community-id-spec). `None` where the
/// protocol has no ports or a side is missing.
fn community_id(connection: &Connection) -> Option<String> {
    let number: u8 = match connection.protocol {
        Protocol::Tcp | Protocol::Mptcp => 6,
        Protocol::Udp => 17,
        Protocol::Sctp => 132,
        Protocol::UdpLite
        | Protocol::Dccp
        | Protocol::Icmp(_)
        | Protocol::Raw { .. }
        | Protocol::Packet { .. }
        | Protocol::Other(_) => return None,
    };
    let end = |endpoint: Endpoint| Some((endpoint.ip?, endpoint.port?));
    let (one, other) = (end(connection.local)?, end(connection.remote?)?);
    if one.0.is_unspecified() || one.0.is_ipv4() != other.0.is_ipv4() {
        return None;
    }
    let (first, second) = if one <= other {
        (one, other)
    } else {
        (other, one)
    };
    let mut hash = Sha1::new();
    hash.update([0, 0]);
    for (ip, _) in [first, second] {
        match ip {
            std::net::IpAddr::V4(ip) => hash.update(ip.octets()),
            std::net::IpAddr::V6(ip) => hash.update(ip.octets()),
        }
    }
    hash.update([number, 0]);
    for (_, port) in [first, second] {
        hash.update(port.to_be_bytes());
    }
    let mut id = String::from("1:");
    STANDARD.encode_string(hash.finalize(), &mut id);
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn community_ids_are_those_of_the_specification() {
        // Baseline of the specification: tcp 128.232.110.120:34855 > 66.35.250.204:80.
        let end = |text: &str| {
            let address: std::net::SocketAddr = text.parse().unwrap();
            Endpoint::new(address.ip(), address.port())
        };
        let mut connection = crate::example::connection();
        connection.local = end("128.232.110.120:34855");
        connection.remote = Some(end("66.35.250.204:80"));
        let expected = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=";
        assert_eq!(community_id(&connection).as_deref(), Some(expected));
        std::mem::swap(&mut connection.local, connection.remote.as_mut().unwrap());
        assert_eq!(community_id(&connection).as_deref(), Some(expected));
    }
}

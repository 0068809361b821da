//! A connection.

use std::sync::Arc;

use model::{
    Connection, ConnectionError, ConnectionId, DeviceId, Direction, IcmpKind, NetworkNamespace,
    Owner, Phase, Protocol, Source, State, WhyUnknown,
};

use super::super::field;
use super::super::format::Out;
use super::known::Known;
use super::members::Members;
use super::name;

/// So many holders of one socket are kept.
const MOST_HOLDERS: usize = 1024;

const PHASES: [(&str, Phase); 4] = [
    ("connect", Phase::Connect),
    ("handshake", Phase::Handshake),
    ("established", Phase::Established),
    ("send", Phase::Send),
];

/// Errors, in words: what of it makes no sense.
pub(super) fn connection(
    members: &Members<'_>,
    known: &mut Known,
    out: &mut Out,
) -> Result<Connection, &'static str> {
    let protocol = protocol(members).ok_or("its protocol is none that whocalls knows")?;
    let local = members.object("local").ok_or("it has no local end")?.end();
    let other = members.object("remote");
    let id = members.value("id").plain().ok_or("it has no id")?;
    let mut socket = out.socket(id);
    let told = members.object("socket");
    socket.inode = told.and_then(|it| it.number("inode")).filter(|it| *it != 0);
    let remote = other.as_ref().map(Members::end);
    let owner = owner(members, known, out);
    let mut also_held_by = Vec::new();
    for holder in members.value("also_held_by").items().take(MOST_HOLDERS) {
        let holder = Members::of(holder);
        also_held_by.extend(known.brief(&holder, out));
    }
    Ok(Connection {
        id: ConnectionId::of(out.source(), None, socket, protocol, local, remote),
        protocol,
        state: members
            .word("state", &State::ALL, State::word)
            .unwrap_or(State::Unknown),
        direction: members
            .word("direction", &Direction::ALL, Direction::word)
            .unwrap_or(Direction::Unknown),
        local,
        remote,
        netns: members.number("netns").map(NetworkNamespace),
        interface: members.text("interface", "interface_hex"),
        socket,
        uid: members.number("uid"),
        opened: members.time("opened", out),
        closed: members.time("closed", out),
        error: members.object("error").and_then(|it| error(&it)),
        bytes_sent: members.number("bytes_sent"),
        bytes_received: members.number("bytes_received"),
        packets_sent: members.number("packets_sent"),
        packets_received: members.number("packets_received"),
        owner,
        also_held_by,
        name: other.as_ref().and_then(name::remote_name).map(Arc::new),
        greeting: members
            .object("greeting")
            .and_then(|it| name::greeting(&it))
            .map(Arc::new),
        device: members
            .object("device")
            .and_then(|it| device(&it, known, out)),
        talk: None,
    })
}

/// `None`: of no kind that is known.
fn protocol(members: &Members<'_>) -> Option<Protocol> {
    Some(match members.value("protocol").plain()? {
        b"tcp" => Protocol::Tcp,
        b"mptcp" => Protocol::Mptcp,
        b"udp" => Protocol::Udp,
        b"udplite" => Protocol::UdpLite,
        b"sctp" => Protocol::Sctp,
        b"dccp" => Protocol::Dccp,
        b"icmp" => {
            let icmp = members.object("icmp");
            let icmp = icmp.as_ref();
            Protocol::Icmp(IcmpKind {
                kind: icmp.and_then(|it| it.number("type")),
                code: icmp.and_then(|it| it.number("code")),
                id: icmp.and_then(|it| it.number("id")),
            })
        }
        b"raw" => Protocol::Raw {
            ip_protocol: members.number("ip_protocol")?,
        },
        b"packet" => Protocol::Packet {
            ethertype: members.number("ethertype")?,
        },
        b"other" => Protocol::Other(members.number("ip_protocol")?),
        _ => return None,
    })
}

fn owner(members: &Members<'_>, known: &mut Known, out: &mut Out) -> Owner {
    let told = members.object("owner");
    let told = told.as_ref();
    let why = told.and_then(|it| it.word("why", &WhyUnknown::ALL, WhyUnknown::word));
    let source = told.and_then(|it| it.word("source", &Source::ALL, Source::word));
    let process = members.object("process");
    match process.and_then(|it| known.brief(&it, out)) {
        Some(process) => Owner::Known {
            process,
            source: source.unwrap_or(Source::Log),
        },
        None => Owner::Unknown {
            why: why.unwrap_or(WhyUnknown::NotInSource),
        },
    }
}

fn error(error: &Members<'_>) -> Option<ConnectionError> {
    let phase = error.value("phase").plain()?;
    let phase = PHASES.iter().find(|(word, _)| word.as_bytes() == phase)?.1;
    Some(ConnectionError {
        errno: error.number("errno"),
        phase,
    })
}

fn device(device: &Members<'_>, known: &mut Known, out: &mut Out) -> Option<DeviceId> {
    let mac = device.value("mac").plain().and_then(field::mac);
    let id = match (mac, device.address("ip")) {
        (Some(mac), _) => DeviceId::Mac(mac),
        (None, ip) => DeviceId::Address(ip?),
    };
    let name = device.text("name", "name_hex");
    known.devices.tell(id, name, device.address("ip"), out);
    Some(id)
}

//! What one record of a log tells: between whom, and what was said.

use std::collections::HashMap;
use std::net::IpAddr;

use model::{
    Connection, ConnectionId, Detail, Device, DeviceId, Direction, Endpoint, Event, EventKind,
    Imported, NameSeen, Owner, ProcessId, Protocol, SocketKey, Source, State, Text, Timestamp,
    WhyUnknown,
};

use super::format::Out;

/// So many devices are kept in mind, and so many addresses of each.
const MOST_DEVICES: usize = 1 << 16;
const MOST_ADDRESSES: usize = 64;

/// Between whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) socket: SocketKey,
    pub(super) protocol: Protocol,
    pub(super) local: Endpoint,
    /// `None`: a listener, or anybody.
    pub(super) remote: Option<Endpoint>,
    pub(super) direction: Direction,
}

impl Ends {
    /// The same as whoever asked sees it: the local end of a question and its answer is that one.
    pub(super) fn asked(self) -> Self {
        match (self.direction, self.remote) {
            (Direction::Inbound, Some(remote)) => Self {
                local: remote,
                remote: Some(self.local),
                direction: Direction::Outbound,
                ..self
            },
            _ => self,
        }
    }

    /// A connection of which nothing else is known.
    pub(super) fn connection(&self, id: ConnectionId) -> Connection {
        Connection {
            id,
            protocol: self.protocol,
            state: State::Unknown,
            direction: self.direction,
            local: self.local,
            remote: self.remote,
            netns: None,
            interface: None,
            socket: self.socket,
            uid: None,
            opened: None,
            closed: None,
            error: None,
            bytes_sent: None,
            bytes_received: None,
            packets_sent: None,
            packets_received: None,
            owner: Owner::Unknown {
                why: WhyUnknown::NotInSource,
            },
            also_held_by: Vec::new(),
            name: None,
            greeting: None,
            device: None,
            talk: None,
        }
    }

    /// The id of a connection that only this file tells of.
    pub(super) fn id(&self, out: &Out) -> ConnectionId {
        // The record tells it from all others, whichever end is thought to be the local one.
        let (source, remote) = (out.source(), None);
        ConnectionId::of(source, None, self.socket, self.protocol, self.local, remote)
    }

    /// A name that was seen on it.
    pub(super) fn name(
        &self,
        time: Timestamp,
        process: Option<ProcessId>,
        name: NameSeen,
    ) -> Imported {
        Imported::Name(Box::new(Event {
            socket: Some(self.socket),
            protocol: Some(self.protocol),
            local: Some(self.local),
            remote: self.remote,
            ..name_of(time, process, name)
        }))
    }
}

/// A name of which it is not known between whom it was said.
pub(super) fn name_of(time: Timestamp, process: Option<ProcessId>, name: NameSeen) -> Event {
    Event {
        seq: 0,
        time,
        boot_ns: 0,
        source: Source::Log,
        kind: EventKind::NameSeen,
        process,
        thread: None,
        netns: None,
        socket: None,
        protocol: None,
        local: None,
        remote: None,
        error: None,
        bytes_sent: None,
        bytes_received: None,
        packets_sent: None,
        packets_received: None,
        detail: Detail::Name(name),
    }
}

/// Cuts a request target to what is kept of it.
pub(super) fn target(text: &[u8]) -> &[u8] {
    text.get(..1 << 10).unwrap_or(text)
}

/// The host of an HTTP request without its port. `None`: an address, which is no name, or nothing.
pub(super) fn host(text: &[u8]) -> Option<&[u8]> {
    let host = match text.iter().rposition(|byte| *byte == b':') {
        Some(colon) if super::field::port(text.get(colon + 1..)?).is_some() => text.get(..colon)?,
        _ => text,
    };
    let bare = host
        .strip_prefix(b"[")
        .and_then(|host| host.strip_suffix(b"]"));
    let is_address = super::field::address(bare.unwrap_or(host)).is_some()
        || super::field::address(text).is_some();
    (!host.is_empty() && !is_address).then_some(host)
}

/// Of `1`, `quicv2`, `0x00000001`, as logs have it. `None`: a draft, or unknown.
pub(super) fn quic_version(text: &[u8]) -> Option<u32> {
    match text {
        b"1" | b"quicv1" | b"v1" | b"0x1" | b"0x00000001" => Some(1),
        b"2" | b"quicv2" | b"v2" | b"0x6b3343cf" => Some(0x6b33_43cf),
        _ => None,
    }
}

/// The name in the subject of a certificate (RFC 4514): `O=Example\\, Inc,CN=example.org`.
pub(super) fn common_name(subject: &[u8]) -> Option<Text> {
    let mut escaped = false;
    let parts = subject.split(|byte| {
        let ends = matches!(byte, b',' | b'/') && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    let mut names = parts.filter_map(|part| {
        let part = part.trim_ascii();
        part.strip_prefix(b"CN=")
            .or_else(|| part.strip_prefix(b"CN = "))
    });
    names.find(|name| !name.is_empty()).map(Text::from)
}

/// The devices that a source tells of. Each is handed on when it is first seen, and again when
/// more is known of it.
#[derive(Default)]
pub(super) struct Devices {
    addresses: HashMap<DeviceId, Vec<IpAddr>>,
}

impl Devices {
    /// The device that has this address. `None`: what is in its place is of no device.
    pub(super) fn at(
        &mut self,
        mac: Option<[u8; 6]>,
        address: IpAddr,
        out: &mut Out,
    ) -> Option<DeviceId> {
        if address.is_unspecified() || address.is_multicast() {
            return None;
        }
        let id = mac.map_or(DeviceId::Address(address), DeviceId::Mac);
        self.tell(id, None, Some(address), out);
        Some(id)
    }

    /// Something is known of a device: a name, an address.
    pub(super) fn tell(
        &mut self,
        id: DeviceId,
        name: Option<Text>,
        address: Option<IpAddr>,
        out: &mut Out,
    ) {
        let full = self.addresses.len() >= MOST_DEVICES;
        let known = match self.addresses.get_mut(&id) {
            Some(known) => known,
            None if full => return,
            None => self.addresses.entry(id).or_default(),
        };
        let is_new = address
            .filter(|address| known.len() < MOST_ADDRESSES && !known.contains(address))
            .inspect(|address| known.push(*address))
            .is_some();
        if is_new || name.is_some() {
            let addresses = known.clone();
            out.seen.push(Imported::Device(Device {
                id,
                name,
                addresses,
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_without_its_port() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(host(text.as_bytes()), expected.map(str::as_bytes), "{text}");
        };
        check("example.org", Some("example.org"));
        check("example.org:8080", Some("example.org"));
        check("example.org:", Some("example.org:"));
        check("192.0.2.1", None);
        check("192.0.2.1:80", None);
        check("[2001:db8::1]:80", None);
        check("[2001:db8::1]", None);
        check("2001:db8::1", None);
        check("", None);
        check(":80", None);
    }
}

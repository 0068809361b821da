//! What was known when a later segment began, for a reader that begins there. It stands between a
//! `look` and a `look_end`, and each of its lines has `"restated": true`: whoever has read what
//! comes before skips them.

use std::sync::Arc;

use model::{
    BootId, Connection, ConnectionId, DeviceId, Direction, NetworkNamespace, Protocol, Restated,
    RestatedConnection, State,
};
use serde::{Deserialize, Serialize};

use super::Fault;
use super::event::{Details, ErrorObject, Icmp, SocketObject, details};
use super::look::{LookLine, OwnerObject, ProcessObject, users, users_of};
use super::name::{DeviceObject, GreetingObject, NameObject};
use super::value::{Bytes, End, Hex, ProcessName, Str, Time, Word, is_no, missing};

impl<'a> LookLine<'a> {
    pub(super) fn restated(state: &'a Restated) -> Self {
        Self {
            line: "look",
            restated: true,
            taken: Some(Time(state.taken)),
            home_netns: state.home_netns.map(|netns| netns.0),
            users: users(&state.users),
            time: Some(Time(state.time)),
            boot_ns: Some(state.boot_ns),
            lost: state.lost,
            ..Self::default()
        }
    }

    /// What is restated, in which nothing stands yet.
    pub(super) fn state(self) -> Result<Restated, Fault> {
        Ok(Restated {
            taken: self.taken.ok_or_else(|| missing("taken"))?.0,
            time: self.time.ok_or_else(|| missing("time"))?.0,
            boot_ns: self.boot_ns.ok_or_else(|| missing("boot_ns"))?,
            home_netns: self.home_netns.map(NetworkNamespace),
            users: users_of(self.users),
            remembered: Vec::new(),
            gaps: Vec::new(),
            later_gaps: Vec::new(),
            lost: self.lost,
            processes: Vec::new(),
            connections: Vec::new(),
            answers: Vec::new(),
            names: Vec::new(),
        })
    }
}

/// `connection`: one that is open, or whose socket may begin another one. What nobody is shown
/// stands in the last members.
#[derive(Serialize, Deserialize)]
pub(super) struct ConnectionLine<'a> {
    #[serde(rename = "type", skip_deserializing)]
    line: &'static str,
    #[serde(default)]
    restated: bool,
    id: Hex<16>,
    protocol: Word<Protocol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp: Option<Icmp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_protocol: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ethertype: Option<u16>,
    state: Word<State>,
    direction: Word<Direction>,
    local: End,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<End>,
    #[serde(skip_serializing_if = "Option::is_none")]
    netns: Option<u32>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    interface: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface_hex: Option<Bytes>,
    socket: SocketObject,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opened: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_sent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_received: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packets_sent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packets_received: Option<u64>,
    owner: OwnerObject,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<ProcessObject>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    also_held_by: Vec<ProcessObject>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    name: Option<NameObject<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    greeting: Option<GreetingObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceObject>,
    /// Absent: it is the first itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Hex<16>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    before: u32,
    /// Absent: all 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted_before: Option<[u64; 4]>,
    used_ns: u64,
    #[serde(default, skip_serializing_if = "is_no")]
    looked_at: bool,
    #[serde(default, skip_serializing_if = "is_no")]
    missing: bool,
    #[serde(default, skip_serializing_if = "is_no")]
    gone: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_ns: Option<u64>,
}

impl<'a> ConnectionLine<'a> {
    pub(super) fn of(restated: &'a RestatedConnection, home: BootId) -> Self {
        let RestatedConnection {
            connection,
            first,
            before,
            counted_before,
            used_ns,
            looked_at,
            missing,
            gone,
            deadline_ns,
        } = restated;
        let details = details(connection.protocol);
        let (interface, interface_hex) = Str::optional(connection.interface.as_ref());
        let (owner, process) = OwnerObject::of(connection.owner, home);
        let holders = connection.also_held_by.iter();
        let holder = |id: &_| ProcessObject {
            id: ProcessName::of(*id, home),
        };
        Self {
            line: "connection",
            restated: true,
            id: connection.id.into(),
            protocol: Word::Known(connection.protocol),
            icmp: details.icmp,
            ip_protocol: details.ip_protocol,
            ethertype: details.ethertype,
            state: Word::Known(connection.state),
            direction: Word::Known(connection.direction),
            local: connection.local.into(),
            remote: connection.remote.map(End::from),
            netns: connection.netns.map(|netns| netns.0),
            interface,
            interface_hex,
            socket: connection.socket.into(),
            uid: connection.uid,
            opened: connection.opened.map(Time),
            closed: connection.closed.map(Time),
            error: connection.error.as_ref().map(ErrorObject::from),
            bytes_sent: connection.bytes_sent,
            bytes_received: connection.bytes_received,
            packets_sent: connection.packets_sent,
            packets_received: connection.packets_received,
            owner,
            process,
            also_held_by: holders.map(holder).collect(),
            name: connection.name.as_deref().map(NameObject::of),
            greeting: connection.greeting.as_deref().map(GreetingObject::of),
            device: connection.device.map(DeviceObject::from),
            first: Some(Hex::from(*first)).filter(|_| *first != connection.id),
            before: *before,
            counted_before: Some(*counted_before).filter(|counted| *counted != [0; 4]),
            used_ns: *used_ns,
            looked_at: *looked_at,
            missing: *missing,
            gone: *gone,
            deadline_ns: *deadline_ns,
        }
    }

    pub(super) fn connection(self, home: BootId) -> Result<RestatedConnection, Fault> {
        let details = Details {
            icmp: self.icmp,
            ip_protocol: self.ip_protocol,
            ethertype: self.ethertype,
        };
        let holders = self.also_held_by.into_iter();
        let connection = Connection {
            id: ConnectionId(self.id.0),
            protocol: details.of(self.protocol)?,
            state: self.state.known()?,
            direction: self.direction.known()?,
            local: self.local.into(),
            remote: self.remote.map(Into::into),
            netns: self.netns.map(NetworkNamespace),
            interface: self.interface.map(|name| name.text(self.interface_hex)),
            socket: self.socket.into(),
            uid: self.uid,
            opened: self.opened.map(|Time(time)| time),
            closed: self.closed.map(|Time(time)| time),
            error: self.error.map(ErrorObject::error).transpose()?,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            packets_sent: self.packets_sent,
            packets_received: self.packets_received,
            owner: self.owner.owner(self.process, home)?,
            also_held_by: holders
                .map(|holder| holder.id.id(home))
                .collect::<Result<_, _>>()?,
            name: self.name.map(NameObject::name).transpose()?,
            greeting: self.greeting.map(|it| Arc::new(it.greeting())),
            device: self.device.map(DeviceId::from),
            talk: None,
        };
        Ok(RestatedConnection {
            first: self.first.map_or(connection.id, |Hex(id)| ConnectionId(id)),
            connection,
            before: self.before,
            counted_before: self.counted_before.unwrap_or_default(),
            used_ns: self.used_ns,
            looked_at: self.looked_at,
            missing: self.missing,
            gone: self.gone,
            deadline_ns: self.deadline_ns,
        })
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

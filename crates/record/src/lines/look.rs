//! Lines of a look: `look`, its processes, `socket`, `remembered`, its gaps, `look_end`.

use std::collections::HashMap;

use model::{
    BootId, Holder, Host, Look, NetworkNamespace, Owner, Protocol, Remembered, RememberedBy,
    Socket, Source, State, Text, Tier, WhyUnknown,
};
use serde::{Deserialize, Serialize};

use super::Fault;
use super::event::{Details, Icmp, SocketObject, details};
use super::value::{Bytes, End, Hex, Ip, ProcessName, Str, Time, Word, is_no, missing, optional};

/// `look`: what stands at its head. Members of a restated one: see [`super::restated`].
#[derive(Default, Serialize, Deserialize)]
pub(super) struct LookLine<'a> {
    #[serde(rename = "type", skip_deserializing)]
    pub(super) line: &'static str,
    #[serde(default, skip_serializing_if = "is_no")]
    pub(super) restated: bool,
    pub(super) taken: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tier: Option<Word<Tier>>,
    /// Only when they are not those of the first line.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) host_hex: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) boot: Option<Hex<16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) home_netns: Option<u32>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(super) users: Vec<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) boot_ns: Option<u64>,
    #[serde(default, skip_serializing_if = "is_no")]
    pub(super) lost: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct User<'a> {
    uid: u32,
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_hex: Option<Bytes>,
}

impl<'a> LookLine<'a> {
    pub(super) fn of(look: &'a Look, home: &Host) -> Self {
        let other = Some(&look.host).filter(|host| *host != home);
        let (host, host_hex) = Str::optional(other.map(|host| &host.name));
        Self {
            line: "look",
            taken: Some(Time(look.taken)),
            tier: Some(Word::Known(look.tier)),
            host,
            host_hex,
            boot: other.map(|host| Hex(host.boot.0)),
            home_netns: look.home_netns.map(|netns| netns.0),
            users: users(&look.users),
            ..Self::default()
        }
    }

    /// The look, in which nothing stands yet.
    pub(super) fn look(self, home: &Host) -> Result<Look, Fault> {
        Ok(Look {
            host: Host {
                name: match self.host {
                    Some(name) => name.text(self.host_hex),
                    None => home.name.clone(),
                },
                boot: self.boot.map_or(home.boot, |Hex(boot)| BootId(boot)),
            },
            home_netns: self.home_netns.map(NetworkNamespace),
            taken: self.taken.ok_or_else(|| missing("taken"))?.0,
            tier: self.tier.ok_or_else(|| missing("tier"))?.known()?,
            sockets: Vec::new(),
            processes: Vec::new(),
            users: users_of(self.users),
            remembered: Vec::new(),
            gaps: Vec::new(),
        })
    }
}

/// In the order of their numbers.
pub(super) fn users(users: &HashMap<u32, Text>) -> Vec<User<'_>> {
    let user = |(uid, name): (&u32, _)| {
        let (name, name_hex) = Str::of(name);
        User {
            uid: *uid,
            name,
            name_hex,
        }
    };
    let mut users: Vec<_> = users.iter().map(user).collect();
    users.sort_unstable_by_key(|user| user.uid);
    users
}

pub(super) fn users_of(users: Vec<User<'_>>) -> HashMap<u32, Text> {
    let users = users.into_iter();
    users
        .map(|user| (user.uid, user.name.text(user.name_hex)))
        .collect()
}

/// `look_end`: the look is whole.
#[derive(Serialize)]
pub(super) struct LookEnd {
    #[serde(rename = "type")]
    line: &'static str,
    #[serde(skip_serializing_if = "is_no")]
    restated: bool,
}

impl LookEnd {
    pub(super) fn of(restated: bool) -> Self {
        Self {
            line: "look_end",
            restated,
        }
    }
}

/// `socket`: one socket of a look.
#[derive(Serialize, Deserialize)]
pub(super) struct SocketLine<'a> {
    #[serde(rename = "type", skip_deserializing)]
    line: &'static str,
    protocol: Word<Protocol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp: Option<Icmp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_protocol: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ethertype: Option<u16>,
    state: Word<State>,
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
    bytes_sent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_received: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opened_here: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    only_ipv6: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    holders: Vec<HolderObject>,
    /// Absent: `no_holder`, which says nothing where there are holders.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_why: Option<Word<WhyUnknown>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct HolderObject {
    id: ProcessName,
    source: Word<Source>,
}

impl<'a> SocketLine<'a> {
    pub(super) fn of(socket: &'a Socket, home: BootId) -> Self {
        let details = details(socket.protocol);
        let (interface, interface_hex) = Str::optional(socket.interface.as_ref());
        let holder = |holder: &Holder| HolderObject {
            id: ProcessName::of(holder.process, home),
            source: Word::Known(holder.source),
        };
        let why = Some(socket.why_unheld);
        Self {
            line: "socket",
            protocol: Word::Known(socket.protocol),
            icmp: details.icmp,
            ip_protocol: details.ip_protocol,
            ethertype: details.ethertype,
            state: Word::Known(socket.state),
            local: socket.local.into(),
            remote: socket.remote.map(End::from),
            netns: socket.netns.map(|netns| netns.0),
            interface,
            interface_hex,
            socket: socket.key.into(),
            uid: socket.uid,
            bytes_sent: socket.bytes_sent,
            bytes_received: socket.bytes_received,
            opened_here: socket.opened_here,
            only_ipv6: socket.only_ipv6,
            holders: socket.holders.iter().map(holder).collect(),
            owner_why: why
                .filter(|why| *why != WhyUnknown::NoHolder || socket.holders.is_empty())
                .map(Word::Known),
        }
    }

    pub(super) fn socket(self, home: BootId) -> Result<Socket, Fault> {
        let details = Details {
            icmp: self.icmp,
            ip_protocol: self.ip_protocol,
            ethertype: self.ethertype,
        };
        let holder = |holder: HolderObject| -> Result<Holder, Fault> {
            Ok(Holder {
                process: holder.id.id(home)?,
                source: holder.source.known()?,
            })
        };
        let holders = self.holders.into_iter().map(holder);
        Ok(Socket {
            key: self.socket.into(),
            protocol: details.of(self.protocol)?,
            state: self.state.known()?,
            local: self.local.into(),
            remote: self.remote.map(Into::into),
            netns: self.netns.map(NetworkNamespace),
            interface: self.interface.map(|name| name.text(self.interface_hex)),
            uid: self.uid,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            opened_here: self.opened_here,
            only_ipv6: self.only_ipv6,
            holders: holders.collect::<Result<_, _>>()?,
            why_unheld: optional(self.owner_why)?.unwrap_or(WhyUnknown::NoHolder),
        })
    }
}

/// Whose it is: `known` with `source`, or `why` not. The process stands beside it.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct OwnerObject {
    #[serde(default)]
    known: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Word<Source>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Word<WhyUnknown>>,
}

/// A process that is told of elsewhere.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct ProcessObject {
    pub(super) id: ProcessName,
}

impl OwnerObject {
    pub(super) fn of(owner: Owner, home: BootId) -> (Self, Option<ProcessObject>) {
        let (source, why) = match owner {
            Owner::Known { source, .. } => (Some(Word::Known(source)), None),
            Owner::Unknown { why } => (None, Some(Word::Known(why))),
        };
        let id = owner.process().map(|id| ProcessName::of(id, home));
        let owner = Self {
            known: id.is_some(),
            source,
            why,
        };
        (owner, id.map(|id| ProcessObject { id }))
    }

    pub(super) fn owner(
        self,
        process: Option<ProcessObject>,
        home: BootId,
    ) -> Result<Owner, Fault> {
        Ok(match process {
            Some(process) => Owner::Known {
                process: process.id.id(home)?,
                source: self
                    .source
                    .ok_or_else(|| missing("owner.source"))?
                    .known()?,
            },
            None => Owner::Unknown {
                why: self.why.ok_or_else(|| missing("owner.why"))?.known()?,
            },
        })
    }
}

/// `remembered`: an address that the computer remembers.
#[derive(Serialize, Deserialize)]
pub(super) struct RememberedLine<'a> {
    #[serde(rename = "type", skip_deserializing)]
    line: &'static str,
    #[serde(default, skip_serializing_if = "is_no")]
    restated: bool,
    #[serde(borrow)]
    remote: RemoteObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<Word<Protocol>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp: Option<Icmp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_protocol: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ethertype: Option<u16>,
    source: Word<RememberedBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    netns: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_sent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_received: Option<u64>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    program: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    program_hex: Option<Bytes>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    user: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_hex: Option<Bytes>,
    owner: OwnerObject,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<ProcessObject>,
}

#[derive(Serialize, Deserialize)]
struct RemoteObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<Ip>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    name: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_hex: Option<Bytes>,
}

impl<'a> RememberedLine<'a> {
    pub(super) fn of(entry: &'a Remembered, restated: bool, home: BootId) -> Self {
        let details = entry.protocol.map(details).unwrap_or_default();
        let (name, name_hex) = Str::optional(entry.name.as_ref());
        let (program, program_hex) = Str::optional(entry.program.as_ref());
        let (user, user_hex) = Str::optional(entry.user.as_ref());
        let (owner, process) = OwnerObject::of(entry.owner, home);
        Self {
            line: "remembered",
            restated,
            remote: RemoteObject {
                ip: entry.ip.map(Ip),
                port: entry.port,
                name,
                name_hex,
            },
            protocol: entry.protocol.map(Word::Known),
            icmp: details.icmp,
            ip_protocol: details.ip_protocol,
            ethertype: details.ethertype,
            source: Word::Known(entry.by),
            netns: entry.netns.map(|netns| netns.0),
            seen: entry.seen.map(Time),
            bytes_sent: entry.bytes_sent,
            bytes_received: entry.bytes_received,
            program,
            program_hex,
            user,
            user_hex,
            owner,
            process,
        }
    }

    pub(super) fn remembered(self, home: BootId) -> Result<Remembered, Fault> {
        let details = Details {
            icmp: self.icmp,
            ip_protocol: self.ip_protocol,
            ethertype: self.ethertype,
        };
        let RemoteObject {
            ip,
            port,
            name,
            name_hex,
        } = self.remote;
        Ok(Remembered {
            ip: ip.map(|Ip(ip)| ip),
            port,
            name: name.map(|name| name.text(name_hex)),
            protocol: self.protocol.map(|word| details.of(word)).transpose()?,
            by: self.source.known()?,
            netns: self.netns.map(NetworkNamespace),
            seen: self.seen.map(|Time(time)| time),
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            program: self.program.map(|name| name.text(self.program_hex)),
            user: self.user.map(|name| name.text(self.user_hex)),
            owner: self.owner.owner(self.process, home)?,
        })
    }
}

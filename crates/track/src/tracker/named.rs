//! What a name that was seen means for the connections.

use std::net::IpAddr;
use std::sync::Arc;

use model::{
    Connection, Detail, Direction, Event, Greeting, NameSeen, NameSource, NameStrength, Process,
    ProcessId, RemoteName, SocketKey, Timestamp,
};

use super::connections::{Key, SocketName};
use super::names::{
    Asker, Given, Greeted, Known, Whose, asks_for_name, is_address, is_better, is_settled,
    may_be_of,
};
use super::{Change, Told, Tracker, zones};

impl Tracker {
    /// `live`: it comes in the order of time, and from this computer.
    pub(super) fn name_seen(&mut self, event: &Event, live: bool, told: &mut Told<'_>) {
        let Detail::Name(seen) = &event.detail else {
            return;
        };
        let (process, from) = if live {
            (event.process.or_else(|| self.holder(event)), None)
        } else {
            (event.process, event.local.and_then(|local| local.ip))
        };
        self.names.asked.add(event, seen, process, from);
        self.zone_asked(event, seen, process, from);
        let to = Asker { process, from };
        match seen.source {
            NameSource::Dns | NameSource::Resolver | NameSource::Mdns | NameSource::Llmnr => {
                self.answered(event, seen, to, live);
            }
            NameSource::Log if seen.answer.is_some() => {
                self.answered(event, seen, to, live);
            }
            NameSource::Sni
            | NameSource::Host
            | NameSource::Certificate
            | NameSource::Ssh
            | NameSource::Log => self.greeted(event, live, told),
            // It names a device, and is told of as one.
            NameSource::Dhcp => {}
        }
    }

    fn zone_asked(
        &mut self,
        event: &Event,
        seen: &NameSeen,
        process: Option<ProcessId>,
        from: Option<IpAddr>,
    ) {
        let Some(name) = &seen.name else {
            return;
        };
        let netns = event.netns.or(self.home_netns);
        let takes_questions = |id| self.names.is_resolver(id, netns, &self.processes);
        self.zones.add(&zones::Asked {
            time: event.time,
            name,
            source: seen.source,
            question: seen.question,
            answer: seen.answer.as_deref(),
            asker: zones::Asker {
                process,
                program: process
                    .and_then(|id| self.processes.get(id))
                    .map(Process::program),
                from,
                on_behalf: process.is_some_and(takes_questions),
            },
            resolver: event.remote,
        });
    }

    fn answered(&mut self, event: &Event, seen: &NameSeen, to: Asker, live: bool) {
        let (Some(name), Some(answer)) = (&seen.name, &seen.answer) else {
            return;
        };
        if !asks_for_name(name, seen.question) {
            return;
        }
        let netns = event.netns.or(self.home_netns);
        let given = Given {
            to,
            first: event.time,
            last: event.time,
        };
        for (ip, _) in &answer.addresses {
            let ip = ip.to_canonical();
            self.names
                .answers
                .add((netns, ip), name, seen.source, given);
        }
        // Live, a connection has its name when it begins: what comes later was not known to it.
        if !live {
            self.unsettled.names |= !answer.addresses.is_empty();
        }
    }

    fn greeted(&mut self, event: &Event, live: bool, told: &mut Told<'_>) {
        let Some(whose) = Whose::of(event, self.home_netns) else {
            return;
        };
        let key = match whose {
            Whose::Socket(cookie, remote) if live => {
                self.connections.find(SocketName::Cookie(cookie), remote)
            }
            Whose::Socket(cookie, _) => Some(Key {
                socket: SocketName::Cookie(cookie),
                remote: None,
            }),
            Whose::Ends(ends) => {
                if !live && !std::mem::replace(&mut self.unsettled.by_ends, true) {
                    self.connections.all_go_between(self.home_netns);
                }
                self.connections.between(ends, self.home_netns)
            }
        };
        let is_it = |connection: &Connection| {
            matches!(whose, Whose::Socket(..)) || may_be_of(connection, event)
        };
        match key.filter(|key| self.connections.latest(key).is_some_and(is_it)) {
            Some(key) => self.rename(&key, event.time, Some(event), told),
            None => self.names.greetings.wait(whose, event.clone(), live),
        }
    }

    /// The owner of the connection that an event was seen on.
    fn holder(&self, event: &Event) -> Option<ProcessId> {
        let key = match event.socket {
            Some(SocketKey {
                cookie: Some(cookie),
                ..
            }) => self
                .connections
                .find(SocketName::Cookie(cookie), event.remote),
            Some(_) | None => {
                let Some(Whose::Ends(ends)) = Whose::of(event, self.home_netns) else {
                    return None;
                };
                self.connections.between(ends, self.home_netns)
            }
        };
        self.connections.latest(&key?)?.owner.process()
    }

    /// Gives a connection that has begun the name that it has by what is known now, and tells of it
    /// when that made a difference. One that has ended lately has its name told late.
    fn rename(
        &mut self,
        key: &Key,
        time: Timestamp,
        greeting: Option<&Event>,
        told: &mut Told<'_>,
    ) {
        let Some(before) = self.connections.latest(key) else {
            return;
        };
        let mut after = before.clone();
        if let Some(event) = greeting {
            greet(&mut after, event);
        } else {
            self.name_by_answers(&mut after);
        }
        if self.connections.latest(key) == Some(&after) {
            return;
        }
        let pair = self.connections.pair(key);
        if let Some((before, after)) = self.connections.replace(key, after) {
            told(Change::Updated, time, after);
            if let Some(pair) = pair {
                self.pairs.changed(pair, &before, after);
            }
        }
    }

    /// Gives a connection the name that it has by what was seen before it was told of.
    pub(super) fn name_connection(&mut self, connection: &mut Connection) {
        self.greet_connection(connection);
        self.name_by_answers(connection);
    }

    /// The same by what was greeted on it alone.
    pub(super) fn greet_connection(&mut self, connection: &mut Connection) {
        self.names.note_resolver(connection, self.home_netns);
        for event in self.names.greetings.fetch(connection, self.home_netns) {
            greet(connection, &event);
        }
    }

    fn name_by_answers(&self, connection: &mut Connection) {
        let own = connection.name.as_deref();
        if is_settled(own) {
            return;
        }
        let name = self.names.answered(connection, self.known());
        if let Some(name) = name.filter(|name| is_better(name, own)) {
            connection.name = Some(Arc::new(name));
        }
    }

    /// The name by all answers that have been read. `None`: it has that, or a stronger one.
    pub(super) fn settled_name(&self, connection: &Connection) -> Option<RemoteName> {
        let own = connection.name.as_deref();
        if is_settled(own) {
            return None;
        }
        let name = self.names.answered(connection, self.known())?;
        // Of those that say as much, the one that was given last may have been read last.
        let weaker = own.is_some_and(|own| is_better(own, Some(&name)));
        (!weaker && own != Some(&name)).then_some(name)
    }

    fn known(&self) -> Known<'_> {
        Known {
            home: self.home_netns,
            processes: &self.processes,
            devices: &self.devices,
        }
    }
}

/// Takes over what was greeted on a connection.
pub(super) fn greet(connection: &mut Connection, event: &Event) {
    let Detail::Name(seen) = &event.detail else {
        return;
    };
    let Greeted { name, greeting } = Greeted::of(seen);
    // What others greet here by is a name of this side.
    let of_other_side = connection.direction != Direction::Inbound;
    if let Some(name) = name.filter(|_| of_other_side)
        && is_better(&name, connection.name.as_deref())
    {
        connection.name = Some(name);
    }
    let Some(greeting) = greeting else {
        return;
    };
    match (connection.greeting.as_deref(), &*greeting) {
        // Each side is told of by itself.
        (
            Some(Greeting::Ssh { client, server }),
            Greeting::Ssh {
                client: other_client,
                server: other_server,
            },
        ) => {
            let both = Greeting::Ssh {
                client: client.clone().or_else(|| other_client.clone()),
                server: server.clone().or_else(|| other_server.clone()),
            };
            connection.greeting = Some(Arc::new(both));
        }
        (Some(_), _) => {}
        (None, _) => connection.greeting = Some(greeting),
    }
}

impl Greeted {
    fn of(seen: &NameSeen) -> Self {
        let strength = match seen.source {
            NameSource::Sni | NameSource::Host => Some(NameStrength::Greeted),
            NameSource::Certificate | NameSource::Log => Some(NameStrength::Claimed),
            NameSource::Dns
            | NameSource::Resolver
            | NameSource::Mdns
            | NameSource::Llmnr
            | NameSource::Dhcp
            | NameSource::Ssh => None,
        };
        let name = seen.name.as_ref();
        let name = name.filter(|name| !name.is_empty() && !is_address(name.bytes()));
        Self {
            name: name.zip(strength).map(|(name, strength)| {
                Arc::new(RemoteName {
                    name: name.clone(),
                    source: seen.source,
                    strength,
                })
            }),
            greeting: seen.greeting.as_deref().cloned().map(Arc::new),
        }
    }
}

//! Connections by their two ends, for what tells no socket.

use std::collections::HashMap;

use model::{Connection, Endpoint, Event, Mix, NetworkNamespace, Protocol};

use super::Key;

/// How many of connections that are not kept any more are known at least.
const SLACK: usize = 1024;

/// Between which ends a connection goes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::tracker) struct Ends {
    netns: Option<NetworkNamespace>,
    tcp: bool,
    local: Endpoint,
    remote: Endpoint,
}

impl Ends {
    /// `None`: it has no ports, or no other side.
    pub(in crate::tracker) fn of(
        connection: &Connection,
        home: Option<NetworkNamespace>,
    ) -> Option<Self> {
        let Connection {
            protocol,
            local,
            remote,
            netns,
            ..
        } = connection;
        Self::between(*protocol, *local, (*remote)?, netns.or(home))
    }

    pub(in crate::tracker) fn of_event(
        event: &Event,
        home: Option<NetworkNamespace>,
    ) -> Option<Self> {
        let netns = event.netns.or(home);
        Self::between(event.protocol?, event.local?, event.remote?, netns)
    }

    fn between(
        protocol: Protocol,
        local: Endpoint,
        remote: Endpoint,
        netns: Option<NetworkNamespace>,
    ) -> Option<Self> {
        local.port.and(remote.port)?;
        let tcp = match protocol {
            Protocol::Tcp | Protocol::Mptcp => true,
            Protocol::Udp | Protocol::UdpLite => false,
            Protocol::Sctp
            | Protocol::Dccp
            | Protocol::Icmp(_)
            | Protocol::Raw { .. }
            | Protocol::Packet { .. }
            | Protocol::Other(_) => return None,
        };
        // A socket that is bound to no address of its own sends from one of them all the same.
        let ip = local.ip.filter(|ip| !ip.is_unspecified());
        Some(Self {
            netns,
            tcp,
            local: Endpoint { ip, ..local },
            remote,
        })
    }

    fn unbound(self) -> Self {
        let local = Endpoint {
            ip: None,
            ..self.local
        };
        Self { local, ..self }
    }
}

/// So many between the same two ends are known at most.
const MOST: usize = 4;

/// Connections between the same two ends.
#[derive(Debug, Default)]
pub(super) struct ByEnds(HashMap<Ends, Vec<Key>, Mix>);

impl ByEnds {
    pub(super) fn put(&mut self, ends: Ends, key: Key) {
        let keys = self.0.entry(ends).or_default();
        if keys.contains(&key) {
            return;
        }
        if keys.len() >= MOST {
            keys.remove(0);
        }
        keys.push(key);
    }

    /// Those that may go between these ends.
    pub(super) fn all(&self, ends: Ends) -> impl Iterator<Item = (Ends, Key)> {
        let both = [ends, ends.unbound()];
        let both = both
            .into_iter()
            .take(if both[0] == both[1] { 1 } else { 2 });
        both.flat_map(|ends| {
            let keys = self.0.get(&ends).into_iter().flatten();
            keys.map(move |key| (ends, *key))
        })
    }

    /// Drops those that are not kept any more, when they are most. `of` tells between which ends the
    /// connection of a key goes, as long as it is kept.
    pub(super) fn forget_the_past(&mut self, kept: usize, of: impl Fn(&Key) -> Option<Ends>) {
        if self.0.len() > 2 * kept + SLACK {
            self.0.retain(|ends, keys| {
                keys.retain(|key| of(key) == Some(*ends));
                !keys.is_empty()
            });
        }
    }
}

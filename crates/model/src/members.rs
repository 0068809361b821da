//! Which runs of a program, connections and names a pair is made of.

use crate::{
    Connection, ConnectionId, Greeting, NameSource, NameStrength, ProcessId, Text, Timestamp,
};

/// So many connections are named, of a pair and of each of its names.
const MOST_CONNECTIONS: usize = 32;
const MOST_PROCESSES: usize = 32;
const MOST_NAMES: usize = 64;
const MOST_TARGETS: usize = 8;

/// Which runs of a program, connections and names a [`Pair`](crate::Pair) is made of. So many are kept,
/// and what is beyond is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    pub connections: FirstConnections,
    /// Whose they are, those that started first in front, and how many of each.
    pub processes: Vec<(ProcessId, u64)>,
    /// In the order of the names.
    pub names: Vec<Named>,
    /// Names for which there was no room, once for each connection.
    pub names_let_go: u64,
    /// Connections without a name.
    pub nameless: u64,
    /// Those that were there before whocalls looked.
    pub present: u64,
}

/// A name that the other side had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: Text,
    pub source: NameSource,
    /// The best of any connection.
    pub strength: NameStrength,
    /// How many connections had it.
    pub count: u64,
    pub connections: FirstConnections,
    /// What was asked for there by HTTP, as far as it was seen; a few are kept.
    pub targets: Vec<Text>,
}

/// The first connections by the time of their start, at most 32; those that were there before whocalls
/// looked in front.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstConnections(Vec<(Option<Timestamp>, ConnectionId)>);

impl FirstConnections {
    pub fn ids(&self) -> impl Iterator<Item = ConnectionId> {
        self.0.iter().map(|(_, id)| *id)
    }

    fn learn(&mut self, connection: &Connection) {
        let one = (connection.opened, connection.id);
        // Mostly they come in the order of their start, and there are enough.
        if self.0.len() >= MOST_CONNECTIONS && self.0.last().is_some_and(|last| *last < one) {
            return;
        }
        let place = self.0.partition_point(|it| *it < one);
        if place < MOST_CONNECTIONS {
            // Before, so that no room is taken for one more.
            self.0.truncate(MOST_CONNECTIONS - 1);
            self.0.insert(place, one);
        }
    }

    fn forget(&mut self, connection: &Connection) {
        self.0.retain(|(_, id)| *id != connection.id);
    }
}

impl Members {
    /// A connection belongs here from now on.
    pub fn learn(&mut self, connection: &Connection) {
        self.connections.learn(connection);
        self.present += u64::from(connection.opened.is_none());
        if let Some(process) = connection.owner.process() {
            self.learn_process(process);
        }
        self.learn_name(connection);
    }

    /// A connection that was learned as it is here belongs here no more.
    pub fn forget(&mut self, connection: &Connection) {
        self.connections.forget(connection);
        let present = u64::from(connection.opened.is_none());
        self.present = self.present.saturating_sub(present);
        if let Some(process) = connection.owner.process() {
            for (_, count) in self.processes.iter_mut().filter(|(id, _)| *id == process) {
                *count = count.saturating_sub(1);
            }
            self.processes.retain(|(_, count)| *count > 0);
        }
        self.forget_name(connection);
    }

    /// More is known of one that belongs here.
    pub fn change(&mut self, before: &Connection, after: &Connection) {
        self.forget(before);
        self.learn(after);
    }

    /// Whether a change of a connection makes a difference here.
    pub fn concerns(before: &Connection, after: &Connection) -> bool {
        before.name != after.name
            || target(before) != target(after)
            || before.owner.process() != after.owner.process()
            || before.opened != after.opened
    }

    fn learn_process(&mut self, process: ProcessId) {
        let mut known = self.processes.iter_mut();
        if let Some((_, count)) = known.find(|(id, _)| *id == process) {
            *count += 1;
            return;
        }
        let age = |it: &ProcessId| (it.start_ticks, it.pid, it.boot);
        let place = self
            .processes
            .partition_point(|(id, _)| age(id) < age(&process));
        if place < MOST_PROCESSES {
            self.processes.insert(place, (process, 1));
            self.processes.truncate(MOST_PROCESSES);
        }
    }

    fn learn_name(&mut self, connection: &Connection) {
        let Some(remote) = connection.name.as_deref() else {
            self.nameless += 1;
            return;
        };
        let place = self.names.partition_point(|it| it.name < remote.name);
        if self
            .names
            .get(place)
            .is_none_or(|it| it.name != remote.name)
        {
            if self.names.len() >= MOST_NAMES {
                self.names_let_go += 1;
                return;
            }
            let named = Named {
                name: remote.name.clone(),
                source: remote.source,
                strength: remote.strength,
                count: 0,
                connections: FirstConnections::default(),
                targets: Vec::new(),
            };
            self.names.insert(place, named);
        }
        let Some(named) = self.names.get_mut(place) else {
            return;
        };
        if (remote.strength, remote.source) > (named.strength, named.source) {
            (named.strength, named.source) = (remote.strength, remote.source);
        }
        named.count += 1;
        named.connections.learn(connection);
        if let Some(target) = target(connection)
            && let Err(place) = named.targets.binary_search(target)
        {
            named.targets.insert(place, target.clone());
            named.targets.truncate(MOST_TARGETS);
        }
    }

    fn forget_name(&mut self, connection: &Connection) {
        let Some(remote) = connection.name.as_deref() else {
            self.nameless = self.nameless.saturating_sub(1);
            return;
        };
        let mut named = self.names.iter_mut();
        if let Some(named) = named.find(|it| it.name == remote.name) {
            named.count = named.count.saturating_sub(1);
            named.connections.forget(connection);
        }
        self.names.retain(|it| it.count > 0);
    }
}

/// What was asked for by HTTP.
fn target(connection: &Connection) -> Option<&Text> {
    match connection.greeting.as_deref()? {
        Greeting::Http(greeting) => greeting.target.as_ref(),
        Greeting::Tls(_) | Greeting::Ssh { .. } => None,
    }
}

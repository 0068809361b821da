//! What captures and logs of other tools tell: whole connections, in any order.

use std::collections::HashSet;
use std::sync::Arc;

use model::{Connection, Device, Imported, Place, Process, ProcessId, RemoteName, State};

use super::connections::Key;
use super::{Change, Told, Tracker};

/// So many wait to be counted until more has been read.
const MOST_UNPAIRED: usize = 100_000;

/// What an import leaves to be done when more of it has been read.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    /// An answer may name connections that were read before it.
    pub(super) names: bool,
    /// Of connections that are in pairs by now, when more came to be known of their owners.
    processes: HashSet<ProcessId>,
    /// In no pair yet: their owners have not been read.
    unpaired: Vec<Key>,
    /// Names tell no socket, but between which ends they were greeted. Connections of an import are
    /// found by these only when it has such names: it would cost as much as the connections do.
    pub(super) by_ends: bool,
}

impl Tracker {
    /// Takes one thing of an import, and tells of the connection that it is. What hangs on
    /// everything that is read is done by [`settle`](Self::settle).
    pub fn import(&mut self, imported: Imported, told: &mut Told<'_>) {
        match imported {
            Imported::Connection(connection) => self.whole(*connection, told),
            Imported::Name(event) => {
                self.taken = self.taken.max(event.time);
                self.name_seen(&event, false, told);
            }
            Imported::Process(process) => self.import_process(process),
            Imported::Device(device) => self.import_device(device),
            Imported::Gap(gap) => self.gaps.add(gap),
            Imported::Span(from, until) => {
                self.watched.from(from);
                self.taken = self.taken.max(until);
            }
            Imported::Look(look) => {
                // Of one moment nothing was watched.
                if let (Some(taken), Some(_)) = (look.taken, look.until) {
                    self.watched.from(taken);
                }
                let told = look.until.or(look.taken);
                self.taken = told.map_or(self.taken, |time| self.taken.max(time));
            }
        }
    }

    /// Names connections by answers that were read after them and given before them, and puts those
    /// into the pair of their program whose process was read after them. Tells of those that have a
    /// name by it.
    pub fn settle(&mut self, told: &mut Told<'_>) {
        let mut keys = std::mem::take(&mut self.unsettled.unpaired);
        if !self.unsettled.processes.is_empty() {
            let processes = std::mem::take(&mut self.unsettled.processes);
            keys.extend(self.connections.wholes_of(&processes));
        }
        for key in keys {
            self.pair_again(&key);
        }
        if std::mem::take(&mut self.unsettled.names) && !self.names.answers.is_empty() {
            let shelf = self.connections.shelf().places();
            let better = shelf.filter_map(|(place, it)| Some((place, self.settled_name(it)?)));
            let better: Vec<(Place, RemoteName)> = better.collect();
            for (place, name) in better {
                let pair = self.connections.pair_of_whole(place);
                let Some(connection) = self.connections.change(place) else {
                    continue;
                };
                let before = pair.map(|pair| (pair, connection.clone()));
                connection.name = Some(Arc::new(name));
                told(Change::Updated, self.taken, connection);
                if let Some((pair, before)) = before {
                    self.pairs.changed(pair, &before, connection);
                }
            }
        }
    }

    /// Puts one into the pair it belongs to by what is known now.
    fn pair_again(&mut self, key: &Key) {
        let Some(connection) = self.connections.latest(key) else {
            return;
        };
        if let Some(pair) = self.connections.pair(key) {
            self.pairs.leave_whole(pair, connection);
        }
        if let Some(line) = self.pairs.line_of(connection, &self.processes) {
            let pair = self.pairs.add_whole(line, connection);
            self.connections.belongs_to(key, pair);
        }
    }

    fn whole(&mut self, mut connection: Connection, told: &mut Told<'_>) {
        let newest = connection.closed.or(connection.opened);
        if let Some(opened) = connection.opened {
            self.watched.from(opened);
        }
        self.taken = newest.map_or(self.taken, |newest| self.taken.max(newest));
        let time = connection.opened.unwrap_or(self.taken);
        let known = self.connections.whole(&connection);
        if let Some(former) = known.and_then(|(key, _)| self.connections.latest(&key)) {
            // A log of names, or one of what was still open, may be read after the one of connections.
            if fullness(former) > fullness(&connection) {
                let (name, greeting) = (connection.name, connection.greeting);
                connection = former.clone();
                connection.name = name.or(connection.name);
                connection.greeting = greeting.or(connection.greeting);
            }
            connection.name = connection.name.or_else(|| former.name.clone());
            connection.greeting = connection.greeting.or_else(|| former.greeting.clone());
            connection.device = connection.device.or(former.device);
        }
        self.greet_connection(&mut connection);
        self.unsettled.names = true;
        self.processes.name(&connection);
        let owner = connection.owner.process();
        let unread = owner.is_some_and(|owner| self.processes.get(owner).is_none());
        let unpaired = self.pairs.are_kept() && unread;
        let line = self
            .pairs
            .line_of(&connection, &self.processes)
            .filter(|_| !unpaired);
        let (key, change) = match known {
            Some((key, _)) => {
                let copy = connection.clone();
                let former = self.connections.replace_whole(&key, connection);
                if let Some((former, pair)) = former {
                    self.processes.unname(&former);
                    if let Some(pair) = pair {
                        self.pairs.leave_whole(pair, &former);
                    }
                }
                if let Some(line) = line {
                    let pair = self.pairs.add_whole(line, &copy);
                    self.connections.belongs_to(&key, pair);
                }
                (key, Change::Updated)
            }
            None => {
                let pair = line.map(|line| self.pairs.add_whole(line, &connection));
                let key = self.connections.put_whole(connection, pair);
                (key, Change::Present)
            }
        };
        if unpaired {
            self.unsettled.unpaired.push(key);
            if self.unsettled.unpaired.len() >= MOST_UNPAIRED {
                self.settle(told);
            }
        }
        if self.unsettled.by_ends {
            self.connections.goes_between(&key, self.home_netns);
        }
        if let Some(connection) = self.connections.latest(&key) {
            told(change, time, connection);
        }
        if !self.unsettled.unpaired.is_empty() && self.connections.has_more_than(self.limits) {
            self.settle(told);
        }
        self.let_go_of_some();
    }

    fn import_process(&mut self, process: Arc<Process>) {
        let told = process.ended.or(process.started);
        self.taken = told.map_or(self.taken, |time| self.taken.max(time));
        let known = self.processes.get(process.id);
        let other = known.is_none_or(|it| it.path != process.path || it.name != process.name);
        if other && self.processes.is_named(process.id) {
            self.unsettled.processes.insert(process.id);
        }
        self.processes.learn(process);
    }

    /// What comes later knows more; what it leaves out stays.
    fn import_device(&mut self, mut device: Device) {
        let devices = Arc::make_mut(&mut self.devices);
        if let Some(known) = devices.get(&device.id) {
            device.name = device.name.or_else(|| known.name.clone());
            let mut addresses = known.addresses.clone();
            let more = device
                .addresses
                .iter()
                .filter(|it| !known.addresses.contains(it));
            addresses.extend(more);
            device.addresses = addresses;
        }
        devices.insert(device.id, device);
        self.unsettled.names = true;
    }
}

/// How much a source knows of a connection: how it ended, how it stands, or only that there was one.
fn fullness(connection: &Connection) -> u8 {
    match (connection.closed, connection.state) {
        (Some(_), _) => 2,
        (None, State::Unknown) => 0,
        (None, _) => 1,
    }
}

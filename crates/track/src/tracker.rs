//! Folds all that is observed, one thing after the other, into what is known now: connections,
//! processes, and all calls of a program to a destination. `model::Observed` goes in, what changed
//! is told at once, and a `model::Snapshot` can be had at any moment.
//!
//! Time comes from the events. What is kept is bounded; what is let go is counted.

mod connections;
mod counts;
mod deadlines;
mod events;
mod gaps;
mod import;
mod latest;
mod look;
mod named;
mod names;
mod pairs;
mod processes;
mod restated;
mod tally;
#[cfg(test)]
mod tests;
mod watched;
mod zones;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use model::{
    Addresses, Attendance, Connection, Device, DeviceId, Findings, Host, NetworkNamespace,
    Observed, Process, ProcessId, Remembered, Snapshot, State, Text, Tier, Timestamp,
};

use self::connections::{Begun, Connections, Key, Life, SocketName};
use self::deadlines::Deadlines;
use self::gaps::Gaps;
use self::import::Unsettled;
use self::names::Names;
use self::pairs::Pairs;
pub(crate) use self::pairs::{key_of as pair_of, of_look as pairs_of_look};
use self::processes::Processes;
use self::watched::Watched;
use self::zones::Zones;

/// How long a program may ask for a TCP connection before something leaves this computer.
const ATTEMPT: Duration = Duration::from_secs(1);

/// How long nothing may go to or come from a peer until the exchange is over, for protocols
/// without connections.
const SILENCE: Duration = Duration::from_secs(60);

/// How long the kernel keeps a connection in TIME_WAIT: `TCP_TIMEWAIT_LEN`, include/net/tcp.h. No
/// event tells its end.
const TIME_WAIT: Duration = Duration::from_secs(60);

/// How long it keeps one that the other side asked for and then left alone: 63 seconds with five
/// repetitions (`tcp_synack_retries`, ip-sysctl.rst). No event tells its end.
const HALF_OPEN: Duration = Duration::from_secs(90);

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The newest of those that have ended.
    pub closed_connections: usize,
    /// Beyond it, those that began first are let go.
    pub open_connections: usize,
    /// Beyond it, those that were not used for longest are let go. 0: none are made.
    pub pairs: usize,
    pub calls_per_pair: usize,
    /// In all pairs together; beyond it, each pair keeps fewer.
    pub calls: usize,
    /// Those that no kept connection names.
    pub ended_processes: usize,
}

impl Limits {
    /// Of a case: some 600 MB for each million of connections that have ended.
    pub const CASE: Self = Self {
        closed_connections: 2_000_000,
        open_connections: 400_000,
        pairs: 50_000,
        calls_per_pair: 16_384,
        calls: 2_000_000,
        ended_processes: 100_000,
    };

    /// The same for who looks at no pairs: they take as much time as all the rest.
    #[must_use]
    pub const fn without_pairs(self) -> Self {
        Self { pairs: 0, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            closed_connections: 10_000,
            open_connections: 400_000,
            pairs: 20_000,
            calls_per_pair: 4_096,
            calls: 500_000,
            ended_processes: 10_000,
        }
    }
}

/// How many were let go because of [`Limits`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LetGo {
    pub closed_connections: u64,
    /// They stand, and nothing more is told of them.
    pub open_connections: u64,
    pub pairs: u64,
    /// Those of the pairs that were let go among them.
    pub calls: u64,
    pub processes: u64,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It was there before we looked.
    Present,
    /// It came into being, be it only as an attempt.
    Opened,
    Updated,
    /// It ended, or never came about.
    Closed,
}

impl Change {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Closed => "closed",
        }
    }
}

/// Whoever wants to hear of each change: what it is, when it was, and the connection as it is now.
pub type Told<'a> = dyn FnMut(Change, Timestamp, &Connection) + 'a;

/// All that is known of the connections of one computer, kept up to date.
#[derive(Debug)]
pub struct Tracker {
    host: Host,
    tier: Tier,
    limits: Limits,
    home_netns: Option<NetworkNamespace>,
    users: HashMap<u32, Text>,
    remembered: Vec<Remembered>,
    /// When the newest of all was seen.
    taken: Timestamp,
    clock: Clock,
    connections: Connections,
    deadlines: Deadlines,
    pairs: Pairs,
    processes: Processes,
    devices: Arc<HashMap<DeviceId, Device>>,
    names: Names,
    zones: Zones,
    unsettled: Unsettled,
    gaps: Gaps,
    addresses: Addresses,
    watched: Watched,
    attendance: Arc<Attendance>,
    /// Of connections that are over, as the last look showed them.
    left: HashSet<SocketName>,
}

/// The two times of the newest event. The one since boot is not set by anyone, so it drives the
/// time-outs.
#[derive(Clone, Copy, Debug)]
struct Clock {
    time: Timestamp,
    boot_ns: u64,
}

impl Clock {
    /// Since boot, of a wall-clock time not long before or after.
    fn boot_ns_at(self, time: Timestamp) -> u64 {
        // No event has told yet what the time since boot is.
        if self.boot_ns == 0 {
            return 0;
        }
        let later = nanos(self.time.until(time));
        let earlier = nanos(time.until(self.time));
        self.boot_ns.saturating_add(later).saturating_sub(earlier)
    }
}

impl Tracker {
    pub fn new(host: Host, tier: Tier, limits: Limits) -> Self {
        let start = Timestamp::UNTOLD;
        Self {
            host,
            tier,
            limits,
            home_netns: None,
            users: HashMap::new(),
            remembered: Vec::new(),
            taken: start,
            clock: Clock {
                time: start,
                boot_ns: 0,
            },
            connections: Connections::default(),
            deadlines: Deadlines::default(),
            pairs: Pairs::new(&limits),
            processes: Processes::new(limits.ended_processes),
            devices: Arc::default(),
            names: Names::default(),
            zones: Zones::new(limits.pairs > 0),
            unsettled: Unsettled::default(),
            gaps: Gaps::default(),
            addresses: Addresses::default(),
            watched: Watched::default(),
            attendance: Arc::default(),
            left: HashSet::new(),
        }
    }

    /// The same, with what its snapshots hand on to be asked of addresses.
    pub fn with_addresses(self, addresses: Addresses) -> Self {
        Self { addresses, ..self }
    }

    /// Applies one thing, and tells of each connection that changed by it.
    pub fn apply(&mut self, observed: Observed, told: &mut Told<'_>) {
        match observed {
            Observed::Event(event) => self.event(&event, told),
            Observed::Process(process) => self.processes.learn(process),
            Observed::Look(look) => self.look(*look, told),
            Observed::Counts(counts) => {
                let read = counts.first().filter(|_| self.reads_all(counts.len()));
                if let Some(first) = read {
                    self.watched.read_counters(first.time);
                }
                for counts in &counts {
                    self.count(counts, told);
                }
            }
            Observed::Gap(gap) => self.gaps.add(gap),
        }
    }

    /// Whether so many counters are those of all that is open, and not those of a socket that ended just
    /// now: sockets that listen, and connections that are not known, make the two differ.
    fn reads_all(&self, counters: usize) -> bool {
        counters.saturating_mul(4) >= self.connections.count()
    }

    /// All that is known now. Cheap: it shares what does not change. What was imported is to be
    /// [settled](Self::settle) first.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            host: self.host.clone(),
            home_netns: self.home_netns,
            taken: self.taken,
            since: self.watched.since(),
            tier: self.tier,
            connections: self.connections.shelf().clone(),
            processes: self.processes.known(),
            pairs: self.pairs.shelf().clone(),
            users: self.users.clone(),
            remembered: self.remembered.clone(),
            devices: Arc::clone(&self.devices),
            asked: self.names.asked.shelf().clone(),
            zones: self.zones.shelf().clone(),
            attendance: Arc::clone(&self.attendance),
            gaps: self.gaps.all(),
            let_go: self
                .pairs
                .let_go()
                .saturating_add(self.processes.let_go())
                .saturating_add(self.zones.let_go()),
            addresses: self.addresses.clone(),
            findings: Findings::default(),
        }
    }

    /// What is known of a process. `None`: nothing, or it was let go.
    pub fn process(&self, id: ProcessId) -> Option<&Process> {
        self.processes.get(id)
    }

    pub fn let_go(&self) -> LetGo {
        LetGo {
            closed_connections: self.connections.closed_let_go(),
            open_connections: self.connections.open_let_go(),
            pairs: self.pairs.let_go(),
            calls: self.pairs.calls_let_go(),
            processes: self.processes.let_go(),
        }
    }

    /// How many connections are kept now.
    pub fn kept(&self) -> usize {
        self.connections.shelf().len()
    }

    /// Puts a connection beside the others, and tells of it.
    fn begin(&mut self, key: Key, mut connection: Connection, begun: Begun, told: &mut Told<'_>) {
        // Odd input only: whoever knows how the former one ended has said so.
        self.finish(&key, begun.time, Life::Ended, told, look::unseen_end);
        self.name_connection(&mut connection);
        let patience = patience(&connection, begun.change);
        let line = self.pairs.line_of(&connection, &self.processes);
        self.processes.name(&connection);
        let Some((serial, connection)) = self.connections.begin(key, connection, begun) else {
            return;
        };
        let pair = line.map(|line| self.pairs.begin(line, begun.time, connection));
        told(begun.change, begun.time, connection);
        if let Some(pair) = pair {
            self.connections.belongs_to(&key, pair);
        }
        if let Some(patience) = patience {
            let deadline = begun.boot_ns.saturating_add(nanos(patience));
            self.deadlines.set(deadline, serial, key);
            self.deadlines.forget_the_past(&self.connections);
        }
        self.connections.goes_between(&key, self.home_netns);
        self.let_go_of_some();
    }

    /// When there are too many.
    fn let_go_of_some(&mut self) {
        for (gone, pair) in self.connections.let_go_open(self.limits.open_connections) {
            if let Some(pair) = pair {
                self.pairs.lose(pair);
            }
            self.processes.unname(&gone);
        }
        let limit = self.limits.closed_connections;
        while let Some(gone) = self.connections.let_go_closed(limit) {
            self.processes.unname(&gone);
        }
    }

    /// Changes an open connection, and tells of it when that made a difference.
    fn update(
        &mut self,
        key: &Key,
        time: Timestamp,
        told: &mut Told<'_>,
        change: impl FnOnce(&mut Connection),
    ) {
        let Some(before) = self.connections.open(key) else {
            return;
        };
        let mut after = before.clone();
        change(&mut after);
        if after == *before {
            return;
        }
        self.watched.note_talk(before, &mut after, time);
        let moved = after.local != before.local || after.remote != before.remote;
        if moved || after.owner != before.owner {
            self.name_connection(&mut after);
        }
        let pair = self.connections.pair(key);
        let Some((before, after)) = self.connections.replace(key, after) else {
            return;
        };
        if before.owner != after.owner || before.also_held_by != after.also_held_by {
            self.processes.name(after);
            self.processes.unname(&before);
        }
        told(Change::Updated, time, after);
        let same = before.owner == after.owner
            && before.direction == after.direction
            && before.remote == after.remote;
        let other = if same {
            None
        } else {
            self.pairs.line_of(after, &self.processes)
        };
        let other = other.filter(|other| pair.is_none_or(|pair| !self.pairs.is(pair, other)));
        if let Some(other) = other {
            if let Some(pair) = pair {
                self.pairs.leave(pair, &before);
            }
            let pair = self.pairs.begin(other, time, after);
            self.connections.belongs_to(key, pair);
        } else if let Some(pair) = pair {
            self.pairs.changed(pair, &before, after);
            if let (None, Some(opened)) = (before.opened, after.opened) {
                self.pairs.call(pair, opened);
            }
        }
        if moved {
            self.connections.goes_between(key, self.home_netns);
        }
    }

    /// Ends an open connection, and tells of it. `change` gives the last state and error.
    fn finish(
        &mut self,
        key: &Key,
        time: Timestamp,
        life: Life,
        told: &mut Told<'_>,
        change: impl FnOnce(&mut Connection),
    ) {
        let Some(connection) = self.connections.open(key) else {
            return;
        };
        let mut connection = connection.clone();
        change(&mut connection);
        connection.closed = Some(time);
        if let Some(pair) = self.connections.pair(key) {
            self.pairs.end(pair, time, &connection);
        }
        if let Some(connection) = self.connections.end(key, connection, life) {
            told(Change::Closed, time, connection);
        }
        self.let_go_of_some();
    }
}

/// How long a connection may go on as it begins. `None`: as long as it likes.
fn patience(connection: &Connection, begins: Change) -> Option<Duration> {
    let connected = connection.protocol.has_connections();
    if connected && connection.state == State::Attempted {
        Some(ATTEMPT)
    } else if connection.state == State::TimeWait {
        Some(TIME_WAIT)
    } else if connection.state == State::SynReceived {
        Some(HALF_OPEN)
    } else if !connected && begins == Change::Opened {
        connection.remote.map(|_| SILENCE)
    } else {
        None
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

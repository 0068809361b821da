//! All calls of each program to each destination, over time.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use model::{
    Call, Calls, Connection, DeviceId, Direction, IcmpKind, Members, Mix, Pair, PairKey, Place,
    Process, ProcessId, Protocol, Shelf, State, Talks, Text, Timestamp,
};

use super::Limits;
use super::processes::Processes;

/// The part of the pairs that is let go at once when there are too many: finding the oldest means
/// going through all.
const PART_LET_GO: usize = 16;

/// Which connections belong together, before it is put into words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Line {
    program: Option<Text>,
    /// Where no process is known.
    device: Option<DeviceId>,
    remote: IpAddr,
    port: Option<u16>,
    local_port: Option<u16>,
    protocol: Protocol,
}

impl Line {
    /// `None`: the connection has no other side.
    fn of<'a>(
        connection: &Connection,
        process: impl Fn(ProcessId) -> Option<&'a Process>,
    ) -> Option<Self> {
        let remote = connection.remote?;
        let owner = connection.owner.process();
        let program = owner.and_then(process);
        let calls = connection.direction != Direction::Inbound;
        Some(Self {
            program: program.map(|it| it.program().clone()),
            device: connection.device.filter(|_| owner.is_none()),
            remote: remote.ip?,
            port: remote.port.filter(|_| calls),
            local_port: connection.local.port.filter(|_| !calls),
            protocol: if let Protocol::Icmp(_) = connection.protocol {
                // Each ping has an id of its own.
                Protocol::Icmp(IcmpKind::default())
            } else {
                connection.protocol
            },
        })
    }

    fn key(&self) -> PairKey {
        PairKey {
            program: self.program.clone(),
            device: self.device,
            destination: self.remote.to_string(),
            port: self.port,
            local_port: self.local_port,
            protocol: self.protocol,
        }
    }
}

/// Names a pair as long as it is kept, and none after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PairId(u64);

/// All pairs that are kept.
#[derive(Debug)]
pub(super) struct Pairs {
    shelf: Shelf<Pair>,
    by_line: HashMap<Line, PairId, Mix>,
    standing: HashMap<PairId, Standing, Mix>,
    /// How many of them are inbound.
    inbound: usize,
    /// How many calls all of them keep.
    calls: usize,
    /// How many calls each may keep: fewer than the limit while all together are too many.
    share: usize,
    most: usize,
    most_calls: usize,
    most_calls_each: usize,
    /// Counts uses and pairs.
    count: u64,
    let_go: u64,
    calls_let_go: u64,
}

#[derive(Debug)]
struct Standing {
    place: Place,
    line: Line,
    /// Grows from use to use.
    used: u64,
    inbound: bool,
}

impl Pairs {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            shelf: Shelf::default(),
            by_line: HashMap::default(),
            standing: HashMap::default(),
            inbound: 0,
            calls: 0,
            share: limits.calls_per_pair,
            most: limits.pairs,
            most_calls: limits.calls,
            most_calls_each: limits.calls_per_pair,
            count: 0,
            let_go: 0,
            calls_let_go: 0,
        }
    }

    pub(super) fn shelf(&self) -> &Shelf<Pair> {
        &self.shelf
    }

    pub(super) fn let_go(&self) -> u64 {
        self.let_go
    }

    pub(super) fn calls_let_go(&self) -> u64 {
        self.calls_let_go
    }

    /// Whether there are any: with a limit of none, nothing is counted.
    pub(super) fn are_kept(&self) -> bool {
        self.most > 0
    }

    /// Which pair a connection belongs to. `None`: to none.
    pub(super) fn line_of(&self, connection: &Connection, processes: &Processes) -> Option<Line> {
        if !self.are_kept() {
            return None;
        }
        Line::of(connection, |id| processes.get(id))
    }

    /// Whether `id` is kept and is the pair of this line.
    pub(super) fn is(&self, id: PairId, line: &Line) -> bool {
        self.standing.get(&id).is_some_and(|it| it.line == *line)
    }

    /// Adds an open connection to the pair of its line.
    pub(super) fn begin(&mut self, line: Line, time: Timestamp, connection: &Connection) -> PairId {
        let id = match self.by_line.get(&line) {
            Some(id) => *id,
            None => self.add(line, time, connection.direction == Direction::Inbound),
        };
        if let Some(pair) = self.used(id) {
            pair.connections += 1;
            pair.open += 1;
            pair.last = time;
            Arc::make_mut(&mut pair.members).learn(connection);
        }
        if let Some(opened) = connection.opened {
            self.call(id, opened);
        }
        id
    }

    /// The start of one of its open connections is known now.
    pub(super) fn call(&mut self, id: PairId, opened: Timestamp) {
        let share = self.share;
        let Some(pair) = self.change(id) else {
            return;
        };
        pair.calls.add(Call {
            opened,
            closed: None,
            failed: false,
            bytes_sent: 0,
            bytes_received: 0,
        });
        let gone = shorten(pair, share);
        self.calls += 1;
        self.forget_calls(gone);
        self.share_out();
    }

    /// One of its connections has ended.
    pub(super) fn end(&mut self, id: PairId, time: Timestamp, connection: &Connection) {
        let Some(pair) = self.change(id) else {
            return;
        };
        let failed = connection.state == State::Failed;
        let bytes_sent = connection.bytes_sent.unwrap_or(0);
        let bytes_received = connection.bytes_received.unwrap_or(0);
        pair.open = pair.open.saturating_sub(1);
        pair.failed += u64::from(failed);
        pair.bytes_sent = pair.bytes_sent.saturating_add(bytes_sent);
        pair.bytes_received = pair.bytes_received.saturating_add(bytes_received);
        pair.last = time;
        let call = connection.opened.and_then(|opened| pair.calls.open(opened));
        if let Some(call) = call {
            *call = Call {
                opened: call.opened,
                closed: Some(time),
                failed,
                bytes_sent,
                bytes_received,
            };
        }
    }

    /// More is known of one of its connections.
    pub(super) fn changed(&mut self, id: PairId, before: &Connection, after: &Connection) {
        if Members::concerns(before, after)
            && let Some(pair) = self.change(id)
        {
            Arc::make_mut(&mut pair.members).change(before, after);
        }
        if before.talk != after.talk
            && let (Some(talk), Some(pair)) = (&after.talk, self.change(id))
        {
            pair.talks.put(after.id, talk);
        }
    }

    /// One of its open connections is let go, and how it ends will not be known.
    pub(super) fn lose(&mut self, id: PairId) {
        if let Some(pair) = self.change(id) {
            pair.open = pair.open.saturating_sub(1);
        }
    }

    /// One of its open connections belongs to another pair now.
    pub(super) fn leave(&mut self, id: PairId, connection: &Connection) {
        let Some(pair) = self.change(id) else {
            return;
        };
        pair.open = pair.open.saturating_sub(1);
        pair.connections = pair.connections.saturating_sub(1);
        pair.talks.forget(connection.id);
        Arc::make_mut(&mut pair.members).forget(connection);
        let empty = pair.connections == 0;
        let call = connection.opened.and_then(|opened| pair.calls.take(opened));
        self.calls = self.calls.saturating_sub(usize::from(call.is_some()));
        if empty {
            self.remove(id);
        }
    }

    /// Adds a connection of which all is known at once.
    pub(super) fn add_whole(&mut self, line: Line, connection: &Connection) -> PairId {
        let begun = connection.opened.or(connection.closed);
        let begun = begun.unwrap_or(Timestamp::UNTOLD);
        let id = match self.by_line.get(&line) {
            Some(id) => *id,
            None => self.add(line, begun, connection.direction == Direction::Inbound),
        };
        let share = self.share;
        let Some(pair) = self.used(id) else {
            return id;
        };
        let told = [pair.first, begun].into_iter().filter_map(Timestamp::told);
        pair.first = told.min().unwrap_or(Timestamp::UNTOLD);
        pair.last = pair.last.max(connection.closed.unwrap_or(begun));
        pair.connections += 1;
        let Whole {
            open,
            failed,
            sent,
            received,
        } = Whole::of(connection);
        pair.open += open;
        pair.failed += failed;
        pair.bytes_sent = pair.bytes_sent.saturating_add(sent);
        pair.bytes_received = pair.bytes_received.saturating_add(received);
        Arc::make_mut(&mut pair.members).learn(connection);
        if let Some(talk) = &connection.talk {
            pair.talks.put(connection.id, talk);
        }
        if let Some(call) = call_of(connection) {
            pair.calls.add(call);
            let gone = shorten(pair, share);
            self.calls += 1;
            self.forget_calls(gone);
            self.share_out();
        }
        id
    }

    /// Takes such a connection out again, as it was added.
    pub(super) fn leave_whole(&mut self, id: PairId, connection: &Connection) {
        let Some(pair) = self.change(id) else {
            return;
        };
        let Whole {
            open,
            failed,
            sent,
            received,
        } = Whole::of(connection);
        pair.connections = pair.connections.saturating_sub(1);
        pair.open = pair.open.saturating_sub(open);
        pair.failed = pair.failed.saturating_sub(failed);
        pair.bytes_sent = pair.bytes_sent.saturating_sub(sent);
        pair.bytes_received = pair.bytes_received.saturating_sub(received);
        pair.talks.forget(connection.id);
        Arc::make_mut(&mut pair.members).forget(connection);
        let empty = pair.connections == 0;
        let call = call_of(connection).and_then(|call| pair.calls.take_same(&call));
        self.calls = self.calls.saturating_sub(usize::from(call.is_some()));
        if empty {
            self.remove(id);
        }
    }

    /// For changing one that another connection came to.
    fn used(&mut self, id: PairId) -> Option<&mut Pair> {
        self.count += 1;
        let standing = self.standing.get_mut(&id)?;
        standing.used = self.count;
        self.shelf.change(standing.place)
    }

    fn change(&mut self, id: PairId) -> Option<&mut Pair> {
        self.shelf.change(self.standing.get(&id)?.place)
    }

    fn add(&mut self, line: Line, time: Timestamp, inbound: bool) -> PairId {
        self.make_room();
        self.count += 1;
        let id = PairId(self.count);
        self.by_line.insert(line.clone(), id);
        let place = self.shelf.put(Pair {
            key: line.key(),
            first: time,
            last: time,
            connections: 0,
            failed: 0,
            open: 0,
            bytes_sent: 0,
            bytes_received: 0,
            calls: Calls::default(),
            let_go: 0,
            talks: Talks::default(),
            members: Arc::default(),
        });
        self.inbound += usize::from(inbound);
        let standing = Standing {
            place,
            line,
            used: self.count,
            inbound,
        };
        self.standing.insert(id, standing);
        id
    }

    /// Lets go of some when there are too many: of the program that has most of them, those that
    /// were not used for longest. So a program that calls everywhere does not drive out another
    /// one that calls home now and then.
    fn make_room(&mut self) {
        if self.standing.len() < self.most {
            return;
        }
        // Others choose how often they call; they shall not drive out whom this computer calls.
        let only_inbound = self.inbound > self.most / 2;
        let candidates = self.standing.iter();
        let candidates = candidates.filter(|(_, standing)| standing.inbound || !only_inbound);
        let mut programs: HashMap<_, Vec<_>, Mix> = HashMap::default();
        for (id, it) in candidates {
            let program = (it.line.program.as_ref(), it.line.device);
            programs.entry(program).or_default().push((it.used, *id));
        }
        let surplus = (self.most / PART_LET_GO).max(1);
        let keep = level(programs.values().map(Vec::len), surplus);
        let mut superfluous = Vec::new();
        for mut of_program in programs.into_values() {
            let Some(over) = of_program.len().checked_sub(keep).filter(|over| *over > 0) else {
                continue;
            };
            if over < of_program.len() {
                of_program.select_nth_unstable(over);
            }
            superfluous.extend(of_program.into_iter().take(over));
        }
        superfluous.sort_unstable();
        superfluous.truncate(surplus);
        for (_, id) in superfluous {
            let calls = self.remove(id).map_or(0, |pair| pair.calls.len());
            self.let_go += 1;
            self.forget_calls(calls);
        }
    }

    fn remove(&mut self, id: PairId) -> Option<Pair> {
        let standing = self.standing.remove(&id)?;
        let pair = self.shelf.take(standing.place)?;
        self.by_line.remove(&standing.line);
        self.inbound -= usize::from(standing.inbound);
        Some(pair)
    }

    /// Makes all keep fewer calls when they are too many together, so that a pair with few calls
    /// keeps all of them; and more when there is room again.
    fn share_out(&mut self) {
        while self.calls > self.most_calls && self.share > 0 {
            self.share /= 2;
            let places: Vec<_> = self.standing.values().map(|it| it.place).collect();
            for place in places {
                let long = |pair: &Pair| pair.calls.len() > self.share;
                if !self.shelf.get(place).is_some_and(long) {
                    continue;
                }
                let share = self.share;
                let gone = self.shelf.change(place).map(|pair| shorten(pair, share));
                self.forget_calls(gone.unwrap_or(0));
            }
        }
        if self.share < self.most_calls_each && self.calls < self.most_calls / 4 {
            self.share = (self.share * 2).clamp(1, self.most_calls_each);
        }
    }

    fn forget_calls(&mut self, calls: usize) {
        self.calls = self.calls.saturating_sub(calls);
        self.calls_let_go += u64::try_from(calls).unwrap_or(u64::MAX);
    }
}

/// The pairs of connections of which all is known at once, as a look tells them.
pub(crate) fn of_look(
    connections: &Shelf<Connection>,
    processes: &HashMap<ProcessId, Arc<Process>>,
) -> Shelf<Pair> {
    let mut pairs = Pairs::new(&Limits::CASE);
    for connection in connections {
        let process = |id| processes.get(&id).map(Arc::as_ref);
        if let Some(line) = Line::of(connection, process) {
            pairs.add_whole(line, connection);
        }
    }
    pairs.shelf
}

/// Which pair a connection belongs to. `None`: to none.
pub(crate) fn key_of(
    connection: &Connection,
    processes: &HashMap<ProcessId, Arc<Process>>,
) -> Option<PairKey> {
    let process = |id| processes.get(&id).map(Arc::as_ref);
    Some(Line::of(connection, process)?.key())
}

/// What a connection adds to the sums of its pair.
struct Whole {
    open: u64,
    failed: u64,
    sent: u64,
    received: u64,
}

impl Whole {
    fn of(connection: &Connection) -> Self {
        let ended = connection.closed.is_some() || is_over(connection.state);
        let of_ended = |bytes: Option<u64>| bytes.filter(|_| ended).unwrap_or(0);
        Self {
            // How it stands is not known of all.
            open: u64::from(!ended && connection.state != State::Unknown),
            failed: u64::from(connection.state == State::Failed),
            sent: of_ended(connection.bytes_sent),
            received: of_ended(connection.bytes_received),
        }
    }
}

/// Over, also when nobody tells since when.
pub(super) fn is_over(state: State) -> bool {
    matches!(state, State::Closed | State::Failed)
}

/// `None`: when it began is not known.
fn call_of(connection: &Connection) -> Option<Call> {
    let Whole { sent, received, .. } = Whole::of(connection);
    Some(Call {
        opened: connection.opened?,
        closed: connection.closed,
        failed: connection.state == State::Failed,
        bytes_sent: sent,
        bytes_received: received,
    })
}

/// How many of each program may stay, so that at least `surplus` must go of those that have most.
fn level(counts: impl Iterator<Item = usize>, surplus: usize) -> usize {
    let mut counts: Vec<_> = counts.collect();
    counts.sort_unstable_by_key(|count| Reverse(*count));
    let (mut all, mut keep) = (0, 0);
    for (place, count) in counts.iter().enumerate() {
        all += count;
        // All up to here are brought down to one level.
        let below = counts.get(place + 1).copied().unwrap_or(0);
        keep = all.saturating_sub(surplus) / (place + 1);
        if keep >= below {
            break;
        }
    }
    keep
}

/// Lets go of the oldest calls when there are more than `most`. Gives how many.
fn shorten(pair: &mut Pair, most: usize) -> usize {
    let gone = pair.calls.keep_newest(most);
    pair.let_go += u64::try_from(gone).unwrap_or(u64::MAX);
    gone
}

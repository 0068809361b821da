//! What captures and logs tell of one moment.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use model::{
    Call, Calls, Connection, ConnectionId, Gap, Imported, Members, Pair, PairKey, Snapshot, Source,
    State, Timestamp,
};

/// From when until when something is told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Covered(Option<(Timestamp, Timestamp)>);

impl Covered {
    pub(super) fn add(&mut self, imported: &Imported) {
        match imported {
            Imported::Connection(connection) => {
                for time in [connection.opened, connection.closed].into_iter().flatten() {
                    self.reach(time, time);
                }
            }
            Imported::Name(event) => self.reach(event.time, event.time),
            Imported::Span(from, until) => self.reach(*from, *until),
            Imported::Look(look) => {
                for time in [look.taken, look.until].into_iter().flatten() {
                    self.reach(time, time);
                }
            }
            Imported::Process(_) | Imported::Device(_) | Imported::Gap(_) => {}
        }
    }

    fn reach(&mut self, from: Timestamp, until: Timestamp) {
        let (first, last) = self.0.unwrap_or((from, until));
        self.0 = Some((first.min(from), last.max(until)));
    }

    /// The moment is none before all that is told.
    pub(in super::super) fn has_begun(self, at: Timestamp) -> bool {
        self.0.is_some_and(|(from, _)| from <= at)
    }

    /// The first moment of which something is told. `None`: no times are.
    pub(in super::super) fn begin(self) -> Option<Timestamp> {
        self.0.map(|(from, _)| from)
    }

    /// From when until when. `None`: no times are told.
    pub(in super::super) fn span(self) -> Option<(Timestamp, Timestamp)> {
        self.0
    }

    /// More was told after this moment: of what stood then, the end has been told.
    fn goes_on(self, at: Timestamp) -> bool {
        self.0.is_some_and(|(_, until)| at < until)
    }

    /// What it means that a moment was asked for which nothing tells of. `None`: something does.
    pub(in super::super) fn gap(self, at: Timestamp) -> Option<Gap> {
        let why = match self.0 {
            None => "what was read tells no times".to_owned(),
            Some((from, until)) if at < from || at > until => {
                format!("what was read tells of {from} until {until}, and not of {at}")
            }
            Some(_) => return None,
        };
        Some(Gap::standing(
            "moment_not_covered",
            Source::Log,
            why,
            "what began or ended outside of that time; what has no time is shown as if it stood",
        ))
    }
}

/// What stood open at one moment. Connections of which the source does not tell when they began stood
/// all the time; of a moment that is not covered a gap says so.
pub(in super::super) fn at(mut snapshot: Snapshot, covered: Covered, at: Timestamp) -> Snapshot {
    snapshot.gaps.extend(covered.gap(at));
    let connections = snapshot.connections.iter();
    let connections = connections.filter_map(|it| stood(it, covered, at));
    let connections = connections.collect();
    if covered.goes_on(at) {
        snapshot = known_by(snapshot, at);
    }
    Snapshot {
        connections,
        taken: at,
        ..snapshot
    }
}

/// The same, of a case: its recording told of this moment, its imports of all of their time.
pub(in super::super) fn at_in_case(
    mut snapshot: Snapshot,
    imported: &HashSet<ConnectionId>,
    covered: Covered,
    at: Timestamp,
) -> Snapshot {
    let then = |connection: &Connection| match imported.contains(&connection.id) {
        true => stood(connection, covered, at),
        false => Some(connection.clone()),
    };
    let connections = snapshot.connections.iter().filter_map(then).collect();
    if covered.goes_on(at) {
        snapshot = known_by(snapshot, at);
    }
    Snapshot {
        connections,
        ..snapshot
    }
}

/// What rules read, without what began later.
fn known_by(snapshot: Snapshot, at: Timestamp) -> Snapshot {
    let is_later = |pair: &&Pair| pair.last > at;
    let members = match snapshot.pairs.iter().any(|it| is_later(&it)) {
        true => members(&snapshot, at),
        false => HashMap::new(),
    };
    let then = |pair: &Pair| {
        if !is_later(&pair) {
            return Some(pair.clone());
        }
        let mut then = sums(pair, at)?;
        // Of connections that were let go nobody can tell any more which had begun.
        if let Some(members) = members.get(&pair.key) {
            then.members = Arc::clone(members);
        }
        Some(then)
    };
    let asked = snapshot.asked.iter().filter(|it| it.first <= at);
    // How many questions of the others there were by then, nobody can tell any more.
    let zones = snapshot.zones.iter().filter(|it| it.last <= at);
    let processes = snapshot.processes.iter();
    let processes = processes.filter(|(_, it)| it.started.is_none_or(|started| started <= at));
    Snapshot {
        pairs: snapshot.pairs.iter().filter_map(then).collect(),
        asked: asked.cloned().collect(),
        zones: zones.cloned().collect(),
        processes: Arc::new(processes.map(|(id, it)| (*id, Arc::clone(it))).collect()),
        ..snapshot
    }
}

/// Of each pair which connections, runs and names it had by then.
fn members(snapshot: &Snapshot, at: Timestamp) -> HashMap<PairKey, Arc<Members>> {
    let begun = |connection: &&Connection| connection.opened.is_none_or(|opened| opened <= at);
    let begun = snapshot.connections.iter().filter(begun).cloned();
    let begun = track::with_pairs(Snapshot {
        connections: begun.collect(),
        ..snapshot.clone()
    });
    let members = begun.pairs.iter();
    let members = members.map(|it| (it.key.clone(), Arc::clone(&it.members)));
    members.collect()
}

/// What the recording of a case told of a moment, with what its imports tell of the same: `whole` is
/// what both came to at their end.
pub(in super::super) fn beside(
    snapshot: &Snapshot,
    whole: &Snapshot,
    imported: &HashSet<ConnectionId>,
    covered: Covered,
    at: Timestamp,
) -> Snapshot {
    let is_imported = |connection: &&Connection| imported.contains(&connection.id);
    let told = whole.connections.iter().filter(is_imported);
    let told: Vec<Connection> = told.filter_map(|it| stood(it, covered, at)).collect();
    let mut processes = (*snapshot.processes).clone();
    for process in told.iter().filter_map(|it| it.owner.process()) {
        if let Some(known) = whole.processes.get(&process) {
            processes
                .entry(process)
                .or_insert_with(|| Arc::clone(known));
        }
    }
    let recorded = snapshot.connections.iter().filter(|it| !is_imported(it));
    Snapshot {
        connections: recorded.cloned().chain(told).collect(),
        processes: Arc::new(processes),
        devices: Arc::clone(&whole.devices),
        ..snapshot.clone()
    }
}

/// A connection as it stood at a moment. `None`: it did not.
fn stood(connection: &Connection, covered: Covered, at: Timestamp) -> Option<Connection> {
    let begun = connection.opened.is_none_or(|opened| opened <= at);
    let goes_on = connection.closed.is_none_or(|closed| closed > at);
    if !begun || !goes_on {
        return None;
    }
    let mut connection = connection.clone();
    if connection.closed.take().is_some() || covered.goes_on(at) {
        // What had gone over it by then, and how it stood, nobody has told.
        connection.bytes_sent = None;
        connection.bytes_received = None;
        connection.packets_sent = None;
        connection.packets_received = None;
        connection.error = None;
        if connection.state != State::Listen {
            connection.state = match connection.protocol.has_connections() {
                true => State::Unknown,
                false => State::Open,
            };
        }
    }
    Some(connection)
}

/// The calls of a pair until a moment, each as it stood then. `None`: there was none.
fn sums(pair: &Pair, at: Timestamp) -> Option<Pair> {
    let mut calls = Calls::default();
    let mut then = Pair {
        calls: Calls::default(),
        last: pair.first,
        connections: 0,
        failed: 0,
        open: 0,
        bytes_sent: 0,
        bytes_received: 0,
        let_go: 0,
        talks: model::Talks::default(),
        ..pair.clone()
    };
    for call in pair.calls.iter().filter(|call| call.opened <= at) {
        let call = match call.closed {
            Some(closed) if closed <= at => *call,
            Some(_) | None => Call {
                closed: None,
                failed: false,
                bytes_sent: 0,
                bytes_received: 0,
                ..*call
            },
        };
        then.last = then.last.max(call.closed.unwrap_or(call.opened));
        then.connections += 1;
        then.failed += u64::from(call.failed);
        then.open += u64::from(call.closed.is_none());
        then.bytes_sent = then.bytes_sent.saturating_add(call.bytes_sent);
        then.bytes_received = then.bytes_received.saturating_add(call.bytes_received);
        calls.add(call);
    }
    // Those without a time stood always.
    let timed = pair.let_go.saturating_add(pair.calls.len() as u64);
    let timeless = pair.connections.saturating_sub(timed);
    then.connections += timeless;
    then.open += timeless;
    // Those that were let go are the oldest.
    if pair.first <= at {
        then.connections += pair.let_go;
        then.let_go = pair.let_go;
    }
    then.calls = calls;
    (then.connections > 0).then_some(then)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{Direction, Endpoint, Owner, Protocol, SocketKey, WhyUnknown};

    use super::*;

    #[test]
    fn says_of_which_time_nothing_is_told() {
        let time = Timestamp::from_unix_nanos;
        let mut covered = Covered::default();
        let why = |covered: Covered, at| covered.gap(time(at)).map(|gap| gap.why);
        assert!(why(covered, 5).is_some_and(|why| why.contains("no times")));
        covered.add(&Imported::Span(time(10), time(20)));
        covered.add(&Imported::Span(time(30), time(40)));
        for (at, is_covered) in [(9, false), (10, true), (25, true), (40, true), (41, false)] {
            assert_eq!(why(covered, at).is_none(), is_covered, "{at}");
        }
        assert!(!covered.has_begun(time(9)) && covered.has_begun(time(41)));
    }

    /// A connection that began in second 10 and of which the end is not told.
    fn unended(state: State) -> Connection {
        let (local, remote) = ([192, 168, 1, 5], [203, 0, 113, 9]);
        Connection {
            id: ConnectionId([1; 16]),
            protocol: Protocol::Tcp,
            state,
            direction: Direction::Outbound,
            local: Endpoint::new(local.into(), 41000),
            remote: Some(Endpoint::new(remote.into(), 443)),
            netns: None,
            interface: None,
            socket: SocketKey {
                inode: None,
                cookie: Some(1),
            },
            uid: None,
            opened: Some(Timestamp::from_unix_nanos(10)),
            closed: None,
            error: None,
            bytes_sent: Some(100),
            bytes_received: Some(200),
            packets_sent: Some(3),
            packets_received: Some(4),
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

    #[test]
    fn of_what_stood_and_has_no_end_only_that_is_told_which_was_known_then() {
        let time = Timestamp::from_unix_nanos;
        let mut covered = Covered::default();
        covered.add(&Imported::Span(time(5), time(30)));
        let check = |state: State, at: i64, expected: (State, Option<u64>)| {
            let then = stood(&unended(state), covered, time(at)).unwrap();
            assert_eq!((then.state, then.bytes_sent), expected, "{state} at {at}");
            let counts = [
                then.bytes_received,
                then.packets_sent,
                then.packets_received,
            ];
            let all = counts.iter().all(|it| it.is_some() == expected.1.is_some());
            assert!(all, "{then:?}");
        };
        check(State::CloseWait, 20, (State::Unknown, None));
        check(State::CloseWait, 30, (State::CloseWait, Some(100)));
        check(State::CloseWait, 31, (State::CloseWait, Some(100)));
        check(State::Listen, 20, (State::Listen, None));
        assert!(stood(&unended(State::Established), covered, time(9)).is_none());
    }

    #[test]
    fn sums_are_those_of_the_moment() {
        let time = Timestamp::from_unix_nanos;
        let mut calls = Calls::default();
        for (opened, closed, bytes) in [(10, Some(12), 5), (20, Some(40), 7), (50, None, 0)] {
            calls.add(Call {
                opened: time(opened),
                closed: closed.map(time),
                failed: false,
                bytes_sent: bytes,
                bytes_received: 0,
            });
        }
        let pair = Pair {
            key: PairKey {
                program: None,
                device: None,
                destination: "203.0.113.9".to_owned(),
                port: Some(443),
                local_port: None,
                protocol: Protocol::Tcp,
            },
            first: time(10),
            last: time(50),
            connections: 3,
            failed: 0,
            open: 1,
            bytes_sent: 12,
            bytes_received: 0,
            calls,
            let_go: 0,
            talks: model::Talks::default(),
            members: Arc::default(),
        };
        let then = |at| {
            let then = sums(&pair, time(at))?;
            Some((then.connections, then.open, then.bytes_sent))
        };
        assert_eq!(then(9), None);
        assert_eq!(then(11), Some((1, 1, 0)));
        assert_eq!(then(30), Some((2, 1, 5)));
        assert_eq!(then(60), Some((3, 1, 12)));
    }
}

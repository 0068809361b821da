//! What connections and calls come to, taken together.

use std::cmp::Reverse;

use model::{Connection, Pair, Snapshot, State};

use super::columns::Kind;

/// Counts of several connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Open now, listeners not among them.
    pub(super) open: u64,
    pub(super) listening: u64,
    /// All there were, those still open among them.
    pub(super) calls: u64,
    pub(super) failed: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl Sums {
    /// One that is open; what it was counted with in its pair is not counted again.
    pub(super) fn add_open(&mut self, connection: &Connection) {
        if connection.remote.is_none() {
            self.listening += 1;
        } else if !is_asked_for_only(connection) {
            self.open += 1;
        }
        self.add_bytes(connection);
    }

    pub(super) fn add_bytes(&mut self, connection: &Connection) {
        self.sent = self.sent.saturating_add(connection.bytes_sent.unwrap_or(0));
        let received = connection.bytes_received.unwrap_or(0);
        self.received = self.received.saturating_add(received);
    }

    /// A connection that stands for itself, open or ended.
    pub(super) fn add(&mut self, connection: &Connection) {
        if connection.closed.is_none() {
            self.add_open(connection);
        } else {
            self.add_bytes(connection);
        }
        if connection.remote.is_some() {
            self.calls += 1;
        }
        if connection.state == State::Failed {
            self.failed += 1;
        }
    }

    /// All that have ended of a pair, and how many there were at all.
    pub(super) fn add_pair(&mut self, pair: &Pair) {
        self.calls = self.calls.saturating_add(pair.connections);
        self.failed = self.failed.saturating_add(pair.failed);
        self.sent = self.sent.saturating_add(pair.bytes_sent);
        self.received = self.received.saturating_add(pair.bytes_received);
    }

    /// What rows are put in order by: the most first, names from A. A column that says something
    /// else leaves the order as it is.
    pub(super) fn rank(&self, kind: Kind, name: &str) -> (Reverse<u64>, String) {
        match kind {
            Kind::Open => rank_of_number(self.open),
            Kind::Calls => rank_of_number(self.calls),
            Kind::Failed => rank_of_number(self.failed),
            Kind::Sent => rank_of_number(self.sent),
            Kind::Received => rank_of_number(self.received),
            Kind::Name | Kind::Process => (Reverse(0), name.to_owned()),
            Kind::Sign
            | Kind::Pid
            | Kind::User
            | Kind::Protocol
            | Kind::State
            | Kind::Local
            | Kind::Remote
            | Kind::Destinations
            | Kind::Who
            | Kind::Opened
            | Kind::Closed
            | Kind::Last
            | Kind::Outcome
            | Kind::Asked
            | Kind::First
            | Kind::Answer
            | Kind::Then
            | Kind::Word
            | Kind::Title
            | Kind::Checks
            | Kind::Time => rank_of_number(0),
        }
    }

    pub(super) fn add_sums(&mut self, other: &Self) {
        self.open += other.open;
        self.listening += other.listening;
        self.calls = self.calls.saturating_add(other.calls);
        self.failed = self.failed.saturating_add(other.failed);
        self.sent = self.sent.saturating_add(other.sent);
        self.received = self.received.saturating_add(other.received);
    }
}

/// The most first.
pub(super) fn rank_of_number(number: u64) -> (Reverse<u64>, String) {
    (Reverse(number), String::new())
}

/// Whether nobody has answered yet.
pub(super) fn is_asked_for_only(connection: &Connection) -> bool {
    matches!(connection.state, State::Attempted | State::SynSent)
}

/// What the status line says of all connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) open: usize,
    /// Those whose process is known, in hundredths of those that are open; `None`: there are none.
    pub(super) owned: Option<usize>,
}

impl Totals {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let (mut open, mut owned) = (0, 0);
        let connections = snapshot.connections.iter();
        for connection in connections.filter(|it| it.closed.is_none()) {
            open += 1;
            owned += usize::from(connection.owner.process().is_some());
        }
        Self {
            open,
            owned: (owned * 100_usize).checked_div(open),
        }
    }
}

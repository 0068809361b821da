//! What was greeted on connections that have not been told of yet.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use model::{Connection, Endpoint, Event, Greeting, Mix, NetworkNamespace, RemoteName, SocketKey};

use super::super::connections::Ends;
use super::{SLACK, later};

/// So many wait while watching: the two are seen within moments. The same wherever it is folded.
const MOST_LIVE: usize = 4096;
/// And so many of an import, where all names may stand before all connections.
const MOST_IMPORTED: usize = 2_000_000;

/// What makes the connection known that a greeting belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::tracker) enum Whose {
    /// The socket by its cookie, and the peer where a socket has several.
    Socket(u64, Option<Endpoint>),
    Ends(Ends),
}

/// What a connection greeted with.
#[derive(Clone, Debug)]
pub(in crate::tracker) struct Greeted {
    pub(in crate::tracker) name: Option<Arc<RemoteName>>,
    pub(in crate::tracker) greeting: Option<Arc<Greeting>>,
}

/// Greetings that wait for their connections; the oldest are let go when there are too many.
#[derive(Debug, Default)]
pub(in crate::tracker) struct Greetings {
    waiting: HashMap<Whose, Vec<(u64, Box<Event>)>, Mix>,
    /// In the order in which they came, those that were fetched meanwhile among them.
    order: VecDeque<(u64, Whose)>,
    filled: usize,
    count: u64,
}

impl Greetings {
    pub(in crate::tracker) fn is_empty(&self) -> bool {
        self.filled == 0
    }

    pub(in crate::tracker) fn wait(&mut self, whose: Whose, event: Event, live: bool) {
        let most = if live { MOST_LIVE } else { MOST_IMPORTED };
        self.count += 1;
        self.filled += 1;
        let waiting = self.waiting.entry(whose).or_default();
        waiting.push((self.count, Box::new(event)));
        self.order.push_back((self.count, whose));
        while self.filled > most {
            let Some((number, whose)) = self.order.pop_front() else {
                return;
            };
            self.drop_one(number, &whose);
        }
        if self.order.len() > 2 * self.filled + MOST_LIVE {
            let waiting = &self.waiting;
            let waits = |number: u64, whose: &Whose| {
                let there = waiting.get(whose);
                there.is_some_and(|there| there.iter().any(|it| it.0 == number))
            };
            self.order.retain(|(number, whose)| waits(*number, whose));
        }
    }

    fn drop_one(&mut self, number: u64, whose: &Whose) {
        if let Some(waiting) = self.waiting.get_mut(whose) {
            let before = waiting.len();
            waiting.retain(|it| it.0 != number);
            self.filled = self.filled.saturating_sub(before - waiting.len());
            if waiting.is_empty() {
                self.waiting.remove(whose);
            }
        }
    }

    /// Those that belong to a connection, in the order in which they came.
    pub(in crate::tracker) fn fetch(
        &mut self,
        connection: &Connection,
        home: Option<NetworkNamespace>,
    ) -> Vec<Event> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for whose in Whose::all_of(connection, home).into_iter().flatten() {
            let Some(waiting) = self.waiting.get_mut(&whose) else {
                continue;
            };
            let mut left = Vec::new();
            for (number, event) in waiting.drain(..) {
                // Else it is of an earlier connection between the same two ends.
                let by_ends = matches!(whose, Whose::Ends(_));
                if by_ends && !may_be_of(connection, &event) {
                    left.push((number, event));
                } else {
                    found.push((number, *event));
                }
            }
            if left.is_empty() {
                self.waiting.remove(&whose);
            } else {
                self.waiting.insert(whose, left);
            }
        }
        self.filled = self.filled.saturating_sub(found.len());
        found.sort_unstable_by_key(|it| it.0);
        found.into_iter().map(|(_, event)| event).collect()
    }

    pub(in crate::tracker) fn restate(&self) -> Vec<Event> {
        let all = self.waiting.values().flatten();
        let mut all: Vec<_> = all.collect();
        all.sort_unstable_by_key(|it| it.0);
        all.into_iter()
            .map(|(_, event)| (**event).clone())
            .collect()
    }
}

/// Whether an event between the ends of a connection was while that was open.
pub(in crate::tracker) fn may_be_of(connection: &Connection, event: &Event) -> bool {
    let not_before = connection
        .opened
        .is_none_or(|opened| opened <= later(event.time, SLACK));
    let not_after = connection
        .closed
        .is_none_or(|closed| event.time <= later(closed, SLACK));
    not_before && not_after
}

impl Whose {
    /// `None`: the event does not tell.
    pub(in crate::tracker) fn of(event: &Event, home: Option<NetworkNamespace>) -> Option<Self> {
        match event.socket {
            Some(SocketKey {
                cookie: Some(cookie),
                ..
            }) => {
                let connected = event.protocol.is_none_or(|it| it.has_connections());
                Some(Self::Socket(cookie, event.remote.filter(|_| !connected)))
            }
            Some(_) | None => Ends::of_event(event, home).map(Self::Ends),
        }
    }

    fn all_of(connection: &Connection, home: Option<NetworkNamespace>) -> [Option<Self>; 3] {
        let connected = connection.protocol.has_connections();
        let cookie = connection.socket.cookie;
        let peer = connection.remote.filter(|_| !connected);
        let ends = Ends::of(connection, home);
        [
            cookie.map(|cookie| Self::Socket(cookie, peer)),
            cookie
                .map(|cookie| Self::Socket(cookie, None))
                .filter(|_| peer.is_some()),
            ends.map(Self::Ends),
        ]
    }
}

//! The connections that are kept, and how they are found.

mod ends;
mod whole;

use std::collections::{HashMap, VecDeque};

use model::{
    Connection, ConnectionId, Endpoint, NetworkNamespace, Place, RestatedConnection, Shelf,
    SocketKey, Timestamp,
};

use self::ends::ByEnds;
pub(super) use self::ends::Ends;
use super::latest::Latest;
use super::pairs::PairId;
use super::tally::Counted;
use super::{Change, Limits};

/// The part of the open connections that is let go at once when there are too many: finding the
/// oldest means going through all.
const PART_LET_GO: usize = 64;

/// How many sockets of connections that have ended are known as such; a later connection of one
/// goes on from there. The same wherever it is folded, whatever else is kept: ids hang on it.
const ENDED: usize = 10_000;

/// How many of the last of them something may still be heard of, though their socket is no more.
const LATE: usize = 256;

/// What a connection is found by. A peer of a socket without connections is found by its address,
/// too; without it, the key is that of the socket itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) socket: SocketName,
    pub(super) remote: Option<Endpoint>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum SocketName {
    Cookie(u64),
    /// The source does not tell the cookie.
    Id(ConnectionId),
}

impl Key {
    /// `connection.id` is that of the first connection of its socket.
    pub(super) fn of(connection: &Connection) -> Self {
        let SocketKey { cookie, .. } = connection.socket;
        let connected = connection.protocol.has_connections();
        Self {
            socket: cookie.map_or(SocketName::Id(connection.id), SocketName::Cookie),
            remote: connection.remote.filter(|_| cookie.is_some() && !connected),
        }
    }
}

impl Key {
    /// By what the connection is found that is restated.
    pub(super) fn of_restated(restated: &RestatedConnection) -> Self {
        let key = Self::of(&restated.connection);
        match key.socket {
            SocketName::Cookie(_) => key,
            SocketName::Id(_) => Self {
                socket: SocketName::Id(restated.first),
                ..key
            },
        }
    }
}

/// How a connection came to be known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    /// `Present` or `Opened`.
    pub(super) change: Change,
    pub(super) time: Timestamp,
    pub(super) boot_ns: u64,
    /// A look shows it.
    pub(super) looked_at: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Open,
    /// It is over; its socket may begin another one.
    Ended,
    /// A look did not show it any more.
    Missing,
    /// Its socket is no more.
    Gone,
}

/// Connections that are open, and the newest of those that have ended.
#[derive(Debug, Default)]
pub(super) struct Connections {
    shelf: Shelf<Connection>,
    /// The latest connection of each key that is still kept.
    latest: Latest<Standing>,
    /// Those of `latest` by their two ends.
    by_ends: ByEnds,
    /// In the order in which they ended.
    closed: VecDeque<Place>,
    /// The last of `closed`, in the same order: those that `latest` still knows, and some whose
    /// socket has begun another one.
    ended: VecDeque<Ended>,
    open: usize,
    begun: u64,
    closed_let_go: u64,
    open_let_go: u64,
}

/// What is known of a connection besides what everybody sees.
#[derive(Debug)]
struct Standing {
    place: Place,
    /// No other connection has the same.
    serial: u64,
    /// The id of the first connection with the same key.
    first: ConnectionId,
    /// How many connections with the same key were before it.
    before: u32,
    counted_before: Counted,
    life: Life,
    /// Since boot: when something was last heard of it.
    used_ns: u64,
    /// A look has shown it.
    looked_at: bool,
    pair: Option<PairId>,
    /// It came as a whole.
    whole: bool,
}

#[derive(Debug)]
struct Ended {
    key: Key,
    serial: u64,
    place: Place,
}

impl Connections {
    pub(super) fn shelf(&self) -> &Shelf<Connection> {
        &self.shelf
    }

    pub(super) fn closed_let_go(&self) -> u64 {
        self.closed_let_go
    }

    pub(super) fn open_let_go(&self) -> u64 {
        self.open_let_go
    }

    /// Whether some will be let go.
    pub(super) fn has_more_than(&self, limits: Limits) -> bool {
        self.closed.len() > limits.closed_connections || self.open > limits.open_connections
    }

    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.open
    }

    /// The connection of a socket with `remote` or, when that is not known, the only one there is.
    pub(super) fn find(&self, socket: SocketName, remote: Option<Endpoint>) -> Option<Key> {
        // An id has the remote side in it.
        let remote = remote.filter(|_| matches!(socket, SocketName::Cookie(_)));
        let key = Key { socket, remote };
        if self.latest.get(&key).is_some() {
            return Some(key);
        }
        let mut all = self.latest.of_socket(socket);
        let (only, standing) = all.next()?;
        let right = match remote {
            None => all.next().is_none(),
            Some(_) => self
                .shelf
                .get(standing.place)
                .is_some_and(|connection| connection.protocol.has_connections()),
        };
        right.then_some(only)
    }

    /// The keys of all connections of a socket that are open or have lately ended: its own first,
    /// then its peers.
    pub(super) fn all_of_socket(&self, socket: SocketName) -> impl Iterator<Item = Key> {
        self.latest.of_socket(socket).map(|(key, _)| key)
    }

    /// All open ones: the key, when it was last used since boot, and whether a look has shown it.
    pub(super) fn all_open(&self) -> impl Iterator<Item = (Key, u64, bool, &Connection)> {
        let open = |(_, standing): &(Key, &Standing)| standing.life == Life::Open;
        self.latest
            .iter()
            .filter(open)
            .filter_map(|(key, standing)| {
                let connection = self.shelf.get(standing.place)?;
                Some((key, standing.used_ns, standing.looked_at, connection))
            })
    }

    /// The one that goes between these ends: of several one that is open, and that began last.
    pub(super) fn between(&self, ends: Ends, home: Option<NetworkNamespace>) -> Option<Key> {
        let all = self.by_ends.all(ends).filter_map(|(ends, key)| {
            let connection = self.latest(&key)?;
            let rank = (
                connection.closed.is_none(),
                connection.opened,
                connection.id,
            );
            (Ends::of(connection, home) == Some(ends)).then_some((rank, key))
        });
        all.max().map(|(_, key)| key)
    }

    /// The ends of this connection are known, or others than before.
    pub(super) fn goes_between(&mut self, key: &Key, home: Option<NetworkNamespace>) {
        let connection = self.latest.get(key).and_then(|it| self.shelf.get(it.place));
        if let Some(ends) = connection.and_then(|it| Ends::of(it, home)) {
            self.by_ends.put(ends, *key);
            let (latest, shelf) = (&self.latest, &self.shelf);
            self.by_ends.forget_the_past(latest.len(), |key| {
                Ends::of(shelf.get(latest.get(key)?.place)?, home)
            });
        }
    }

    /// The same of all.
    pub(super) fn all_go_between(&mut self, home: Option<NetworkNamespace>) {
        let mut all: Vec<_> = self
            .latest
            .iter()
            .map(|(key, it)| (it.serial, key))
            .collect();
        all.sort_unstable();
        for (_, key) in all {
            self.goes_between(&key, home);
        }
    }

    /// `None`: none with this key is kept.
    pub(super) fn life(&self, key: &Key) -> Option<Life> {
        Some(self.latest.get(key)?.life)
    }

    pub(super) fn latest(&self, key: &Key) -> Option<&Connection> {
        self.shelf.get(self.latest.get(key)?.place)
    }

    pub(super) fn open(&self, key: &Key) -> Option<&Connection> {
        let standing = self.latest.get(key)?;
        let open = standing.life == Life::Open;
        self.shelf.get(standing.place).filter(|_| open)
    }

    /// Whether the connection with this number is open.
    pub(super) fn is_open(&self, key: &Key, serial: u64) -> bool {
        let standing = self.latest.get(key);
        standing.is_some_and(|it| it.serial == serial && it.life == Life::Open)
    }

    pub(super) fn pair(&self, key: &Key) -> Option<PairId> {
        self.latest.get(key)?.pair
    }

    pub(super) fn belongs_to(&mut self, key: &Key, pair: PairId) {
        if let Some(standing) = self.latest.get_mut(key) {
            standing.pair = Some(pair);
        }
    }

    /// Since boot: when something was last heard of it.
    pub(super) fn last_used(&self, key: &Key) -> u64 {
        self.latest.get(key).map_or(0, |standing| standing.used_ns)
    }

    pub(super) fn used(&mut self, key: &Key, boot_ns: u64) {
        if let Some(standing) = self.latest.get_mut(key) {
            standing.used_ns = boot_ns;
        }
    }

    pub(super) fn looked_at(&mut self, key: &Key) {
        if let Some(standing) = self.latest.get_mut(key) {
            standing.looked_at = true;
        }
    }

    /// What the kernel had counted for this key when its latest connection began.
    pub(super) fn counted_before(&self, key: &Key) -> Counted {
        let standing = self.latest.get(key);
        standing.map_or(Counted::default(), |it| it.counted_before)
    }

    /// What it had counted when the latest one ended.
    pub(super) fn counted_by_all(&self, key: &Key) -> Counted {
        match self.latest(key) {
            // The counters of a connection begin with it.
            Some(latest) if !latest.protocol.has_connections() => {
                self.counted_before(key).and(latest)
            }
            Some(_) | None => Counted::default(),
        }
    }

    /// Puts one beside the others, with an id of its own. Gives its number.
    pub(super) fn begin(
        &mut self,
        key: Key,
        mut connection: Connection,
        begun: Begun,
    ) -> Option<(u64, &Connection)> {
        let (mut first, mut before) = (connection.id, 0);
        if let Some(former) = self.latest.get(&key) {
            (first, before) = (former.first, former.before.saturating_add(1));
            connection.id = first.again(before);
        }
        let counted_before = self.counted_by_all(&key);
        let place = self.shelf.put(connection);
        self.begun += 1;
        self.open += 1;
        let standing = Standing {
            place,
            serial: self.begun,
            first,
            before,
            counted_before,
            life: Life::Open,
            used_ns: begun.boot_ns,
            looked_at: begun.looked_at,
            pair: None,
            whole: false,
        };
        self.latest.insert(key, standing);
        Some((self.begun, self.shelf.get(place)?))
    }

    /// Gives what it was, and what it is now.
    pub(super) fn replace(
        &mut self,
        key: &Key,
        connection: Connection,
    ) -> Option<(Connection, &Connection)> {
        let standing = self.latest.get(key)?;
        let now = self.shelf.change(standing.place)?;
        let former = std::mem::replace(now, connection);
        Some((former, now))
    }

    /// Keeps an open connection, as it ended, among the others that have.
    pub(super) fn end(
        &mut self,
        key: &Key,
        connection: Connection,
        life: Life,
    ) -> Option<&Connection> {
        let standing = self.latest.get_mut(key)?;
        let place = standing.place;
        *self.shelf.change(place)? = connection;
        standing.life = life;
        self.open = self.open.saturating_sub(1);
        self.closed.push_back(place);
        let serial = standing.serial;
        let key = *key;
        self.ended.push_back(Ended { key, serial, place });
        if self.ended.len() > ENDED {
            self.forget_ended();
        }
        self.shelf.get(place)
    }

    /// A socket that began another connection since is known by that one.
    fn forget_ended(&mut self) {
        if let Some(Ended { key, serial, .. }) = self.ended.pop_front()
            && self.latest.get(&key).is_some_and(|it| it.serial == serial)
        {
            self.latest.remove(&key);
        }
    }

    /// The socket of this connection, which has ended, is no more.
    pub(super) fn is_gone(&mut self, key: &Key) {
        if let Some(standing) = self.latest.get_mut(key)
            && standing.life != Life::Open
        {
            standing.life = Life::Gone;
        }
    }

    /// Those that are open and, before them, those whose socket may begin another one.
    /// `deadlines` go by the numbers of connections.
    pub(super) fn restate(&self, deadlines: &HashMap<u64, u64>) -> Vec<RestatedConnection> {
        let late = self.ended.len().saturating_sub(LATE);
        let ended = self.ended.iter().enumerate().filter_map(|(place, ended)| {
            let standing = self.latest.get(&ended.key)?;
            let known = standing.serial == ended.serial;
            (known && (standing.life != Life::Gone || place >= late)).then_some(standing)
        });
        let open = self.latest.iter().map(|(_, standing)| standing);
        let mut open: Vec<_> = open.filter(|it| it.life == Life::Open).collect();
        open.sort_unstable_by_key(|standing| standing.serial);
        let all = ended.chain(open).filter_map(|standing| {
            Some(RestatedConnection {
                connection: self.shelf.get(standing.place)?.clone(),
                first: standing.first,
                before: standing.before,
                counted_before: standing.counted_before.into(),
                used_ns: standing.used_ns,
                looked_at: standing.looked_at,
                missing: standing.life == Life::Missing,
                gone: standing.life == Life::Gone,
                deadline_ns: deadlines.get(&standing.serial).copied(),
            })
        });
        all.collect()
    }

    /// Takes over what was restated. Gives its number.
    pub(super) fn resume(&mut self, restated: RestatedConnection, pair: Option<PairId>) -> u64 {
        let key = Key::of_restated(&restated);
        let life = if restated.connection.closed.is_none() {
            Life::Open
        } else if restated.gone {
            Life::Gone
        } else if restated.missing {
            Life::Missing
        } else {
            Life::Ended
        };
        let place = self.shelf.put(restated.connection);
        self.begun += 1;
        let serial = self.begun;
        if life == Life::Open {
            self.open += 1;
        } else {
            self.closed.push_back(place);
            self.ended.push_back(Ended { key, serial, place });
        }
        let standing = Standing {
            place,
            serial,
            first: restated.first,
            before: restated.before,
            counted_before: restated.counted_before.into(),
            life,
            used_ns: restated.used_ns,
            looked_at: restated.looked_at,
            pair,
            whole: false,
        };
        self.latest.insert(key, standing);
        if self.ended.len() > ENDED {
            self.forget_ended();
        }
        serial
    }

    /// Lets go of the one that ended first, when there are more than `limit`.
    pub(super) fn let_go_closed(&mut self, limit: usize) -> Option<Connection> {
        if self.closed.len() <= limit {
            return None;
        }
        let place = self.closed.pop_front()?;
        if self.ended.front().is_some_and(|ended| ended.place == place) {
            self.forget_ended();
        }
        self.closed_let_go += 1;
        let gone = self.shelf.take(place)?;
        self.forget_whole(&gone, place);
        Some(gone)
    }

    /// Lets go of those that began first, when more than `limit` are open.
    pub(super) fn let_go_open(&mut self, limit: usize) -> Vec<(Connection, Option<PairId>)> {
        if self.open <= limit {
            return Vec::new();
        }
        let surplus = (self.open - limit).max(limit / PART_LET_GO);
        let open = self.latest.iter().filter(|(_, it)| it.life == Life::Open);
        let mut open: Vec<_> = open.map(|(key, it)| (it.serial, key)).collect();
        if surplus < open.len() {
            open.select_nth_unstable(surplus);
            open.truncate(surplus);
        }
        // Their places are used again in this order.
        open.sort_unstable();
        self.open -= open.len();
        self.open_let_go += u64::try_from(open.len()).unwrap_or(u64::MAX);
        let gone = open.iter().filter_map(|(_, key)| {
            let standing = self.latest.remove(key)?;
            Some((self.shelf.take(standing.place)?, standing.pair))
        });
        gone.collect()
    }
}

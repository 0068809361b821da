//! Connections of an import: each is told of as a whole, and again when more is known of it.

use std::collections::HashSet;

use model::{Connection, Place, ProcessId};

use super::super::pairs::is_over;
use super::{Connections, Counted, Key, Life, PairId, SocketName, Standing};

impl Key {
    /// By what a connection of an import is found: its record, which has no other connection.
    pub(in crate::tracker) fn of_whole(connection: &Connection) -> Self {
        let cookie = connection.socket.cookie;
        Self {
            socket: cookie.map_or(SocketName::Id(connection.id), SocketName::Cookie),
            remote: None,
        }
    }
}

impl Connections {
    /// Whether more is known of one that is kept. Gives it, and where it stands.
    pub(in crate::tracker) fn whole(&self, connection: &Connection) -> Option<(Key, Place)> {
        let id = Key {
            socket: SocketName::Id(connection.id),
            remote: None,
        };
        [Key::of_whole(connection), id].into_iter().find_map(|key| {
            let place = self.latest.get(&key)?.place;
            let known = self.shelf.get(place)?;
            (known.id == connection.id).then_some((key, place))
        })
    }

    /// Puts one beside the others.
    pub(in crate::tracker) fn put_whole(
        &mut self,
        connection: Connection,
        pair: Option<PairId>,
    ) -> Key {
        let mut key = Key::of_whole(&connection);
        if self.latest.get(&key).is_some() {
            key.socket = SocketName::Id(connection.id);
        }
        let life = life(&connection);
        let first = connection.id;
        let place = self.shelf.put(connection);
        self.begun += 1;
        let standing = Standing {
            place,
            serial: self.begun,
            first,
            before: 0,
            counted_before: Counted::default(),
            life,
            used_ns: 0,
            looked_at: false,
            pair,
            whole: true,
        };
        if life == Life::Open {
            self.open += 1;
        } else {
            self.closed.push_back(place);
        }
        self.latest.insert(key, standing);
        key
    }

    /// Those of an import that some process owns.
    pub(in crate::tracker) fn wholes_of(&self, processes: &HashSet<ProcessId>) -> Vec<Key> {
        let of_them = |standing: &Standing| {
            let owner = self.shelf.get(standing.place)?.owner.process()?;
            processes.contains(&owner).then_some(standing.serial)
        };
        let all = self.latest.iter().filter(|(_, it)| it.whole);
        let mut all: Vec<_> = all
            .filter_map(|(key, it)| Some((of_them(it)?, key)))
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, key)| key).collect()
    }

    /// Takes over what is known of it now. Gives what it was, and to which pair it belonged.
    pub(in crate::tracker) fn replace_whole(
        &mut self,
        key: &Key,
        connection: Connection,
    ) -> Option<(Connection, Option<PairId>)> {
        let life = life(&connection);
        let standing = self.latest.get_mut(key)?;
        let known = self.shelf.change(standing.place)?;
        let former = std::mem::replace(known, connection);
        let was = std::mem::replace(&mut standing.life, life);
        match (was, life) {
            (Life::Open, Life::Open) => {}
            (Life::Open, _) => {
                self.open = self.open.saturating_sub(1);
                self.closed.push_back(standing.place);
            }
            (_, Life::Open) => {
                let place = standing.place;
                self.open += 1;
                self.closed.retain(|it| *it != place);
            }
            (_, _) => {}
        }
        Some((former, standing.pair.take()))
    }

    /// `None`: it is in no pair, or did not come as a whole.
    pub(in crate::tracker) fn pair_of_whole(&self, place: Place) -> Option<PairId> {
        let (key, at) = self.whole(self.shelf.get(place)?)?;
        self.pair(&key).filter(|_| at == place)
    }

    pub(in crate::tracker) fn change(&mut self, place: Place) -> Option<&mut Connection> {
        self.shelf.change(place)
    }

    /// One that ended as a whole is not kept any more.
    pub(super) fn forget_whole(&mut self, gone: &Connection, place: Place) {
        let key = Key::of_whole(gone);
        let id = Key {
            socket: SocketName::Id(gone.id),
            remote: None,
        };
        for key in [key, id] {
            if self.latest.get(&key).is_some_and(|it| it.place == place) {
                self.latest.remove(&key);
            }
        }
    }
}

fn life(connection: &Connection) -> Life {
    let over = connection.closed.is_some() || is_over(connection.state);
    if over { Life::Gone } else { Life::Open }
}

//! Things by the key of a connection.

use std::collections::{BTreeMap, HashMap};

use model::Mix;

use super::connections::{Key, SocketName};

/// One thing for each key. Those of sockets are found at once; those of peers are in order, so
/// that all of one socket stand together, and nobody can choose addresses that are hard to find.
#[derive(Debug)]
pub(super) struct Latest<T> {
    /// Where they stand in `things`: a table that grows moves all that is in it, so it holds little.
    sockets: HashMap<SocketName, usize, Mix>,
    /// `None`: free.
    things: Vec<Option<T>>,
    free: Vec<usize>,
    peers: BTreeMap<Key, T>,
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self {
            sockets: HashMap::default(),
            things: Vec::new(),
            free: Vec::new(),
            peers: BTreeMap::new(),
        }
    }
}

impl<T> Latest<T> {
    pub(super) fn len(&self) -> usize {
        self.sockets.len() + self.peers.len()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&T> {
        match key.remote {
            None => self.of(*self.sockets.get(&key.socket)?),
            Some(_) => self.peers.get(key),
        }
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut T> {
        match key.remote {
            None => self
                .things
                .get_mut(*self.sockets.get(&key.socket)?)?
                .as_mut(),
            Some(_) => self.peers.get_mut(key),
        }
    }

    pub(super) fn insert(&mut self, key: Key, thing: T) {
        match key.remote {
            None => {
                let place = self.sockets.entry(key.socket).or_insert_with(|| {
                    self.free.pop().unwrap_or_else(|| {
                        self.things.push(None);
                        self.things.len() - 1
                    })
                });
                if let Some(there) = self.things.get_mut(*place) {
                    *there = Some(thing);
                }
            }
            Some(_) => {
                self.peers.insert(key, thing);
            }
        }
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<T> {
        match key.remote {
            None => {
                let place = self.sockets.remove(&key.socket)?;
                self.free.push(place);
                self.things.get_mut(place)?.take()
            }
            Some(_) => self.peers.remove(key),
        }
    }

    fn of(&self, place: usize) -> Option<&T> {
        self.things.get(place)?.as_ref()
    }

    /// That of the socket itself, then those of its peers.
    pub(super) fn of_socket(&self, socket: SocketName) -> impl Iterator<Item = (Key, &T)> {
        let key = Key {
            socket,
            remote: None,
        };
        let own = self.get(&key).map(|thing| (key, thing));
        let peers = self.peers.range(key..).map(|(key, thing)| (*key, thing));
        own.into_iter()
            .chain(peers.take_while(move |(key, _)| key.socket == socket))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        let key = |socket| Key {
            socket,
            remote: None,
        };
        let sockets = self.sockets.iter();
        let sockets =
            sockets.filter_map(move |(socket, place)| Some((key(*socket), self.of(*place)?)));
        sockets.chain(self.peers.iter().map(|(key, thing)| (*key, thing)))
    }
}

//! Things by the key of a connection.

use std::collections::{BTreeMap, HashMap};

use super::connections::{Key, SocketName};
use super::quick::Quick;

/// One thing for each key. Those of sockets are found at once; those of peers are in order, so
/// that all of one socket stand together, and nobody can choose addresses that are hard to find.
#[derive(Debug)]
pub(super) struct Latest<T> {
    sockets: HashMap<SocketName, T, Quick>,
    peers: BTreeMap<Key, T>,
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self {
            sockets: HashMap::default(),
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
            None => self.sockets.get(&key.socket),
            Some(_) => self.peers.get(key),
        }
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut T> {
        match key.remote {
            None => self.sockets.get_mut(&key.socket),
            Some(_) => self.peers.get_mut(key),
        }
    }

    pub(super) fn insert(&mut self, key: Key, thing: T) {
        match key.remote {
            None => self.sockets.insert(key.socket, thing),
            Some(_) => self.peers.insert(key, thing),
        };
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<T> {
        match key.remote {
            None => self.sockets.remove(&key.socket),
            Some(_) => self.peers.remove(key),
        }
    }

    /// That of the socket itself, then those of its peers.
    pub(super) fn of_socket(&self, socket: SocketName) -> impl Iterator<Item = (Key, &T)> {
        let key = Key {
            socket,
            remote: None,
        };
        let own = self.sockets.get(&socket).map(|thing| (key, thing));
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
        let sockets = sockets.map(move |(socket, thing)| (key(*socket), thing));
        sockets.chain(self.peers.iter().map(|(key, thing)| (*key, thing)))
    }
}

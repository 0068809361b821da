//! When to look again whether a connection is still alive.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::connections::{Connections, Key};

/// How many deadlines of connections that are over are kept at least.
const SLACK: usize = 1024;

/// Deadlines of open connections, and some of those that have ended meanwhile.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BinaryHeap<Reverse<(u64, u64, Key)>>);

impl Deadlines {
    /// `boot_ns` is since boot; the connection is named by its number and its key.
    pub(super) fn set(&mut self, boot_ns: u64, serial: u64, key: Key) {
        self.0.push(Reverse((boot_ns, serial, key)));
    }

    /// The next connection whose deadline has passed.
    pub(super) fn passed(&mut self, boot_ns: u64) -> Option<(u64, Key)> {
        let Reverse((deadline, _, _)) = self.0.peek()?;
        if *deadline > boot_ns {
            return None;
        }
        let Reverse((_, serial, key)) = self.0.pop()?;
        Some((serial, key))
    }

    /// The first of each connection, by its number.
    pub(super) fn first(&self) -> HashMap<u64, u64> {
        let mut first = HashMap::new();
        for Reverse((boot_ns, serial, _)) in &self.0 {
            let known = first.entry(*serial).or_insert(*boot_ns);
            *known = (*known).min(*boot_ns);
        }
        first
    }

    /// Drops those of connections that are over, when they are most.
    pub(super) fn forget_the_past(&mut self, connections: &Connections) {
        if self.0.len() > 2 * connections.count() + SLACK {
            self.0
                .retain(|Reverse((_, serial, key))| connections.is_open(key, *serial));
        }
    }
}

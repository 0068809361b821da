//! Which conversation the later parts of a packet belong to: only the first has ports. As many are
//! remembered as can be under way at once; parts that come before their first are lost.

use std::collections::HashMap;
use std::net::IpAddr;

use model::Mix;

use super::conversation::End;
use super::table::Key;

/// Of so many packets one after the other, each is remembered.
const REMEMBERED: usize = 4096;

/// Source, destination and protocol.
type Whole = (IpAddr, IpAddr, u8);

#[derive(Default)]
pub(super) struct Fragments {
    newer: HashMap<(Whole, u32), (Key, End), Mix>,
    older: HashMap<(Whole, u32), (Key, End), Mix>,
}

impl Fragments {
    /// The first part of a packet.
    pub(super) fn began(&mut self, whole: Whole, id: u32, key: Key, sender: End) {
        if self.newer.len() >= REMEMBERED {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert((whole, id), (key, sender));
    }

    /// What the first part of this one said.
    pub(super) fn first(&self, whole: Whole, id: u32) -> Option<(Key, End)> {
        let newer = self.newer.get(&(whole, id));
        newer.or_else(|| self.older.get(&(whole, id))).copied()
    }
}

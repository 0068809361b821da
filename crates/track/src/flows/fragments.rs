//! Later parts of a packet have no ports: they are found by their number.

use std::collections::HashMap;

use model::PacketOwner;

use super::key::{Class, Key};

/// Numbers are given again, with IPv4 after 65,536 packets.
const HOLDS: u64 = 2_000_000_000;
const MOST: usize = 4_096;

/// Whose the first parts were.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    lately: HashMap<(Key, u32), (u64, PacketOwner)>,
    before: HashMap<(Key, u32), (u64, PacketOwner)>,
}

impl Fragments {
    pub(super) fn begin(&mut self, key: &Key, number: u32, time: u64, owner: PacketOwner) {
        if self.lately.len() >= MOST {
            self.before = std::mem::take(&mut self.lately);
        }
        self.lately.insert(name(key, number), (time, owner));
    }

    pub(super) fn first(&self, key: &Key, number: u32, time: u64) -> Option<PacketOwner> {
        let name = name(key, number);
        let first = self.lately.get(&name).or_else(|| self.before.get(&name));
        let (begun, owner) = first?;
        (time.saturating_sub(*begun) <= HOLDS).then_some(*owner)
    }
}

/// Without ports, which the later parts do not have.
fn name(key: &Key, number: u32) -> (Key, u32) {
    let class: Class = key.class();
    (key.of_raw(class), number)
}

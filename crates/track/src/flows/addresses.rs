//! Which addresses are this computer's own.

use std::collections::HashMap;

use model::{Interface, InterfaceKey};

use super::facts::Facts;
use super::key::number;

#[derive(Debug, Default)]
pub(super) struct Addresses {
    interfaces: HashMap<InterfaceKey, Vec<u128>>,
    /// All of a namespace, in order.
    own: HashMap<u32, Vec<u128>>,
}

impl Addresses {
    pub(super) fn set(&mut self, interface: &Interface) {
        let addresses = interface.addresses.iter().map(|(ip, _)| number(*ip));
        self.interfaces.insert(interface.key, addresses.collect());
        let netns = interface.key.netns;
        let same = self.interfaces.iter().filter(|(key, _)| key.netns == netns);
        let mut own: Vec<u128> = same.flat_map(|(_, ips)| ips.iter().copied()).collect();
        own.sort_unstable();
        own.dedup();
        self.own.insert(netns.map_or(0, |netns| netns.0), own);
    }

    /// Whether neither end is of this namespace. Where no address is known, nothing is.
    pub(super) fn are_foreign(&self, facts: &Facts) -> bool {
        let Some(own) = self.own.get(&facts.key.netns()) else {
            return false;
        };
        let is_foreign = |ip: u128| !is_for_anybody(ip) && own.binary_search(&ip).is_err();
        !own.is_empty()
            && !facts.is_to_many
            && is_foreign(facts.key.local().ip)
            && is_foreign(facts.key.remote().ip)
    }
}

/// Loopback, none yet, all, and groups: they pass no router.
fn is_for_anybody(ip: u128) -> bool {
    let is_v4 = ip >> 32 == 0xffff;
    let first = (ip >> 24) & 0xff;
    if is_v4 {
        matches!(first, 0 | 127 | 224..=239) || ip & 0xffff_ffff == 0xffff_ffff
    } else {
        ip <= 1 || ip >> 120 == 0xff || ip >> 118 == 0xfe80 >> 6
    }
}

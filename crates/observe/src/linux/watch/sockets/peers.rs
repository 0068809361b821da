//! The peers of sockets for datagrams, of which the kernel counts what goes to and fro.

use std::collections::HashMap;

use model::Endpoint;

use crate::linux::events::{PeerCounts, Probes, boot_nanos};
use crate::parse::socket_event::PeerKey;

/// A peer that has been silent for so long is taken off the kernel's table.
const PEER_SILENT: u64 = 60_000_000_000;
/// As many as the kernel's table has room for.
const MOST_PEERS: usize = 65_536;
/// Asking for all of them takes long.
const PEERS_SWEPT_EACH: u64 = 1_000_000_000;
/// Peers in the kernel's table, by the cookie of their socket. Anybody can become one by sending us
/// something from any address, so that finding one and having many has to be cheap.
#[derive(Default)]
pub(super) struct Peers {
    of_sockets: HashMap<u64, HashMap<PeerKey, Endpoint>>,
    /// All of them.
    count: usize,
    /// When those that are gone were last let go of because of the others.
    swept: Option<u64>,
    left_out: u64,
    left_out_told: u64,
}

impl Peers {
    pub(super) fn follow(
        &mut self,
        cookie: u64,
        key: PeerKey,
        remote: Endpoint,
        probes: &mut Probes,
    ) {
        let now = boot_nanos();
        if self.count >= MOST_PEERS && self.may_sweep(now) {
            self.retain(now, probes, |_, _, _| ());
        }
        if !self.add(cookie, key, remote) {
            // Nobody would take it off the kernel's table.
            probes.forget_peer(&key);
        }
    }

    /// False: there is no room.
    fn add(&mut self, cookie: u64, key: PeerKey, remote: Endpoint) -> bool {
        let is_full = self.count >= MOST_PEERS;
        let is_known = |peers: &HashMap<PeerKey, Endpoint>| peers.contains_key(&key);
        if is_full && !self.of_sockets.get(&cookie).is_some_and(is_known) {
            self.left_out += 1;
            return false;
        }
        let peers = self.of_sockets.entry(cookie).or_default();
        if peers.insert(key, remote).is_none() {
            self.count += 1;
        }
        true
    }

    /// All of a socket that ends.
    pub(super) fn take(&mut self, cookie: u64) -> HashMap<PeerKey, Endpoint> {
        let peers = self.of_sockets.remove(&cookie).unwrap_or_default();
        self.count -= peers.len();
        peers
    }

    /// Tells what each has counted, and lets go of those that have been silent or are gone.
    pub(super) fn retain(
        &mut self,
        now: u64,
        probes: &mut Probes,
        mut told: impl FnMut(u64, Endpoint, &PeerCounts),
    ) {
        self.of_sockets.retain(|cookie, peers| {
            peers.retain(|key, remote| {
                let Some(peer) = probes.peer(key) else {
                    return false;
                };
                told(*cookie, *remote, &peer);
                let silent = now.saturating_sub(peer.last) > PEER_SILENT;
                if silent {
                    probes.forget_peer(key);
                }
                !silent
            });
            !peers.is_empty()
        });
        self.count = self.of_sockets.values().map(HashMap::len).sum();
    }

    /// How many there was no room for.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The same, since this was last asked. `None`: none.
    pub(super) fn lately_left_out(&mut self) -> Option<u64> {
        let lately = self.left_out - self.left_out_told;
        self.left_out_told = self.left_out;
        (lately > 0).then_some(lately)
    }

    fn may_sweep(&mut self, now: u64) -> bool {
        let rested = self
            .swept
            .is_none_or(|swept| now.saturating_sub(swept) >= PEERS_SWEPT_EACH);
        if rested {
            self.swept = Some(now);
        }
        rested
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u64) -> PeerKey {
        [1, number, 0, 53]
    }

    #[test]
    fn peers_are_bounded_and_what_is_left_out_is_counted() {
        let mut peers = Peers::default();
        for number in 0..70_000 {
            // The second time it is known.
            peers.add(7, peer(number), Endpoint::NONE);
            if number < 1_000 {
                peers.add(7, peer(number), Endpoint::NONE);
            }
        }
        assert_eq!((peers.count, peers.left_out), (MOST_PEERS, 70_000 - 65_536));
        // One that is known is none more.
        peers.add(7, peer(1), Endpoint::NONE);
        assert_eq!(peers.left_out, 70_000 - 65_536);
        assert_eq!(peers.take(8).len(), 0);
        assert_eq!(peers.take(7).len(), MOST_PEERS);
        peers.add(8, peer(1), Endpoint::NONE);
        assert_eq!((peers.count, peers.left_out), (1, 70_000 - 65_536));
    }

    #[test]
    fn all_are_asked_for_once_a_second_at_most() {
        let mut peers = Peers::default();
        let times = [0, 1, 999_999_999, 1_000_000_000, 1_000_000_001];
        let swept = times.map(|time| peers.may_sweep(time));
        assert_eq!(swept, [true, false, false, true, false]);
    }
}

//! Where packets are fetched: one socket for each interface, by the address that was taken for it. An
//! interface whose address changes is listened at anew, and the thread of the former one is to stop.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The number of an interface, and its address.
pub(crate) type Place = (u32, Ipv4Addr);

#[derive(Debug, Default)]
pub(crate) struct Listened(HashMap<u32, (Ipv4Addr, Arc<AtomicBool>)>);

impl Listened {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, (interface, address): Place) -> bool {
        self.0.get(&interface).is_some_and(|it| it.0 == address)
    }

    pub(crate) fn has_interface(&self, interface: u32) -> bool {
        self.0.contains_key(&interface)
    }

    /// Takes note of a new thread and what stops it; stops the one before.
    pub(crate) fn put(&mut self, (interface, address): Place, stop: Arc<AtomicBool>) {
        if let Some((_, former)) = self.0.insert(interface, (address, stop)) {
            former.store(true, Ordering::Relaxed);
        }
    }

    /// Stops those of interfaces that are gone, or have another address.
    pub(crate) fn keep(&mut self, places: &[Place]) {
        self.0.retain(|interface, (address, stop)| {
            let is_there = places.contains(&(*interface, *address));
            if !is_there {
                stop.store(true, Ordering::Relaxed);
            }
            is_there
        });
    }

    /// A thread has ended by itself. False: it was replaced before, and nothing is missed.
    pub(crate) fn ended(&mut self, place: Place) -> bool {
        self.has(place) && self.0.remove(&place.0).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_address_stops_the_thread_of_the_former_one() {
        let (first, second) = (
            (4, Ipv4Addr::new(10, 0, 0, 5)),
            (4, Ipv4Addr::new(10, 0, 0, 6)),
        );
        let stops: [Arc<AtomicBool>; 2] = Default::default();
        let mut listened = Listened::default();
        listened.put(first, Arc::clone(&stops[0]));
        assert!(listened.has(first) && !listened.has(second));
        assert!(listened.has_interface(4) && listened.len() == 1);
        listened.put(second, Arc::clone(&stops[1]));
        let is_stopped = |at: usize| stops[at].load(Ordering::Relaxed);
        assert!(is_stopped(0) && !is_stopped(1));
        // The end of the former one says nothing of the one that replaced it.
        assert!(!listened.ended(first));
        assert!(listened.has(second));
        assert!(listened.ended(second) && listened.is_empty());
        assert!(!listened.ended(second));
    }

    #[test]
    fn an_interface_that_comes_back_is_listened_at_anew() {
        let (one, other) = ((4, Ipv4Addr::LOCALHOST), (5, Ipv4Addr::LOCALHOST));
        let stop = Arc::<AtomicBool>::default();
        let mut listened = Listened::default();
        listened.put(one, Arc::clone(&stop));
        listened.put(other, Arc::default());
        listened.keep(&[other]);
        assert!(stop.load(Ordering::Relaxed));
        assert!(!listened.has(one) && listened.has(other));
    }
}

//! What the threads of a recording share: how far it is, and why it has to stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{Gap, Snapshot};
use track::flows::Flows;

use super::images::Image;
use super::names::Named;

/// One recording, while it runs.
#[derive(Default)]
pub(super) struct Run {
    /// Whether there are any whose owner is asked for.
    has_packets: bool,
    /// Whose packets are whose. Events fill it before the packets they concern are handed out.
    ownership: Mutex<Ownership>,
    /// All events until then are in it, in nanoseconds since boot.
    until: AtomicU64,
    /// What others found out and the events are to tell.
    gaps: Mutex<Vec<Gap>>,
    counts: Counts,
    /// What was known at the end.
    last: Mutex<Option<(Snapshot, u64)>>,
    stop: Mutex<Option<Stop>>,
    is_stopping: AtomicBool,
    /// No more events will come.
    events_over: AtomicBool,
}

/// What the packets need to know of the events.
#[derive(Default)]
pub(super) struct Ownership {
    pub(super) flows: Flows,
    /// Told since they were last taken.
    pub(super) processes: Vec<Image>,
    /// Names of addresses that were seen since they were last taken.
    pub(super) names: Vec<Named>,
}

/// How much there was so far.
#[derive(Default)]
struct Counts {
    events: AtomicU64,
    events_lost: AtomicU64,
    packets: AtomicU64,
    packets_lost: AtomicU64,
    unwritten: AtomicU64,
    bytes: AtomicU64,
    free_bytes: AtomicU64,
}

/// The same, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) events: u64,
    pub(super) events_lost: u64,
    pub(super) packets: u64,
    pub(super) packets_lost: u64,
    /// Events and packets that there was no room for on the disk.
    pub(super) unwritten: u64,
    /// On the disk.
    pub(super) bytes: u64,
    pub(super) free_bytes: u64,
}

/// Why a recording ends by itself.
#[derive(Debug)]
pub(super) enum Stop {
    /// Cleanly, while there is room to.
    NoRoom(record::case::Error),
    Failed(anyhow::Error),
}

impl Run {
    pub(super) fn new(has_packets: bool) -> Self {
        Self {
            has_packets,
            ..Self::default()
        }
    }

    pub(super) fn has_packets(&self) -> bool {
        self.has_packets
    }

    pub(super) fn ownership(&self) -> MutexGuard<'_, Ownership> {
        self.ownership
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn told_until(&self, boot_ns: u64) {
        self.until.store(boot_ns, Ordering::Release);
    }

    pub(super) fn until(&self) -> u64 {
        self.until.load(Ordering::Acquire)
    }

    /// No more events will come, so nothing has to wait for them.
    pub(super) fn events_are_over(&self) {
        self.events_over.store(true, Ordering::Release);
        self.told_until(u64::MAX);
    }

    pub(super) fn are_events_over(&self) -> bool {
        self.events_over.load(Ordering::Acquire)
    }

    pub(super) fn add_gap(&self, gap: Gap) {
        self.gaps().push(gap);
    }

    pub(super) fn take_gaps(&self) -> Vec<Gap> {
        std::mem::take(&mut *self.gaps())
    }

    fn gaps(&self) -> MutexGuard<'_, Vec<Gap>> {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count_events(&self, events: u64, lost: u64) {
        self.counts.events.store(events, Ordering::Relaxed);
        self.counts.events_lost.store(lost, Ordering::Relaxed);
    }

    pub(super) fn count_packets(&self, packets: u64) {
        self.counts.packets.store(packets, Ordering::Relaxed);
    }

    pub(super) fn count_packets_lost(&self, lost: u64) {
        self.counts.packets_lost.store(lost, Ordering::Relaxed);
    }

    pub(super) fn count_unwritten(&self, more: u64) {
        self.counts.unwritten.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn count_bytes(&self, bytes: u64) {
        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn is_free(&self, bytes: u64) {
        self.counts.free_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn numbers(&self) -> Numbers {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Numbers {
            events: get(&self.counts.events),
            events_lost: get(&self.counts.events_lost),
            packets: get(&self.counts.packets),
            packets_lost: get(&self.counts.packets_lost),
            unwritten: get(&self.counts.unwritten),
            bytes: get(&self.counts.bytes),
            free_bytes: get(&self.counts.free_bytes),
        }
    }

    /// `let_go`: so many connections had to be let go from it.
    pub(super) fn keep_last(&self, snapshot: Snapshot, let_go: u64) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((snapshot, let_go));
    }

    pub(super) fn take_last(&self) -> Option<(Snapshot, u64)> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.take()
    }

    /// The first reason counts.
    pub(super) fn stop(&self, why: Stop) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        if stop.is_none() {
            *stop = Some(why);
        }
        self.is_stopping.store(true, Ordering::Release);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    pub(super) fn why_stopped(&self) -> Option<Stop> {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        stop.take()
    }
}

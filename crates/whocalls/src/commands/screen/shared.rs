//! What the threads behind the screen share.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{ProcessId, Timestamp};
use observe::Watch;
use show::tui::{Mode, Preserved, Status};
use track::Tracker;

use super::newest::Newest;

/// What the two threads share.
pub(crate) struct Shared {
    pub(super) newest: Newest,
    status: Mutex<Status>,
    /// Milliseconds.
    pub(super) refresh: AtomicU64,
    /// The person has had enough.
    pub(super) gone: AtomicBool,
    /// The fold has ended.
    pub(super) over: AtomicBool,
    /// Counts the snapshots.
    pub(super) published: AtomicU64,
    pub(crate) preserving: Preserving,
}

impl Shared {
    pub(crate) fn new(refresh: Duration, user: String, since: Timestamp) -> Self {
        let status = Status {
            user,
            since,
            online: None,
            events: 0,
            lost: 0,
            let_go: 0,
            forgotten: 0,
            mode: Mode::Live { recording: None },
            packet_files: Arc::default(),
        };
        let shared = Self {
            newest: Newest::default(),
            status: Mutex::new(status),
            refresh: AtomicU64::new(0),
            gone: AtomicBool::new(false),
            over: AtomicBool::new(false),
            published: AtomicU64::new(0),
            preserving: Preserving::default(),
        };
        shared.every(refresh);
        shared
    }

    pub(super) fn every(&self, refresh: Duration) {
        let millis = u64::try_from(refresh.as_millis()).unwrap_or(u64::MAX);
        self.refresh.store(millis, Ordering::Relaxed);
    }

    pub(super) fn status(&self) -> Status {
        self.lock().clone()
    }

    /// Says what is on the screen.
    pub(crate) fn set_mode(&self, mode: Mode) {
        self.lock().mode = mode;
    }

    /// How many gaps were known at last.
    pub(crate) fn gaps(&self) -> usize {
        self.newest.get().map_or(0, |it| it.gaps.len())
    }

    pub(super) fn publish(&self, tracker: &Tracker, watch: &Watch) {
        let totals = watch.totals();
        {
            let mut status = self.lock();
            status.online = observe::is_online();
            status.events = totals.events;
            status.lost = totals.lost;
            let let_go = tracker.let_go();
            status.let_go = let_go.closed_connections;
            status.forgotten = let_go.pairs;
        }
        self.newest.put(tracker.snapshot());
        self.published.fetch_add(1, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Processes whose file and memory map are to be copied before they are ended: the person at the
/// screen waits for it.
#[derive(Default)]
pub(crate) struct Preserving {
    wanted: Mutex<Vec<ProcessId>>,
    done: Mutex<VecDeque<Preserved>>,
}

impl Preserving {
    pub(super) fn want(&self, process: ProcessId) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.push(process);
    }

    /// What was wished for since this was last called.
    pub(crate) fn wanted(&self) -> Vec<ProcessId> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *wanted)
    }

    pub(crate) fn done(&self, preserved: Preserved) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.push_back(preserved);
    }

    pub(super) fn next_done(&self) -> Option<Preserved> {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.pop_front()
    }
}

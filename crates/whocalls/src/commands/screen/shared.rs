//! What the threads behind the screen share.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Findings, ProcessId, Snapshot, Timestamp};
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
    /// A moment of the case that is to be shown.
    wanted: Mutex<Option<Timestamp>>,
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
            wanted: Mutex::new(None),
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

    /// How many gaps were known at last.
    pub(crate) fn gaps(&self) -> usize {
        self.newest.get().map_or(0, |it| it.gaps.len())
    }

    pub(super) fn publish(&self, tracker: &Tracker, watch: &Watch) {
        let totals = watch.totals();
        let let_go = tracker.let_go();
        self.put(Arc::new(tracker.snapshot()), |status| {
            status.online = observe::is_online();
            status.events = totals.events;
            status.lost = totals.lost;
            status.let_go = let_go.closed_connections;
            status.forgotten = let_go.pairs;
        });
    }

    /// Something else is to be shown.
    pub(crate) fn put(&self, snapshot: Arc<Snapshot>, change: impl FnOnce(&mut Status)) {
        change(&mut self.lock());
        self.newest.put(snapshot);
        self.published.fetch_add(1, Ordering::Release);
    }

    /// The rules say something else of what is shown.
    pub(super) fn found(&self, findings: Findings) {
        self.newest.found(findings);
        self.published.fetch_add(1, Ordering::Release);
    }

    /// Something else is to be said beside it.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.lock());
        self.published.fetch_add(1, Ordering::Release);
    }

    /// Nobody looks any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    pub(super) fn go(&self, to: Timestamp) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some(to);
    }

    /// Whether another moment of the case is wished for.
    pub(crate) fn is_wanted(&self) -> bool {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.is_some()
    }

    /// The moment of the case that was wished for last, if one was since this was last asked.
    pub(crate) fn wanted(&self) -> Option<Timestamp> {
        self.wanted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
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
    /// Asked for, and not done yet.
    expected: Mutex<Vec<ProcessId>>,
    done: Mutex<VecDeque<Preserved>>,
}

impl Preserving {
    pub(super) fn want(&self, process: ProcessId) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.push(process);
    }

    /// What was wished for since this was last called.
    pub(crate) fn wanted(&self) -> Vec<ProcessId> {
        let wanted = {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *wanted)
        };
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        expected.extend(&wanted);
        wanted
    }

    /// Whether the person waits for this one.
    pub(crate) fn is_expected(&self, process: ProcessId) -> bool {
        let expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        expected.contains(&process)
    }

    pub(crate) fn done(&self, preserved: Preserved) {
        {
            let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
            expected.retain(|id| *id != preserved.process);
        }
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.push_back(preserved);
    }

    pub(super) fn next_done(&self) -> Option<Preserved> {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.pop_front()
    }
}

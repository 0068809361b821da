//! Between whoever makes bytes of a stream and the thread that alone waits for the disk. Its limit
//! makes the first wait for the second, so that what is lost is lost in the kernel, which counts it.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the disk thread has to do, in this order.
pub(super) enum Job {
    /// `count` events or packets.
    Write { bytes: Vec<u8>, count: u64 },
    /// Closes the segment, and begins the next.
    Next,
}

pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// Beyond it, whoever makes bytes waits.
    most_bytes: usize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    waiting_bytes: usize,
    /// Buffers that were written, to be filled again.
    spare: Vec<Vec<u8>>,
    next_is_due: bool,
    closed: bool,
    abandoned: bool,
}

/// A row of blocks of a ring comes at once, and new memory costs as much as what is written to it.
const MOST_SPARE: usize = 64;
/// One that was longer for once is not kept.
const LARGEST_SPARE: usize = 2 * 1024 * 1024;

impl Queue {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            most_bytes,
        }
    }

    /// Hands the bytes on, and leaves an empty buffer. Waits while there are too many.
    pub(super) fn put(&self, bytes: &mut Vec<u8>, count: u64) {
        if bytes.is_empty() {
            return;
        }
        let mut state = self.lock();
        while state.waiting_bytes > self.most_bytes && !state.abandoned {
            state = self.wait(state);
        }
        let spare = state.spare.pop();
        // It will be as long; growing again and again would copy it each time.
        let spare =
            spare.unwrap_or_else(|| Vec::with_capacity(bytes.capacity().min(LARGEST_SPARE)));
        let bytes = std::mem::replace(bytes, spare);
        if state.abandoned {
            return;
        }
        state.waiting_bytes += bytes.len();
        state.jobs.push_back(Job::Write { bytes, count });
        self.changed.notify_all();
    }

    /// Whether another segment is to begin; asked by whoever makes bytes, who knows how one begins.
    pub(super) fn is_next_due(&self) -> bool {
        self.lock().next_is_due
    }

    pub(super) fn begin_next(&self) {
        let mut state = self.lock();
        state.next_is_due = false;
        state.jobs.push_back(Job::Next);
        self.changed.notify_all();
    }

    /// No more will come.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits at most so long for something to do. `None`: nothing more will come.
    pub(super) fn take(&self, wait: Duration) -> Option<VecDeque<Job>> {
        let mut state = self.lock();
        if state.jobs.is_empty() && !state.closed {
            let waited = self.changed.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.jobs.is_empty() && state.closed {
            return None;
        }
        Some(std::mem::take(&mut state.jobs))
    }

    /// Those bytes are written.
    pub(super) fn written(&self, mut bytes: Vec<u8>) {
        let mut state = self.lock();
        state.waiting_bytes -= bytes.len();
        if state.spare.len() < MOST_SPARE && bytes.capacity() <= LARGEST_SPARE {
            bytes.clear();
            state.spare.push(bytes);
        }
        self.changed.notify_all();
    }

    pub(super) fn ask_for_next(&self) {
        self.lock().next_is_due = true;
    }

    /// Nobody writes any more: nobody is to wait for it.
    pub(super) fn abandon(&self) {
        self.lock().abandoned = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let waited = self.changed.wait(state);
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes a queue whatever ends the thread that fills it.
pub(super) struct Closing<'a>(pub(super) &'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const NO_TIME: Duration = Duration::from_millis(1);

    fn sizes(jobs: VecDeque<Job>) -> Vec<Option<usize>> {
        let size = |job| match job {
            Job::Write { bytes, .. } => Some(bytes.len()),
            Job::Next => None,
        };
        jobs.into_iter().map(size).collect()
    }

    #[test]
    fn jobs_come_in_their_order_and_then_the_end() {
        let queue = Queue::new(100);
        queue.put(&mut vec![0; 3], 1);
        queue.ask_for_next();
        assert!(queue.is_next_due());
        queue.begin_next();
        assert!(!queue.is_next_due());
        queue.put(&mut vec![0; 5], 1);
        queue.put(&mut Vec::new(), 0);
        queue.close();
        assert_eq!(
            queue.take(NO_TIME).map(sizes),
            Some(vec![Some(3), None, Some(5)])
        );
        assert_eq!(queue.take(NO_TIME).map(sizes), None);
    }

    #[test]
    fn whoever_makes_too_much_waits_until_it_is_written() {
        let queue = Queue::new(10);
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..50 {
                    queue.put(&mut vec![0; 11], 1);
                }
                queue.close();
            });
            let mut written = 0;
            while let Some(jobs) = queue.take(Duration::from_secs(5)) {
                assert!(jobs.len() <= 1);
                for job in jobs {
                    if let Job::Write { bytes, count } = job {
                        queue.written(bytes);
                        written += count;
                    }
                }
            }
            assert_eq!(written, 50);
        });
    }

    #[test]
    fn nobody_waits_for_whoever_is_gone() {
        let queue = Queue::new(1);
        queue.abandon();
        for _ in 0..3 {
            queue.put(&mut vec![0; 9], 1);
        }
        queue.close();
        assert!(queue.take(NO_TIME).is_none());
    }
}

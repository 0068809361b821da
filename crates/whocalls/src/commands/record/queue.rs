//! Between whoever makes bytes of a stream and the thread that alone waits for the disk. Its limit
//! makes the first wait for the second, so that what is lost is lost in the kernel, which counts it.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::batch::Batch;

/// What the disk thread has to do, in this order.
pub(super) enum Job {
    /// `count` events or packets.
    Write { batch: Batch, count: u64 },
    /// Closes the segment, and begins the next.
    Next,
}

pub(super) enum Taken {
    Job(Job),
    Nothing,
    /// And nothing more will come.
    Over,
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
    /// Whether some of it may be lent.
    is_lent: bool,
    /// Buffers that were written, to be filled again.
    spare: Vec<Batch>,
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
        let mut batch = Batch::from(std::mem::take(bytes));
        self.put_batch(&mut batch, count);
        *bytes = batch.bytes;
    }

    /// The same with bytes that may be lent. Lent or not, they count as waiting.
    pub(super) fn put_batch(&self, batch: &mut Batch, count: u64) {
        if batch.is_empty() {
            return;
        }
        let mut state = self.lock();
        while state.waiting_bytes > self.most_bytes && !state.abandoned {
            // Until the disk goes on, what captures needs all of its memory.
            state.copy_lent();
            batch.copy_lent();
            state = self.wait(state);
        }
        let spare = state.spare.pop();
        // It will be as long; growing again and again would copy it each time.
        let spare = spare.unwrap_or_else(|| {
            Vec::with_capacity(batch.bytes.capacity().min(LARGEST_SPARE)).into()
        });
        let batch = std::mem::replace(batch, spare);
        if state.abandoned {
            return;
        }
        state.waiting_bytes += batch.len();
        state.is_lent = true;
        state.jobs.push_back(Job::Write { batch, count });
        self.changed.notify_all();
    }

    /// Lets go of what is lent and waits.
    pub(super) fn copy_lent(&self) {
        self.lock().copy_lent();
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

    /// Waits at most so long for something to do. It is one job only, so that the others can still
    /// let go of what is lent.
    pub(super) fn take(&self, wait: Duration) -> Taken {
        let mut state = self.lock();
        if state.jobs.is_empty() && !state.closed {
            let waited = self.changed.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        match state.jobs.pop_front() {
            Some(job) => Taken::Job(job),
            None if state.closed => Taken::Over,
            None => Taken::Nothing,
        }
    }

    /// Those bytes are written.
    pub(super) fn written(&self, mut batch: Batch) {
        let length = batch.len();
        // What is lent is given back before anybody waits for this thread.
        batch.clear();
        let mut state = self.lock();
        state.waiting_bytes -= length;
        if state.spare.len() < MOST_SPARE && batch.bytes.capacity() <= LARGEST_SPARE {
            state.spare.push(batch);
        }
        self.changed.notify_all();
    }

    /// What waits may belong to the segment that is to end; then it was asked for already.
    pub(super) fn ask_for_next(&self) {
        let mut state = self.lock();
        let is_on_its_way = state.jobs.iter().any(|job| matches!(job, Job::Next));
        state.next_is_due |= !is_on_its_way;
    }

    /// Nobody writes any more: nobody is to wait for it.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        // What is lent would be missing to whoever still captures.
        state.jobs.clear();
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

impl State {
    fn copy_lent(&mut self) {
        if !std::mem::take(&mut self.is_lent) {
            return;
        }
        for job in &mut self.jobs {
            if let Job::Write { batch, .. } = job {
                batch.copy_lent();
            }
        }
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
    use observe::packets::{Lender, Memory};
    use std::sync::Arc;
    use std::thread;
    use std::time::Instant;

    const NO_TIME: Duration = Duration::from_millis(1);

    /// All that is to be done, and whether more will come.
    fn rest(queue: &Queue) -> (Vec<Option<usize>>, bool) {
        let mut sizes = Vec::new();
        loop {
            match queue.take(NO_TIME) {
                Taken::Job(Job::Write { batch, .. }) => sizes.push(Some(batch.len())),
                Taken::Job(Job::Next) => sizes.push(None),
                Taken::Nothing => return (sizes, true),
                Taken::Over => return (sizes, false),
            }
        }
    }

    fn lent(memory: &Arc<Memory>) -> Batch {
        let mut batch = Batch::from(vec![0]);
        let lender = Lender::new(Some(memory));
        batch.lend(1, lender.lend((**memory).as_ref()).unwrap());
        batch
    }

    #[test]
    fn jobs_come_in_their_order_and_then_the_end() {
        let queue = Queue::new(100);
        queue.put(&mut vec![0; 3], 1);
        queue.ask_for_next();
        assert!(queue.is_next_due());
        queue.begin_next();
        // It is on its way: what stands before it is still of the same segment.
        queue.ask_for_next();
        assert!(!queue.is_next_due());
        queue.put(&mut vec![0; 5], 1);
        queue.put(&mut Vec::new(), 0);
        assert_eq!(rest(&queue), (vec![Some(3), None, Some(5)], true));
        queue.put(&mut vec![0; 7], 1);
        queue.close();
        assert_eq!(rest(&queue), (vec![Some(7)], false));
    }

    #[test]
    fn whoever_makes_too_much_waits_until_it_is_written() {
        let memory: Arc<Memory> = Arc::new([0; 10]);
        let queue = Queue::new(10);
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..50 {
                    if round % 2 == 0 {
                        queue.put(&mut vec![0; 11], 1);
                    } else {
                        queue.put_batch(&mut lent(&memory), 1);
                    }
                }
                queue.close();
            });
            let mut written = 0;
            let mut is_over = false;
            while !is_over {
                match queue.take(Duration::from_secs(5)) {
                    Taken::Job(Job::Write { batch, count }) => {
                        assert_eq!(batch.len(), 11);
                        assert!(queue.lock().jobs.is_empty());
                        queue.written(batch);
                        written += count;
                    }
                    Taken::Job(Job::Next) | Taken::Nothing => panic!("nobody asked for it"),
                    Taken::Over => is_over = true,
                }
            }
            assert_eq!(written, 50);
        });
    }

    #[test]
    fn what_is_lent_comes_back_when_it_is_written_or_wanted() {
        let memory: Arc<Memory> = Arc::new([7; 10]);
        let queue = Queue::new(100);
        for _ in 0..3 {
            queue.put_batch(&mut lent(&memory), 1);
        }
        assert_eq!(Arc::strong_count(&memory), 4);
        let Taken::Job(Job::Write { batch, .. }) = queue.take(NO_TIME) else {
            panic!("there are three");
        };
        queue.copy_lent();
        // This one is being written.
        assert_eq!(Arc::strong_count(&memory), 2);
        queue.written(batch);
        assert_eq!(Arc::strong_count(&memory), 1);
        for _ in 0..2 {
            let Taken::Job(Job::Write { batch, .. }) = queue.take(NO_TIME) else {
                panic!("there are two");
            };
            assert_eq!(batch.pieces(), [[&[0][..], &[7; 10]].concat()]);
        }
    }

    #[test]
    fn nothing_is_lent_while_somebody_waits_for_the_disk() {
        let memory: Arc<Memory> = Arc::new([0; 10]);
        let queue = Queue::new(10);
        queue.put_batch(&mut lent(&memory), 1);
        thread::scope(|scope| {
            scope.spawn(|| queue.put_batch(&mut lent(&memory), 1));
            let began = Instant::now();
            while Arc::strong_count(&memory) > 1 && began.elapsed() < Duration::from_secs(5) {
                thread::yield_now();
            }
            let shared = Arc::strong_count(&memory);
            queue.abandon();
            assert_eq!(shared, 1);
        });
    }

    #[test]
    fn nobody_waits_for_whoever_is_gone() {
        let memory: Arc<Memory> = Arc::new([0; 10]);
        let queue = Queue::new(1);
        queue.put_batch(&mut lent(&memory), 1);
        queue.abandon();
        assert_eq!(Arc::strong_count(&memory), 1);
        for _ in 0..3 {
            queue.put(&mut vec![0; 9], 1);
        }
        queue.close();
        assert_eq!(rest(&queue), (Vec::new(), false));
    }
}

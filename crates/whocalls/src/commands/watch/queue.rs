//! Carries lines from the thread that folds to the one that writes. Whoever puts something in never
//! waits: when it is full, lines are dropped, those that tell the least first, and a gap says how many.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{
    Connection, Event, Finding, FindingChange, Findings, Gap, Host, Process, Source, Tier,
    Timestamp,
};
use track::Change;

/// How many are taken at once.
const BATCH: usize = 1024;
/// A loss that goes on is told at least so often, in the time of what was lost.
const LONGEST_UNTOLD: Duration = Duration::from_secs(60);

/// What becomes a line.
pub(super) enum Item {
    Start {
        host: Box<Host>,
        taken: Timestamp,
        tier: Tier,
    },
    Event {
        event: Box<Event>,
        process: Option<Arc<Process>>,
    },
    Process(Arc<Process>),
    Connection {
        change: Change,
        time: Timestamp,
        connection: Box<Connection>,
        owner: Option<Arc<Process>>,
        also_held_by: Vec<Arc<Process>>,
    },
    Gap(Box<Gap>),
    Finding {
        change: FindingChange,
        time: Timestamp,
        finding: Arc<Finding>,
        process: Option<Arc<Process>>,
    },
    /// Lines of connections have these from here on.
    Findings(Findings),
}

pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    abandoned: AtomicBool,
    most: usize,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// How many of them tell only that a connection has changed.
    updates: usize,
    /// Not told in a gap yet.
    untold: Dropped,
    dropped: Dropped,
    source: Option<Source>,
    closed: bool,
}

impl Queue {
    /// Holds at least so many.
    pub(super) fn new(most: u32) -> Self {
        Self {
            state: Mutex::default(),
            filled: Condvar::new(),
            abandoned: AtomicBool::new(false),
            most: usize::try_from(most).unwrap_or(usize::MAX),
        }
    }

    /// Puts all of `items` in, or drops and counts them. So that the connections there are find
    /// room at once, twice as many as these are held too.
    pub(super) fn put(&self, items: &mut Vec<Item>, connections: usize) {
        if items.is_empty() {
            return;
        }
        let most = self.most.max(connections.saturating_mul(2));
        let mut state = self.state();
        for item in items.drain(..) {
            state.put(item, most);
        }
        drop(state);
        self.filled.notify_one();
    }

    /// Waits at most so long for something to write. False: nothing will come any more.
    pub(super) fn take(&self, wait: Duration, taken: &mut Vec<Item>) -> bool {
        let mut state = self.state();
        if state.items.is_empty() && !state.closed {
            let waited = self.filled.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let count = state.items.len().min(BATCH);
        taken.extend(state.items.drain(..count));
        let updates = taken.iter().filter(|item| item.is_update()).count();
        state.updates = state.updates.saturating_sub(updates);
        // One gap for each time the reader stopped: as long as it is behind, more may be dropped.
        let caught_up = state.items.len() <= self.most / 2;
        if (caught_up || state.untold.lasted() >= LONGEST_UNTOLD)
            && let Some(gap) = state.gap()
        {
            state.items.push_back(Item::Gap(Box::new(gap)));
        }
        !(taken.is_empty() && state.items.is_empty() && state.closed)
    }

    /// Nothing more will be put in.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.filled.notify_one();
    }

    /// What was put in after the last was taken: whoever judges may do so when nothing else comes any more.
    pub(super) fn left(&self) -> Vec<Item> {
        self.state().items.drain(..).collect()
    }

    /// Nobody takes any more.
    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// All that was dropped so far.
    pub(super) fn dropped(&self) -> Dropped {
        self.state().dropped
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, item: Item, most: usize) {
        if let Item::Start { tier, .. } = &item {
            self.source = Some(observe::source(*tier));
        }
        let is_kept = matches!(item, Item::Start { .. } | Item::Gap(_) | Item::Findings(_));
        if self.items.len() >= most && !is_kept {
            if item.is_update() || self.updates == 0 {
                return self.drop(&item);
            }
            self.drop_updates();
        }
        self.updates += usize::from(item.is_update());
        self.items.push_back(item);
    }

    fn drop_updates(&mut self) {
        let items = std::mem::take(&mut self.items);
        for item in items {
            if item.is_update() {
                self.drop(&item);
            } else {
                self.items.push_back(item);
            }
        }
        self.updates = 0;
    }

    fn drop(&mut self, item: &Item) {
        self.untold.count(item);
        self.dropped.count(item);
    }

    /// What has not been told yet. `None`: nothing.
    fn gap(&mut self) -> Option<Gap> {
        let untold = std::mem::take(&mut self.untold);
        if untold.all() == 0 {
            return None;
        }
        Some(Gap {
            since: untold.since,
            until: untold.until,
            count: Some(untold.all()),
            ..Gap::standing(
                "slow_reader",
                self.source
                    .unwrap_or_else(|| observe::source(Tier::Polling)),
                "whoever reads this stream was slower than what happened, and the queue was full; \
                 a larger one: --queue LINES",
                untold.in_words(),
            )
        })
    }
}

impl Item {
    fn is_update(&self) -> bool {
        matches!(
            self,
            Self::Connection {
                change: Change::Updated,
                ..
            } | Self::Finding {
                change: FindingChange::Updated,
                ..
            }
        )
    }

    fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Event { event, .. } => Some(event.time),
            Self::Connection { time, .. } | Self::Finding { time, .. } => Some(*time),
            Self::Start { .. } | Self::Process(_) | Self::Gap(_) | Self::Findings(_) => None,
        }
    }
}

/// Lines that were dropped, by what they would have told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) updated: u64,
    events: u64,
    processes: u64,
    present: u64,
    opened: u64,
    closed: u64,
    findings: u64,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Dropped {
    pub(super) fn all(self) -> u64 {
        self.kinds().iter().map(|(count, _)| count).sum()
    }

    /// From the first of them to the last.
    fn lasted(self) -> Duration {
        let (Some(since), Some(until)) = (self.since, self.until) else {
            return Duration::ZERO;
        };
        since.until(until)
    }

    fn kinds(self) -> [(u64, &'static str); 7] {
        [
            (self.events, "of events"),
            (self.processes, "of processes"),
            (self.present, "of connections that were there"),
            (self.opened, "of connections that opened"),
            (self.updated, "of connections that changed"),
            (self.closed, "of connections that closed"),
            (self.findings, "of findings"),
        ]
    }

    /// `lines that are missing: 7 of events, 2 of connections that closed`
    fn in_words(self) -> String {
        let kinds = self.kinds().into_iter().filter(|(count, _)| *count > 0);
        let kinds: Vec<_> = kinds
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        format!("lines that are missing: {}", kinds.join(", "))
    }

    fn count(&mut self, item: &Item) {
        let counter = match item {
            Item::Event { .. } => &mut self.events,
            Item::Process(_) => &mut self.processes,
            Item::Connection { change, .. } => match change {
                Change::Present => &mut self.present,
                Change::Opened => &mut self.opened,
                Change::Updated => &mut self.updated,
                Change::Closed => &mut self.closed,
            },
            Item::Finding { .. } => &mut self.findings,
            Item::Start { .. } | Item::Gap(_) | Item::Findings(_) => return,
        };
        *counter += 1;
        let Some(time) = item.time() else {
            return;
        };
        self.since = Some(self.since.map_or(time, |since| since.min(time)));
        self.until = Some(self.until.map_or(time, |until| until.max(time)));
    }
}

#[cfg(test)]
mod tests {
    use model::Protocol;

    use super::super::sample;
    use super::*;

    fn item(change: Change, second: i64) -> Item {
        Item::Connection {
            change,
            time: Timestamp::from_unix_nanos(second * 1_000_000_000),
            connection: Box::new(sample::connection(1, Protocol::Tcp, 1, 443)),
            owner: None,
            also_held_by: Vec::new(),
        }
    }

    /// The changes that come out, and the gaps among them.
    fn taken(queue: &Queue) -> (Vec<&'static str>, Vec<Gap>) {
        let (mut words, mut gaps) = (Vec::new(), Vec::new());
        queue.close();
        let mut items = Vec::new();
        while queue.take(Duration::ZERO, &mut items) {
            for item in items.drain(..) {
                match item {
                    Item::Connection { change, .. } => words.push(change.word()),
                    Item::Gap(gap) => {
                        words.push("gap");
                        gaps.push(*gap);
                    }
                    Item::Start { .. }
                    | Item::Event { .. }
                    | Item::Process(_)
                    | Item::Finding { .. }
                    | Item::Findings(_) => {}
                }
            }
        }
        (words, gaps)
    }

    fn filled(changes: &[Change], most: u32, connections: usize) -> Queue {
        let queue = Queue::new(most);
        let seconds = changes.iter().zip(1..);
        let mut items = seconds.map(|(change, second)| item(*change, second));
        queue.put(&mut items.by_ref().collect(), connections);
        queue
    }

    #[test]
    fn what_comes_late_is_left() {
        let queue = filled(&[Change::Opened], 4, 0);
        assert_eq!(taken(&queue).0, ["opened"]);
        queue.put(&mut vec![item(Change::Closed, 2)], 0);
        assert_eq!((queue.left().len(), queue.left().len()), (1, 0));
    }

    #[test]
    fn what_only_changed_is_dropped_first() {
        use Change::{Closed, Opened, Updated};
        let changes = [Opened, Updated, Updated, Opened, Closed, Updated];
        let queue = filled(&changes, 4, 0);
        let (words, gaps) = taken(&queue);
        assert_eq!(words, ["opened", "opened", "closed", "updated", "gap"]);
        let [gap] = gaps.as_slice() else {
            panic!("{gaps:?}");
        };
        assert_eq!((gap.id.as_str(), gap.count), ("slow_reader", Some(2)));
        assert_eq!(gap.since.unwrap().unix_nanos(), 2_000_000_000);
        assert_eq!(gap.until.unwrap().unix_nanos(), 3_000_000_000);
        assert!(gap.missed.ends_with("2 of connections that changed"));
    }

    #[test]
    fn all_that_is_dropped_is_counted() {
        let queue = filled(&[Change::Opened; 10], 4, 0);
        assert_eq!((queue.dropped().all(), queue.dropped().updated), (6, 0));
        assert_eq!(taken(&queue).0.len(), 5);
        assert_eq!(queue.dropped().all(), 6);
    }

    #[test]
    fn the_connections_there_are_find_room() {
        let queue = filled(&[Change::Present; 10], 4, 5);
        assert_eq!(queue.dropped(), Dropped::default());
    }

    /// The counts of the gaps when the reader stops, and takes less than comes after that. Before
    /// each taking so many lines come, of this second.
    fn gaps_of_a_stop(seconds: [i64; 4]) -> (Vec<Option<u64>>, u64) {
        let queue = Queue::new(u32::try_from(4 * BATCH).unwrap());
        let mut items = Vec::new();
        for (second, come) in seconds.into_iter().zip([5, 2, 2, 2]) {
            let come = (0..come * BATCH).map(|_| item(Change::Opened, second));
            queue.put(&mut come.collect(), 0);
            assert!(queue.take(Duration::ZERO, &mut items));
        }
        let gaps = taken(&queue).1;
        let counts = gaps.iter().map(|gap| gap.count).collect();
        (counts, queue.dropped().all())
    }

    #[test]
    fn one_stop_of_the_reader_is_one_gap() {
        let (counts, dropped) = gaps_of_a_stop([1, 2, 3, 4]);
        assert_eq!(counts, [Some(dropped)]);
    }

    #[test]
    fn a_loss_that_goes_on_is_told_meanwhile() {
        let (counts, dropped) = gaps_of_a_stop([1, 100, 101, 102]);
        assert_eq!(counts.len(), 2);
        assert_eq!(counts.into_iter().flatten().sum::<u64>(), dropped);
    }

    #[test]
    fn a_gap_is_told_once() {
        let queue = filled(&[Change::Opened; 5], 4, 0);
        let mut items = Vec::new();
        assert!(queue.take(Duration::ZERO, &mut items));
        queue.put(&mut vec![item(Change::Closed, 9)], 0);
        assert_eq!(taken(&queue).0, ["gap", "closed"]);
    }
}

//! The thread that folds: takes what is observed, keeps what is known, and hands on lines. It never
//! waits for whoever reads them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use model::{Connection, Event, Gap, Look, Observed, Timestamp};
use observe::program::{Ended, Waiting};
use observe::{Totals, Watch};
use track::{Change, Limits, Tracker};

use super::known::Known;
use super::newest::Newest;
use super::pick::Pick;
use super::queue::{Item, Queue};
use crate::interrupt::Interrupt;

/// How soon a wish to stop is heard.
const STEP: Duration = Duration::from_millis(100);
/// What has happened may still be on its way to us for so long.
const ON_THE_WAY: Duration = Duration::from_millis(200);

/// So many lines are handed on at once, so that they are written while others are made.
const PIECE: usize = 1024;

/// When the run ends.
pub(super) struct Ends<'a> {
    pub(super) interrupt: &'a Interrupt,
    /// `None`: at no set time.
    pub(super) at: Option<Instant>,
    /// With the last of this one and all that it started.
    pub(super) program: Option<Waiting>,
}

impl Ends<'_> {
    fn are_due(&mut self) -> bool {
        self.interrupt.is_asked()
            || self.at.is_some_and(|at| Instant::now() >= at)
            || self.program.as_mut().is_some_and(Waiting::is_over)
    }
}

/// What a run leaves for its last line.
pub(super) struct Outcome {
    pub(super) time: Timestamp,
    pub(super) totals: Totals,
    /// The program of the run, and how it ended.
    pub(super) program: Option<(u32, Option<Ended>)>,
}

pub(super) struct Fold<'a> {
    watch: Watch,
    tracker: Tracker,
    pick: Pick,
    known: Known,
    refresh: Duration,
    ends: Ends<'a>,
    queue: &'a Queue,
    newest: &'a Newest,
    started: bool,
    /// Connections of the last snapshot.
    connections: usize,
    gaps: HashSet<String>,
    seen: Vec<Observed>,
    changes: Vec<Changed>,
    items: Vec<Item>,
}

struct Changed {
    change: Change,
    time: Timestamp,
    connection: Box<Connection>,
}

impl<'a> Fold<'a> {
    pub(super) fn new(
        watch: Watch,
        pick: Pick,
        refresh: Duration,
        ends: Ends<'a>,
        queue: &'a Queue,
        newest: &'a Newest,
    ) -> Self {
        let tracker = Tracker::new(watch.host().clone(), watch.tier(), Limits::default());
        Self {
            watch,
            tracker,
            pick,
            known: Known::default(),
            refresh,
            ends,
            queue,
            newest,
            started: false,
            connections: 0,
            gaps: HashSet::new(),
            seen: Vec::new(),
            changes: Vec::new(),
            items: Vec::new(),
        }
    }

    /// Runs until the end is due, or nobody reads any more.
    pub(super) fn run(mut self) -> Result<Outcome> {
        let _closing = Closing(self.queue);
        let mut next_refresh = Instant::now() + self.refresh;
        while !self.queue.is_abandoned() && !self.ends.are_due() {
            let ahead = next_refresh.saturating_duration_since(Instant::now());
            self.step(ahead.min(STEP))?;
            if Instant::now() >= next_refresh {
                self.count()?;
                next_refresh = Instant::now() + self.refresh;
            }
        }
        let end = Instant::now() + ON_THE_WAY;
        while !self.queue.is_abandoned() && Instant::now() < end {
            self.step(end.saturating_duration_since(Instant::now()))?;
        }
        if !self.queue.is_abandoned() {
            self.count()?;
        }
        let program = self.ends.program.as_mut().map(|program| {
            program.is_over();
            (program.pid(), program.ended())
        });
        Ok(Outcome {
            time: self.watch.now(),
            totals: self.watch.totals(),
            program,
        })
    }

    /// Takes what happens within this time.
    fn step(&mut self, wait: Duration) -> Result<()> {
        self.watch.next(wait, &mut self.seen)?;
        self.fold();
        Ok(())
    }

    /// Takes what was counted meanwhile, and publishes what is known.
    fn count(&mut self) -> Result<()> {
        self.watch.refresh(&mut self.seen)?;
        self.fold();
        self.publish();
        Ok(())
    }

    fn publish(&mut self) {
        let snapshot = self.tracker.snapshot();
        self.connections = snapshot.connections.len();
        self.known.keep(&snapshot);
        self.newest.put(snapshot);
    }

    fn fold(&mut self) {
        let mut seen = std::mem::take(&mut self.seen);
        for observed in seen.drain(..) {
            self.take(observed);
            if self.items.len() >= PIECE {
                self.hand_on();
            }
        }
        self.seen = seen;
        self.hand_on();
    }

    fn hand_on(&mut self) {
        let open = self.pick.open(self.connections);
        self.queue.put(&mut self.items, open);
    }

    fn take(&mut self, observed: Observed) {
        if !self.started {
            self.start(&observed);
        }
        match observed {
            Observed::Event(event) => self.event(event),
            Observed::Look(look) => self.look(look),
            Observed::Process(process) => {
                self.known.learn(&process);
                if self.pick.process(&process) {
                    self.items.push(Item::Process(Arc::clone(&process)));
                }
                self.apply(Observed::Process(process));
                if self.known.is_full() {
                    self.publish();
                }
            }
            Observed::Gap(gap) => {
                self.gap(&gap);
                self.apply(Observed::Gap(gap));
            }
            counts @ Observed::Counts(_) => {
                self.apply(counts);
                self.hand_on_changes();
            }
        }
    }

    fn start(&mut self, first: &Observed) {
        self.started = true;
        let taken = match first {
            Observed::Look(look) => look.taken,
            Observed::Event(_) | Observed::Process(_) | Observed::Counts(_) | Observed::Gap(_) => {
                self.watch.now()
            }
        };
        self.items.push(Item::Start {
            host: Box::new(self.watch.host().clone()),
            taken,
            tier: self.watch.tier(),
        });
    }

    fn event(&mut self, event: Event) {
        let line = self.pick.may_want(&event).then(|| Box::new(event.clone()));
        self.apply(Observed::Event(event));
        let any_changed = !self.changes.is_empty();
        self.keep_wanted_changes();
        let matched = any_changed.then_some(!self.changes.is_empty());
        if let Some(event) = line.filter(|event| self.pick.event(event, matched, &self.known)) {
            let process = event.process.and_then(|id| self.known.process(id)).cloned();
            self.items.push(Item::Event { event, process });
        }
        self.hand_on_wanted_changes();
    }

    fn look(&mut self, look: Box<Look>) {
        for gap in &look.gaps {
            self.gap(gap);
        }
        self.apply(Observed::Look(look));
        // Its processes are known from now on.
        self.publish();
        self.hand_on_changes();
    }

    /// One that stands is told once, however often it is seen.
    fn gap(&mut self, gap: &Gap) {
        let stands = gap.since.is_none() && gap.until.is_none();
        let name = || format!("{}\0{}\0{}", gap.id, gap.why, gap.missed);
        if !stands || self.gaps.insert(name()) {
            self.items.push(Item::Gap(Box::new(gap.clone())));
        }
    }

    fn apply(&mut self, observed: Observed) {
        let changes = &mut self.changes;
        self.tracker
            .apply(observed, &mut |change, time, connection| {
                changes.push(Changed {
                    change,
                    time,
                    connection: Box::new(connection.clone()),
                });
            });
    }

    fn hand_on_changes(&mut self) {
        self.keep_wanted_changes();
        self.hand_on_wanted_changes();
    }

    fn keep_wanted_changes(&mut self) {
        let (pick, known) = (&mut self.pick, &self.known);
        self.changes
            .retain(|it| pick.connection(it.change, it.time, &it.connection, known));
    }

    fn hand_on_wanted_changes(&mut self) {
        let process = |id| self.known.process(id).cloned();
        for changed in self.changes.drain(..) {
            let connection = changed.connection;
            let owner = connection.owner.process().and_then(process);
            let holders = connection.also_held_by.iter();
            let also_held_by = holders.filter_map(|id| process(*id)).collect();
            self.items.push(Item::Connection {
                change: changed.change,
                time: changed.time,
                connection,
                owner,
                also_held_by,
            });
        }
    }
}

/// Whoever waits for lines hears that no more will come, whatever ends this thread.
struct Closing<'a>(&'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

//! Lines from what is observed: picks what is wanted, and puts it into the queue of whoever writes.

use std::collections::HashSet;
use std::sync::Arc;

use model::{Connection, Event, Gap, Host, Look, Observed, Restated, Tier, Timestamp};
use observe::Watch;
use track::{Change, Tracker};

use super::known::Known;
use super::pick::Pick;
use super::queue::{Item, Queue};
use crate::commands::fold::Reader;
use crate::commands::screen::newest::Newest;

/// So many lines are handed on at once, so that they are written while others are made.
const PIECE: usize = 1024;

/// A reader that gets a line for each thing that happens.
pub(super) struct Lines<'a> {
    pick: Pick,
    known: Known,
    queue: &'a Queue,
    newest: &'a Newest,
    host: Host,
    tier: Tier,
    started: bool,
    /// Connections of the last snapshot.
    connections: usize,
    gaps: HashSet<String>,
    changes: Vec<Changed>,
    items: Vec<Item>,
}

struct Changed {
    change: Change,
    time: Timestamp,
    connection: Box<Connection>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(
        pick: Pick,
        host: Host,
        tier: Tier,
        queue: &'a Queue,
        newest: &'a Newest,
    ) -> Self {
        Self {
            pick,
            known: Known::default(),
            queue,
            newest,
            host,
            tier,
            started: false,
            connections: 0,
            gaps: HashSet::new(),
            changes: Vec::new(),
            items: Vec::new(),
        }
    }

    /// Takes over what is known now.
    pub(super) fn keep(&mut self, tracker: &Tracker) {
        let snapshot = tracker.snapshot();
        self.connections = snapshot.connections.len();
        self.known.keep(&snapshot);
        self.newest.put(Arc::new(snapshot));
    }

    pub(super) fn hand_on(&mut self) {
        let open = self.pick.open(self.connections);
        self.queue.put(&mut self.items, open);
    }

    /// The first thing of a run is a look.
    fn start(&mut self, taken: Timestamp) {
        self.started = true;
        self.items.push(Item::Start {
            host: Box::new(self.host.clone()),
            taken,
            tier: self.tier,
        });
    }

    fn event(&mut self, event: Event, tracker: &mut Tracker) {
        let line = self.pick.may_want(&event).then(|| Box::new(event.clone()));
        self.apply(Observed::Event(event), tracker);
        let any_changed = !self.changes.is_empty();
        self.keep_wanted_changes();
        let matched = any_changed.then_some(!self.changes.is_empty());
        if let Some(event) = line.filter(|event| self.pick.event(event, matched, &self.known)) {
            let process = event.process.and_then(|id| self.known.process(id)).cloned();
            self.items.push(Item::Event { event, process });
        }
        self.hand_on_wanted_changes();
    }

    fn look(&mut self, look: Box<Look>, tracker: &mut Tracker) {
        if !self.started {
            self.start(look.taken);
        }
        for gap in &look.gaps {
            self.gap(gap);
        }
        self.apply(Observed::Look(look), tracker);
        // Its processes are known from now on.
        self.keep(tracker);
        self.hand_on_changes();
    }

    /// The run up to here is missing; this is what was known then.
    pub(super) fn resume(&mut self, state: Restated, tracker: &mut Tracker) {
        if !self.started {
            self.start(state.taken);
        }
        let changes = &mut self.changes;
        tracker.resume(state, &mut |change, time, connection| {
            changes.push(Changed {
                change,
                time,
                connection: Box::new(connection.clone()),
            });
        });
        self.keep(tracker);
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

    fn apply(&mut self, observed: Observed, tracker: &mut Tracker) {
        let changes = &mut self.changes;
        tracker.apply(observed, &mut |change, time, connection| {
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

impl Reader for Lines<'_> {
    fn take(&mut self, observed: Observed, tracker: &mut Tracker) {
        match observed {
            Observed::Event(event) => self.event(event, tracker),
            Observed::Look(look) => self.look(look, tracker),
            Observed::Process(process) => {
                self.known.learn(&process);
                if self.pick.process(&process) {
                    self.items.push(Item::Process(Arc::clone(&process)));
                }
                self.apply(Observed::Process(process), tracker);
                if self.known.is_full() {
                    self.keep(tracker);
                }
            }
            Observed::Gap(gap) => {
                self.gap(&gap);
                self.apply(Observed::Gap(gap), tracker);
            }
            counts @ Observed::Counts(_) => {
                self.apply(counts, tracker);
                self.hand_on_changes();
            }
        }
        if self.items.len() >= PIECE {
            self.hand_on();
        }
    }

    fn taken(&mut self, _tracker: &Tracker, _watch: &mut Watch) {
        self.hand_on();
    }

    fn refresh(&mut self, tracker: &Tracker, _watch: &mut Watch) {
        self.keep(tracker);
    }

    fn is_gone(&self) -> bool {
        self.queue.is_abandoned()
    }
}

/// Whoever waits for lines hears that no more will come, whatever ends this thread.
impl Drop for Lines<'_> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

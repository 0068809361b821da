//! Puts events and looks into the order of time. Events come late, and not always in their order; so all
//! wait, and a look waits for those that were before it.

use std::collections::BTreeSet;

use model::{Look, Observed, State};

use super::{Held, Processes, Traced};
use crate::stamp::Stamp;

/// A look that shows nothing new is handed on all the same, so often.
const LOOK_EACH: u64 = 10_000_000_000;
/// So many are held at most; others wait where they are, which is counted when it is full.
const MOST_HELD: usize = 500_000;

/// Sockets and their states, of one look.
pub(crate) type Rows = BTreeSet<(u64, State)>;

#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) traced: Traced,
    held: Vec<Held>,
    waiting: Option<Waiting>,
    /// Of the last look that was handed on, and when that was begun.
    rows: Rows,
    looked: u64,
}

#[derive(Debug)]
struct Waiting {
    /// When it was begun, and when it was over.
    began: u64,
    over: u64,
    rows: Rows,
    look: Box<Look>,
}

pub(crate) fn rows(look: &Look) -> Rows {
    let sockets = look.sockets.iter();
    sockets
        .filter_map(|socket| Some((socket.key.cookie?, socket.state)))
        .collect()
}

impl Order {
    /// Goes on from the first look, whose session was there before it.
    pub(crate) fn begin(now: u64, look: &mut Look) -> Self {
        Self {
            rows: rows(look),
            traced: Traced::begin(look),
            held: Vec::new(),
            waiting: None,
            looked: now,
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.held.len() < MOST_HELD
    }

    pub(crate) fn hold(&mut self, held: Held) {
        self.held.push(held);
    }

    /// Whether a look waits. Another one need not be taken.
    pub(crate) fn has_look(&self) -> bool {
        self.waiting.is_some()
    }

    /// Takes a look that was begun and was over at these times.
    pub(crate) fn put(&mut self, began: u64, over: u64, look: Look) {
        self.waiting = Some(Waiting {
            began,
            over,
            rows: rows(&look),
            look: Box::new(look),
        });
    }

    /// Tells what was until then. `sure`: no events tell any more who ends.
    pub(crate) fn tell_until(
        &mut self,
        until: u64,
        sure: bool,
        processes: &mut Processes,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) {
        // Those of one time stay in the order in which they came.
        self.held.sort_by_key(|held| held.time);
        if let Some(waiting) = self.waiting.take_if(|it| it.over <= until) {
            self.tell(waiting.over, processes, stamp, seen);
            self.look(waiting, sure, processes, stamp, seen);
        }
        self.tell(until, processes, stamp, seen);
    }

    fn tell(
        &mut self,
        until: u64,
        processes: &mut Processes,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) {
        let ripe = self.held.partition_point(|held| held.time <= until);
        for held in self.held.drain(..ripe) {
            self.traced.tell(held, processes, stamp, seen);
        }
    }

    fn look(
        &mut self,
        waiting: Waiting,
        sure: bool,
        processes: &mut Processes,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) {
        let Waiting {
            began,
            over,
            rows,
            mut look,
        } = waiting;
        processes.recognise(&mut look);
        processes.look((began, over), &look, sure, stamp, seen);
        let is_missing = self.traced.look(began, &mut look, processes, stamp, seen);
        let is_due = began.saturating_sub(self.looked) >= LOOK_EACH;
        if is_missing || is_due || rows != self.rows {
            (self.looked, self.rows) = (began, rows);
            seen.push(Observed::Look(look));
        }
    }
}

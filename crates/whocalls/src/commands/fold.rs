//! The thread that folds: takes what is observed and keeps what is known. It never waits for
//! whoever reads.

use std::time::{Duration, Instant};

use anyhow::Result;
use model::{Addresses, Observed, Timestamp};
use observe::program::{Ended, Waiting};
use observe::signals::Asked;
use observe::{Totals, Watch};
use track::{Limits, Tracker};

use super::data;
use crate::interrupt::Interrupt;

/// How soon a wish to stop is heard.
const STEP: Duration = Duration::from_millis(100);

/// When the run ends.
pub(crate) struct Ends<'a> {
    pub(crate) interrupt: &'a Interrupt,
    /// `None`: at no set time.
    pub(crate) at: Option<Instant>,
    /// With the last of this one and all that it started.
    pub(crate) program: Option<Waiting>,
}

impl Ends<'_> {
    fn due(&mut self) -> Option<End> {
        if self.interrupt.is_asked() {
            Some(End::Asked(self.interrupt.asked_by()))
        } else if self.at.is_some_and(|at| Instant::now() >= at) {
            Some(End::Time)
        } else if self.program.as_mut().is_some_and(Waiting::is_over) {
            Some(End::Program)
        } else {
            None
        }
    }
}

/// What has ended a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A signal. `None`: whose is not told here.
    Asked(Option<Asked>),
    /// It was to last so long.
    Time,
    Program,
    /// Nobody reads any more.
    Reader,
}

/// What a run leaves for its last line.
pub(crate) struct Outcome {
    pub(crate) time: Timestamp,
    pub(crate) totals: Totals,
    pub(crate) end: End,
    /// The program of the run, and how it ended.
    pub(crate) program: Option<(u32, Option<Ended>)>,
}

/// Whoever the fold works for. None of it may wait.
pub(crate) trait Reader {
    /// Applies one thing to the tracker, and does with it what it is here for.
    fn take(&mut self, observed: Observed, tracker: &mut Tracker);
    /// All that has happened up to now was taken.
    fn taken(&mut self, _tracker: &Tracker, _watch: &mut Watch) {}
    /// What is known was brought up to date.
    fn refresh(&mut self, tracker: &Tracker, watch: &mut Watch);
    /// The run is over, and all of it was taken.
    fn end(&mut self, _tracker: &Tracker, _watch: &mut Watch) {}
    /// Nobody reads any more.
    fn is_gone(&self) -> bool;
    /// Another time between refreshes is wanted.
    fn every(&self) -> Option<Duration> {
        None
    }
}

pub(crate) struct Fold<'a, R> {
    watch: Watch,
    tracker: Tracker,
    reader: R,
    refresh: Duration,
    ends: Ends<'a>,
    seen: Vec<Observed>,
}

impl<'a, R: Reader> Fold<'a, R> {
    pub(crate) fn new(watch: Watch, reader: R, refresh: Duration, ends: Ends<'a>) -> Self {
        let tracker = Tracker::new(watch.host().clone(), watch.tier(), Limits::default())
            .with_addresses(data::addresses());
        Self {
            watch,
            tracker,
            reader,
            refresh,
            ends,
            seen: Vec::new(),
        }
    }

    /// The same, for evidence: what tables tell of an address is no part of it.
    pub(crate) fn without_addresses(self) -> Self {
        let tracker = self.tracker.with_addresses(Addresses::default());
        Self { tracker, ..self }
    }

    /// Runs until the end is due, or nobody reads any more.
    pub(crate) fn run(mut self) -> Result<Outcome> {
        let mut refreshed = Instant::now();
        let ended = loop {
            if self.reader.is_gone() {
                break End::Reader;
            }
            if let Some(end) = self.ends.due() {
                break end;
            }
            let every = self.reader.every().unwrap_or(self.refresh);
            let ahead = every.saturating_sub(refreshed.elapsed());
            self.step(ahead.min(STEP))?;
            if refreshed.elapsed() >= every {
                self.count()?;
                refreshed = Instant::now();
            }
        };
        let end = Instant::now() + self.watch.delay();
        // The last step begins after that, however late this is on a busy computer.
        let mut is_over = false;
        while !self.reader.is_gone() && !is_over {
            is_over = Instant::now() >= end;
            self.step(end.saturating_duration_since(Instant::now()))?;
        }
        if !self.reader.is_gone() {
            self.count()?;
        }
        self.reader.end(&self.tracker, &mut self.watch);
        let program = self.ends.program.as_mut().map(|program| {
            program.is_over();
            (program.pid(), program.ended())
        });
        Ok(Outcome {
            time: self.watch.now(),
            totals: self.watch.totals(),
            end: ended,
            program,
        })
    }

    /// Takes what happens within this time.
    fn step(&mut self, wait: Duration) -> Result<()> {
        self.watch.next(wait, &mut self.seen)?;
        self.fold();
        Ok(())
    }

    /// Takes what was counted meanwhile, and lets the reader know.
    fn count(&mut self) -> Result<()> {
        self.watch.refresh(&mut self.seen)?;
        self.fold();
        self.reader.refresh(&self.tracker, &mut self.watch);
        Ok(())
    }

    fn fold(&mut self) {
        for observed in self.seen.drain(..) {
            self.reader.take(observed, &mut self.tracker);
        }
        self.reader.taken(&self.tracker, &mut self.watch);
    }
}

//! Between the screen and whoever folds and fulfils.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};

use model::Snapshot;
use show::tui::{Deed, Outside, Preserved, Status};

use super::shared::Shared;

/// Where the screen gets its snapshots, and brings its wishes.
pub(super) struct Desk<'a> {
    shared: &'a Shared,
    wishes: Sender<Deed>,
    answers: &'a Receiver<String>,
    /// How many wishes have no answer yet.
    waiting: usize,
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        wishes: Sender<Deed>,
        answers: &'a Receiver<String>,
    ) -> Self {
        Self {
            shared,
            wishes,
            answers,
            waiting: 0,
        }
    }

    /// Whether something is still being done.
    pub(super) fn waits(&self) -> bool {
        self.waiting > 0
    }
}

impl Outside for Desk<'_> {
    fn newest(&mut self) -> Option<(Arc<Snapshot>, Status)> {
        if self.shared.published.swap(0, Ordering::Acquire) == 0 {
            return None;
        }
        Some((self.shared.newest.get()?, self.shared.status()))
    }

    fn fulfil(&mut self, deed: Deed) {
        match deed {
            Deed::Refresh(refresh) => self.shared.every(refresh),
            // Whoever fulfils it lives as long as the screen.
            Deed::Save { .. } | Deed::Close { .. } | Deed::End { .. } => {
                self.waiting += usize::from(self.wishes.send(deed).is_ok());
            }
            Deed::Preserve { process } => self.shared.preserving.want(process),
            Deed::Go(to) => self.shared.go(to),
        }
    }

    fn told(&mut self) -> Option<String> {
        let answer = self.answers.try_recv().ok()?;
        self.waiting = self.waiting.saturating_sub(1);
        Some(answer)
    }

    fn preserved(&mut self) -> Option<Preserved> {
        self.shared.preserving.next_done()
    }

    fn is_over(&mut self) -> bool {
        self.shared.over.load(Ordering::Relaxed)
    }
}

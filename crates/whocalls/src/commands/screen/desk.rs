//! Between the screen and whoever folds and fulfils.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};

use model::Snapshot;
use show::tui::{Deed, Outside, Preserved, Status, Told};

use super::shared::Shared;

/// Where the screen gets its snapshots, and brings its wishes.
pub(super) struct Desk<'a> {
    shared: &'a Shared,
    wishes: Sender<Deed>,
    answers: &'a Receiver<Told>,
    /// How many wishes have no answer yet.
    waiting: usize,
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        wishes: Sender<Deed>,
        answers: &'a Receiver<Told>,
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
            // Of these nobody waits for an answer.
            Deed::LookUp { .. } | Deed::AskElsewhere(_) | Deed::AskNoMore(_) => {
                drop(self.wishes.send(deed));
            }
            Deed::Save { .. } | Deed::SaveList { .. } | Deed::Close { .. } | Deed::End { .. } => {
                self.waiting += usize::from(self.wishes.send(deed).is_ok());
            }
            Deed::Preserve { process } => self.shared.preserving.want(process),
            Deed::Go(to) => self.shared.go(to),
        }
    }

    fn told(&mut self) -> Option<Told> {
        let answer = self.answers.try_recv().ok()?;
        let was_waited_for = matches!(answer, Told::Done(_) | Told::ListSaved(_));
        self.waiting = self.waiting.saturating_sub(usize::from(was_waited_for));
        Some(answer)
    }

    fn preserved(&mut self) -> Option<Preserved> {
        self.shared.preserving.next_done()
    }

    fn is_over(&mut self) -> bool {
        self.shared.over.load(Ordering::Relaxed)
    }
}

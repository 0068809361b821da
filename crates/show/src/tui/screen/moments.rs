//! Moments of a case: which one is shown, and the way to others.

use std::time::Duration;

use model::Timestamp;

use super::{Reaction, Replay, Screen};
use crate::tui::axis::SPANS;
use crate::tui::columns::Kind;
use crate::tui::{Deed, Mode, Status};

impl Screen {
    /// The case that is shown. `None`: what happens now.
    pub(in crate::tui) fn replay(&self) -> Option<&Replay> {
        match &self.status.mode {
            Mode::Case(replay) => Some(replay),
            Mode::Live { .. } => None,
        }
    }

    /// The moment that was asked for, where another one is shown still.
    pub(in crate::tui) fn wanted(&self) -> Option<Timestamp> {
        let at = self.replay()?.at;
        self.wanted.filter(|wanted| *wanted != at)
    }

    /// How far one step goes.
    pub(super) fn step(&self) -> Duration {
        (self.span() / 60).max(Duration::from_secs(1))
    }

    /// Hears which moment a snapshot is of, before it is shown.
    pub(super) fn note_moment(&mut self, status: &Status) {
        let Mode::Case(replay) = &status.mode else {
            return;
        };
        if self.wanted == Some(replay.at) {
            self.wanted = None;
        }
        if self.replay().is_none() {
            // At first all of it is seen.
            let length = replay.begun.until(replay.ended);
            let longest = SPANS.len() - 1;
            let fits = SPANS.iter().position(|span| *span >= length);
            self.span = fits.unwrap_or(longest);
        }
    }

    /// So far from the moment that was asked for last; keys may come faster than pictures.
    pub(super) fn go_by(&mut self, length: Duration, on: bool) -> Reaction {
        let Some(replay) = self.replay() else {
            return Reaction::Nothing;
        };
        let from = self.wanted.unwrap_or(replay.at).unix_nanos();
        let length = i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
        let to = if on {
            from.saturating_add(length)
        } else {
            from.saturating_sub(length)
        };
        self.go(Timestamp::from_unix_nanos(to))
    }

    /// To a moment, or to the nearest that was recorded.
    pub(super) fn go(&mut self, to: Timestamp) -> Reaction {
        let Some(replay) = self.replay() else {
            return Reaction::Nothing;
        };
        let to = to.min(replay.ended).max(replay.begun);
        if self.wanted.unwrap_or(replay.at) == to {
            return Reaction::Nothing;
        }
        self.wanted = Some(to);
        Reaction::Deed(Deed::Go(to))
    }

    /// The moment under a column of the screen. `None`: no axis is there. What is pulled may leave it
    /// on either side.
    pub(super) fn moment_under(&self, x: u16, pulled: bool) -> Option<Timestamp> {
        let snapshot = self.snapshot.as_ref().filter(|_| self.replay().is_some())?;
        let headings = self.painted.headings.iter();
        let (from, to, _) = headings.rev().find(|it| it.2.kind == Kind::Time)?;
        let x = if pulled {
            x.clamp(*from, to.saturating_sub(1))
        } else {
            x
        };
        let cell = x.checked_sub(*from).filter(|_| x < *to)?;
        let axis = self.axis(snapshot);
        Some(axis.moment(usize::from(cell), usize::from(to - from)))
    }
}

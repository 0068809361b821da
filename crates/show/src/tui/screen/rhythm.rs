//! The rhythm panel: opened, read and closed.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a keyboard has more keys than there are uses for them"
)]

use crossterm::event::{KeyCode, KeyEvent};
use model::PairKey;

use super::{Doing, Reaction, Screen};
use crate::messages::rhythm as texts;
use crate::tui::axis::Axis;
use crate::tui::rhythm::{self, Looked, Page};

/// Where the person is in the panel.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Reading {
    /// How far it is scrolled.
    pub(in crate::tui) top: usize,
    /// A pair of the calls that were chosen. `None`: those that matter most.
    of: Option<Box<PairKey>>,
}

impl Screen {
    pub(super) fn open_rhythm(&mut self) {
        if self.looking(rhythm::is_there).unwrap_or(false) {
            self.mode = Doing::Rhythm(Reading::default());
        } else {
            self.say(texts::NO_CALLS_IN_ROW);
        }
    }

    /// `None`: there is nothing to look at any more.
    pub(in crate::tui) fn rhythm(&self, reading: &Reading, width: usize) -> Option<Page> {
        let of = reading.of.as_deref();
        self.looking(|looked| rhythm::page(looked, of, width))?
    }

    pub(super) fn reading_rhythm(&mut self, mut reading: Reading, key: KeyEvent) -> Reaction {
        let page = usize::from(self.painted.rows.max(2));
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => reading.top = reading.top.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => reading.top += 1,
            KeyCode::PageUp => reading.top = reading.top.saturating_sub(page),
            KeyCode::PageDown | KeyCode::Char(' ') => reading.top += page,
            KeyCode::Home | KeyCode::Char('g') => reading.top = 0,
            KeyCode::Right | KeyCode::Tab | KeyCode::Char('l') => self.turn(&mut reading, true),
            KeyCode::Left | KeyCode::BackTab | KeyCode::Char('h') => {
                self.turn(&mut reading, false);
            }
            KeyCode::Esc | KeyCode::Enter | KeyCode::Char('b' | 'q') => return Reaction::Nothing,
            _ => {}
        }
        self.mode = Doing::Rhythm(reading);
        Reaction::Nothing
    }

    /// To the next calls that the row is about.
    fn turn(&self, reading: &mut Reading, after: bool) {
        let of = reading.of.as_deref();
        let beside = self.looking(|looked| rhythm::beside(looked, of, after));
        if let Some(beside) = beside.flatten() {
            *reading = Reading {
                top: 0,
                of: Some(Box::new(beside)),
            };
        }
    }

    /// `None`: there is no row to look at.
    fn looking<T>(&self, look: impl FnOnce(&Looked<'_>) -> T) -> Option<T> {
        let snapshot = self.snapshot.as_ref()?;
        let axis: Axis = self.axis(snapshot);
        Some(look(&Looked {
            snapshot,
            picture: &self.picture,
            row: self.row()?,
            axis: &axis,
            since: self.replay().map_or(self.status.since, |it| it.begun),
        }))
    }
}

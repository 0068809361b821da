//! Whose something is: the panel of what is known here, and the list of what is to be asked from another
//! computer. Nothing is ever sent.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a keyboard has more keys than there are uses for them"
)]

use crossterm::event::{KeyCode, KeyEvent};
use model::Question;

use super::filter::write;
use super::{Doing, Reaction, Screen};
use crate::messages::{dialogs, whose as texts};
use crate::tui::edit::Line;
use crate::tui::whose::{self, Candidate, Kept, ToAskItem};
use crate::tui::{Deed, Found, Known, Told};
use crate::visible::visible_str;

/// Where the person is in the panel.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Whose {
    pub(in crate::tui) candidates: Vec<Candidate>,
    /// The one that is shown.
    pub(in crate::tui) at: usize,
    /// How far it is scrolled.
    pub(in crate::tui) top: usize,
    /// `None`: it is still being looked up.
    pub(in crate::tui) found: Option<Result<Box<Found>, String>>,
}

/// What is known of the list.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct List {
    pub(in crate::tui) items: Vec<ToAskItem>,
    pub(in crate::tui) kept: Kept,
    /// Nothing has changed since it was saved, or the person can do without it.
    is_saved: bool,
    /// It is being saved so that it can end then.
    ends: bool,
    /// It can end now.
    has_ended: bool,
}

impl List {
    pub(in crate::tui) fn new(before: whose::ToAsk) -> Self {
        Self {
            items: before.items,
            kept: before.kept,
            is_saved: true,
            ..Self::default()
        }
    }

    pub(in crate::tui) fn has(&self, question: &Question) -> bool {
        self.items.iter().any(|it| it.question == *question)
    }

    fn add(&mut self, question: Question) {
        if !self.has(&question) {
            self.is_saved = false;
            self.items.push(ToAskItem {
                question,
                answered: None,
            });
        }
    }

    fn take_off(&mut self, question: &Question) {
        self.is_saved = false;
        self.items.retain(|it| it.question != *question);
    }

    /// Whether it would be lost if all ended now.
    fn would_be_lost(&self) -> bool {
        self.kept == Kept::Nowhere && !self.is_saved && !self.items.is_empty()
    }

    pub(in crate::tui) fn whereabouts(&self) -> String {
        match &self.kept {
            Kept::Nowhere if self.would_be_lost() || self.items.is_empty() => {
                texts::KEPT_NOWHERE.to_owned()
            }
            Kept::Nowhere => texts::KEPT_SAVED.to_owned(),
            Kept::AtOnce(file) => texts::kept_in(&visible_str(file)),
            Kept::AtTheEnd(file) => texts::kept_at_the_end(&visible_str(file)),
        }
    }
}

impl Screen {
    /// Of the row: looks it up here, and adds it to the list.
    pub(super) fn open_whose(&mut self) -> Reaction {
        let (Some(snapshot), Some(row)) = (&self.snapshot, self.row()) else {
            return Reaction::Nothing;
        };
        let candidates = whose::candidates(row, snapshot, &self.picture);
        if candidates.is_empty() {
            if self.list.items.is_empty() {
                self.say(texts::NOTHING_HERE);
            } else {
                self.mode = Doing::List(0);
            }
            return Reaction::Nothing;
        }
        let whose = Whose {
            candidates,
            at: 0,
            top: 0,
            found: None,
        };
        self.look_up(whose, true)
    }

    /// `adds`: to the list, where others may be asked about it.
    fn look_up(&mut self, whose: Whose, adds: bool) -> Reaction {
        let Some(candidate) = whose.candidates.get(whose.at) else {
            return Reaction::Nothing;
        };
        let item = candidate.text.clone();
        self.mode = Doing::Whose(Box::new(whose));
        Reaction::Deed(Deed::LookUp { item, adds })
    }

    pub(super) fn reading_whose(&mut self, mut whose: Box<Whose>, key: KeyEvent) -> Reaction {
        let page = usize::from(self.painted.rows.max(2));
        let count = whose.candidates.len();
        let turned = match key.code {
            KeyCode::Right | KeyCode::Tab => Some((whose.at + 1) % count.max(1)),
            KeyCode::Left | KeyCode::BackTab => Some((whose.at + count - 1) % count.max(1)),
            _ => None,
        };
        if let Some(at) = turned.filter(|at| *at != whose.at) {
            let whose = Whose {
                at,
                top: 0,
                found: None,
                ..*whose
            };
            return self.look_up(whose, false);
        }
        let question = whose.question();
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => whose.top = whose.top.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => whose.top += 1,
            KeyCode::PageUp => whose.top = whose.top.saturating_sub(page),
            KeyCode::PageDown | KeyCode::Char(' ') => whose.top += page,
            KeyCode::Char('w' | 'L') => {
                self.mode = Doing::List(0);
                return Reaction::Nothing;
            }
            KeyCode::Char('e') => {
                self.save_list();
                return Reaction::Nothing;
            }
            KeyCode::Esc | KeyCode::Char('q') => return Reaction::Nothing,
            _ => {}
        }
        self.mode = Doing::Whose(whose);
        match (key.code, question) {
            (KeyCode::Char('d'), Some(question)) if self.list.has(&question) => {
                self.list.take_off(&question);
                Reaction::Deed(Deed::AskNoMore(question))
            }
            (KeyCode::Char('a'), Some(question)) if !self.list.has(&question) => {
                self.list.add(question.clone());
                Reaction::Deed(Deed::AskElsewhere(question))
            }
            _ => Reaction::Nothing,
        }
    }

    /// `at`: the item under the cursor.
    pub(super) fn reading_list(&mut self, at: usize, key: KeyEvent) -> Reaction {
        let page = usize::from(self.painted.rows.max(2));
        let last = self.list.items.len().saturating_sub(1);
        let at = match key.code {
            KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => at + 1,
            KeyCode::PageUp => at.saturating_sub(page),
            KeyCode::PageDown | KeyCode::Char(' ') => at + page,
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => last,
            KeyCode::Char('e') => {
                self.save_list();
                return Reaction::Nothing;
            }
            KeyCode::Char('d') => {
                let question = self.list.items.get(at).map(|it| it.question.clone());
                self.mode = Doing::List(at.min(last.saturating_sub(1)));
                let Some(question) = question else {
                    return Reaction::Nothing;
                };
                self.list.take_off(&question);
                return Reaction::Deed(Deed::AskNoMore(question));
            }
            KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | 'w' | 'L') => {
                return Reaction::Nothing;
            }
            _ => at,
        };
        self.mode = Doing::List(at.min(last));
        Reaction::Nothing
    }

    fn save_list(&mut self) {
        if self.list.items.is_empty() {
            self.say(texts::NOTHING_TO_SAVE);
        } else {
            self.message = None;
            self.mode = Doing::SavingList(Line::default());
        }
    }

    pub(super) fn saving_list(&mut self, mut line: Line, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Esc => return Reaction::Nothing,
            KeyCode::Enter => match self.list_as_file(&line) {
                Ok(deed) => return Reaction::Deed(deed),
                Err(why) => self.say(why),
            },
            _ => write(&mut line, key),
        }
        self.mode = Doing::SavingList(line);
        Reaction::Nothing
    }

    /// Asks once whether the list is to be saved, where it would be lost.
    pub(super) fn quit(&mut self) -> Reaction {
        if !self.list.would_be_lost() {
            return Reaction::Quit;
        }
        self.message = None;
        self.mode = Doing::Leaving(Line::default());
        Reaction::Nothing
    }

    pub(super) fn leaving(&mut self, mut line: Line, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Esc => {
                self.list.is_saved = true;
                return Reaction::Quit;
            }
            KeyCode::Enter => match self.list_as_file(&line) {
                Ok(deed) => {
                    self.list.ends = true;
                    return Reaction::Deed(deed);
                }
                Err(why) => self.say(why),
            },
            _ => write(&mut line, key),
        }
        self.mode = Doing::Leaving(line);
        Reaction::Nothing
    }

    /// Errors: why it cannot be called so.
    fn list_as_file(&mut self, line: &Line) -> Result<Deed, &'static str> {
        let name = match line.text() {
            "" => texts::FILE_NAME.to_owned(),
            name => name.to_owned(),
        };
        if name.contains(['/', '\\']) || name.starts_with('.') {
            return Err(dialogs::NO_PATH);
        }
        if !whose::fits(&name) {
            return Err(texts::WRONG_ENDING);
        }
        let Some(snapshot) = self.snapshot.clone() else {
            return Err(texts::NOTHING_TO_SAVE);
        };
        let items = &self.list.items;
        let page = whose::page(items, &snapshot, &self.status, &name);
        let count = items.len();
        self.say(texts::saving(count));
        Ok(Deed::SaveList {
            name,
            bytes: page.into_bytes(),
        })
    }

    /// What came of a deed.
    pub(in crate::tui) fn tell(&mut self, told: Told) {
        match told {
            Told::Done(text) => self.note(text),
            Told::Known(known) => self.take_known(*known),
            Told::NotKept(why) => {
                // So that the person is asked before it is lost.
                self.list.kept = Kept::Nowhere;
                self.list.is_saved = false;
                self.note(texts::not_kept(&visible_str(&why)));
            }
            Told::ListSaved(Ok(text)) => {
                self.list.is_saved = true;
                self.list.has_ended = self.list.ends;
                self.note(text);
            }
            Told::ListSaved(Err(text)) => {
                self.list.ends = false;
                self.note(text);
            }
        }
    }

    fn note(&mut self, text: String) {
        self.log.push(text.clone());
        self.message = Some(text);
    }

    fn take_known(&mut self, known: Known) {
        if known.is_added
            && let Ok(Ok(question)) = known.found.as_ref().map(|it| it.question.clone())
        {
            self.list.add(question);
        }
        if let Doing::Whose(whose) = &mut self.mode
            && whose.shown().is_some_and(|it| it.text == known.item)
        {
            whose.found = Some(known.found);
        }
    }

    /// Whether the person has ended it, and what had to be done before is done.
    pub(in crate::tui) fn has_ended(&self) -> bool {
        self.list.has_ended
    }

    /// What was done, and what is lost with the end.
    pub(in crate::tui) fn into_log(self) -> Vec<String> {
        let mut log = self.log;
        if self.list.would_be_lost() {
            let items = self.list.items.iter().map(|it| it.question.to_string());
            let items: Vec<_> = items.collect();
            log.push(texts::kept_nowhere(&items.join(" ")));
        }
        log
    }
}

impl Whose {
    pub(in crate::tui) fn shown(&self) -> Option<&Candidate> {
        self.candidates.get(self.at)
    }

    /// What others are asked. `None`: they are not to be, or it is not known yet.
    pub(in crate::tui) fn question(&self) -> Option<Question> {
        let found = self.found.as_ref()?.as_ref().ok()?;
        found.question.clone().ok()
    }
}

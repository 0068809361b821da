//! Help, menu and question.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a keyboard has more keys than there are uses for them"
)]

use crossterm::event::{KeyCode, KeyEvent};

use super::filter::write;
use super::{Mode, Reaction, Screen};
use crate::messages::dialogs;
use crate::tui::keys::Action;
use crate::tui::menu::{Choice, Menu, Question};

impl Screen {
    pub(super) fn reading(
        &mut self,
        again: fn(usize) -> Mode,
        top: usize,
        key: KeyEvent,
    ) -> Reaction {
        let page = usize::from(self.painted.rows.max(2));
        let top = match key.code {
            KeyCode::Up | KeyCode::Char('k') => top.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => top + 1,
            KeyCode::PageUp => top.saturating_sub(page),
            KeyCode::PageDown | KeyCode::Char(' ') => top + page,
            _ => return Reaction::Nothing,
        };
        self.mode = again(top);
        Reaction::Nothing
    }

    pub(super) fn open_menu(&mut self) {
        let (connection, process) = self.behind();
        self.mode = Mode::Choosing(Menu::of(connection, process, self.options.actions));
    }

    pub(super) fn choosing(&mut self, mut menu: Menu, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => menu.move_by(-1),
            KeyCode::Down | KeyCode::Char('j') => menu.move_by(1),
            KeyCode::Enter => return self.choose(&menu),
            KeyCode::Esc | KeyCode::Char('q' | '.') => return Reaction::Nothing,
            _ => {}
        }
        self.mode = Mode::Choosing(menu);
        Reaction::Nothing
    }

    fn choose(&mut self, menu: &Menu) -> Reaction {
        let Some(entry) = menu.chosen() else {
            return Reaction::Nothing;
        };
        if let Some(why) = entry.why_not {
            self.say(dialogs::not_possible(why));
            return Reaction::Nothing;
        }
        match &entry.choice {
            Choice::Detail => self.act(Action::Detail),
            Choice::OnlyThis => self.act(Action::Pivot),
            Choice::Mark => self.act(Action::Mark),
            Choice::Copy => self.act(Action::CopyRow),
            Choice::Save => self.act(Action::Save),
            Choice::Ask(question) => {
                self.mode = Mode::Asked(question.clone());
                Reaction::Nothing
            }
        }
    }

    pub(super) fn asked(&mut self, mut question: Box<Question>, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Esc => {
                self.say(dialogs::NOTHING_DONE);
                return Reaction::Nothing;
            }
            KeyCode::Enter if question.answer.text() == question.word => {
                return Reaction::Deed(question.deed);
            }
            KeyCode::Enter => {
                self.say(dialogs::nothing_done_without(question.word));
                return Reaction::Nothing;
            }
            _ => write(&mut question.answer, key),
        }
        self.mode = Mode::Asked(question);
        Reaction::Nothing
    }
}

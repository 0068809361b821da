//! Help, menu and question.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a keyboard has more keys than there are uses for them"
)]

use crossterm::event::{KeyCode, KeyEvent};
use model::ProcessId;

use super::filter::write;
use super::{Doing, Reaction, Screen};
use crate::messages::dialogs;
use crate::tui::keys::Action;
use crate::tui::menu::{Choice, Ending, Menu, Question};
use crate::tui::{Deed, Preserved};
use crate::visible::visible_str;

impl Screen {
    pub(super) fn reading(
        &mut self,
        again: fn(usize) -> Doing,
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
        let ending = if self.replay().is_some() {
            Ending::Past
        } else if self.options.actions {
            Ending::Allowed
        } else {
            Ending::NotAllowed
        };
        let packets = self.wireshark_commands().map(|it| !it.is_empty());
        let packets = packets.filter(|_| self.offers(Action::Wireshark));
        self.mode = Doing::Choosing(Menu::of(connection, process, ending, packets));
    }

    pub(super) fn choosing(&mut self, mut menu: Menu, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => menu.move_by(-1),
            KeyCode::Down | KeyCode::Char('j') => menu.move_by(1),
            KeyCode::Enter => return self.choose(&menu),
            KeyCode::Esc | KeyCode::Char('q' | '.') => return Reaction::Nothing,
            _ => {}
        }
        self.mode = Doing::Choosing(menu);
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
            Choice::Rhythm => self.act(Action::Rhythm),
            Choice::Whose => self.act(Action::Whose),
            Choice::OnlyThis => self.act(Action::Pivot),
            Choice::Mark => self.act(Action::Mark),
            Choice::Copy => self.act(Action::CopyRow),
            Choice::Save => self.act(Action::Save),
            Choice::Wireshark => self.act(Action::Wireshark),
            Choice::Ask(question) => self.ask(question.clone()),
        }
    }

    /// While recording, what would be lost is copied before anybody can say yes.
    fn ask(&mut self, mut question: Box<Question>) -> Reaction {
        if self.recording().is_none() {
            self.mode = Doing::Asked(question);
            return Reaction::Nothing;
        }
        let process = match &question.deed {
            Deed::End { process, .. } => Some(*process),
            Deed::Close { connection, .. } => connection.owner.process(),
            Deed::Refresh(_)
            | Deed::Save { .. }
            | Deed::SaveList { .. }
            | Deed::LookUp { .. }
            | Deed::AskElsewhere(_)
            | Deed::AskNoMore(_)
            | Deed::Go(_)
            | Deed::Preserve { .. } => None,
        };
        let Some(process) = process else {
            question.before = Some(dialogs::NO_PROGRAM_TO_COPY.to_owned());
            self.mode = Doing::Asked(question);
            return Reaction::Nothing;
        };
        self.mode = Doing::Preserving(process, question);
        Reaction::Deed(Deed::Preserve { process })
    }

    /// Only to turn back works meanwhile.
    pub(super) fn preserving(
        &mut self,
        process: ProcessId,
        question: Box<Question>,
        key: KeyEvent,
    ) -> Reaction {
        if key.code == KeyCode::Esc {
            self.say(dialogs::NOTHING_DONE);
        } else {
            self.mode = Doing::Preserving(process, question);
        }
        Reaction::Nothing
    }

    /// What came of a copy. Nobody is asked who has turned back meanwhile.
    pub(in crate::tui) fn preserved(&mut self, answer: Preserved) {
        match std::mem::take(&mut self.mode) {
            Doing::Preserving(process, mut question) if process == answer.process => {
                question.before = Some(match answer.result {
                    Ok(()) => dialogs::COPIED.to_owned(),
                    Err(why) => dialogs::not_copied(&visible_str(&why)),
                });
                self.mode = Doing::Asked(question);
            }
            other => self.mode = other,
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
        self.mode = Doing::Asked(question);
        Reaction::Nothing
    }
}

//! What can be done with a row, and the question before what cannot be undone.

use model::{Connection, Process, Protocol};

use super::Deed;
use super::edit::Line;
use crate::actions;
use crate::messages::dialogs;
use crate::visible::visible;

/// An entry of the menu.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) label: String,
    pub(super) choice: Choice,
    /// Why it does not work. `None`: it does.
    pub(super) why_not: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(super) enum Choice {
    Detail,
    Rhythm,
    Whose,
    OnlyThis,
    Mark,
    Copy,
    Save,
    Wireshark,
    Ask(Box<Question>),
}

/// Whether something can be closed and ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Allowed,
    NotAllowed,
    /// It was there once; this is a case.
    Past,
}

#[derive(Clone, Debug)]
pub(super) struct Menu {
    pub(super) entries: Vec<Entry>,
    pub(super) cursor: usize,
}

/// What is asked before a connection is closed or a process ended.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// What has been done already.
    pub(super) before: Option<String>,
    pub(super) text: String,
    /// To be typed to go on.
    pub(super) word: &'static str,
    pub(super) answer: Line,
    pub(super) deed: Deed,
}

impl Menu {
    /// For a row with this connection or process behind it. `packets`: whether some of the
    /// connection were recorded; `None` where nobody can know.
    pub(super) fn of(
        connection: Option<&Connection>,
        process: Option<&Process>,
        ending: Ending,
        packets: Option<bool>,
    ) -> Self {
        let plain = |label: &str, choice| Entry {
            label: label.to_owned(),
            choice,
            why_not: None,
        };
        let mut entries = vec![
            plain(dialogs::DETAIL, Choice::Detail),
            plain(dialogs::RHYTHM, Choice::Rhythm),
            plain(dialogs::WHOSE, Choice::Whose),
            plain(dialogs::ONLY_THIS, Choice::OnlyThis),
            plain(dialogs::MARK, Choice::Mark),
            plain(dialogs::COPY, Choice::Copy),
            plain(dialogs::SAVE, Choice::Save),
        ];
        if let Some(recorded) = packets {
            entries.push(Entry {
                why_not: (!recorded).then_some(dialogs::NO_PACKETS),
                ..plain(dialogs::WIRESHARK, Choice::Wireshark)
            });
        }
        if ending == Ending::Past {
            return Self { entries, cursor: 0 };
        }
        let not_allowed = (ending == Ending::NotAllowed).then_some(dialogs::NOT_ALLOWED);
        if let Some(connection) = connection.filter(|it| it.remote.is_some()) {
            let is_tcp = connection.protocol == Protocol::Tcp;
            let why_not = if !is_tcp {
                Some(dialogs::ONLY_TCP)
            } else if connection.closed.is_some() {
                Some(dialogs::HAS_ENDED)
            } else {
                not_allowed
            };
            entries.push(Entry {
                label: dialogs::CLOSE.to_owned(),
                choice: Choice::Ask(Box::new(Question {
                    before: None,
                    text: actions::close_question(connection, process),
                    word: actions::CLOSE_WORD,
                    answer: Line::default(),
                    deed: Deed::Close {
                        connection: Box::new(connection.clone()),
                        what: actions::of_connection(connection, process),
                    },
                })),
                why_not,
            });
        }
        if let Some(process) = process {
            let why_not = if process.ended.is_some() {
                Some(dialogs::HAS_ENDED)
            } else if process.kernel_thread {
                Some(dialogs::IS_THE_KERNEL)
            } else {
                not_allowed
            };
            for hard in [false, true] {
                entries.push(Entry {
                    label: dialogs::end(&visible(&process.name), process.id.pid, hard),
                    choice: Choice::Ask(Box::new(Question {
                        before: None,
                        text: actions::end_question(process),
                        word: actions::END_WORD,
                        answer: Line::default(),
                        deed: Deed::End {
                            process: process.id,
                            what: actions::of_process(process),
                            hard,
                        },
                    })),
                    why_not,
                });
            }
        }
        Self { entries, cursor: 0 }
    }

    pub(super) fn move_by(&mut self, steps: isize) {
        let last = self.entries.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(steps).min(last);
    }

    pub(super) fn chosen(&self) -> Option<&Entry> {
        self.entries.get(self.cursor)
    }
}

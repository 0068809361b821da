//! The filter while it is being written.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a keyboard has more keys than there are uses for them"
)]

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Doing, Reaction, Screen};
use crate::filter::Filter;
use crate::tui::edit::Line;
use crate::tui::words::filter_words;

impl Screen {
    /// Takes a filter where it can be read; else what is wrong is shown beside it.
    pub(super) fn filter_with(&mut self, text: &str) {
        match Filter::parse_for_screen(text) {
            Ok(filter) => {
                self.filter = filter;
                self.filter_text = text.to_owned();
                self.filter_error = None;
                self.stale = true;
            }
            Err(error) => self.filter_error = Some(error),
        }
    }

    pub(super) fn filtering(&mut self, mut line: Line, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Enter if self.filter_error.is_none() => return Reaction::Nothing,
            KeyCode::Esc => {
                self.filter_with("");
                return Reaction::Nothing;
            }
            KeyCode::Tab => self.complete(&mut line),
            _ => write(&mut line, key),
        }
        self.filter_with(line.text());
        self.mode = Doing::Filtering(line);
        Reaction::Nothing
    }

    pub(super) fn complete(&mut self, line: &mut Line) {
        let snapshot = self.snapshot.as_deref();
        let (typed, all) = filter_words(line.before(), snapshot);
        match all.as_slice() {
            [] => {}
            [only] => line.complete(typed, only),
            [first, rest @ ..] => {
                let common = rest.iter().fold(first.as_str(), |common, it| {
                    let same = common.char_indices().zip(it.chars());
                    let end = same
                        .take_while(|((_, one), other)| one == other)
                        .map(|((place, one), _)| place + one.len_utf8())
                        .last();
                    common.get(..end.unwrap_or(0)).unwrap_or_default()
                });
                if common.len() > typed {
                    line.complete(typed, common);
                }
                let shown = all.iter().take(12).map(String::as_str);
                self.message = Some(shown.collect::<Vec<_>>().join("  "));
            }
        }
    }
}

/// The keys with which a line is written.
pub(super) fn write(line: &mut Line, key: KeyEvent) {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        match key.code {
            KeyCode::Char('u') => line.clear(),
            KeyCode::Char('w') => line.delete_word(),
            KeyCode::Char('a') => line.home(),
            KeyCode::Char('e') => line.end(),
            _ => {}
        }
        return;
    }
    match key.code {
        KeyCode::Char(character) => line.insert(character),
        KeyCode::Backspace => line.backspace(),
        KeyCode::Delete => line.delete(),
        KeyCode::Left => line.left(),
        KeyCode::Right => line.right(),
        KeyCode::Home => line.home(),
        KeyCode::End => line.end(),
        _ => {}
    }
}

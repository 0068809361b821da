//! A line of text that a person writes.

use std::fmt::Write as _;

use crate::visible::visible_str;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    text: String,
    /// In bytes; always between two characters.
    cursor: usize,
}

/// Nobody writes a longer one by hand.
const LONGEST: usize = 4096;

impl Line {
    pub(super) fn of(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            cursor: text.len(),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    #[cfg(test)]
    fn cursor(&self) -> usize {
        self.cursor
    }

    pub(super) fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    pub(super) fn insert(&mut self, character: char) {
        if self.text.len() < LONGEST && !character.is_control() {
            self.text.insert(self.cursor, character);
            self.cursor += character.len_utf8();
        }
    }

    pub(super) fn left(&mut self) {
        self.cursor -= self.before().chars().next_back().map_or(0, char::len_utf8);
    }

    pub(super) fn right(&mut self) {
        let after = self.text.get(self.cursor..).unwrap_or_default();
        self.cursor += after.chars().next().map_or(0, char::len_utf8);
    }

    pub(super) fn home(&mut self) {
        self.cursor = 0;
    }

    pub(super) fn end(&mut self) {
        self.cursor = self.text.len();
    }

    /// Takes out what is before the cursor.
    pub(super) fn backspace(&mut self) {
        let end = self.cursor;
        self.left();
        self.text.replace_range(self.cursor..end, "");
    }

    /// Takes out what is under the cursor.
    pub(super) fn delete(&mut self) {
        let start = self.cursor;
        self.right();
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
    }

    pub(super) fn delete_word(&mut self) {
        let kept = self.before().trim_end();
        let kept = kept.rfind(' ').map_or(0, |space| space + 1);
        self.text.replace_range(kept..self.cursor, "");
        self.cursor = kept;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Replaces the last `length` bytes before the cursor.
    pub(super) fn complete(&mut self, length: usize, with: &str) {
        let start = self.cursor.saturating_sub(length);
        if self.text.is_char_boundary(start) && self.text.len() + with.len() <= LONGEST {
            self.text.replace_range(start..self.cursor, with);
            self.cursor = start + with.len();
        }
    }

    /// As it is shown: what came in by pasting does nothing on the screen.
    pub(super) fn shown(&self) -> (String, usize) {
        let shown = |text: &str| {
            let mut line = String::new();
            for character in text.chars() {
                if character == ' ' {
                    line.push(' ');
                } else {
                    let _ = write!(line, "{}", visible_str(character.encode_utf8(&mut [0; 4])));
                }
            }
            line
        };
        let before = crate::visible::display_width(&shown(self.before()));
        (shown(&self.text), before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_written_and_mended() {
        let mut line = Line::of("proc:çurl");
        line.left();
        line.backspace();
        line.insert('x');
        assert_eq!(line.text(), "proc:çuxl");
        line.delete();
        line.delete_word();
        assert_eq!((line.text(), line.cursor()), ("", 0));
    }

    #[test]
    fn the_last_word_can_be_completed() {
        let mut line = Line::of("-st tcp");
        line.home();
        line.right();
        line.right();
        line.right();
        line.complete(2, "state:");
        assert_eq!((line.text(), line.before()), ("-state: tcp", "-state:"));
    }

    proptest! {
        #[test]
        fn never_panics(text: String, steps in prop::collection::vec(0_u8..8, 0..50)) {
            let mut line = Line::of(&text);
            for step in steps {
                match step {
                    0 => line.left(),
                    1 => line.right(),
                    2 => line.backspace(),
                    3 => line.delete(),
                    4 => line.home(),
                    5 => line.delete_word(),
                    6 => line.insert('ü'),
                    _ => line.complete(1, "x"),
                }
                prop_assert!(line.text().is_char_boundary(line.cursor()));
            }
        }
    }
}

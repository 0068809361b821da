//! Why a filter could not be read, and where.

use std::fmt::{self, Write as _};
use std::ops::Range;

use model::acts_or_hides;

use crate::visible::display_width;

/// Characters of the filter shown before, in and after the place of an error.
const SHOWN_BEFORE: usize = 40;
const SHOWN_PLACE: usize = 60;
const SHOWN_AFTER: usize = 30;

/// Why a filter could not be read.
///
/// Prints several lines, none ending the last: the message, the filter, `^^^` under the place,
/// and `help:` where there is any. Control and bidi characters of the filter print as their
/// code points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    pub message: String,
    /// What the person can do. `None`: the message says it all.
    pub help: Option<String>,
    /// The place in the text, in bytes; empty at the end of the text.
    pub start: usize,
    pub end: usize,
    /// The filter is well written, but this build cannot know a fact that it asks for.
    pub not_known_here: bool,
    /// The filter, cut at the longest length that is read.
    text: String,
}

impl FilterError {
    pub(super) fn new(text: &str, place: Range<usize>, fault: Fault) -> Self {
        Self {
            message: fault.message,
            help: fault.help,
            start: place.start,
            end: place.end,
            not_known_here: false,
            text: text.to_owned(),
        }
    }
}

impl std::error::Error for FilterError {}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = last(self.text.get(..self.start).unwrap_or(&self.text));
        let place = first(
            self.text.get(self.start..self.end).unwrap_or(""),
            SHOWN_PLACE,
        );
        let after = first(self.text.get(self.end..).unwrap_or(""), SHOWN_AFTER);
        writeln!(f, "{}", self.message)?;
        writeln!(f, "  {}", format!("{before}{place}{after}").trim_end())?;
        let (skipped, marked) = (display_width(&before), display_width(&place).max(1));
        write!(f, "  {:skipped$}{:^<marked$}", "", "")?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

/// What is wrong, before it is known where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    message: String,
    help: Option<String>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    #[must_use]
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}

/// A piece of the filter between single quotes, fit for a message.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", shown(text))
}

/// A piece of the filter without quotes, fit for a help line.
pub(super) fn shown(text: &str) -> String {
    first(text, SHOWN_PLACE)
}

fn first(text: &str, most: usize) -> String {
    let mut shown = visible(text.chars().take(most));
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

fn last(text: &str) -> String {
    let Some((start, _)) = text.char_indices().nth_back(SHOWN_BEFORE - 1) else {
        return visible(text.chars());
    };
    let cut = if start > 0 { "…" } else { "" };
    format!("{cut}{}", visible(text.get(start..).unwrap_or("").chars()))
}

/// Each character by itself, unlike `visible_str`: the pieces of a line must add up to the line,
/// and a space at the end of one is no padding.
fn visible(characters: impl Iterator<Item = char>) -> String {
    let mut shown = String::new();
    for character in characters {
        if acts_or_hides(character) {
            let _ = write!(shown, "‹U+{:04X}›", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, place: Range<usize>, expected: &str) {
        let fault = Fault::new("wrong").help("mend it");
        let error = FilterError::new(text, place, fault);
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn marks_the_place() {
        check(
            "proc:curl prt:80",
            10..13,
            "wrong\n  proc:curl prt:80\n            ^^^\nhelp: mend it",
        );
        check("a or", 4..4, "wrong\n  a or\n      ^\nhelp: mend it");
    }

    #[test]
    fn counts_columns_and_not_bytes() {
        check(
            "日本 é x",
            10..11,
            "wrong\n  日本 é x\n         ^\nhelp: mend it",
        );
        check("日本 x", 0..6, "wrong\n  日本 x\n  ^^^^\nhelp: mend it");
    }

    #[test]
    fn control_and_bidi_characters_become_visible() {
        check(
            "\u{1b}[2J\u{202e}\n:x",
            1..4,
            "wrong\n  ‹U+001B›[2J‹U+202E›‹U+000A›:x\n          ^^^\nhelp: mend it",
        );
    }

    #[test]
    fn shows_the_neighbourhood_of_a_place_in_a_long_text() {
        let text = format!("{} wrong {}", "a".repeat(9_000), "b".repeat(9_000));
        let expected = format!(
            "wrong\n  …{} wrong {}…\n  {}^^^^^\nhelp: mend it",
            "a".repeat(39),
            "b".repeat(29),
            " ".repeat(41),
        );
        check(&text, 9_001..9_006, &expected);
    }

    #[test]
    fn a_place_outside_the_text_is_its_end() {
        check("abc", 7..9, "wrong\n  abc\n     ^\nhelp: mend it");
    }
}

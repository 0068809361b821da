//! The width of visible text on a screen, and its cutting to a width.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

use super::{MARK_CLOSES, MARK_OPENS};

/// Stands for what was cut away; one column wide.
const ELLIPSIS: char = '…';

/// Columns that visible text takes on a screen.
///
/// The sum over its characters, as terminals count that do not join them: at least as wide as it
/// is on those that do.
pub fn display_width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().map(character_width).sum()
    }
}

/// Visible text in at most `width` columns, its end cut away: `NetworkMana…`.
pub fn shorten_end(text: &str, width: usize) -> Cow<'_, str> {
    shorten(text, width, Cut::End)
}

/// Visible text in at most `width` columns, its beginning cut away: `…/bin/curl`.
pub fn shorten_start(text: &str, width: usize) -> Cow<'_, str> {
    shorten(text, width, Cut::Start)
}

/// Visible text in at most `width` columns, its middle cut away: `/tmp/.x…/bin/curl`. What the
/// two ends say cannot be pushed out of sight.
pub fn shorten_middle(text: &str, width: usize) -> Cow<'_, str> {
    shorten(text, width, Cut::Middle)
}

/// Which part of a text gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Start,
    Middle,
    End,
}

pub(crate) fn shorten(text: &str, width: usize, cut: Cut) -> Cow<'_, str> {
    if display_width(text) <= width {
        return Cow::Borrowed(text);
    }
    // The ellipsis takes one column.
    let Some(room) = width.checked_sub(1) else {
        return Cow::Borrowed("");
    };
    let units: Vec<&str> = units(text).collect();
    let head_room = match cut {
        Cut::Start => 0,
        Cut::Middle => room / 2,
        Cut::End => room,
    };
    let (head_bytes, head_width) = fitting(units.iter(), head_room);
    let tail_room = if cut == Cut::End {
        0
    } else {
        room - head_width
    };
    let (tail_bytes, _) = fitting(units.iter().rev(), tail_room);
    let head = text.get(..head_bytes).unwrap_or_default();
    let tail = text.get(text.len() - tail_bytes..).unwrap_or_default();
    Cow::Owned(format!("{head}{ELLIPSIS}{tail}"))
}

/// Bytes and columns of the first units that fit into `room` columns.
fn fitting<'t>(units: impl Iterator<Item = &'t &'t str>, room: usize) -> (usize, usize) {
    let (mut bytes, mut width) = (0, 0);
    for unit in units {
        let unit_width = display_width(unit);
        if width + unit_width > room {
            break;
        }
        bytes += unit.len();
        width += unit_width;
    }
    (bytes, width)
}

/// The parts that stay whole: a mark, or a character with all that joins it.
fn units(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (unit, after) = rest.split_at_checked(unit_length(rest)?)?;
        rest = after;
        Some(unit)
    })
}

/// Bytes of the first unit; `None` when there is none.
pub(super) fn unit_length(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if first == MARK_OPENS
        && let Some(end) = text.find(MARK_CLOSES)
    {
        return Some(end + MARK_CLOSES.len_utf8());
    }
    let rest = text.get(first.len_utf8()..)?;
    let joined = rest
        .find(|character| character_width(character) > 0)
        .unwrap_or(rest.len());
    Some(first.len_utf8() + joined)
}

/// Columns of one character; 0 for what joins the one before it.
pub(super) fn character_width(character: char) -> usize {
    character.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visible::tests::hostile;
    use crate::visible::visible;
    use model::Text;
    use proptest::prelude::*;

    fn check_shortened(text: &str, width: usize, end: &str, start: &str, middle: &str) {
        assert_eq!(shorten_end(text, width), end);
        assert_eq!(shorten_start(text, width), start);
        assert_eq!(shorten_middle(text, width), middle);
    }

    #[test]
    fn shortens_by_columns() {
        check_shortened("curl", 4, "curl", "curl", "curl");
        check_shortened("/usr/bin/curl", 8, "/usr/bi…", "…in/curl", "/us…curl");
        check_shortened("浏览器", 4, "浏…", "…器", "…器");
        check_shortened("curl", 1, "…", "…", "…");
        check_shortened("curl", 0, "", "", "");
    }

    #[test]
    fn marks_and_letters_stay_whole() {
        check_shortened("ab‹U+202E›cd", 9, "ab…", "…cd", "ab…cd");
        check_shortened("‹U+202E›cd", 9, "‹U+202E›…", "…cd", "…cd");
        check_shortened(
            "e\u{301}e\u{301}e\u{301}",
            2,
            "e\u{301}…",
            "…e\u{301}",
            "…e\u{301}",
        );
    }

    proptest! {
        #[test]
        fn shortened_is_never_wider_than_asked(bytes in hostile(), width in 0_usize..60) {
            let text = Text::from(bytes);
            let shown = visible(&text);
            for cut in [Cut::Start, Cut::Middle, Cut::End] {
                let shortened = shorten(&shown, width, cut);
                prop_assert!(display_width(&shortened) <= width, "{shortened:?}");
                prop_assert!(unicode_width::UnicodeWidthStr::width(&*shortened) <= width);
                prop_assert_eq!(shortened == shown, display_width(&shown) <= width);
            }
        }
    }
}

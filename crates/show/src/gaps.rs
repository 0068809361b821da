//! What could not be seen, in lines for people. It stands beside every result.

mod brief;

use std::io::{self, Write};

use model::Gap;

pub use self::brief::brief;
use crate::visible::{display_width, shorten_end, visible_str};

/// Columns that a text takes at most: that of a case may be anybody's.
const LONGEST: usize = 2000;

/// Writes `not seen:` lines, folded to `width` columns where there is one; nothing when there is
/// no gap.
pub fn lines(gaps: &[Gap], width: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    for gap in gaps {
        folded("not seen: ", &counted(gap), width, out)?;
        folded("     why: ", &visible_str(&gap.why), width, out)?;
    }
    Ok(())
}

/// What is missed, and how many of it.
fn counted(gap: &Gap) -> String {
    let count = gap.count.map(|count| format!(" ({count})"));
    format!("{}{}", visible_str(&gap.missed), count.unwrap_or_default())
}

/// Writes a text after a heading; further lines stand below the beginning of the text.
pub(crate) fn folded(
    heading: &str,
    text: &str,
    width: Option<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    let text = shorten_end(text, LONGEST);
    let indent = display_width(heading);
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(indent).max(20));
    let mut line = String::new();
    let mut start = heading.to_owned();
    for word in text.split(' ') {
        if !line.is_empty() && display_width(&line) + 1 + display_width(word) > room {
            writeln!(out, "{start}{line}")?;
            start = " ".repeat(indent);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{start}{line}")
}

#[cfg(test)]
mod tests {
    use model::Source;

    use super::*;

    #[test]
    fn a_text_without_end_has_one() {
        let gap = Gap::standing("odd", Source::Proc, "why ".repeat(1 << 20), "much");
        let mut out = Vec::new();
        lines(&[gap], Some(80), &mut out).unwrap();
        assert!(out.len() < 4000, "{}", out.len());
    }

    fn check(width: Option<usize>, expected: &str) {
        let gap = Gap::standing(
            "id",
            Source::Proc,
            "no right to look; root has it",
            "owners",
        );
        let mut out = Vec::new();
        lines(&[gap.counted(3)], width, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn long_lines_are_folded_on_a_terminal_only() {
        check(
            None,
            "not seen: owners (3)\n     why: no right to look; root has it\n",
        );
        check(
            Some(30),
            "not seen: owners (3)\n     why: no right to look;\n          root has it\n",
        );
    }
}

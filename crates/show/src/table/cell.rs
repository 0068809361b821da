//! The text of a table's cell, and how it gives way; words in lines.

use crate::visible::{Cut, display_width, shorten};

/// A narrower screen is treated as if it had this many columns.
pub(crate) const NARROWEST: usize = 20;

/// The text of one cell, visible already. It is filled again for every row, so that rows cost no
/// memory.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// Cut where room is short.
    pub(crate) head: String,
    /// Kept after the cut: `:443`, ` (deleted)`.
    pub(crate) tail: String,
    /// Left away first: `/https`.
    pub(crate) extra: String,
    pub(crate) cut: Option<Cut>,
}

impl Cell {
    pub(crate) fn clear(&mut self) {
        self.head.clear();
        self.tail.clear();
        self.extra.clear();
        self.cut = None;
    }

    /// Columns without `extra`.
    pub(crate) fn core_width(&self) -> usize {
        display_width(&self.head) + display_width(&self.tail)
    }

    /// Appends the cell in at most `width` columns; says how many it took.
    pub(crate) fn append_to(&self, line: &mut String, width: usize) -> usize {
        let (head_width, tail_width) = (display_width(&self.head), display_width(&self.tail));
        let core_width = head_width + tail_width;
        if core_width <= width {
            line.push_str(&self.head);
            line.push_str(&self.tail);
            let extra_width = display_width(&self.extra);
            if core_width + extra_width > width {
                return core_width;
            }
            line.push_str(&self.extra);
            return core_width + extra_width;
        }
        let cut = self.cut.unwrap_or(Cut::End);
        let before = line.len();
        // Of the head at least a letter and the ellipsis should be left.
        match width.checked_sub(tail_width).filter(|room| *room >= 2) {
            Some(room) => {
                line.push_str(&shorten(&self.head, room, cut));
                line.push_str(&self.tail);
            }
            None => {
                let whole = format!("{}{}", self.head, self.tail);
                line.push_str(&shorten(&whole, width, cut));
            }
        }
        display_width(line.get(before..).unwrap_or_default())
    }
}

/// Text in lines of whole words; those after the first stand in.
pub(crate) fn wrapped(text: &str, width: Option<usize>) -> Vec<String> {
    let width = width.map_or(usize::MAX, |width| width.max(NARROWEST));
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if display_width(line) + 1 + display_width(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("  {word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_of_a_cell_outlives_its_head() {
        let cell = Cell {
            head: "NetworkManager".into(),
            tail: " (deleted)".into(),
            ..Cell::default()
        };
        let cut_to = |width| {
            let mut line = String::new();
            let taken = cell.append_to(&mut line, width);
            (line, taken)
        };
        assert_eq!(cut_to(14), ("Net… (deleted)".to_owned(), 14));
        assert_eq!(cut_to(11), ("NetworkMan…".to_owned(), 11));
    }

    #[test]
    fn words_stay_whole() {
        assert_eq!(
            wrapped("no room for SENT, RECEIVED, USER", Some(20)),
            ["no room for SENT,", "  RECEIVED, USER"]
        );
        assert_eq!(wrapped("no room", None), ["no room"]);
    }
}

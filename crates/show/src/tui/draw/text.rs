//! Text on the buffer, cut to its room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::theme::{Theme, Tone};
use crate::visible::{display_width, shorten_end};

pub(super) struct Brush<'a> {
    theme: Theme,
    buffer: &'a mut Buffer,
}

impl<'a> Brush<'a> {
    pub(super) fn new(theme: Theme, buffer: &'a mut Buffer) -> Self {
        Self { theme, buffer }
    }

    /// A line of `area`, counted from its top.
    pub(super) fn line(&mut self, area: Rect, line: u16, text: &str, tone: Tone) {
        self.at(area, area.x, line, text, tone);
    }

    /// From column `x` to the end of `area` at most. Gives the column after it.
    pub(super) fn at(&mut self, area: Rect, x: u16, line: u16, text: &str, tone: Tone) -> u16 {
        let end = area.x.saturating_add(area.width);
        let room = usize::from(end.saturating_sub(x));
        let below = area.y.saturating_add(line) >= self.buffer.area.bottom();
        if line >= area.height || below || room == 0 || x >= self.buffer.area.right() {
            return x;
        }
        let text = clipped(text, room);
        let (after, _) =
            self.buffer
                .set_stringn(x, area.y + line, text, room, self.theme.style(tone));
        after
    }

    /// Gives a whole line its tone, and makes it blank.
    pub(super) fn fill(&mut self, area: Rect, line: u16, tone: Tone) {
        let blank = " ".repeat(usize::from(area.width));
        self.line(area, line, &blank, tone);
    }

    /// Makes room.
    pub(super) fn clear(&mut self, area: Rect) {
        for line in 0..area.height {
            for x in area.x..area.x.saturating_add(area.width) {
                if let Some(cell) = self.buffer.cell_mut((x, area.y + line)) {
                    cell.reset();
                }
            }
        }
    }
}

/// At most so many columns.
pub(super) fn clipped(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        text.to_owned()
    } else {
        shorten_end(text, width).into_owned()
    }
}

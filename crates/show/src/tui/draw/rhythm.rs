//! The rhythm panel.

use ratatui::layout::Rect;

use super::text::{Brush, clipped};
use crate::messages::rhythm as texts;
use crate::tui::rhythm::Page;
use crate::tui::screen::{Reading, Screen};
use crate::tui::theme::Tone;
use crate::visible::display_width;

/// Gives the line at which it begins.
pub(super) fn paint(
    screen: &Screen,
    reading: &Reading,
    brush: &mut Brush<'_>,
    area: Rect,
) -> usize {
    let room = Rect::new(area.x, area.y, area.width, area.height.saturating_sub(1));
    brush.clear(room);
    let Some(page) = screen.rhythm(reading, usize::from(room.width)) else {
        brush.line(room, 0, texts::NO_CALLS_IN_ROW, Tone::Dim);
        return 0;
    };
    let height = usize::from(room.height.saturating_sub(1));
    let top = reading.top.min(page.lines.len().saturating_sub(height));
    let below = page.lines.len().saturating_sub(top + height);
    title(&page, below, brush, room);
    for (number, line) in (1..).zip(page.lines.iter().skip(top).take(height)) {
        let mut x = room.x;
        for (text, tone) in &line.0 {
            x = brush.at(room, x, number, text, *tone);
        }
    }
    top
}

/// Whom it is about; at the right end which of several, and how much is below.
fn title(page: &Page, below: usize, brush: &mut Brush<'_>, room: Rect) {
    let more = (below > 0).then(|| texts::more_lines(below));
    let which = (!page.which.is_empty()).then(|| page.which.clone());
    let right: Vec<String> = which.into_iter().chain(more).collect();
    let right = right.join("  ");
    let width = u16::try_from(display_width(&right)).unwrap_or(u16::MAX);
    let left = room.width.saturating_sub(width.saturating_add(2));
    let title = clipped(&page.title, usize::from(left));
    brush.line(room, 0, &title, Tone::Title);
    let x = room.x + room.width.saturating_sub(width);
    brush.at(room, x, 0, &right, Tone::Dim);
}

//! The panel of whose something is, and the list of what to ask from another computer.

use model::Snapshot;
use ratatui::layout::Rect;

use super::text::{Brush, clipped};
use crate::lookup;
use crate::messages::{dialogs, whose as texts};
use crate::tui::detail::pieces;
use crate::tui::screen::{Screen, Whose};
use crate::tui::theme::Tone;
use crate::tui::whose::short;
use crate::visible::{harmless, visible_str};

/// Where the facts of `lookup` begin.
const FACT: usize = 18;

/// Gives the line at which it begins.
pub(super) fn panel(screen: &Screen, whose: &Whose, brush: &mut Brush<'_>, area: Rect) -> usize {
    let room = Rect::new(area.x, area.y, area.width, area.height.saturating_sub(1));
    brush.clear(room);
    let Some(candidate) = whose.shown() else {
        return 0;
    };
    let which = texts::which(whose.at + 1, whose.candidates.len(), candidate.kind);
    let item = visible_str(&candidate.text);
    let title = format!("{}  {item}  {which}", texts::TITLE);
    let lines = lines(screen, whose, usize::from(room.width));
    let height = usize::from(room.height.saturating_sub(2));
    let top = whose.top.min(lines.len().saturating_sub(height));
    let below = lines.len().saturating_sub(top + height);
    let title = match below {
        0 => title,
        below => dialogs::lines_below(&title, below),
    };
    brush.line(
        room,
        0,
        &clipped(&title, usize::from(room.width)),
        Tone::Title,
    );
    for (number, (line, tone)) in (2..).zip(lines.iter().skip(top).take(height)) {
        brush.line(room, number, line, *tone);
    }
    top
}

fn lines(screen: &Screen, whose: &Whose, width: usize) -> Vec<(String, Tone)> {
    let mut lines = Vec::new();
    let mut add = |text: &str, tone| {
        lines.extend(folded(text, width).into_iter().map(|it| (it, tone)));
    };
    let found = match &whose.found {
        None => {
            add(texts::LOOKING_UP, Tone::Dim);
            return lines;
        }
        Some(Err(why)) => {
            for line in harmless(why).lines() {
                add(line, Tone::Plain);
            }
            return lines;
        }
        Some(Ok(found)) => found,
    };
    // What becomes of it is seen without scrolling.
    let (count, kept) = (screen.list.items.len(), screen.list.whereabouts());
    match &found.question {
        Err(why) => add(&texts::not_to_be_asked(&visible_str(why)), Tone::Strong),
        Ok(question) if screen.list.has(question) => add(&texts::added(count, &kept), Tone::Strong),
        Ok(_) => add(&texts::not_on_list(count, &kept), Tone::Strong),
    }
    if whose.shown().is_some_and(|it| it.is_unpackaged) {
        add(texts::ASKING_TELLS_ITS_MAKER, Tone::Strong);
    }
    add(texts::NOTHING_SENT, Tone::Plain);
    add("", Tone::Plain);
    for line in lookup::lines(&found.looked_up).lines() {
        add(line, Tone::Plain);
    }
    lines
}

/// A line of `lookup` with what goes on below where its text begins.
fn folded(line: &str, width: usize) -> Vec<String> {
    let is_fact = line.starts_with("  ") && line.get(FACT - 1..FACT) == Some(" ");
    let head = if is_fact { FACT } else { 0 };
    let (head, text) = line.split_at_checked(head).unwrap_or(("", line));
    let room = width.saturating_sub(head.len()).max(20);
    let blank = " ".repeat(head.len());
    let pieces = pieces(text, room).into_iter().enumerate();
    pieces
        .map(|(number, piece)| {
            let before = if number == 0 { head } else { &blank };
            format!("{before}{piece}")
        })
        .collect()
}

/// The items, one a line, the one under the cursor marked.
pub(super) fn list(
    screen: &Screen,
    snapshot: &Snapshot,
    at: usize,
    brush: &mut Brush<'_>,
    area: Rect,
) {
    let room = Rect::new(area.x, area.y, area.width, area.height.saturating_sub(1));
    brush.clear(room);
    let list = &screen.list;
    let count = texts::in_list(list.items.len(), &list.whereabouts());
    brush.line(
        room,
        0,
        &format!("{}  {count}", texts::LIST_TITLE),
        Tone::Title,
    );
    let width = usize::from(room.width);
    let foot = match list.items.is_empty() {
        true => texts::LIST_IS_EMPTY,
        false => texts::LIST_HOW,
    };
    let foot = pieces(foot, width);
    let height = usize::from(room.height).saturating_sub(3 + foot.len());
    let top = (at + 1).saturating_sub(height);
    let mut line = 2;
    for (place, item) in list.items.iter().enumerate().skip(top).take(height) {
        let tone = if place == at {
            Tone::Cursor
        } else {
            Tone::Plain
        };
        brush.line(room, line, &clipped(&short(item, snapshot), width), tone);
        line += 1;
    }
    for (number, piece) in (line + 1..).zip(&foot) {
        brush.line(room, number, piece, Tone::Dim);
    }
}

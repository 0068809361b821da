//! What stands over or beside the rows for a while.

use model::Snapshot;
use ratatui::layout::Rect;

use super::text::Brush;
use super::{gap_lines, rhythm, whose};
use crate::messages::{
    detail as texts, dialogs as words, keys as help_texts, whose as whose_texts,
};
use crate::tui::detail::pieces;
use crate::tui::edit::Line;
use crate::tui::keys::BINDINGS;
use crate::tui::menu::{Menu, Question};
use crate::tui::screen::{Doing, Screen};
use crate::tui::theme::Tone;
use crate::visible::display_width;

/// Gives the line at which a page that is read begins.
pub(super) fn paint(
    screen: &Screen,
    snapshot: &Snapshot,
    brush: &mut Brush<'_>,
    area: Rect,
) -> usize {
    match &screen.mode {
        Doing::Looking => {}
        Doing::Filtering(line) => filter(screen, line, brush, area),
        Doing::Saving(line) => saving(screen, line, brush, area),
        Doing::Choosing(menu) => choices(menu, brush, area),
        Doing::Asked(question) => asked(question, brush, area),
        Doing::Preserving(..) => {
            let width = display_width(words::COPYING) + 2;
            let room = boxed(brush, area, u16::try_from(width).unwrap_or(u16::MAX), 3);
            brush.line(room, 0, words::COPYING, Tone::Strong);
        }
        Doing::Commands(top) => {
            let lines = commands(screen, usize::from(area.width));
            return page(brush, area, words::WIRESHARK_TITLE, &lines, *top);
        }
        Doing::Whose(shown) => return whose::panel(screen, shown, brush, area),
        Doing::List(at) => whose::list(screen, snapshot, *at, brush, area),
        Doing::SavingList(line) => saving_list(screen, whose_texts::SAVES_LIST, line, brush, area),
        Doing::Leaving(line) => {
            let text = whose_texts::before_the_end(screen.list.items.len());
            saving_list(screen, &text, line, brush, area);
        }
        Doing::Rhythm(reading) => return rhythm::paint(screen, reading, brush, area),
        Doing::Help(top) => {
            return page(
                brush,
                area,
                help_texts::TITLE,
                &help(screen, area.width),
                *top,
            );
        }
        Doing::NotSeen(top) => {
            let width = usize::from(area.width.saturating_sub(4));
            let text = super::rows::not_seen(&screen.context(snapshot));
            let mut lines = pieces(&text, width);
            lines.push(String::new());
            lines.extend(gap_lines(snapshot, width));
            return page(brush, area, words::NOT_SEEN_TITLE, &lines, *top);
        }
    }
    0
}

/// What is known of the row under the cursor. Gives the line at which it begins.
pub(super) fn detail(screen: &Screen, brush: &mut Brush<'_>, area: Rect) -> usize {
    let rule = "─".repeat(usize::from(area.width));
    brush.line(area, 0, &rule, Tone::Dim);
    let lines = screen.detail_lines(usize::from(area.width));
    let room = usize::from(area.height.saturating_sub(1));
    let top = screen.detail_top.min(lines.len().saturating_sub(room));
    let shown = lines.iter().skip(top).take(room);
    for (number, (heading, text)) in (1..).zip(shown) {
        let tone = if *heading { Tone::Title } else { Tone::Plain };
        brush.line(area, number, text, tone);
    }
    let below = lines.len().saturating_sub(top + room);
    if below > 0 {
        let text = texts::more_lines(below);
        let width = u16::try_from(display_width(&text)).unwrap_or(0);
        let x = area.x + area.width.saturating_sub(width + 1);
        brush.at(area, x, 0, &text, Tone::Dim);
    }
    top
}

fn filter(screen: &Screen, line: &Line, brush: &mut Brush<'_>, area: Rect) {
    let mut above = Vec::new();
    if let Some(error) = &screen.filter_error {
        above.push((error.message.clone(), Tone::Error));
        above.extend(error.help.iter().map(|it| (it.clone(), Tone::Plain)));
    } else if let Some(message) = &screen.message {
        above.push((message.clone(), Tone::Dim));
    }
    let place = screen.filter_error.as_ref().map(|it| (it.start, it.end));
    written(words::FILTER_PROMPT, line, place, &above, brush, area);
}

fn saving(screen: &Screen, line: &Line, brush: &mut Brush<'_>, area: Rect) {
    let what = if screen.marked.is_empty() {
        words::SAVES_ALL
    } else {
        words::SAVES_MARKED
    };
    let mut above = vec![(what.to_owned(), Tone::Dim)];
    above.extend(screen.message.iter().map(|it| (it.clone(), Tone::Error)));
    written(words::SAVE_PROMPT, line, None, &above, brush, area);
}

fn saving_list(screen: &Screen, what: &str, line: &Line, brush: &mut Brush<'_>, area: Rect) {
    let mut above = vec![(what.to_owned(), Tone::Dim)];
    above.extend(screen.message.iter().map(|it| (it.clone(), Tone::Error)));
    written(words::SAVE_PROMPT, line, None, &above, brush, area);
}

/// A line that is being written, above the footer; what is wrong with it is marked and said.
fn written(
    title: &str,
    line: &Line,
    place: Option<(usize, usize)>,
    above: &[(String, Tone)],
    brush: &mut Brush<'_>,
    area: Rect,
) {
    let mut texts: Vec<(String, Tone)> = Vec::new();
    for (text, tone) in above {
        let pieces = pieces(text, usize::from(area.width.max(20)));
        texts.extend(pieces.into_iter().map(|it| (it, *tone)));
    }
    if let Some((start, end)) = place {
        let width = |end: usize| {
            let part = line.text().get(..end).unwrap_or(line.text());
            let (shown, _) = Line::of(part).shown();
            display_width(&shown)
        };
        let (from, to) = (width(start), width(end).max(width(start) + 1));
        let blank = display_width(title) + from;
        texts.push((
            format!("{:blank$}{}", "", "v".repeat(to - from)),
            Tone::Error,
        ));
    }
    let height = u16::try_from(texts.len()).unwrap_or(0) + 1;
    let top = area.height.saturating_sub(1 + height);
    let room = Rect::new(area.x, area.y + top, area.width, height);
    brush.clear(room);
    for (number, (text, tone)) in (0..).zip(&texts) {
        brush.line(room, number, text, *tone);
    }
    let (shown, cursor) = line.shown();
    let x = brush.at(room, room.x, height - 1, title, Tone::Title);
    brush.at(room, x, height - 1, &shown, Tone::Plain);
    let cursor = x.saturating_add(u16::try_from(cursor).unwrap_or(u16::MAX));
    let under = shown_at(&shown, usize::from(cursor - x));
    brush.at(room, cursor, height - 1, &under, Tone::Cursor);
}

/// The character at a column.
fn shown_at(text: &str, column: usize) -> String {
    let mut passed = 0;
    for character in text.chars() {
        if passed >= column {
            return character.to_string();
        }
        passed += display_width(character.encode_utf8(&mut [0; 4]));
    }
    " ".to_owned()
}

/// A box in the middle.
fn boxed(brush: &mut Brush<'_>, area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let room = Rect::new(x, y, width, height);
    brush.clear(room);
    let rule = "─".repeat(usize::from(width));
    brush.line(room, 0, &rule, Tone::Dim);
    brush.line(room, height.saturating_sub(1), &rule, Tone::Dim);
    Rect::new(
        x + 1,
        y + 1,
        width.saturating_sub(2),
        height.saturating_sub(2),
    )
}

fn choices(menu: &Menu, brush: &mut Brush<'_>, area: Rect) {
    let lines: Vec<String> = menu
        .entries
        .iter()
        .map(|entry| match entry.why_not {
            Some(why) => words::impossible_entry(&entry.label, why),
            None => entry.label.clone(),
        })
        .collect();
    let widest = lines.iter().map(|it| display_width(it)).max().unwrap_or(0);
    let width = u16::try_from(widest + 4).unwrap_or(u16::MAX);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let room = boxed(brush, area, width, height);
    for ((number, line), entry) in (0_u16..).zip(&lines).zip(&menu.entries) {
        let tone = if usize::from(number) == menu.cursor {
            Tone::Cursor
        } else if entry.why_not.is_some() {
            Tone::Dim
        } else {
            Tone::Plain
        };
        brush.line(room, number, line, tone);
    }
}

fn asked(question: &Question, brush: &mut Brush<'_>, area: Rect) {
    let width = area.width.min(72);
    let room = usize::from(width.saturating_sub(4));
    let before = question.before.as_ref().map(|it| pieces(it, room));
    let mut lines = before.unwrap_or_default();
    lines.extend(pieces(&question.text, room));
    let height = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX);
    let room = boxed(brush, area, width, height);
    for (number, line) in (0..).zip(&lines) {
        brush.line(room, number, line, Tone::Strong);
    }
    let (answer, _) = question.answer.shown();
    let last = room.height.saturating_sub(1);
    let x = brush.at(room, room.x, last, "> ", Tone::Title);
    let x = brush.at(room, x, last, &answer, Tone::Plain);
    brush.at(room, x, last, " ", Tone::Cursor);
}

fn page(brush: &mut Brush<'_>, area: Rect, title: &str, lines: &[String], top: usize) -> usize {
    let room = Rect::new(area.x, area.y, area.width, area.height.saturating_sub(1));
    brush.clear(room);
    brush.line(room, 0, title, Tone::Title);
    let height = usize::from(room.height.saturating_sub(2));
    let top = top.min(lines.len().saturating_sub(height));
    for (number, line) in (2..).zip(lines.iter().skip(top).take(height)) {
        brush.line(room, number, line, Tone::Plain);
    }
    let below = lines.len().saturating_sub(top + height);
    if below > 0 {
        brush.line(room, 0, &words::lines_below(title, below), Tone::Title);
    }
    top
}

/// The commands for Wireshark, each whole.
fn commands(screen: &Screen, width: usize) -> Vec<String> {
    let mut lines = pieces(words::WIRESHARK_HOW, width);
    if screen.never_left() {
        lines.push(String::new());
        lines.extend(pieces(words::WIRESHARK_NEVER_LEFT, width));
    }
    for command in screen.shown_commands() {
        lines.push(String::new());
        lines.extend(pieces(command, width));
    }
    let left_out = screen.commands.len() - screen.shown_commands().len();
    if left_out > 0 {
        lines.push(String::new());
        lines.push(words::more_files(left_out));
    }
    lines
}

fn help(screen: &Screen, width: u16) -> Vec<String> {
    let names = 10;
    let room = usize::from(width).saturating_sub(names + 2).max(20);
    let mut lines = Vec::new();
    for binding in BINDINGS.iter().filter(|it| screen.offers(it.action)) {
        for (number, piece) in (0..).zip(pieces(binding.help, room)) {
            let shown = if number == 0 { binding.shown } else { "" };
            lines.push(format!("{shown:names$}  {piece}"));
        }
    }
    lines.push(String::new());
    if screen.replay().is_some() {
        lines.push(help_texts::SIGNS_OF_CASE.to_owned());
    }
    for sign in help_texts::SIGNS {
        lines.extend(pieces(sign, usize::from(width)));
    }
    lines
}

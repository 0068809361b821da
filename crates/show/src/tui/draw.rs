//! Paints the screen.

mod dialogs;
mod moments;
mod rhythm;
mod text;
mod whose;

use model::{Snapshot, Tier};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::text::{Brush, clipped};
use super::columns::{self, Column, Filler, Kind};
use super::keys::{self, Action};
use super::rows::{self, Item, Row};
use super::screen::{Doing, Painted, Screen, Whose};
use super::theme::Tone;
use super::view::View;
use crate::gaps;
use crate::messages::{
    columns as titles, frame, keys as names, rows as sentences, whose as whose_texts,
};
use crate::table::cell::Cell;
use crate::visible::{display_width, visible};

/// Below this nothing is legible.
const LEAST: (u16, u16) = (40, 10);
/// From this width on details stand beside the rows, else below them.
const WIDE: u16 = 150;
/// Lines that say what could not be seen, in the first view.
const NOT_SEEN: u16 = 3;

/// Paints all of it; also makes the rows that fit.
pub(super) fn screen(screen: &mut Screen, area: Rect, buffer: &mut Buffer) {
    let theme = screen.options.theme;
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let mut brush = Brush::new(theme, buffer);
        brush.line(area, 0, &frame::too_small(LEAST.0, LEAST.1), Tone::Plain);
        return theme.finish(buffer);
    }
    let Some(snapshot) = screen.snapshot.clone() else {
        let mut brush = Brush::new(theme, buffer);
        brush.line(area, 0, frame::LOOKING, Tone::Plain);
        return theme.finish(buffer);
    };
    let overview = screen.view == View::Overview;
    let head = if overview { 3 } else { 2 };
    let foot = 2;
    let not_seen = if overview { NOT_SEEN } else { 0 };
    let middle = area.height.saturating_sub(head + foot + not_seen);
    let body = Rect::new(area.x, area.y + head, area.width, middle);
    let (body, beside) = split(screen, body);
    screen.prepare(body.width, usize::from(body.height.saturating_sub(1)));

    let mut painted = Painted {
        width: body.width,
        ..Painted::default()
    };
    let mut brush = Brush::new(theme, buffer);
    head_line(screen, &snapshot, &mut brush, area);
    tabs(screen, &mut brush, area, &mut painted);
    if overview {
        let text = match screen.replay() {
            Some(replay) => frame::recorded_before(&rows::clock(replay.at)),
            None => frame::OTHERS_MAY_SEE.to_owned(),
        };
        brush.line(area, 2, &text, Tone::Dim);
    }
    let axis = screen.axis(&snapshot);
    let filler = screen.filler(&snapshot, &axis);
    rows_of(screen, &filler, &mut brush, body, &mut painted);
    if let Some(beside) = beside {
        // Who reads past the end is back with the first key that goes up.
        screen.detail_top = dialogs::detail(screen, &mut brush, beside);
    }
    if overview {
        let from = area.height.saturating_sub(foot + not_seen);
        not_seen_lines(screen, &snapshot, &mut brush, area, from);
    }
    status_line(screen, &snapshot, &mut brush, area);
    foot_line(screen, &mut brush, area);
    let page_top = dialogs::paint(screen, &snapshot, &mut brush, area);
    if let Doing::Help(top) | Doing::NotSeen(top) | Doing::Commands(top) = &mut screen.mode {
        *top = page_top;
    }
    if let Doing::Rhythm(reading) = &mut screen.mode {
        reading.top = page_top;
    }
    if let Doing::Whose(whose) = &mut screen.mode {
        whose.top = page_top;
    }
    screen.painted = painted;
    theme.finish(buffer);
}

/// Room for the rows, and for what is known of one of them.
fn split(screen: &Screen, body: Rect) -> (Rect, Option<Rect>) {
    if !screen.detail {
        return (body, None);
    }
    let (mut rows, mut beside) = (body, body);
    if body.width >= WIDE {
        rows.width = body.width * 11 / 20;
        beside.x += rows.width + 1;
        beside.width -= rows.width + 1;
    } else {
        rows.height = (body.height * 2 / 5).max(3).min(body.height);
        beside.y += rows.height;
        beside.height -= rows.height;
    }
    (rows, Some(beside))
}

fn head_line(screen: &Screen, snapshot: &Snapshot, brush: &mut Brush<'_>, area: Rect) {
    let status = &screen.status;
    if let Some(replay) = screen.replay() {
        let text = moments::head(screen, replay, snapshot, usize::from(area.width));
        return brush.line(area, 0, &text, Tone::Strong);
    }
    // That every call is seen goes without saying.
    let limit = match snapshot.tier {
        Tier::Full => None,
        Tier::NoBtf => Some(frame::FEWER_FACTS),
        Tier::Polling => Some(frame::MISSES_MUCH),
        Tier::Import => Some(frame::IMPORTED),
    };
    let mut parts = vec![
        visible(&snapshot.host.name).into_owned(),
        status.user.clone(),
    ];
    let recording = screen.recording();
    // What must not be cut off stands before the rest.
    parts.extend(recording.map(|it| moments::recording(it, snapshot.taken)));
    match status.online {
        Some(false) => parts.push(frame::OFFLINE.to_owned()),
        Some(true) => parts.push(frame::ONLINE.to_owned()),
        None => {}
    }
    if recording.is_none() {
        parts.push(frame::watched(status.since.until(snapshot.taken)));
    }
    parts.extend(limit.map(str::to_owned));
    if recording.is_none() {
        parts.push(frame::NOT_RECORDING.to_owned());
    }
    if screen.held {
        parts.insert(0, frame::HELD.to_owned());
    }
    brush.line(area, 0, &parts.join("  "), Tone::Strong);
}

fn tabs(screen: &Screen, brush: &mut Brush<'_>, area: Rect, painted: &mut Painted) {
    let roomy = area.width >= 100;
    let mut x = area.x;
    painted.tabs_line = area.y + 1;
    for (place, view) in View::ALL.into_iter().enumerate() {
        let text = if roomy {
            format!(" {} {} ", place + 1, view.title())
        } else {
            format!("{}{} ", place + 1, view.short_title())
        };
        let shown = if roomy {
            text.as_str()
        } else {
            text.trim_end()
        };
        let tone = if view == screen.view {
            Tone::Key
        } else {
            Tone::Plain
        };
        let end = brush.at(area, x, 1, shown, tone);
        painted.tabs.push((x, end, view));
        x = end + u16::from(!roomy);
    }
}

fn rows_of(
    screen: &Screen,
    filler: &Filler<'_>,
    brush: &mut Brush<'_>,
    body: Rect,
    painted: &mut Painted,
) {
    let columns = columns::fitting(screen.view, usize::from(body.width));
    let position = screen.position();
    // Headings among the rows stay in sight when their row does not.
    let among_rows = screen.picture.headings.filter(|it| *it >= position.top);
    let mut from = 0;
    if !columns.is_empty() && among_rows.is_none() {
        headings(screen, &columns, None, brush, body, 0, painted);
        from = 1;
    }
    painted.rows_from = body.y + from;
    painted.rows = body.height.saturating_sub(from);
    let shown = screen.picture.rows.iter().enumerate().skip(position.top);
    for (line, (place, row)) in (from..).zip(shown.take(usize::from(painted.rows))) {
        if let Item::Headings(title) = &row.item {
            headings(screen, &columns, Some(title), brush, body, line, painted);
            continue;
        }
        let at_cursor = place == position.cursor && row.is_chosen();
        one_row(screen, filler, &columns, row, at_cursor, brush, body, line);
    }
}

/// `first`: what stands in place of the first headings, those of the sign and the name.
fn headings(
    screen: &Screen,
    columns: &[Column],
    first: Option<&str>,
    brush: &mut Brush<'_>,
    body: Rect,
    line: u16,
    painted: &mut Painted,
) {
    painted.heading_line = body.y + line;
    let mut x = body.x;
    for column in columns {
        let sorted =
            screen.sort == Some(column.kind) && columns::is_sortable(screen.view, column.kind);
        let mut title = if column.kind == Kind::Time {
            axis_title(screen, column.width)
        } else {
            column.title.to_owned()
        };
        if sorted {
            title.push(if screen.reverse { '↑' } else { '↓' });
        }
        let width = u16::try_from(column.width).unwrap_or(0);
        let title = match (first, column.kind) {
            (Some(_), Kind::Sign | Kind::Name) => String::new(),
            _ => aligned(&title, column),
        };
        brush.at(body, x, line, &title, Tone::Title);
        painted.headings.push((x, x + width, *column));
        if let (Some(first), Kind::Name) = (first, column.kind) {
            let room = Rect::new(body.x, body.y, x + width - body.x, body.height);
            brush.line(room, line, first, Tone::Title);
        }
        x += width + 1;
    }
}

/// From when to when: `-5 min      now`.
fn axis_title(screen: &Screen, width: usize) -> String {
    if let (Some(replay), Some(snapshot)) = (screen.replay(), &screen.snapshot) {
        return moments::axis_title(&screen.axis(snapshot), replay, width);
    }
    let (back, span) = (screen.back(), screen.span());
    let start = titles::before_now(back + span);
    let end = match back.is_zero() {
        true => titles::NOW.to_owned(),
        false => titles::before_now(back),
    };
    let blank = width.saturating_sub(display_width(&start) + display_width(&end));
    clipped(&format!("{start}{:blank$}{end}", ""), width)
}

fn aligned(text: &str, column: &Column) -> String {
    let text = clipped(text, column.width);
    let blank = column.width.saturating_sub(display_width(&text));
    if column.right {
        format!("{:blank$}{text}", "")
    } else {
        format!("{text}{:blank$}", "")
    }
}

#[expect(clippy::too_many_arguments, reason = "all of it is about one row")]
fn one_row(
    screen: &Screen,
    filler: &Filler<'_>,
    columns: &[Column],
    row: &Row,
    at_cursor: bool,
    brush: &mut Brush<'_>,
    body: Rect,
    line: u16,
) {
    let mut tone = filler.tone(row);
    if at_cursor {
        tone = Tone::Cursor;
        brush.fill(body, line, tone);
    }
    let marked = screen.marked.contains(&row.key);
    if let Some(text) = filler.across(row) {
        let sign = match (row.fold, &row.item) {
            (_, Item::Text(..)) if !row.is_chosen() => "",
            (rows::Fold::Closed, _) => "▸ ",
            (rows::Fold::Open, _) => "▾ ",
            (rows::Fold::Leaf, _) => "",
        };
        let mark = if marked { "*" } else { "" };
        brush.line(body, line, &format!("{mark}{sign}{text}"), tone);
        return;
    }
    let mut x = body.x;
    let mut cell = Cell::default();
    for column in columns {
        let width = u16::try_from(column.width).unwrap_or(0);
        if column.kind == Kind::Time {
            if let Some(strip) = filler.strip(row, column.width) {
                for (place, (character, time)) in (0_u16..).zip(strip.characters()) {
                    let tone = if at_cursor { tone } else { time };
                    let mut encoded = [0; 4];
                    let text = character.encode_utf8(&mut encoded);
                    brush.at(body, x + place, line, text, tone);
                }
            }
        } else if column.kind == Kind::Sign && marked {
            brush.at(body, x, line, "*", tone);
        } else {
            cell.clear();
            filler.fill(column.kind, row, &mut cell);
            let mut text = String::new();
            cell.append_to(&mut text, column.width);
            brush.at(body, x, line, &aligned(&text, column), tone);
        }
        x += width + 1;
    }
}

fn not_seen_lines(
    screen: &Screen,
    snapshot: &Snapshot,
    brush: &mut Brush<'_>,
    area: Rect,
    from: u16,
) {
    let text = rows::not_seen(&screen.context(snapshot));
    let title = sentences::not_seen_title(rows::not_seen_count(&screen.context(snapshot)));
    let room = usize::from(area.width);
    let more = sentences::NOT_SEEN_ALL;
    let pieces = super::detail::pieces(&format!("{title}  {text}"), room);
    let fits = pieces.len() <= usize::from(NOT_SEEN);
    for (number, piece) in (0..NOT_SEEN).zip(&pieces) {
        let last = number + 1 == NOT_SEEN && !fits;
        let piece = if last {
            let cut = clipped(piece.trim_end(), room.saturating_sub(display_width(more)));
            format!("{cut}{more}")
        } else {
            piece.clone()
        };
        brush.line(area, from + number, &piece, Tone::Plain);
        if number == 0 {
            brush.at(area, area.x, from, &title, Tone::Title);
        }
    }
}

fn status_line(screen: &Screen, snapshot: &Snapshot, brush: &mut Brush<'_>, area: Rect) {
    let line = area.height - 2;
    match (&screen.mode, &screen.message) {
        (Doing::Filtering(_) | Doing::Saving(_) | Doing::SavingList(_) | Doing::Leaving(_), _) => {}
        (_, Some(message)) => {
            let shown = crate::visible::harmless(message).replace('\n', " ");
            brush.line(area, line, &shown, Tone::Strong);
            return;
        }
        (_, None) => {}
    }
    let status = &screen.status;
    // What must not be cut off stands first.
    let mut parts = vec![
        format!("{}Z", rows::clock(snapshot.taken)),
        frame::open(screen.totals.open, screen.totals.owned),
        frame::events(status.events, status.lost),
        frame::not_seen(rows::not_seen_count(&screen.context(snapshot))),
    ];
    if status.let_go > 0 {
        parts.push(frame::let_go(status.let_go));
    }
    let shown_filter = crate::visible::harmless(&screen.filter_text).replace('\n', " ");
    if !screen.filter_text.is_empty() {
        parts.push(frame::filter(&shown_filter));
    }
    let switches = screen.hide.switches();
    parts.extend(switches.iter().map(|(word, _)| (*word).to_owned()));
    if screen.only_marked {
        parts.push(frame::MARKED_ONLY.to_owned());
    }
    if screen.is_frozen() {
        parts.push(frame::ORDER_STANDS.to_owned());
    }
    if screen.picture.hidden > 0 {
        parts.push(frame::not_shown(screen.picture.hidden));
    }
    parts.push(frame::tier(snapshot.tier.word()));
    if screen.replay().is_none() {
        parts.push(frame::every(screen.refresh));
    }
    brush.line(area, line, &parts.join(" · "), Tone::Dim);
}

fn foot_line(screen: &Screen, brush: &mut Brush<'_>, area: Rect) {
    let line = area.height - 1;
    let mut x = area.x;
    let keys: Vec<(&str, &str)> = match &screen.mode {
        Doing::Looking if screen.detail => {
            let mut keys = match screen.finding() {
                Some(_) => vec![
                    (names::ENTER_KEY, frame::ITS_CONNECTIONS),
                    (names::ESCAPE_KEY, frame::CLOSE),
                    (names::PAGE_DOWN_KEY, frame::READ_ON),
                ],
                None => vec![
                    (names::ENTER_KEY, frame::CLOSE),
                    (names::PAGE_DOWN_KEY, frame::READ_ON),
                ],
            };
            let others = |action| action != Action::Detail && screen.works(action);
            keys.extend(keys::footer(others));
            keys
        }
        Doing::Looking => keys::footer(|action| screen.works(action)),
        Doing::Filtering(_) => vec![
            (names::TAB_KEY, frame::COMPLETE),
            (names::ENTER_KEY, frame::KEEP),
            (names::ESCAPE_KEY, frame::NO_FILTER),
        ],
        Doing::Whose(whose) => whose_keys(screen, whose),
        Doing::List(_) => vec![
            (names::UP_DOWN_KEYS, frame::CHOOSE),
            ("d", whose_texts::TAKE_OFF),
            ("e", whose_texts::SAVE),
            (names::ESCAPE_KEY, frame::BACK),
        ],
        Doing::Leaving(_) => vec![
            (names::ENTER_KEY, whose_texts::SAVE_AND_END),
            (names::ESCAPE_KEY, whose_texts::END_WITHOUT),
        ],
        Doing::Saving(_) | Doing::SavingList(_) => vec![
            (names::ENTER_KEY, frame::SAVE),
            (names::ESCAPE_KEY, frame::BACK),
        ],
        Doing::Choosing(_) => vec![
            (names::UP_DOWN_KEYS, frame::CHOOSE),
            (names::ENTER_KEY, frame::DO),
            (names::ESCAPE_KEY, frame::BACK),
        ],
        Doing::Asked(_) | Doing::Preserving(..) => vec![(names::ESCAPE_KEY, frame::DO_NOTHING)],
        Doing::Rhythm(_) => vec![
            (names::UP_DOWN_KEYS, frame::READ),
            (names::LEFT_RIGHT_KEYS, frame::OTHER_CALLS),
            (names::ESCAPE_KEY, frame::BACK),
        ],
        Doing::Help(_) | Doing::NotSeen(_) | Doing::Commands(_) => vec![
            (names::UP_DOWN_KEYS, frame::READ),
            (names::ESCAPE_KEY, frame::BACK),
        ],
    };
    let (keys, left_out) = fitting(keys, usize::from(area.width));
    for (place, (key, word)) in keys.into_iter().enumerate() {
        if left_out == Some(place) {
            x = brush.at(area, x, line, MORE_KEYS, Tone::Plain);
        }
        x = brush.at(area, x, line, key, Tone::Key);
        x = brush.at(area, x, line, &format!(" {word}"), Tone::Plain);
        x = x.saturating_add(2);
    }
}

/// In the place of keys that have no room.
const MORE_KEYS: &str = "…  ";

/// The keys that fit. The last ones are how to get help and out: those before them give way, and
/// where they stood is told.
fn fitting<'a>(
    mut keys: Vec<(&'a str, &'a str)>,
    width: usize,
) -> (Vec<(&'a str, &'a str)>, Option<usize>) {
    const STAY: usize = 2;
    let taken = |keys: &[(&str, &str)]| -> usize {
        let widths = keys
            .iter()
            .map(|(key, word)| display_width(key) + display_width(word) + 3);
        widths.sum()
    };
    let mut left_out = None;
    // The last word has nothing behind it.
    while taken(&keys) + left_out.map_or(0, |_| display_width(MORE_KEYS)) > width + 2 {
        let place = keys.len().saturating_sub(STAY + 1);
        if keys.len() <= STAY {
            break;
        }
        keys.remove(place);
        left_out = Some(place);
    }
    (keys, left_out)
}

/// All that could not be seen, as lines.
pub(super) fn gap_lines(snapshot: &Snapshot, width: usize) -> Vec<String> {
    let mut text = Vec::new();
    let _ = gaps::lines(&snapshot.gaps, Some(width), &mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().map(str::to_owned).collect()
}

fn whose_keys(screen: &Screen, shown: &Whose) -> Vec<(&'static str, &'static str)> {
    let mut keys = Vec::new();
    if let Some(question) = shown.question() {
        keys.push(match screen.list.has(&question) {
            true => ("d", whose_texts::TAKE_OFF),
            false => ("a", whose_texts::ADD),
        });
    }
    keys.push(("w", whose_texts::THE_LIST));
    if shown.candidates.len() > 1 {
        keys.push((names::LEFT_RIGHT_KEYS, whose_texts::OTHER));
    }
    if !screen.list.items.is_empty() {
        keys.push(("e", whose_texts::SAVE));
    }
    keys.extend([
        (names::UP_DOWN_KEYS, frame::READ),
        (names::ESCAPE_KEY, frame::BACK),
    ]);
    keys
}

//! What the first lines say of a recording and of a case.

use model::{Snapshot, Tier, Timestamp};

use crate::messages::{frame, progress};
use crate::tui::axis::Axis;
use crate::tui::rows::clock;
use crate::tui::screen::Screen;
use crate::tui::{Recording, Replay, Seal};
use crate::visible::{display_width, shorten_middle, visible_str};

/// `recording 00:12:31, 1,234 packets, 0 lost`.
pub(super) fn recording(recording: &Recording, now: Timestamp) -> String {
    let length = progress::elapsed(recording.since.until(now));
    frame::recording(&length, recording.events, recording.packets, recording.lost)
}

/// The first line of a case. Its name gives way where room is short: the moment is told whole.
pub(super) fn head(screen: &Screen, replay: &Replay, snapshot: &Snapshot, width: usize) -> String {
    /// Enough of a name to know the case by.
    const LEAST: usize = 12;
    let mut parts = Vec::new();
    if replay.seal == Seal::Broken {
        parts.push(frame::SEAL_BROKEN.to_owned());
    }
    let from = minute(replay.begun);
    let to = after(replay.begun, replay.ended, 5);
    let at = after(replay.begun, replay.at, 8);
    let name = visible_str(&replay.name);
    let case = |name: &str| frame::case(name, &from, &to, &at);
    parts.push(String::new());
    let place = parts.len() - 1;
    parts.extend(replay.progress.map(frame::reading));
    let wanted = screen.wanted();
    parts.extend(wanted.map(|it| frame::going_to(&after(replay.begun, it, 8))));
    let limit = match snapshot.tier {
        Tier::Full => None,
        Tier::NoBtf => Some(frame::FEWER_FACTS),
        Tier::Polling => Some(frame::MISSES_MUCH),
        Tier::Import => Some(frame::IMPORTED),
    };
    parts.extend(limit.map(str::to_owned));
    match replay.seal {
        Seal::NotChecked => parts.push(frame::SEAL_NOT_CHECKED.to_owned()),
        Seal::Intact => parts.push(frame::SEAL_INTACT.to_owned()),
        Seal::Unsealed => parts.push(frame::SEAL_MISSING.to_owned()),
        Seal::Broken | Seal::None => {}
    }
    let taken = display_width(&parts.join("  ")) + display_width(&case(""));
    let room = width.saturating_sub(taken).max(LEAST);
    if let Some(part) = parts.get_mut(place) {
        *part = case(&shorten_middle(&name, room));
    }
    parts.join("  ")
}

/// `2026-11-22 10:15`.
fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(..16).unwrap_or_default().replace('T', " ")
}

/// A time of day of so many characters, with its date where that is another than the one said
/// before.
fn after(before: Timestamp, time: Timestamp, length: usize) -> String {
    let (before, text) = (before.to_string(), time.to_string());
    let clock = clock(time);
    let clock = clock.get(..length).unwrap_or(&clock);
    if before.get(..10) == text.get(..10) {
        clock.to_owned()
    } else {
        format!("{} {clock}", text.get(5..10).unwrap_or_default())
    }
}

/// From when to when, and where the moment is: `10:15    ▼      11:15`.
pub(super) fn axis_title(axis: &Axis, replay: &Replay, width: usize) -> String {
    const MARK: char = '▼';
    let (start, end) = (axis.start(), axis.end());
    let seconds = start.until(end).as_secs();
    let label = |time: Timestamp| {
        let text = time.to_string();
        let part = match seconds {
            0..3_600 => text.get(11..19),
            3_600..=86_400 => text.get(11..16),
            _ => text.get(5..10),
        };
        part.unwrap_or_default().to_owned()
    };
    let (start, end) = (label(start), label(end));
    let mut cells = vec![' '; width];
    let mark = axis.place(replay.at, width);
    let ends_at = width.saturating_sub(end.len());
    // A label gives way to the mark, and to the other label.
    if start.len() <= width && mark.is_none_or(|mark| mark >= start.len()) {
        cells.splice(..start.len(), start.chars());
    }
    if start.len() + 1 < ends_at && mark.is_none_or(|mark| mark < ends_at) {
        cells.splice(ends_at.., end.chars());
    }
    if let Some(cell) = mark.and_then(|mark| cells.get_mut(mark)) {
        *cell = MARK;
    }
    cells.into_iter().collect()
}

//! The table of what programs moved, as a part of the computer has counted it without addresses: a line
//! for each program and user, what was sent most first.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use model::{Remembered, Snapshot, Text, Timestamp};

use super::TableOptions;
use super::cell::Cell;
use super::connections::count;
use super::grid::{Column, Grid, Style};
use crate::quantity::duration;
use crate::visible::{Cut, visible};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Program,
    User,
    Sent,
    Received,
    First,
    Last,
}

const SPARE: [Kind; 2] = [Kind::First, Kind::User];
const LAST_RESORT: [Kind; 2] = [Kind::Last, Kind::Received];

/// Of one program and user, over all its entries. `None`: no entry tells.
#[derive(Default)]
struct Moved {
    sent: Option<u64>,
    received: Option<u64>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

pub(super) fn write(
    entries: &[&Remembered],
    snapshot: &Snapshot,
    options: &TableOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let columns = vec![
        Column::shared(Kind::Program, "PROGRAM", 60, 16),
        Column::shared(Kind::User, "USER", 24, 8),
        Column::number(Kind::Sent, "SENT"),
        Column::number(Kind::Received, "RECEIVED"),
        Column::number(Kind::First, "FIRST SEEN"),
        Column::number(Kind::Last, "LAST SEEN"),
    ];
    let rows = summed(entries);
    let fill = |kind: Kind, row: &(Key<'_>, Moved), cell: &mut Cell| {
        fill(kind, row, snapshot.taken, cell);
    };
    let mut grid = Grid::new(columns, 0, options.color);
    for row in &rows {
        grid.measure(|kind, cell| fill(kind, row, cell));
    }
    grid.fit(options.width, &SPARE, &LAST_RESORT);
    grid.header(out)?;
    for row in &rows {
        grid.row(Style::Plain, out, |kind, cell| fill(kind, row, cell))?;
    }
    grid.note_left_out(options.width, out)
}

/// Program and user.
type Key<'a> = (Option<&'a Text>, Option<&'a Text>);

fn summed<'a>(entries: &[&'a Remembered]) -> Vec<(Key<'a>, Moved)> {
    let mut all: BTreeMap<Key<'_>, Moved> = BTreeMap::new();
    for entry in entries {
        let key = (entry.program.as_ref(), entry.user.as_ref());
        let moved = all.entry(key).or_default();
        add(&mut moved.sent, entry.bytes_sent);
        add(&mut moved.received, entry.bytes_received);
        let seen = entry.seen;
        moved.first = moved.first.into_iter().chain(seen).min();
        moved.last = moved.last.into_iter().chain(seen).max();
    }
    let mut rows: Vec<_> = all.into_iter().collect();
    rows.sort_by_key(|(_, moved)| std::cmp::Reverse((moved.sent, moved.received)));
    rows
}

fn add(sum: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or_default().saturating_add(more));
    }
}

fn fill(kind: Kind, (key, moved): &(Key<'_>, Moved), taken: Timestamp, cell: &mut Cell) {
    let (program, user) = key;
    match kind {
        Kind::Program => {
            text(cell, *program);
            // Of a path the end says which.
            cell.cut = Some(Cut::Start);
        }
        Kind::User => text(cell, *user),
        Kind::Sent => count(cell, moved.sent),
        Kind::Received => count(cell, moved.received),
        Kind::First => ago(cell, moved.first, taken),
        Kind::Last => ago(cell, moved.last, taken),
    }
}

fn text(cell: &mut Cell, text: Option<&Text>) {
    match text {
        Some(text) => cell.head.push_str(&visible(text)),
        None => cell.head.push('?'),
    }
}

fn ago(cell: &mut Cell, seen: Option<Timestamp>, taken: Timestamp) {
    match seen {
        Some(seen) => {
            let _ = write!(cell.head, "{} ago", duration(seen.until(taken)));
        }
        None => cell.head.push('-'),
    }
}

#[cfg(test)]
mod tests {
    use model::{RememberedBy, WhyUnknown};

    use super::*;
    use crate::table::sample::{self, check_lines};

    const HOUR: i64 = 3_600_000_000_000;

    fn entry(program: Option<&str>, hours_ago: i64, sent: u64) -> Remembered {
        Remembered {
            ip: None,
            port: None,
            name: None,
            protocol: None,
            by: RememberedBy::Srum,
            netns: None,
            seen: Some(Timestamp::from_unix_nanos(sample::TAKEN - hours_ago * HOUR)),
            bytes_sent: Some(sent),
            bytes_received: None,
            program: program.map(Into::into),
            user: Some("DESK\\lena".into()),
            owner: sample::unknown(WhyUnknown::BeforeStart),
        }
    }

    #[test]
    fn the_hours_of_a_program_are_one_line() {
        let entries = [
            entry(
                Some(r"\device\harddiskvolume3\windows\explorer.exe"),
                5,
                100,
            ),
            entry(
                Some(r"\device\harddiskvolume3\users\lena\upd.exe"),
                400,
                5_000,
            ),
            entry(None, 7, 1),
            entry(
                Some(r"\device\harddiskvolume3\users\lena\upd.exe"),
                3,
                2_000_000,
            ),
        ];
        let snapshot = sample::snapshot(Vec::new(), Vec::new());
        let draw = |width| {
            let options = TableOptions {
                width: Some(width),
                ..TableOptions::default()
            };
            let mut out = Vec::new();
            write(&entries.each_ref(), &snapshot, &options, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let expected = r"
PROGRAM                                       USER       SENT  RECEIVED  FIRST SEEN  LAST SEEN
\device\harddiskvolume3\users\lena\upd.exe    DESK\lena  1.9M         -    16 d ago    3 h ago
\device\harddiskvolume3\windows\explorer.exe  DESK\lena   100         -     5 h ago    5 h ago
?                                             DESK\lena     1         -     7 h ago    7 h ago
";
        assert_eq!(format!("\n{}", draw(120)), expected);
        for width in 0..200 {
            check_lines(&draw(width), Some(width), 4);
        }
    }
}

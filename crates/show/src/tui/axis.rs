//! Time from left to right: one axis for all rows, and the strip of each.

use std::time::Duration;

use model::{Call, Connection, State, Timestamp};

use super::Replay;
use super::theme::Tone;

/// How long the axis may be, the shortest first.
pub(super) const SPANS: [Duration; 8] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(6 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
    Duration::from_secs(7 * 24 * 60 * 60),
    Duration::from_secs(30 * 24 * 60 * 60),
];

/// The piece of time that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    start: i64,
    span: i64,
    /// When nothing could be seen, in the order of their start.
    unseen: Vec<(i64, i64)>,
    /// What comes after is there and not shown.
    shown_until: i64,
}

impl Axis {
    /// `span` up to `end`. Before `since` nobody watched; `unseen` are the pauses after it.
    pub(super) fn new(
        end: Timestamp,
        span: Duration,
        since: Timestamp,
        pauses: impl IntoIterator<Item = (Timestamp, Timestamp)>,
    ) -> Self {
        let span = i64::try_from(span.as_nanos()).unwrap_or(i64::MAX).max(1);
        let pauses = pauses.into_iter();
        let mut pauses: Vec<_> = pauses
            .map(|(from, to)| (from.unix_nanos(), to.unix_nanos()))
            .collect();
        pauses.sort_unstable();
        let mut unseen = vec![(i64::MIN, since.unix_nanos())];
        for (from, to) in pauses {
            match unseen.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                Some(_) | None => unseen.push((from, to)),
            }
        }
        Self {
            start: end.unix_nanos().saturating_sub(span),
            span,
            unseen,
            shown_until: i64::MAX,
        }
    }

    /// The piece of a case's time that holds the moment `at`; pieces follow each other from `begun`
    /// on, so that the picture stands still while the moment moves; the last one ends with the case.
    /// `back`: so much before it.
    pub(super) fn of_case(
        replay: &Replay,
        span: Duration,
        back: Duration,
        pauses: impl IntoIterator<Item = (Timestamp, Timestamp)>,
    ) -> Self {
        let begun = replay.begun.unix_nanos();
        let length = i64::try_from(span.as_nanos()).unwrap_or(i64::MAX).max(1);
        let back = i64::try_from(back.as_nanos()).unwrap_or(i64::MAX);
        // The very end belongs to the piece before it.
        let passed = replay.at.unix_nanos().saturating_sub(begun).max(0);
        let last = replay.ended.unix_nanos().saturating_sub(begun).max(1) - 1;
        let pieces = passed.min(last) / length;
        let whole = begun.saturating_add((pieces + 1).saturating_mul(length));
        let latest = replay.ended.unix_nanos().max(begun.saturating_add(length));
        let end = whole.min(latest).saturating_sub(back);
        let after = (replay.ended, Timestamp::from_unix_nanos(i64::MAX));
        let pauses = pauses.into_iter().chain([after]);
        Self {
            shown_until: replay.at.unix_nanos(),
            ..Self::new(Timestamp::from_unix_nanos(end), span, replay.begun, pauses)
        }
    }

    /// Another piece of time, as it was seen. What comes after `until` is not there yet.
    pub(super) fn piece(&self, start: Timestamp, span: Duration, until: Timestamp) -> Self {
        Self {
            start: start.unix_nanos(),
            span: i64::try_from(span.as_nanos()).unwrap_or(i64::MAX).max(1),
            unseen: self.unseen.clone(),
            shown_until: until.unix_nanos(),
        }
    }

    pub(super) fn start(&self) -> Timestamp {
        Timestamp::from_unix_nanos(self.start)
    }

    pub(super) fn end(&self) -> Timestamp {
        Timestamp::from_unix_nanos(self.start.saturating_add(self.span))
    }

    /// The moment in the middle of a cell; the outermost cells stand for the ends of the axis, which
    /// nobody could reach else.
    pub(super) fn moment(&self, cell: usize, cells: usize) -> Timestamp {
        let (from, to) = self.of_cell(cell, cells);
        if cell == 0 {
            return self.start();
        }
        if cell + 1 >= cells {
            return self.end();
        }
        Timestamp::from_unix_nanos(from + to.saturating_sub(from) / 2)
    }

    /// The cell where a moment is. `None`: it is not on the axis.
    pub(super) fn place(&self, time: Timestamp, cells: usize) -> Option<usize> {
        let (cell, inside) = self.cell(time.unix_nanos(), cells);
        (inside && cells > 0).then_some(cell)
    }

    /// The cell of a moment, of `cells`; outside of the axis the nearest, and whether it is inside.
    fn cell(&self, time: i64, cells: usize) -> (usize, bool) {
        let passed = i128::from(time) - i128::from(self.start);
        let cell = passed * as_i128(cells) / i128::from(self.span);
        let last = cells.saturating_sub(1);
        if passed < 0 {
            (0, false)
        } else {
            let cell = usize::try_from(cell).unwrap_or(usize::MAX);
            // The very end belongs to the last cell.
            (cell.min(last), passed <= i128::from(self.span))
        }
    }

    /// The piece of time of a cell.
    fn of_cell(&self, cell: usize, cells: usize) -> (i64, i64) {
        let at = |cell: usize| {
            let passed = i128::from(self.span) * as_i128(cell) / as_i128(cells.max(1));
            self.start
                .saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
        };
        (at(cell), at(cell + 1))
    }

    /// Whether nothing could be seen in most of a cell.
    fn is_unseen(&self, cell: usize, cells: usize) -> bool {
        let (from, to) = self.of_cell(cell, cells);
        let overlap = |(start, end): &(i64, i64)| {
            let (start, end) = (from.max(*start), to.min(*end));
            end.saturating_sub(start).max(0)
        };
        let unseen: i64 = self.unseen.iter().map(overlap).fold(0, i64::saturating_add);
        unseen > to.saturating_sub(from) / 2
    }
}

fn as_i128(count: usize) -> i128 {
    i128::try_from(count).unwrap_or(i128::MAX)
}

/// What happened in each cell of a row.
#[derive(Clone, Debug)]
pub(super) struct Strip<'a> {
    axis: &'a Axis,
    cells: Vec<Happened>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Happened {
    calls: u32,
    failed: u32,
    /// A connection stood open.
    open: bool,
}

impl<'a> Strip<'a> {
    pub(super) fn new(axis: &'a Axis, cells: usize) -> Self {
        Self {
            axis,
            cells: vec![Happened::default(); cells],
        }
    }

    pub(super) fn call(&mut self, call: &Call, now: Timestamp) {
        self.add(Some(call.opened), call.closed, call.failed, now);
    }

    pub(super) fn connection(&mut self, connection: &Connection, now: Timestamp) {
        let failed = connection.state == State::Failed;
        self.add(connection.opened, connection.closed, failed, now);
    }

    /// Something was open already when we began to watch, and is.
    pub(super) fn stood_open(&mut self, now: Timestamp) {
        self.add(None, None, false, now);
    }

    fn add(
        &mut self,
        opened: Option<Timestamp>,
        closed: Option<Timestamp>,
        failed: bool,
        now: Timestamp,
    ) {
        let count = self.cells.len();
        let end = closed.unwrap_or(now).unix_nanos();
        let begin = opened.map_or(i64::MIN, Timestamp::unix_nanos);
        if count == 0 || end < self.axis.start {
            return;
        }
        let (first, began_here) = self.axis.cell(begin, count);
        let (last, _) = self.axis.cell(end, count);
        if begin > self.axis.start.saturating_add(self.axis.span) {
            return;
        }
        if began_here && let Some(cell) = self.cells.get_mut(first) {
            cell.calls = cell.calls.saturating_add(1);
            cell.failed = cell.failed.saturating_add(u32::from(failed));
        }
        if !failed {
            let passed = self.cells.get_mut(first..=last).unwrap_or_default();
            passed.iter_mut().for_each(|cell| cell.open = true);
        }
    }

    /// A character for each cell, and its tone.
    pub(super) fn characters(&self) -> impl Iterator<Item = (char, Tone)> {
        let count = self.cells.len();
        self.cells.iter().enumerate().map(move |(place, cell)| {
            if cell.calls > 0 && cell.failed == cell.calls {
                ('×', Tone::Time)
            } else if cell.calls > 0 {
                (height(cell.calls), Tone::Time)
            } else if self.axis.is_unseen(place, count) {
                ('░', Tone::Dim)
            } else if self.axis.of_cell(place, count).0 > self.axis.shown_until {
                ('·', Tone::Dim)
            } else if cell.open {
                ('─', Tone::Time)
            } else {
                (' ', Tone::Plain)
            }
        })
    }
}

fn height(calls: u32) -> char {
    match calls {
        0 => ' ',
        1 => '▃',
        2..5 => '▄',
        5..20 => '▅',
        20..100 => '▆',
        100.. => '█',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_nanos(seconds * 1_000_000_000)
    }

    fn call(opened: i64, closed: Option<i64>, failed: bool) -> Call {
        Call {
            opened: at(opened),
            closed: closed.map(at),
            failed,
            bytes_sent: 0,
            bytes_received: 0,
        }
    }

    /// A minute from 1000 to 1060 in twelve cells, watched since 1010, asleep from 1040 to 1050.
    fn check(calls: &[Call], expected: &str) {
        let (end, span) = (at(1060), Duration::from_secs(60));
        let axis = Axis::new(end, span, at(1010), [(at(1040), at(1050))]);
        let mut strip = Strip::new(&axis, 12);
        calls.iter().for_each(|it| strip.call(it, end));
        let text: String = strip.characters().map(|(character, _)| character).collect();
        assert_eq!(text, expected);
    }

    #[test]
    fn a_program_that_calls_in_a_rhythm_is_a_comb() {
        let calls = [1010, 1020, 1030, 1050, 1060].map(|time| call(time, Some(time + 1), false));
        check(&calls, "░░▃ ▃ ▃ ░░▃▃");
    }

    #[test]
    fn one_that_stays_open_is_a_line() {
        check(&[call(1015, None, false)], "░░ ▃────░░──");
        check(&[call(900, None, false)], "░░──────░░──");
        check(&[call(900, Some(950), false)], "░░      ░░  ");
    }

    #[test]
    fn what_fails_is_crossed_out() {
        check(&[call(1015, Some(1015), true)], "░░ ×    ░░  ");
        let many = vec![call(1015, Some(1015), false); 30];
        check(&many, "░░ ▆    ░░  ");
    }

    #[test]
    fn no_room_is_no_panic() {
        let axis = Axis::new(at(0), Duration::ZERO, at(0), []);
        let mut strip = Strip::new(&axis, 0);
        strip.call(&call(i64::MIN / 1_000_000_000, None, false), at(0));
        assert_eq!(strip.characters().count(), 0);
    }
}

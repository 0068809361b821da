//! When it calls: days and hours; where it was watched for less than half a day, hours and minutes, or
//! minutes and seconds. Times are UTC, as everywhere on the screen.

use std::time::Duration;

use model::{Call, Timestamp};

use super::Looked;
use super::page::Line;
use super::series::Series;
use crate::messages::rhythm as texts;
use crate::tui::axis::Strip;
use crate::tui::theme::Tone;

/// More lines are counted only.
const MOST: i64 = 31;
/// So many lines without a call at the end are shown all the same.
const AFTER: i64 = 3;

/// What a line stands for.
struct Scale {
    title: &'static str,
    unit: (&'static str, &'static str),
    line: Duration,
    /// How many numbers stand above, and how many parts a line has for that.
    parts: usize,
    each: usize,
    /// How many cells a line may have, the most first.
    cells: &'static [usize],
    label: fn(Timestamp) -> String,
}

const DAYS: Scale = Scale {
    title: texts::DAYS_AND_HOURS,
    unit: texts::DAYS,
    line: Duration::from_secs(24 * 60 * 60),
    parts: 24,
    each: 3,
    cells: &[48, 24],
    label: day,
};
const HOURS: Scale = Scale {
    title: texts::HOURS_AND_MINUTES,
    unit: texts::HOURS,
    line: Duration::from_secs(60 * 60),
    parts: 60,
    each: 10,
    cells: &[60, 30, 20],
    label: |time| part(time, 5, 16).replace('T', " "),
};
const MINUTES: Scale = Scale {
    title: texts::MINUTES_AND_SECONDS,
    unit: texts::MINUTES,
    line: Duration::from_secs(60),
    parts: 60,
    each: 10,
    cells: &[60, 30, 20],
    label: |time| part(time, 11, 16),
};

fn scale(watched: Duration) -> &'static Scale {
    match watched.as_secs() {
        0..=1_200 => &MINUTES,
        1_201..=43_200 => &HOURS,
        _ => &DAYS,
    }
}

/// Its title and its lines. `None`: nothing ever happened.
pub(super) fn map(
    looked: &Looked<'_>,
    series: &Series<'_>,
    calls: &[&Call],
    width: usize,
) -> Option<(&'static str, Vec<Line>)> {
    let now = looked.snapshot.taken;
    let open = series.count(|pair| pair.open);
    let known = calls.iter().filter(|it| it.closed.is_none()).count();
    // Since before we looked.
    let stands = open > known as u64;
    let ends = calls.iter().map(|it| it.closed.unwrap_or(it.opened));
    let last = ends.chain((open > 0).then_some(now)).max()?;
    let first = calls.first().map_or(looked.since, |it| it.opened);
    let first = first.min(looked.since.told().unwrap_or(first));
    let scale = scale(first.until(now));

    let length = i64::try_from(scale.line.as_nanos()).unwrap_or(i64::MAX);
    let number = |time: Timestamp| time.unix_nanos().div_euclid(length);
    let (first, last, now_at) = (number(first), number(last), number(now));
    let end = if now_at - last > AFTER {
        last
    } else {
        now_at.max(last)
    };
    let begin = first.max(end - MOST + 1);

    let start = |number: i64| Timestamp::from_unix_nanos(number.saturating_mul(length));
    let label = (scale.label)(start(begin)).chars().count() + 3;
    let fits = |cells: &&usize| label + **cells <= width;
    let cells = scale.cells.iter().find(fits).or(scale.cells.last());
    let cells = cells.copied().unwrap_or(scale.parts);

    let mut lines = Vec::new();
    if begin > first {
        lines.push(Line::dim(format!(
            "  {}",
            texts::earlier(begin - first, scale.unit)
        )));
    }
    lines.push(Line::dim(format!("{:label$}{}", "", numbers(scale, cells))));
    for number in begin..=end {
        let from = start(number);
        let axis = looked.axis.piece(from, scale.line, now);
        let mut strip = Strip::new(&axis, cells);
        let (from_here, to_here) = (axis.start(), axis.end());
        let here = calls
            .iter()
            .filter(|call| call.opened <= to_here && call.closed.unwrap_or(now) >= from_here);
        here.for_each(|call| strip.call(call, now));
        if stands {
            strip.stood_open(now);
        }
        let mut line = vec![(format!("  {} ", (scale.label)(from)), Tone::Plain)];
        for (character, tone) in strip.characters() {
            match line.last_mut() {
                Some((text, last)) if *last == tone => text.push(character),
                Some(_) | None => line.push((character.to_string(), tone)),
            }
        }
        lines.push(Line(line));
    }
    if end < now_at {
        lines.push(Line::dim(format!(
            "  {}",
            texts::later(now_at - end, scale.unit)
        )));
    }
    Some((scale.title, lines))
}

/// Above the cells: `00    03    06`.
fn numbers(scale: &Scale, cells: usize) -> String {
    let mut text = String::new();
    for number in (0..scale.parts).step_by(scale.each) {
        let at = number * cells / scale.parts;
        let blank = at.saturating_sub(text.len());
        text += &format!("{:blank$}{number:02}", "");
    }
    text
}

/// `Sun 11-22`.
fn day(time: Timestamp) -> String {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;
    // 1970-01-01 was a Thursday.
    let weekday = (time.unix_nanos().div_euclid(DAY) + 4).rem_euclid(7);
    let name = usize::try_from(weekday).ok();
    let name = name.and_then(|it| texts::WEEKDAYS.get(it)).copied();
    format!("{} {}", name.unwrap_or_default(), part(time, 5, 10))
}

fn part(time: Timestamp, from: usize, to: usize) -> String {
    let text = time.to_string();
    text.get(from..to).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_told_with_its_name() {
        let time = Timestamp::from_unix_nanos(1_795_342_500_123_456_789);
        assert_eq!(day(time), "Sun 11-22");
        assert_eq!(day(Timestamp::from_unix_nanos(-1)), "Wed 12-31");
    }

    #[test]
    fn numbers_stand_above_their_cells() {
        assert_eq!(numbers(&DAYS, 24), "00 03 06 09 12 15 18 21");
        assert_eq!(numbers(&MINUTES, 20), "00 10 20  30 40 50");
        assert_eq!(numbers(&HOURS, 60).find("20"), Some(20));
    }
}

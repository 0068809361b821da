//! How long gaps are, counted in lines. Where most of them are of much the same length, each line is as
//! wide as the next; else each is twice as long as the one above.

use std::collections::BTreeMap;

use super::spread::Spread;

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLI;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How wide lines may be, in nanoseconds: what a person counts by.
const STEPS: [u64; 29] = [
    MILLI,
    2 * MILLI,
    5 * MILLI,
    10 * MILLI,
    20 * MILLI,
    50 * MILLI,
    100 * MILLI,
    200 * MILLI,
    500 * MILLI,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    5 * DAY,
    30 * DAY,
];

/// Gaps that differ by more than this, without a tenth at either end, are of different
/// kinds.
const MUCH_THE_SAME: u64 = 4;
/// What most gaps lie in has about so many lines.
const LINES: u64 = 8;
/// A line is no narrower than this part of the gap in the middle: nobody needs to see less.
const FINEST: u64 = 50;
/// Shorter rows of empty lines stay.
const LEAST_FOLDED: usize = 3;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Histogram {
    /// How wide a line is. `None`: each is twice as long as the one above.
    pub(super) step: Option<u64>,
    pub(super) lines: Vec<Bin>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bin {
    pub(super) place: Place,
    pub(super) count: usize,
    /// The length that was asked about lies here.
    pub(super) is_marked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// All that is less than what the next line is about.
    Less,
    /// The middle of the line, in nanoseconds.
    About(u64),
    /// All that is more.
    More,
    /// Lines without any.
    Folded,
}

impl Histogram {
    /// Of gaps in nanoseconds, in order. `marked`: a length to look for. `None`: there are no gaps.
    pub(super) fn of(sorted: &[u64], marked: Option<u64>) -> Option<Self> {
        let spread = Spread::of(sorted)?;
        let last = sorted.len() - 1;
        let at = |place: usize| sorted.get(place).copied();
        let (low, high) = (at(last / 10)?, at((last * 9).div_ceil(10))?);
        let same = low > 0 && high <= low.saturating_mul(MUCH_THE_SAME);
        Some(match same {
            true => even(sorted, (low, spread.middle, high), marked),
            false => twice(sorted, marked),
        })
    }
}

fn even(sorted: &[u64], (low, middle, high): (u64, u64, u64), marked: Option<u64>) -> Histogram {
    let least = ((high - low) / LINES).max(middle / FINEST);
    let step = STEPS.iter().copied().find(|step| *step >= least);
    let step = step.unwrap_or(least).max(1);
    let line = |gap: u64| gap.saturating_add(step / 2) / step;
    // An empty one on both sides tells how steep it is.
    let (from, to) = (line(low).saturating_sub(1).max(1), line(high) + 1);
    let bin = |place, has: &dyn Fn(u64) -> bool| Bin {
        place,
        count: sorted.iter().filter(|gap| has(line(**gap))).count(),
        is_marked: marked.is_some_and(|it| has(line(it))),
    };
    let mut lines = vec![bin(Place::Less, &|it| it < from)];
    lines.extend((from..=to).map(|number| {
        let place = Place::About(number.saturating_mul(step));
        bin(place, &|it| it == number)
    }));
    lines.push(bin(Place::More, &|it| it > to));
    lines.retain(|it| it.count > 0 || it.is_marked || matches!(it.place, Place::About(_)));
    Histogram {
        step: Some(step),
        lines: folded(&lines),
    }
}

/// Around the marked length, or around a minute.
fn twice(sorted: &[u64], marked: Option<u64>) -> Histogram {
    let base = marked.unwrap_or(MINUTE).max(MILLI);
    let mut counts: BTreeMap<i32, usize> = BTreeMap::new();
    for gap in sorted {
        *counts.entry(doublings(*gap, base)).or_default() += 1;
    }
    if marked.is_some() {
        counts.entry(0).or_default();
    }
    let first = counts.keys().next().copied().unwrap_or(0);
    let last = counts.keys().next_back().copied().unwrap_or(0);
    let line = |doublings: i32| Bin {
        place: Place::About(doubled(base, doublings)),
        count: counts.get(&doublings).copied().unwrap_or(0),
        is_marked: marked.is_some() && doublings == 0,
    };
    let lines: Vec<Bin> = (first..=last).map(line).collect();
    Histogram {
        step: None,
        lines: folded(&lines),
    }
}

/// With a word in the place of several empty lines in a row.
fn folded(lines: &[Bin]) -> Vec<Bin> {
    let mut folded = Vec::new();
    let is_empty = |it: &Bin| it.count == 0 && !it.is_marked;
    for row in lines.chunk_by(|one, next| is_empty(one) == is_empty(next)) {
        if row.len() >= LEAST_FOLDED && row.first().is_some_and(is_empty) {
            folded.push(Bin {
                place: Place::Folded,
                count: 0,
                is_marked: false,
            });
        } else {
            folded.extend_from_slice(row);
        }
    }
    folded
}

fn doubled(base: u64, doublings: i32) -> u64 {
    let factor = 2_u64.saturating_pow(doublings.unsigned_abs());
    if doublings < 0 {
        base / factor
    } else {
        base.saturating_mul(factor)
    }
}

/// How often `base` is to be doubled to come closest; below 0 it is halved. What is shorter than a
/// millisecond is as one.
fn doublings(gap: u64, base: u64) -> i32 {
    // In microseconds, so that squares have room.
    let gap = u128::from(gap.max(MILLI) / 1_000);
    let mut near = u128::from(base.max(MILLI) / 1_000);
    let mut count = 0;
    while gap * gap >= 2 * near * near {
        near *= 2;
        count += 1;
    }
    while 2 * gap * gap < near * near {
        near /= 2;
        count -= 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(gaps: &[u64], marked: Option<u64>, expected: &[(u64, usize)]) {
        let mut millis: Vec<u64> = gaps.iter().map(|it| it * MILLI).collect();
        millis.sort_unstable();
        let marked = marked.map(|it| it * MILLI);
        let histogram = Histogram::of(&millis, marked).unwrap();
        let lines = histogram.lines.iter().map(|it| match it.place {
            Place::Less => (0, it.count),
            Place::About(nanos) => (nanos / MILLI, it.count),
            Place::More | Place::Folded => (u64::MAX, it.count),
        });
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_beat_is_one_line_with_an_empty_one_on_both_sides() {
        let beat = [60_000, 60_010, 59_990, 60_020, 59_995];
        check(
            &beat,
            Some(60_000),
            &[(58_000, 0), (60_000, 5), (62_000, 0)],
        );
    }

    #[test]
    fn a_long_pause_does_not_flatten_the_rest() {
        let mut gaps = vec![60_000; 30];
        gaps.push(8 * 3_600_000);
        gaps.push(20_000);
        let expected = [
            (0, 1),
            (58_000, 0),
            (60_000, 30),
            (62_000, 0),
            (u64::MAX, 1),
        ];
        check(&gaps, None, &expected);
    }

    #[test]
    fn gaps_of_different_kinds_are_doubled() {
        let gaps = [500, 500, 60_000, 60_000, 120_000, 7_200_000];
        let expected = [
            (468, 2),
            (u64::MAX, 0),
            (60_000, 2),
            (120_000, 1),
            (u64::MAX, 0),
            (7_680_000, 1),
        ];
        check(&gaps, Some(60_000), &expected);
        let few = [1_000, 9_000];
        check(&few, None, &[(937, 1), (1_875, 0), (3_750, 0), (7_500, 1)]);
    }

    proptest! {
        #[test]
        fn every_gap_is_counted_once(
            mut gaps in prop::collection::vec(
                prop_oneof![any::<u64>(), 0..5 * SECOND, 59 * SECOND..61 * SECOND],
                1..80,
            ),
            marked in prop::option::of(any::<u64>()),
        ) {
            gaps.sort_unstable();
            let histogram = Histogram::of(&gaps, marked).unwrap();
            let all: usize = histogram.lines.iter().map(|it| it.count).sum();
            prop_assert_eq!(all, gaps.len());
            prop_assert!(histogram.lines.len() < 60);
            let marks = histogram.lines.iter().filter(|it| it.is_marked).count();
            prop_assert_eq!(marks, usize::from(marked.is_some()));
        }
    }
}

//! The rhythm of a row of calls or of bursts: a beat, with its jitter and its missing beats, or steady
//! chatter without one. What comes out is a score from 0 to 100 and what it is made of.

use super::regularity::{Regularity, count, regularity};
use super::statistics::{median, median_deviation, middle, quartiles};

/// One wake-up may make several calls: those that follow each other within this are one beat. Each window
/// is tried, in seconds.
const WINDOWS: [f64; 5] = [0.25, 1.0, 5.0, 30.0, 120.0];
/// A window must be smaller than the period by this.
const WINDOWS_IN_PERIOD: f64 = 3.0;
/// Fewer beats have no rhythm.
const LEAST_BEATS: usize = 4;
/// After so many beats, two of three doubts are gone: 6 beats 0.53, 12 beats 0.78, 24 beats 0.95.
const BEATS_FOR_CERTAINTY: f64 = 8.0;
/// So many tens of improbability count full: one in a million.
const CERTAIN: f64 = 6.0;
/// What equal sizes say for themselves.
const SAME_SIZES: f64 = 0.6;
/// Who keeps it up for so long, in seconds, or for the whole time that was watched, is persistent.
const PERSISTENT: f64 = 3600.0;
/// A row is cut to its newest.
pub(super) const MOST: usize = 5000;

/// Where nobody says how much was sent.
const NO_SIZES: f64 = 0.8;

const CHATTER_LEAST: usize = 30;
const CHATTER_SECONDS: f64 = 60.0;
/// No person goes on without a pause for so many seconds.
const CHATTER_PERSISTENT: f64 = 600.0;
/// What equal sizes say for themselves.
const SAME_CHATTER: f64 = 0.4;
const CHATTER_SLOTS: f64 = 48.0;
const CHATTER_SLOT_SECONDS: f64 = 5.0;

/// When something was sent, in seconds, and how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beat {
    pub(super) at: f64,
    pub(super) bytes: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rhythm {
    /// 0 to 100, by times and sizes alone.
    pub(super) score: f64,
    pub(super) kind: Kind,
    /// In seconds; of chatter the mean distance.
    pub(super) period: f64,
    /// As a share of the period.
    pub(super) jitter: f64,
    pub(super) beats: usize,
    /// If none were missing.
    pub(super) expected: usize,
    /// How likely unrelated calls are as even as this. 1: not asked.
    pub(super) chance: f64,
    /// From the first to the last.
    pub(super) active: f64,
    /// How alike the sizes are, from 0 to 1.
    pub(super) alike: f64,
    /// The size in the middle, of a beat.
    pub(super) bytes: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It has a period.
    Beat,
    /// It has none, and goes on and on as evenly as no person does.
    Chatter,
}

/// `beats` in the order of time. `watched`: for how many seconds somebody watched. `None`: no rhythm.
pub(super) fn rhythm(beats: &[Beat], watched: f64) -> Option<Rhythm> {
    rhythm_after(beats, watched, 0.0)
}

/// The same of what was put together before: nothing follows another thing within `pause` seconds.
pub(super) fn rhythm_after(beats: &[Beat], watched: f64, pause: f64) -> Option<Rhythm> {
    let beats = beats.get(beats.len().saturating_sub(MOST)..)?;
    let mut best: Option<Rhythm> = None;
    let mut merged_before = 0;
    for window in WINDOWS {
        let merged = merge(beats, window);
        if merged.len() < LEAST_BEATS {
            break;
        }
        // A window that joins no more finds nothing new.
        if merged.len() == merged_before {
            continue;
        }
        merged_before = merged.len();
        let found = beat(&merged, window.max(pause), pause, watched);
        best = better(best, found);
    }
    best = better(best, chatter(beats, watched));
    let alike = size_regularity(beats);
    best.map(|best| Rhythm {
        score: best.score * (0.3 + 0.7 * alike),
        alike,
        ..best
    })
}

/// The strongest of them, the last one of equals. `None`: none of them has one.
pub(super) fn best(found: impl IntoIterator<Item = Option<Rhythm>>) -> Option<Rhythm> {
    let found = found.into_iter().flatten();
    found.max_by(|one, other| one.score.total_cmp(&other.score))
}

fn better(one: Option<Rhythm>, other: Option<Rhythm>) -> Option<Rhythm> {
    match (one, other) {
        (Some(one), Some(other)) if other.score <= one.score => Some(one),
        (one, other) => other.or(one),
    }
}

fn merge(beats: &[Beat], window: f64) -> Vec<Beat> {
    let mut merged: Vec<Beat> = Vec::new();
    let mut last = f64::NEG_INFINITY;
    for beat in beats {
        match merged.last_mut() {
            Some(wake_up) if beat.at - last <= window => wake_up.bytes += beat.bytes,
            Some(_) | None => merged.push(*beat),
        }
        last = beat.at;
    }
    merged
}

fn beat(beats: &[Beat], window: f64, pause: f64, watched: f64) -> Option<Rhythm> {
    let gaps: Vec<f64> = beats
        .windows(2)
        .filter_map(|pair| match pair {
            [one, other] => Some((other.at - one.at).max(1e-3)),
            _ => None,
        })
        .collect();
    let same = same_size(beats);
    let found: Regularity = regularity(&gaps, window, same)?;
    let too_short = found.period < WINDOWS_IN_PERIOD * window && window > pause && window > 0.25;
    if found.share <= 0.0 || too_short {
        return None;
    }
    let evidence = 1.0 - (-count(found.kept) / BEATS_FOR_CERTAINTY).exp();
    // Whoever browses does not send the same each time: that is improbable, too.
    let by_size = SAME_SIZES * (2.0 * same - 1.0).max(0.0) * evidence;
    let improbable = (-found.chance.max(1e-300).log10() / CERTAIN).clamp(0.0, 1.0);
    let improbable = improbable.max(by_size);
    let active = active(beats);
    let persistent = persistence(active, watched);
    let weight = 0.55 + 0.15 * same + 0.30 * persistent;
    Some(Rhythm {
        score: 100.0 * found.share.sqrt() * (evidence * improbable).sqrt() * weight,
        kind: Kind::Beat,
        period: found.period,
        jitter: found.jitter,
        beats: found.kept + 1,
        expected: found.expected + 1,
        chance: found.chance,
        active,
        alike: 0.0,
        bytes: median(&sizes(beats)),
    })
}

/// No period, but present in almost every slot of its time with even counts: a person who works through
/// a program that asks again and again.
fn chatter(beats: &[Beat], watched: f64) -> Option<Rhythm> {
    let active = active(beats);
    if beats.len() < CHATTER_LEAST || active < CHATTER_SECONDS {
        return None;
    }
    let first = beats.first()?.at;
    let slot = (active / CHATTER_SLOTS).max(CHATTER_SLOT_SECONDS);
    let mut slots = vec![0.0; 64];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most as many as there are slots"
    )]
    let place = |at: f64| ((at - first) / slot).clamp(0.0, 63.0) as usize;
    for beat in beats {
        if let Some(count) = slots.get_mut(place(beat.at)) {
            *count += 1.0;
        }
    }
    slots.truncate(place(first + active) + 1);
    let number = count(slots.len());
    let mean = count(beats.len()) / number;
    let spread = slots
        .iter()
        .map(|it| (it - mean) * (it - mean))
        .sum::<f64>();
    let spread = (spread / number).sqrt() / mean;
    let present = count(slots.iter().filter(|it| **it > 0.0).count()) / number;
    let persistent = (active / CHATTER_PERSISTENT)
        .min(1.0)
        .max(persistence(active, watched));
    let weight = 0.4 + 0.3 * alike_sizes(beats) + 0.3 * persistent;
    // Who works through it makes it uneven, and what is sent is the same all the same.
    let same = (2.0 * same_size(beats) - 1.0).max(0.0);
    let even = (1.0 - spread).max(SAME_CHATTER * same);
    Some(Rhythm {
        score: 90.0 * 2.0 * (present - 0.5).max(0.0) * even.sqrt() * weight,
        kind: Kind::Chatter,
        period: active / count(beats.len()),
        jitter: spread,
        beats: beats.len(),
        expected: beats.len(),
        chance: 1.0,
        active,
        alike: 0.0,
        bytes: median(&sizes(beats)),
    })
}

fn active(beats: &[Beat]) -> f64 {
    let (first, last) = (beats.first(), beats.last());
    first
        .zip(last)
        .map_or(0.0, |(first, last)| last.at - first.at)
}

fn persistence(active: f64, watched: f64) -> f64 {
    (active / watched.clamp(1e-6, PERSISTENT)).min(1.0)
}

fn sizes(beats: &[Beat]) -> Vec<f64> {
    middle::sorted(&beats.iter().map(|it| it.bytes).collect::<Vec<_>>())
}

/// How many have the most common size, to ten bytes; or how close they are to the middle.
fn same_size(beats: &[Beat]) -> f64 {
    let sizes = sizes(beats);
    let mut most: usize = 0;
    let (mut row, mut last) = (0, f64::NAN);
    for size in &sizes {
        let tens = (size / 10.0).round();
        row = if tens.total_cmp(&last).is_eq() {
            row + 1
        } else {
            1
        };
        last = tens;
        most = most.max(row);
    }
    (count(most) / count(beats.len().max(1))).max(alike_sizes(beats))
}

fn alike_sizes(beats: &[Beat]) -> f64 {
    let sizes = sizes(beats);
    let mid = median(&sizes).max(1.0);
    1.0 - (median_deviation(&sizes) / mid).min(1.0)
}

/// Check-ins have one size, and telemetry has not: how little sizes are skewed and how close to the
/// middle they are, as RITA has it (its "data size score").
fn size_regularity(beats: &[Beat]) -> f64 {
    let sizes = sizes(beats);
    if sizes.iter().all(|size| *size <= 0.0) {
        return NO_SIZES;
    }
    let (low, mid, high) = quartiles(&sizes);
    let is_spread = high - low >= 10.0 && mid > low && mid < high;
    let skew = if is_spread {
        (high + low - 2.0 * mid).abs() / (high - low)
    } else {
        0.0
    };
    let close = if mid > 0.0 {
        (1.0 - median_deviation(&sizes) / mid).max(0.0)
    } else {
        0.0
    };
    f64::midpoint(1.0 - skew, close)
}

#[cfg(test)]
mod tests {
    use super::super::dice::random;
    use super::*;
    use proptest::prelude::*;

    fn beats(times: impl IntoIterator<Item = f64>) -> Vec<Beat> {
        let beats = times.into_iter().map(|at| Beat { at, bytes: 420.0 });
        beats.collect()
    }

    fn every(seconds: f64, number: usize) -> impl Iterator<Item = f64> {
        (0..number).map(move |it| count(it) * seconds)
    }

    #[test]
    fn a_beacon_scores_after_few_beats() {
        let few = rhythm(&beats(every(60.0, 7)), 400.0).unwrap();
        assert!(few.score >= 60.0, "{few:?}");
        let more = rhythm(&beats(every(60.0, 60)), 3600.0).unwrap();
        assert!(
            more.score > 90.0 && (more.period - 60.0).abs() < 0.1,
            "{more:?}"
        );
        assert_eq!(more.kind, Kind::Beat);
    }

    #[test]
    fn several_calls_of_a_wake_up_are_one_beat() {
        let mut all: Vec<f64> = every(300.0, 30).collect();
        all.extend(every(300.0, 30).map(|at| at + 0.7));
        all.extend(every(300.0, 30).map(|at| at + 1.5));
        all.sort_by(f64::total_cmp);
        let it = rhythm(&beats(all), 9000.0).unwrap();
        assert!((it.period - 300.0).abs() < 1.0 && it.beats == 30, "{it:?}");
    }

    #[test]
    fn a_person_has_no_rhythm() {
        let mut dice = random(3);
        let mut found = 0;
        for _ in 0..100 {
            let mut at = 0.0;
            let times: Vec<f64> = (0..40)
                .map(|_| {
                    let pause = if dice() < 0.8 { 2.0 } else { 300.0 };
                    at += -pause * (1.0 - dice()).ln();
                    at
                })
                .collect();
            let mut row = beats(times);
            row.iter_mut()
                .for_each(|it| it.bytes = -900.0 * (1.0 - dice()).ln());
            let score = rhythm(&row, 3600.0).map_or(0.0, |it| it.score);
            found += usize::from(score >= 40.0);
        }
        assert!(found <= 1, "{found} of 100 people");
    }

    #[test]
    fn chatter_has_no_period() {
        let mut dice = random(5);
        let mut at = 0.0;
        let times = (0..400).map(|_| {
            at += 0.05 + -0.6 * (1.0 - dice()).ln();
            at
        });
        let it = rhythm(&beats(times), 260.0).unwrap();
        assert!(it.kind == Kind::Chatter && it.score >= 60.0, "{it:?}");
    }

    proptest! {
        #[test]
        fn never_leaves_the_scale(
            gaps in prop::collection::vec((0.0_f64..1e5, 0.0_f64..1e9), 0..150),
            watched in 0.0_f64..1e7,
        ) {
            let mut at = 0.0;
            let row: Vec<Beat> = gaps
                .into_iter()
                .map(|(gap, bytes)| {
                    at += gap;
                    Beat { at, bytes }
                })
                .collect();
            if let Some(it) = rhythm(&row, watched) {
                prop_assert!((0.0..=100.0).contains(&it.score), "{it:?}");
                prop_assert!((0.0..=1.0 + 1e-9).contains(&it.alike), "{it:?}");
            }
        }
    }
}

//! How regular a row of gaps is: whether there is a period, how well the gaps keep to it, and how likely
//! unrelated visits would keep to it as well. Times are seconds.

use super::statistics::{binomial_tail, chi_square_tail, lerp_quantile, median, middle, quartiles};

/// Half the distance of the quartiles, over their middle, at which nothing is regular any more: of what
/// differs in size, and of what has one size. Random arrivals have 0.66, even jitter of 50 % has 0.17, of
/// 90 % 0.41.
const NO_REGULARITY: (f64, f64) = (0.5, 0.6);
/// A gap of so many periods is a pause: the program slept, or the computer did.
const PAUSE: f64 = 10.0;
/// So large a part of the gaps must be beats.
const LEAST_KEPT: f64 = 0.6;
/// So large a part of the beats that a period makes one expect must be there.
const LEAST_PRESENT: f64 = 0.45;
/// Logarithms of gaps fall into bins of a thirteenth each.
const BINS: f64 = 8.0;
/// Shares of gaps within 5, 20 and 50 % of their median, and what random arrivals have there.
const BANDS: [(f64, f64); 3] = [(0.05, 0.0347), (0.2, 0.1389), (0.5, 0.3535)];
/// Several periods and windows are tried: each trial may be lucky.
const TRIALS: f64 = 6.0;

/// A period, and how well the gaps keep to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Regularity {
    /// 0: not at all; 1: to the dot.
    pub(super) share: f64,
    pub(super) period: f64,
    /// How far half of the gaps lie from the middle, as a share of it.
    pub(super) jitter: f64,
    /// Gaps that are beats, and how many beats there would be if none were missing.
    pub(super) kept: usize,
    pub(super) expected: usize,
    /// How likely random arrivals are as even as this.
    pub(super) chance: f64,
}

/// `None`: no period, or too few gaps. All gaps are above 0, and above `window`: what came within it was
/// one beat. Of random arrivals the rest of each gap is as random as all of it was, so that only the rest
/// tells whether they are. `same`: from 0 to 1, how many have the same size.
pub(super) fn regularity(gaps: &[f64], window: f64, same: f64) -> Option<Regularity> {
    let sorted = middle::sorted(gaps);
    let (different, one) = NO_REGULARITY;
    let limit = different + (one - different) * (2.0 * same - 1.0).clamp(0.0, 1.0);
    let mut best: Option<Regularity> = None;
    for period in periods(&sorted) {
        let found = at(period, gaps, &sorted, window, limit);
        best = match (best, found) {
            (Some(best), Some(found)) if found.share <= best.share => Some(best),
            (best, found) => found.or(best),
        };
    }
    best
}

/// Those that may be it: the median, the first quartile, and what gaps have most.
fn periods(sorted: &[f64]) -> Vec<f64> {
    let mut bins: Vec<(usize, i64)> = Vec::new();
    for gap in sorted {
        // Gaps are above 0 and below the age of the universe.
        #[expect(clippy::cast_possible_truncation, reason = "a logarithm is small")]
        let bin = (gap.ln() * BINS).round() as i64;
        match bins.last_mut() {
            Some((count, last)) if *last == bin => *count += 1,
            Some(_) | None => bins.push((1, bin)),
        }
    }
    bins.sort_unstable_by(|one, other| other.cmp(one));
    #[expect(clippy::cast_precision_loss, reason = "a logarithm is small")]
    let common = bins
        .iter()
        .take(3)
        .map(|(_, bin)| (*bin as f64 / BINS).exp());
    let mut periods = vec![median(sorted), lerp_quantile(sorted, 0.25)];
    periods.extend(common);
    periods.retain(|it| *it > 0.0);
    periods
}

fn at(period: f64, gaps: &[f64], sorted: &[f64], window: f64, limit: f64) -> Option<Regularity> {
    // What lies around it is one beat; its middle is the better period.
    let near = sorted.partition_point(|gap| gap / period < 1.6);
    let near = sorted.get(..near).unwrap_or_default();
    let period = if near.len() >= 3 {
        median(near)
    } else {
        period
    };
    let beats = |gap: f64| (gap / period).round().max(1.0);
    let kept: Vec<f64> = gaps
        .iter()
        .copied()
        .filter(|gap| beats(*gap) <= PAUSE)
        .collect();
    let all = count(gaps.len());
    if kept.len() < 3 || count(kept.len()) < LEAST_KEPT * all {
        return None;
    }
    let expected: f64 = kept.iter().map(|gap| beats(*gap)).sum();
    let present = count(kept.len()) / expected;
    if present < LEAST_PRESENT {
        return None;
    }
    let in_order = middle::sorted(&kept);
    let (low, mid, high) = quartiles(&in_order);
    let spread = if high + low > 0.0 {
        (high - low) / (high + low)
    } else {
        1.0
    };
    let rest = (high + low - 2.0 * window).max(1e-9);
    let spread_of_rest = ((high - low) / rest).min(1.0);
    // Jitter is bounded on both sides; what people do has a long tail.
    let tail = lerp_quantile(&in_order, 0.9) / mid.max(1e-9);
    let bounded = (1.0 - spread_of_rest / limit).max(0.0) * (4.0 / tail.max(4.0));
    let off = kept
        .iter()
        .map(|gap| (gap - beats(*gap) * period).abs() / period);
    let off = middle::sorted(&off.collect::<Vec<_>>());
    let folded = (1.0 - median(&off) / 0.20).max(0.0) * (0.5 + 0.5 * present);
    let folds = folded > bounded;
    let even: Vec<f64> = kept
        .iter()
        .map(|gap| if folds { gap / beats(*gap) } else { *gap })
        .map(|gap| (gap - window).max(1e-3))
        .collect();
    let jitter = if folds { median(&off) } else { spread };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most ten for each gap"
    )]
    let expected = expected as usize;
    Some(Regularity {
        share: bounded.max(folded) * count(kept.len()) / all,
        period: if folds { period } else { mid },
        jitter,
        kept: kept.len(),
        expected,
        chance: (TRIALS * chance(&even)).min(1.0),
    })
}

/// How likely random arrivals have gaps as even as these: Moran's test, and how many lie close to the
/// median.
fn chance(gaps: &[f64]) -> f64 {
    let number = count(gaps.len());
    let mean = gaps.iter().sum::<f64>() / number;
    let logs: f64 = gaps.iter().map(|gap| (gap.max(1e-3) / mean).ln()).sum();
    let statistic = -2.0 * logs / (1.0 + (number + 1.0) / (6.0 * number));
    let mut chance = 1.0 - chi_square_tail(number - 1.0, statistic);
    let mid = median(&middle::sorted(gaps));
    for (band, share) in BANDS {
        let close = gaps.iter().filter(|gap| (*gap - mid).abs() <= band * mid);
        chance = chance.min(3.0 * binomial_tail(gaps.len(), close.count(), share));
    }
    chance.max(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "series have some thousand gaps")]
pub(super) fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::super::dice::random;
    use super::*;
    use proptest::prelude::*;

    fn found(gaps: &[f64]) -> Regularity {
        regularity(gaps, 0.0, 0.0).unwrap_or(Regularity {
            share: 0.0,
            period: 0.0,
            jitter: 1.0,
            kept: 0,
            expected: 0,
            chance: 1.0,
        })
    }

    fn about(one: f64, other: f64, off: f64) -> bool {
        (one - other).abs() <= off
    }

    #[test]
    fn a_steady_beat() {
        let steady = found(&[60.0; 20]);
        assert!(about(steady.share, 1.0, 1e-9) && about(steady.period, 60.0, 1e-9));
        assert_eq!((steady.kept, steady.expected), (20, 20));
        assert!(steady.chance < 1e-9);
    }

    #[test]
    fn jitter_is_measured_and_random_arrivals_are_not_even() {
        let mut dice = random(7);
        for jitter in [0.1, 0.3, 0.5] {
            let gaps: Vec<_> = (0..60)
                .map(|_| 60.0 * (1.0 + jitter * (2.0 * dice() - 1.0)))
                .collect();
            let it = found(&gaps);
            assert!(
                it.share > 1.0 - jitter && about(it.jitter, jitter / 2.0, 0.1),
                "{it:?}"
            );
            assert!(about(it.period, 60.0, 6.0) && it.chance < 1e-6, "{it:?}");
        }
        let mut lucky = 0;
        for _ in 0..200 {
            let gaps: Vec<_> = (0..30).map(|_| -60.0 * (1.0 - dice()).ln()).collect();
            let it = found(&gaps);
            lucky += usize::from(it.chance < 0.01);
        }
        assert!(lucky <= 8, "{lucky} of 200 random rows pass for even");
    }

    #[test]
    fn beats_that_are_missing_are_counted() {
        let gaps = [
            60.0, 120.0, 60.0, 60.0, 180.0, 60.0, 60.0, 120.0, 60.0, 60.0,
        ];
        let it = found(&gaps);
        assert_eq!((it.kept, it.expected), (10, 14));
        assert!(about(it.period, 60.0, 0.1) && it.share > 0.8);
    }

    #[test]
    fn a_pause_is_no_beat() {
        let mut gaps = vec![60.0; 12];
        gaps.insert(6, 8.0 * 3600.0);
        let it = found(&gaps);
        assert_eq!((it.kept, it.expected), (12, 12));
    }

    proptest! {
        #[test]
        fn is_always_a_share(gaps in prop::collection::vec(1e-6_f64..1e9, 0..200)) {
            if let Some(it) = regularity(&gaps, 0.0, 0.0) {
                prop_assert!((0.0..=1.0).contains(&it.share), "{it:?}");
                prop_assert!((0.0..=1.0).contains(&it.chance), "{it:?}");
                prop_assert!(it.period > 0.0 && it.kept <= it.expected);
            }
        }
    }
}

//! Quantiles and tails of distributions.

/// Of a row in order; 0 where it is empty.
pub(super) fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    let upper = sorted.get(half).copied().unwrap_or(0.0);
    if sorted.len() % 2 == 1 {
        return upper;
    }
    let lower = half.checked_sub(1).and_then(|it| sorted.get(it));
    lower.map_or(upper, |lower| f64::midpoint(*lower, upper))
}

/// The medians of the lower half, of all, and of the upper half; a middle one is in neither half.
pub(super) fn quartiles(sorted: &[f64]) -> (f64, f64, f64) {
    let half = sorted.len() / 2;
    let upper = half + sorted.len() % 2;
    (
        median(sorted.get(..half).unwrap_or_default()),
        median(sorted),
        median(sorted.get(upper..).unwrap_or_default()),
    )
}

/// Between two neighbours on the line between them.
pub(super) fn lerp_quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = share.clamp(0.0, 1.0) * super::regularity::count(last);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the length"
    )]
    let low = place as usize;
    let at = |place: usize| sorted.get(place.min(last)).copied().unwrap_or(0.0);
    at(low) + (at(low + 1) - at(low)) * place.fract()
}

/// How far from the median half of them lie.
pub(super) fn median_deviation(sorted: &[f64]) -> f64 {
    let mid = median(sorted);
    let off: Vec<f64> = sorted.iter().map(|it| (it - mid).abs()).collect();
    median(&middle::sorted(&off))
}

pub(super) mod middle {
    /// The same in order.
    pub(in crate::pattern) fn sorted(row: &[f64]) -> Vec<f64> {
        let mut row = row.to_vec();
        row.sort_unstable_by(f64::total_cmp);
        row
    }
}

/// P[X > x] of the chi-squared distribution with so many degrees of freedom: the upper part of the
/// incomplete gamma function, by its series or its continued fraction (Numerical Recipes, 6.2).
pub(super) fn chi_square_tail(degrees: f64, x: f64) -> f64 {
    let (a, x) = (degrees / 2.0, x / 2.0);
    if x <= 0.0 || a <= 0.0 {
        return 1.0;
    }
    let scale = (-x + a * x.ln() - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut n) = (1.0 / a, a);
        let mut sum = term;
        for _ in 0..500 {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * 1e-12 {
                break;
            }
        }
        return (1.0 - sum * scale).clamp(0.0, 1.0);
    }
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut h = d;
    for step in 1..500_u32 {
        let step = f64::from(step);
        let factor = -step * (step - a);
        b += 2.0;
        d = 1.0 / nonzero(factor * d + b);
        c = nonzero(b + factor / c);
        let delta = d * c;
        h *= delta;
        if (delta - 1.0).abs() < 1e-12 {
            break;
        }
    }
    (scale * h).clamp(0.0, 1.0)
}

fn nonzero(value: f64) -> f64 {
    if value.abs() < 1e-300 { 1e-300 } else { value }
}

/// P[at least `hits` of `number`], each with this chance.
pub(super) fn binomial_tail(number: usize, hits: usize, chance: f64) -> f64 {
    let all = super::regularity::count(number);
    let hit = super::regularity::count(hits);
    if number > 400 {
        // The normal distribution is near enough.
        let off = hit - 0.5 - all * chance;
        let z = off / (all * chance * (1.0 - chance)).sqrt();
        return normal_tail(z);
    }
    let mut sum = 0.0;
    for it in hits..=number {
        let it = super::regularity::count(it);
        let ways = ln_gamma(all + 1.0) - ln_gamma(it + 1.0) - ln_gamma(all - it + 1.0);
        sum += (ways + it * chance.ln() + (all - it) * (1.0 - chance).ln()).exp();
    }
    sum.min(1.0)
}

/// P[X > z], to some digits (Abramowitz and Stegun, 7.1.26).
fn normal_tail(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly = [
        1.061_405_429,
        -1.453_152_027,
        1.421_413_741,
        -0.284_496_736,
        0.254_829_592,
    ];
    let poly = poly.iter().fold(0.0, |sum, it| sum * t + it) * t;
    let tail = 0.5 * poly * (-x * x).exp();
    if z >= 0.0 { tail } else { 1.0 - tail }
}

/// Lanczos' approximation.
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let mut sum = 0.999_999_999_999_809_9;
    let mut place = 1.0;
    for coefficient in COEFFICIENTS {
        sum += coefficient / (x + place);
        place += 1.0;
    }
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: f64, expected: f64) {
        let off = (found - expected).abs();
        assert!(
            off <= 1e-6 * expected.abs().max(1.0),
            "{found} is not {expected}"
        );
    }

    /// Expected values by the closed forms for whole numbers, and by tables.
    #[test]
    fn tails_are_those_of_others() {
        check(chi_square_tail(1.0, 3.841_458_820_694_124), 0.05);
        check(chi_square_tail(10.0, 3.0), 0.981_424_063_777_859_2);
        check(chi_square_tail(50.0, 80.0), 0.004_482_656_565_573_2);
        check(binomial_tail(10, 3, 0.5), 0.945_312_5);
        check(binomial_tail(20, 10, 0.1389), 0.000_129_111_545_688_6);
        check(ln_gamma(0.5), 0.572_364_942_924_700_1);
        check(ln_gamma(100.0), 359.134_205_369_575_4);
        check(normal_tail(1.959_963_984_540_054), 0.025);
        check(normal_tail(-1.0), 0.841_344_746_068_542_9);
    }

    #[test]
    fn quantiles() {
        let row = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(quartiles(&row), (1.5, 3.0, 4.5));
        check(lerp_quantile(&row, 0.9), 4.6);
        check(median_deviation(&row), 1.0);
        assert_eq!((median(&[]), lerp_quantile(&[], 0.5)), (0.0, 0.0));
    }
}

//! Amounts for people: bytes, and how long something took or how long ago it was.
//!
//! Sizes are 1024-based, as in the filter language. Two digits are enough for a glance; whoever
//! needs all of them reads JSON or CSV.

use std::fmt::{self, Display};
use std::time::Duration;

const UNITS: [char; 6] = ['K', 'M', 'G', 'T', 'P', 'E'];
const STEP: u128 = 1024;

/// Bytes in a sentence: `512 B`, `1.5 KiB`, `12 MiB`.
pub fn bytes(count: u64) -> impl Display {
    Bytes {
        count,
        compact: false,
    }
}

/// Bytes in a narrow column, at most five characters: `512`, `1.5K`, `12M`.
pub fn compact_bytes(count: u64) -> impl Display {
    Bytes {
        count,
        compact: true,
    }
}

/// How many, in at most five characters and with two digits at least: `9999`, `20k`, `1750k`. By
/// thousands, and never rounded up.
pub fn count(number: u64) -> impl Display {
    Count(number)
}

/// `850 ms`, `12 s`, `3 min`, `2 h`, `5 d`, never rounded up; a larger unit begins where it has
/// two to count.
pub fn duration(length: Duration) -> impl Display {
    Length(length)
}

/// What was measured, with two digits and rounded: `850 ms`, `7.5 s`, `60 s`, `4.3 min`; the units are
/// those of [`duration`].
pub(crate) fn measured(length: Duration) -> impl Display {
    Measured(length)
}

/// What is a multiple of `step`, as exact as that: `59.5 s`, `4 min 55 s`, `3 h 30 min`.
pub(crate) fn multiple(length: Duration, step: Duration) -> impl Display {
    Multiple { length, step }
}

struct Bytes {
    count: u64,
    compact: bool,
}

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = u128::from(self.count);
        let mut unit_bytes = 1;
        let mut unit = None;
        for larger in UNITS {
            // 1023.5 KiB would round to 1024 KiB.
            if rounded(count, unit_bytes) < STEP {
                break;
            }
            unit_bytes *= STEP;
            unit = Some(larger);
        }
        let Some(unit) = unit else {
            return write!(f, "{count}{}", if self.compact { "" } else { " B" });
        };
        let tenths = rounded(count * 10, unit_bytes);
        if tenths < 100 {
            write!(f, "{}.{}", tenths / 10, tenths % 10)?;
        } else {
            write!(f, "{}", rounded(count, unit_bytes))?;
        }
        if self.compact {
            write!(f, "{unit}")
        } else {
            write!(f, " {unit}iB")
        }
    }
}

fn rounded(count: u128, unit: u128) -> u128 {
    (count + unit / 2) / unit
}

struct Count(u64);

impl Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LETTERS: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
        let (mut number, mut letter) = (self.0, 0);
        while number >= 10_000 {
            number /= 1_000;
            letter += 1;
        }
        write!(f, "{number}{}", LETTERS.get(letter).unwrap_or(&""))
    }
}

struct Length(Duration);

impl Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0 if self.0.is_zero() => f.write_str("0 s"),
            0 => write!(f, "{} ms", self.0.as_millis()),
            1..120 => write!(f, "{seconds} s"),
            120..7_200 => write!(f, "{} min", seconds / 60),
            7_200..172_800 => write!(f, "{} h", seconds / 3_600),
            172_800.. => write!(f, "{} d", seconds / 86_400),
        }
    }
}

const MILLI: u128 = 1_000_000;
const SECOND: u128 = 1_000 * MILLI;
const MINUTE: u128 = 60 * SECOND;
const HOUR: u128 = 60 * MINUTE;
const DAY: u128 = 24 * HOUR;

struct Measured(Duration);

impl Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        // A unit ends where it would be rounded up to the next one.
        let (unit, word) = match nanos {
            0 => return f.write_str("0 s"),
            it if rounded(it, MILLI) < 1_000 => (MILLI, "ms"),
            it if rounded(it, SECOND) < 120 => (SECOND, "s"),
            it if rounded(it, MINUTE) < 120 => (MINUTE, "min"),
            it if rounded(it, HOUR) < 48 => (HOUR, "h"),
            _ => (DAY, "d"),
        };
        let tenths = rounded(nanos * 10, unit);
        if tenths < 100 && !tenths.is_multiple_of(10) {
            write!(f, "{}.{} {word}", tenths / 10, tenths % 10)
        } else {
            write!(f, "{} {word}", rounded(nanos, unit))
        }
    }
}

struct Multiple {
    length: Duration,
    step: Duration,
}

impl Display for Multiple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nanos, step) = (self.length.as_nanos(), self.step.as_nanos());
        let mut both = |unit: u128, word: &str, smaller: u128, smaller_word: &str| {
            write!(f, "{} {word}", nanos / unit)?;
            match nanos % unit / smaller {
                0 => Ok(()),
                rest => write!(f, " {rest} {smaller_word}"),
            }
        };
        if nanos >= 2 * DAY {
            both(DAY, "d", HOUR, "h")
        } else if nanos >= 2 * HOUR {
            both(HOUR, "h", MINUTE, "min")
        } else if nanos >= 2 * MINUTE {
            both(MINUTE, "min", SECOND, "s")
        } else if nanos < SECOND && step < SECOND / 10 {
            write!(f, "{} ms", nanos / MILLI)
        } else {
            let digits = match step {
                it if it.is_multiple_of(SECOND) => return write!(f, "{} s", nanos / SECOND),
                it if it.is_multiple_of(SECOND / 10) => 1,
                it if it.is_multiple_of(SECOND / 100) => 2,
                _ => 3,
            };
            let thousandths = nanos / MILLI;
            let part = thousandths % 1_000 / 10_u128.pow(3 - digits);
            let digits = usize::try_from(digits).unwrap_or(0);
            write!(f, "{}.{part:0digits$} s", thousandths / 1_000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(count: u64, expected: &str, expected_compact: &str) {
        assert_eq!(bytes(count).to_string(), expected);
        assert_eq!(compact_bytes(count).to_string(), expected_compact);
    }

    #[test]
    fn bytes_keep_two_digits() {
        check(0, "0 B", "0");
        check(1023, "1023 B", "1023");
        check(1024, "1.0 KiB", "1.0K");
        check(1536, "1.5 KiB", "1.5K");
        check(10 * 1024 - 1, "10 KiB", "10K");
        check(1023 * 1024, "1023 KiB", "1023K");
        check(1024 * 1024 - 1, "1.0 MiB", "1.0M");
        check(3_650_722_201, "3.4 GiB", "3.4G");
        check(u64::MAX, "16 EiB", "16E");
    }

    #[test]
    fn counts_keep_two_digits_at_least() {
        let texts =
            [0, 9_999, 10_000, 20_005, 1_750_000, 99_000_000].map(|it| count(it).to_string());
        assert_eq!(texts, ["0", "9999", "10k", "20k", "1750k", "99M"]);
        assert!(count(u64::MAX).to_string().len() <= 5);
    }

    fn check_duration(millis: u64, expected: &str) {
        assert_eq!(
            duration(Duration::from_millis(millis)).to_string(),
            expected
        );
    }

    #[test]
    fn durations_use_one_unit() {
        check_duration(0, "0 s");
        check_duration(850, "850 ms");
        check_duration(12_999, "12 s");
        check_duration(119_000, "119 s");
        check_duration(180_000, "3 min");
        check_duration(7_199_000, "119 min");
        check_duration(2 * 3_600_000, "2 h");
        check_duration(5 * 86_400_000, "5 d");
    }

    #[test]
    fn what_was_measured_is_rounded() {
        for (millis, expected) in [
            (0, "0 s"),
            (850, "850 ms"),
            (7_460, "7.5 s"),
            (59_990, "60 s"),
            (9_970, "10 s"),
            (119_400, "119 s"),
            (119_600, "2 min"),
            (258_000, "4.3 min"),
            (8 * 3_600_000, "8 h"),
            (60 * 3_600_000, "2.5 d"),
        ] {
            let text = measured(Duration::from_millis(millis)).to_string();
            assert_eq!(text, expected);
        }
        assert_eq!(
            measured(Duration::from_nanos(400_000)).to_string(),
            "0.4 ms"
        );
    }

    #[test]
    fn multiples_are_exact() {
        for (millis, step, expected) in [
            (60_000, 1_000, "60 s"),
            (59_500, 500, "59.5 s"),
            (60_000, 500, "60.0 s"),
            (1_250, 50, "1.25 s"),
            (850, 50, "850 ms"),
            (900, 100, "0.9 s"),
            (295_000, 5_000, "4 min 55 s"),
            (300_000, 5_000, "5 min"),
            (12_600_000, 600_000, "3 h 30 min"),
            (187_200_000, 3_600_000, "2 d 4 h"),
        ] {
            let of_millis = Duration::from_millis;
            let text = multiple(of_millis(millis), of_millis(step)).to_string();
            assert_eq!(text, expected);
        }
    }

    proptest! {
        #[test]
        fn compact_bytes_fit_five_columns(count: u64) {
            prop_assert!(compact_bytes(count).to_string().len() <= 5);
        }
    }
}

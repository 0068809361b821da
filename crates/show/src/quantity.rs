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

    proptest! {
        #[test]
        fn compact_bytes_fit_five_columns(count: u64) {
            prop_assert!(compact_bytes(count).to_string().len() <= 5);
        }
    }
}

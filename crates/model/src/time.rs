//! Points in time, as evidence carries them.

use std::fmt;
use std::time::Duration;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Nanoseconds since 1970-01-01 00:00:00 UTC; years 1678 to 2261.
///
/// Prints as RFC 3339 with nine digits and `Z`: `2026-11-22T10:15:00.123456789Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Stands where there must be a time and no source tells one.
    pub const UNTOLD: Self = Self(0);

    /// `None`: it is [`UNTOLD`](Self::UNTOLD).
    pub fn told(self) -> Option<Self> {
        (self != Self::UNTOLD).then_some(self)
    }

    pub const fn from_unix_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    pub const fn unix_nanos(self) -> i64 {
        self.0
    }

    /// How long before `later` this was; zero when it was not before.
    pub fn until(self, later: Self) -> Duration {
        Duration::from_nanos(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }
}

impl Timestamp {
    /// Reads what is printed, and nothing else. `None`: not a time of that form, or out of range.
    pub fn parse(text: &str) -> Option<Self> {
        let text: &[u8; 30] = text.as_bytes().try_into().ok()?;
        let number = |from: usize, to: usize| {
            let digits = text.get(from..to)?;
            digits.iter().try_fold(0, |number: i64, digit| {
                let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
                Some(number * 10 + digit)
            })
        };
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let nanos = number(20, 29)?;
        let days = days_from_civil(year, month, day);
        let seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
        let since = i128::from(seconds) * i128::from(NANOS_PER_SECOND) + i128::from(nanos);
        let time = Self(i64::try_from(since).ok()?);
        // Days that no month has, and signs in other places.
        (time.rfc_3339() == *text).then_some(time)
    }

    /// As it is printed.
    pub fn rfc_3339(self) -> [u8; 30] {
        let seconds = self.0.div_euclid(NANOS_PER_SECOND);
        let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
        let second_of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        let mut put = |from: usize, to: usize, mut number: i64| {
            for digit in text.get_mut(from..to).into_iter().flatten().rev() {
                *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
                number /= 10;
            }
        };
        put(0, 4, year);
        put(5, 7, month);
        put(8, 10, day);
        put(11, 13, second_of_day / 3600);
        put(14, 16, second_of_day / 60 % 60);
        put(17, 19, second_of_day % 60);
        put(20, 29, self.0.rem_euclid(NANOS_PER_SECOND));
        text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.rfc_3339()).unwrap_or_default())
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar (the same source).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a count of days since 1970-01-01 in the Gregorian calendar
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(nanos: i64, expected: &str) {
        assert_eq!(Timestamp::from_unix_nanos(nanos).to_string(), expected);
    }

    #[test]
    fn prints_rfc_3339_with_nine_digits() {
        check(0, "1970-01-01T00:00:00.000000000Z");
        check(1_795_342_500_123_456_789, "2026-11-22T10:15:00.123456789Z");
        check(951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z");
        check(-1, "1969-12-31T23:59:59.999999999Z");
        check(i64::MAX, "2262-04-11T23:47:16.854775807Z");
    }

    #[test]
    fn reads_what_it_prints() {
        for nanos in [0, -1, 1_795_342_500_123_456_789, i64::MAX, i64::MIN] {
            let time = Timestamp::from_unix_nanos(nanos);
            assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        }
        for odd in [
            "",
            "2026-11-22",
            "2026-02-30T10:15:00.123456789Z",
            "2026-11-22T10:15:60.123456789Z",
            "2026-11-22 10:15:00.123456789Z",
            "9999-11-22T10:15:00.123456789Z",
            "2026-11-22T10:15:00.12345678+Z",
        ] {
            assert_eq!(Timestamp::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn until_is_zero_when_not_before() {
        let (early, late) = (Timestamp::from_unix_nanos(5), Timestamp::from_unix_nanos(8));
        assert_eq!(early.until(late), Duration::from_nanos(3));
        assert_eq!(late.until(early), Duration::ZERO);
    }
}

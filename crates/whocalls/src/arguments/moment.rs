//! Points in time as people write them on the command line, in UTC.

use model::Timestamp;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A point in time, or a time of day without its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    /// Nanoseconds since midnight.
    OfDay(i64),
}

impl Moment {
    /// The first such moment from then on, less the rest of a second.
    pub(crate) fn from(self, begun: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::OfDay(nanos) => {
                let day = SECONDS_PER_DAY * NANOS_PER_SECOND;
                let midnight = begun.unix_nanos().div_euclid(day) * day;
                let same_day = midnight + nanos;
                let second = begun.unix_nanos().div_euclid(NANOS_PER_SECOND) * NANOS_PER_SECOND;
                let is_over = same_day < second;
                Timestamp::from_unix_nanos(if is_over { same_day + day } else { same_day })
            }
        }
    }
}

/// Reads `2026-11-22T10:15:00Z`, `2026-11-22 10:15`, `10:15:00.5`, `10:15`.
pub(crate) fn moment(text: &str) -> Result<Moment, String> {
    let not_a_time = || "not a time; write 2026-11-22T10:15:00Z or 10:15:00, in UTC".to_owned();
    let text = text.strip_suffix('Z').unwrap_or(text);
    match text.split_once(['T', ' ']) {
        None => of_day(text).map(Moment::OfDay).ok_or_else(not_a_time),
        Some((date, time)) => {
            let at = day(date).zip(of_day(time));
            let nanos = |(days, nanos): (i64, i64)| {
                (days * SECONDS_PER_DAY)
                    .checked_mul(NANOS_PER_SECOND)?
                    .checked_add(nanos)
            };
            let at = at.and_then(nanos).map(Timestamp::from_unix_nanos);
            at.map(Moment::At).ok_or_else(not_a_time)
        }
    }
}

/// Nanoseconds since midnight, of `10:15`, `10:15:00` or `10:15:00.5`.
pub(crate) fn of_day(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hours, minutes) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let (seconds, nanos) = match parts.next() {
        None => (0, 0),
        Some(rest) => {
            let (seconds, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
            let digits = u32::try_from(fraction.len())
                .ok()
                .filter(|it| (1..=9).contains(it))?;
            let nanos = number(fraction, fraction.len())? * 10_i64.pow(9 - digits);
            (number(seconds, 2)?, nanos)
        }
    };
    let is_time = parts.next().is_none() && hours < 24 && minutes < 60 && seconds < 60;
    let seconds = (hours * 60 + minutes) * 60 + seconds;
    is_time.then_some(seconds * NANOS_PER_SECOND + nanos)
}

/// Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms").
fn day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (year, month) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?);
    let day = number(parts.next()?, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if parts.next().is_some() || !(1678..=2261).contains(&year) || !(1..=days).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Digits and nothing else, at most so many.
fn number(text: &str, most: usize) -> Option<i64> {
    let is_number = (1..=most).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, begun: &str, expected: &str) {
        let at = |text: &str| match moment(text) {
            Ok(Moment::At(time)) => time,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(
            moment(text).unwrap().from(at(begun)),
            at(expected),
            "{text}"
        );
    }

    #[test]
    fn times_print_as_they_were_read() {
        for text in [
            "2026-11-22T10:15:00.123456789Z",
            "1970-01-01T00:00:00.000000000Z",
            "2000-02-29T23:59:59.000000000Z",
            "1900-03-01T00:00:00.000000000Z",
        ] {
            assert_eq!(
                moment(text)
                    .unwrap()
                    .from(Timestamp::from_unix_nanos(0))
                    .to_string(),
                text
            );
        }
    }

    #[test]
    fn a_time_of_day_is_the_next_one() {
        let begun = "2026-11-22T10:15:30.5Z";
        check("2026-11-22 10:15", begun, "2026-11-22T10:15:00Z");
        check("10:15:30", begun, "2026-11-22T10:15:30Z");
        check("10:16", begun, "2026-11-22T10:16:00Z");
        check("09:00:00.25", begun, "2026-11-23T09:00:00.25Z");
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "10",
            "24:00",
            "10:60",
            "10:15:60",
            "10:15:00.",
            "10:15:00.1234567890",
            "-1:00",
            "2026-02-29T10:15",
            "2026-13-01T10:15",
            "2026-11-22T",
            "26-11-22",
            "now",
            "1e1:00",
        ] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}

//! Times as lists give them.

use model::Timestamp;

const NANOS: i64 = 1_000_000_000;

/// RFC 3339 with any number of digits and any offset, `2026-11-22 10:15:00`, `2026-11-22`,
/// `20261122`, or seconds since 1970. Without an offset it is taken for UTC. `None`: none of these.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_matches('"');
    if !text.is_ascii() || text.len() > 40 {
        return None;
    }
    if text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return match text.len() {
            8 => date(
                text.get(..4)?,
                text.get(4..6)?,
                text.get(6..)?,
                "00:00:00",
                "",
            ),
            9 | 10 => Some(Timestamp::from_unix_nanos(number.checked_mul(NANOS)?)),
            13 => Some(Timestamp::from_unix_nanos(number.checked_mul(1_000_000)?)),
            _ => None,
        };
    }
    let (year, rest) = text.split_once('-')?;
    let (month, rest) = rest.split_once('-')?;
    let (day, clock) = rest.split_at_checked(2)?;
    let clock = clock.trim_start_matches(['T', 't', ' ']);
    if clock.is_empty() {
        return date(year, month, day, "00:00:00", "");
    }
    let (clock, rest) = clock.split_at_checked(8)?;
    let fraction = rest.strip_prefix('.').unwrap_or_default();
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, after) = match rest.strip_prefix('.') {
        Some(fraction) => fraction.split_at_checked(digits)?,
        None => ("", rest),
    };
    let time = date(year, month, day, clock, fraction)?;
    let shift = offset(after.trim())?;
    Some(Timestamp::from_unix_nanos(
        time.unix_nanos().checked_sub(shift)?,
    ))
}

fn date(year: &str, month: &str, day: &str, clock: &str, fraction: &str) -> Option<Timestamp> {
    let fraction: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    Timestamp::parse(&format!("{year}-{month}-{day}T{clock}.{fraction}Z"))
}

/// In nanoseconds; `None`: something else stands there.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "" | "Z" | "z" | "UTC") {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|it| *it != ':').collect();
    let number: i64 = digits.parse().ok().filter(|_| digits.len() == 4)?;
    Some(sign * (number / 100 * 3600 + number % 100 * 60) * NANOS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let expected = Timestamp::parse(expected);
        assert_eq!(time(text), expected, "{text}");
        assert!(expected.is_some());
    }

    #[test]
    fn times_are_read_in_all_their_forms() {
        check(
            "2023-07-28T12:14:36.1948Z",
            "2023-07-28T12:14:36.194800000Z",
        );
        check(
            "2023-07-28T14:14:36+02:00",
            "2023-07-28T12:14:36.000000000Z",
        );
        check("2023-07-28 12:14:36", "2023-07-28T12:14:36.000000000Z");
        check("2023-07-28 12:14:36 UTC", "2023-07-28T12:14:36.000000000Z");
        check("2023-07-28", "2023-07-28T00:00:00.000000000Z");
        check("20230728", "2023-07-28T00:00:00.000000000Z");
        check("1690546476", "2023-07-28T12:14:36.000000000Z");
        check("1690546476000", "2023-07-28T12:14:36.000000000Z");
        for text in [
            "",
            "5",
            "yesterday",
            "2023-13-01",
            "2023-07-28T12",
            "99999999999999",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}", digits in "[0-9T:.+ Z-]{0,40}") {
            time(&text);
            time(&digits);
        }
    }
}

//! When to come back (RFC 9110, 10.2.3): seconds, or a time of day.

use std::time::Duration;

use model::Timestamp;

/// `None`: it is neither of both. A time that is over means at once.
pub(super) fn after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number takes are as good as for ever.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    Some(now.until(date(text)?))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7); the two forms that nobody may write any more
/// are not read.
fn date(text: &str) -> Option<Timestamp> {
    let (_, date) = text.split_once(", ")?;
    let mut parts = date.split(' ');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let (time, zone) = (parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|it| *it == month)? + 1;
    if zone != "GMT" || parts.next().is_some() {
        return None;
    }
    Timestamp::parse(&format!("{year}-{month:02}-{day}T{time}.000000000Z"))
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        let now = Timestamp::parse("2026-11-22T10:15:00.000000000Z").unwrap();
        assert_eq!(after(text, now).map(|it| it.as_secs()), expected, "{text}");
    }

    #[test]
    fn reads_seconds_and_dates() {
        check("120", Some(120));
        check(" 0 ", Some(0));
        check("99999999999999999999999", Some(u64::MAX));
        check("Sun, 22 Nov 2026 10:16:30 GMT", Some(90));
        check("Sun, 22 Nov 2026 10:14:30 GMT", Some(0));
        for odd in [
            "",
            "-1",
            "soon",
            "Sun, 22 Nov 2026 10:16:30 CET",
            "Sun, 32 Nov 2026 10:16:30 GMT",
            ", é ",
        ] {
            check(odd, None);
        }
    }
}

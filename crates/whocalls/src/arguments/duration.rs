//! Times as people write them on the command line.

use std::time::Duration;

const MOST_SECONDS: f64 = 10.0 * 365.0 * 86_400.0;

/// Reads how often: seconds, as `2` or `0.5`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "not a number of seconds".to_owned())?;
    if !(0.1..=86_400.0).contains(&seconds) {
        return Err("between 0.1 and 86400 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Reads how long: `10s`, `5m`, `1h30m`, `2d`, `1.5h`; a number by itself is seconds.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let not_a_time = || "not a time; write 30s, 5m, 1h30m or 2d".to_owned();
    let mut seconds = 0.0;
    let mut smallest = f64::INFINITY;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|it: char| !it.is_ascii_digit() && it != '.');
        let (number, unit_and_rest) = rest.split_at(digits.unwrap_or(rest.len()));
        let letters = unit_and_rest.find(|it: char| !it.is_ascii_alphabetic());
        let (unit, after) = unit_and_rest.split_at(letters.unwrap_or(unit_and_rest.len()));
        let unit = match unit {
            "" if number == text => 1.0,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return Err(not_a_time()),
        };
        // Each unit once, the largest first.
        if unit >= smallest {
            return Err(not_a_time());
        }
        smallest = unit;
        let number: f64 = number.parse().map_err(|_| not_a_time())?;
        seconds += number * unit;
        rest = after;
    }
    if smallest.is_infinite() {
        return Err(not_a_time());
    }
    if !(0.1..=MOST_SECONDS).contains(&seconds) {
        return Err("between 0.1 seconds and 3650 days".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        let read = time(text).ok().map(|time| time.as_millis());
        assert_eq!(read, expected.map(u128::from), "{text}");
    }

    #[test]
    fn times_with_and_without_units() {
        check("10", Some(10_000));
        check("0.5", Some(500));
        check("10s", Some(10_000));
        check("5m", Some(300_000));
        check("1h30m", Some(5_400_000));
        check("1.5h", Some(5_400_000));
        check("2d", Some(172_800_000));
        check("1d2h3m4s", Some(93_784_000));
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "", "s", "-1", "1x", "10ms", "1h30", "30m1h", "1m1m", "1.2.3s", "0", "0s", "4000d",
            "1e3", " 1", "1 h", "inf", "nan", ".",
        ] {
            check(text, None);
        }
    }
}

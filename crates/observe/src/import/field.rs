//! What stands in the fields of logs: numbers, times, addresses, as tools write them.

use std::net::IpAddr;

use model::{Protocol, Timestamp};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A number without a sign. `None`: it is none, or too great. What is behind a point must be 0.
pub(super) fn unsigned(text: &[u8]) -> Option<u64> {
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let whole = parts.next().filter(|whole| !whole.is_empty())?;
    if parts
        .next()
        .is_some_and(|part| part.iter().any(|digit| *digit != b'0'))
    {
        return None;
    }
    whole.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// Why a record is counted as not understood whose other parts are kept.
pub(super) const NO_NUMBER: &str = "a port, a pid or a count in it is no number; the rest is here";

/// Of a record: what stands where ports and counts should.
///
/// Errors: something does that is no number.
pub(super) fn check_numbers(
    protocol: Protocol,
    ports: &[Option<&[u8]>],
    counts: &[Option<&[u8]>],
) -> Result<(), &'static str> {
    let odd_port = protocol.has_ports() && ports.iter().any(|port| is_no_port(*port));
    match odd_port || counts.iter().any(|count| is_no_count(*count)) {
        true => Err(NO_NUMBER),
        false => Ok(()),
    }
}

/// Whether something is said that is no port.
fn is_no_port(text: Option<&[u8]>) -> bool {
    text.is_some_and(|text| port(text).is_none())
}

/// Whether something is said that is no count.
fn is_no_count(text: Option<&[u8]>) -> bool {
    text.is_some_and(|text| unsigned(text).is_none())
}

pub(super) fn port(text: &[u8]) -> Option<u16> {
    u16::try_from(unsigned(text)?).ok()
}

/// Seconds with a point, as nanoseconds; what is finer is cut off. `None`: no such number, or too
/// great.
pub(super) fn seconds(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, part) = digits.split_at_checked(point.unwrap_or(digits.len()))?;
    let whole = unsigned(whole).and_then(|whole| i64::try_from(whole).ok());
    let part = fraction(part.get(1..).unwrap_or_default());
    let (Some(whole), Some(part)) = (whole, part) else {
        return scientific(text);
    };
    let nanos = whole.checked_mul(NANOS_PER_SECOND)?.checked_add(part)?;
    Some(if negative { -nanos } else { nanos })
}

/// A time as RFC 3339 has it, and as its relatives do: a blank for the T, a comma for the point, an
/// offset without a colon. Without any offset it is UTC. In nanoseconds since 1970.
pub(super) fn time(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_at_checked(19)?;
    let mut whole = *b"0000-00-00T00:00:00.000000000Z";
    whole.get_mut(..19)?.copy_from_slice(date);
    *whole.get_mut(10)? = match date.get(10)? {
        b'T' | b't' | b' ' => b'T',
        _ => return None,
    };
    let (part, zone) = match rest.first() {
        Some(b'.' | b',') => {
            let digits = rest.get(1..)?;
            let end = digits.iter().position(|byte| !byte.is_ascii_digit());
            digits.split_at_checked(end.unwrap_or(digits.len()))?
        }
        _ => (&b""[..], rest),
    };
    let time = Timestamp::parse(std::str::from_utf8(&whole).ok()?)?;
    let time = time.unix_nanos().checked_add(fraction(part)?)?;
    time.checked_sub(offset(zone)?.checked_mul(NANOS_PER_SECOND)?)
}

/// Either kind of time.
pub(super) fn any_time(text: &[u8]) -> Option<i64> {
    time(text).or_else(|| seconds(text))
}

/// An address; without the interface that may stand behind `%`.
pub(super) fn address(text: &[u8]) -> Option<IpAddr> {
    let text = text.split(|byte| *byte == b'%').next()?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A hardware address of one computer. `None`: it is none, is of many, or all zeros.
pub(super) fn mac(text: &[u8]) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut parts = text.split(|byte| matches!(byte, b':' | b'-'));
    for byte in &mut mac {
        let digits = std::str::from_utf8(parts.next()?).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    let of_many = mac.first().is_some_and(|first| first & 1 == 1);
    (parts.next().is_none() && !of_many && mac != [0; 6]).then_some(mac)
}

/// What stands behind the point of a number of seconds, as nanoseconds.
fn fraction(digits: &[u8]) -> Option<i64> {
    let mut nanos = 0;
    let mut unit = NANOS_PER_SECOND / 10;
    for digit in digits {
        nanos += digit.is_ascii_digit().then(|| i64::from(digit - b'0'))? * unit;
        unit /= 10;
    }
    Some(nanos)
}

/// Very small and very great numbers, as JSON may have them: `5e-06`.
fn scientific(text: &[u8]) -> Option<i64> {
    if !text.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        return None;
    }
    let seconds: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let nanos = (seconds * 1e9).round();
    // What is not in range has no text that reads as a number of 64 bits.
    format!("{nanos:.0}").parse().ok()
}

/// Of a time zone, in seconds east.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, rest) = match zone.split_first() {
        None => return Some(0),
        Some((b'Z' | b'z', [])) => return Some(0),
        Some((b'+', rest)) => (1, rest),
        Some((b'-', rest)) => (-1, rest),
        Some(_) => return None,
    };
    let (hours, minutes) = match rest {
        [a, b] => ([*a, *b], *b"00"),
        [a, b, c, d] | [a, b, b':', c, d] => ([*a, *b], [*c, *d]),
        _ => return None,
    };
    let (hours, minutes) = (unsigned(&hours)?, unsigned(&minutes)?);
    Some(sign * i64::try_from(hours * 3600 + minutes * 60).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn seconds_are_exact() {
        let check = |text: &str, expected| assert_eq!(seconds(text.as_bytes()), expected, "{text}");
        check("1601998366.785668", Some(1_601_998_366_785_668_000));
        check("79.681977", Some(79_681_977_000));
        check("0.001528024673461914", Some(1_528_024));
        check("-1.5", Some(-1_500_000_000));
        check("1", Some(1_000_000_000));
        check("5e-06", Some(5_000));
        check("1.5E3", Some(1_500_000_000_000));
        for odd in [
            "XXXXXXXXXX.XXXXXX",
            "",
            "-",
            ".",
            "1.2.3",
            "1e300",
            "99999999999",
            "NaN",
            "inf",
        ] {
            check(odd, None);
        }
    }

    #[test]
    fn times_are_read_as_tools_write_them() {
        let expected = time(b"2021-06-06T13:59:46.457984Z");
        assert_eq!(expected, Some(1_622_987_986_457_984_000));
        for text in [
            "2021-06-06T15:59:46.457984+0200",
            "2021-06-06T15:59:46.457984+02:00",
            "2021-06-06 13:59:46.457984",
            "2021-06-06 13:59:46,457984000",
            "2021-06-06T15:59:46.457984+02",
            "2021-06-06T08:29:46.457984-0530",
        ] {
            assert_eq!(time(text.as_bytes()), expected, "{text}");
        }
        for odd in [
            "",
            "2021-06-06",
            "2021-02-30T00:00:00Z",
            "2021-06-06T13:59:46+2",
            "2021-06-06x13:59:46Z",
        ] {
            assert_eq!(time(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_none() {
        assert_eq!(unsigned(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(unsigned(b"18446744073709551616"), None);
        assert_eq!(unsigned(b"60.000000"), Some(60));
        assert_eq!(
            (unsigned(b"60.5"), unsigned(b"-1"), unsigned(b".0")),
            (None, None, None)
        );
        assert_eq!((port(b"65535"), port(b"65536")), (Some(65535), None));
    }

    #[test]
    fn a_hardware_address_is_of_one() {
        assert_eq!(
            mac(b"08:00:27:ef:ee:34"),
            Some([8, 0, 0x27, 0xef, 0xee, 0x34])
        );
        assert_eq!(
            mac(b"08-00-27-EF-EE-34"),
            Some([8, 0, 0x27, 0xef, 0xee, 0x34])
        );
        for odd in [
            "33:33:00:01:00:02",
            "00:00:00:00:00:00",
            "08:00:27:ef:ee",
            "x",
        ] {
            assert_eq!(mac(odd.as_bytes()), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text: Vec<u8>) {
            let _ = (any_time(&text), address(&text), mac(&text), port(&text));
        }

        #[test]
        fn a_time_reads_as_it_is_printed(nanos: i64) {
            let text = Timestamp::from_unix_nanos(nanos).to_string();
            prop_assert_eq!(time(text.as_bytes()), Some(nanos));
        }
    }
}

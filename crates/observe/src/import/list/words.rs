//! Words and numbers of a line.

/// The words of a line: what stands between blanks.
pub(in super::super) fn words(line: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
    line.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
}

/// Takes the first word off a line.
pub(in super::super) fn word<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let line = rest.trim_ascii_start();
    let end = line
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(line.len());
    let (word, after) = line.split_at_checked(end)?;
    *rest = after;
    (!word.is_empty()).then_some(word)
}

/// A number in decimal digits and nothing else.
pub(in super::super) fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    all.then_some(())?;
    str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether a word is digits, with or without a sign, and no number that can be: `-5`, or 70000 for a
/// port.
pub(in super::super) fn is_odd_number<T: std::str::FromStr>(word: &[u8]) -> bool {
    let sign = word.strip_prefix(b"-").or(word.strip_prefix(b"+"));
    let digits = sign.unwrap_or(word);
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    all && number::<T>(word).is_none()
}

/// A protocol over IP by its number or its name in protocols(5), as it stands in the place of the port
/// of a raw socket. 255 is any, which `*` stands for too.
pub(in super::super) fn ip_protocol(word: &[u8]) -> Option<u8> {
    Some(match word.to_ascii_lowercase().as_slice() {
        b"icmp" => 1,
        b"igmp" => 2,
        b"ipencap" | b"ipip" => 4,
        b"tcp" => 6,
        b"udp" => 17,
        b"ipv6" => 41,
        b"gre" => 47,
        b"esp" | b"ipsec-esp" => 50,
        b"ah" | b"ipsec-ah" => 51,
        b"ipv6-icmp" | b"icmpv6" => 58,
        b"ospf" | b"ospfigp" => 89,
        b"pim" => 103,
        b"vrrp" => 112,
        b"sctp" => 132,
        b"raw" | b"*" => 255,
        _ => return number(word),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_off() {
        let mut rest = &b"  one\ttwo "[..];
        assert_eq!(word(&mut rest), Some(&b"one"[..]));
        assert_eq!(words(rest).collect::<Vec<_>>(), [b"two"]);
        assert_eq!(word(&mut rest), Some(&b"two"[..]));
        assert_eq!(word(&mut rest), None);
    }

    #[test]
    fn a_number_is_digits() {
        assert_eq!(number::<u32>(b"17"), Some(17));
        assert_eq!(number::<u32>(b"+17"), None);
        assert_eq!(number::<u32>(b""), None);
        assert_eq!(number::<u8>(b"256"), None);
        for (word, odd) in [
            ("17", false),
            ("-17", true),
            ("70000", true),
            ("-", false),
            ("a-1", false),
        ] {
            assert_eq!(is_odd_number::<u16>(word.as_bytes()), odd, "{word}");
        }
        assert_eq!(ip_protocol(b"ipv6-icmp"), Some(58));
        assert_eq!(ip_protocol(b"58"), Some(58));
        assert_eq!(ip_protocol(b"word"), None);
    }
}

//! What an answer tells about who asked is taken out before anything is kept: some servers write the
//! address of the asker into it.

use std::net::IpAddr;

/// Stands where an address was.
const LEFT_OUT: &[u8] = b"(left out)";

/// No address is longer (RFC 4291, 2.2).
const MOST_BYTES: usize = 45;

/// Words of lines in which servers tell whom they answer, or why not.
const WORDS: [&[u8]; 22] = [
    b"ip client",
    b"client ip",
    b"client address",
    b"your ip",
    b"your address",
    b"your host",
    b"- ip:",
    b"% ip:",
    b"# ip:",
    b"source ip",
    b"remote ip",
    b"remote address",
    b"denied",
    b"exceeded",
    b"blocked",
    b"blacklist",
    b"too many",
    b"queries from",
    b"query from",
    b"requests from",
    b"request from",
    b"connections from",
];

/// The answer without the asker's address: in lines that speak of the asker, every address is replaced.
/// All other bytes stay as they are.
pub fn without_asker(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if speaks_of_asker(line) {
            push_without_addresses(&mut kept, line);
        } else {
            kept.extend_from_slice(line);
        }
    }
    kept
}

fn speaks_of_asker(line: &[u8]) -> bool {
    let lower = line.to_ascii_lowercase();
    let has = |word: &[u8]| lower.windows(word.len()).any(|window| window == word);
    WORDS.iter().any(|word| has(word))
}

fn push_without_addresses(kept: &mut Vec<u8>, line: &[u8]) {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
    let mut rest = line;
    while let Some(first) = rest.first() {
        let length = if is_part(first) {
            rest.iter().take_while(|byte| is_part(byte)).count()
        } else {
            rest.iter().take_while(|byte| !is_part(byte)).count()
        };
        let (mut word, behind) = rest.split_at(length);
        while let Some((before, after)) = address_in(word) {
            kept.extend_from_slice(before);
            kept.extend_from_slice(LEFT_OUT);
            word = after;
        }
        kept.extend_from_slice(word);
        rest = behind;
    }
}

/// What stands before and behind an address in a word of its letters: `IP:192.0.2.1.`.
fn address_in(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_address = |it: &[u8]| {
        let text = std::str::from_utf8(it).unwrap_or_default();
        text.parse::<IpAddr>().is_ok()
    };
    let ends = |from: usize| (from + 2..=word.len().min(from + MOST_BYTES)).rev();
    let begin_is_free = |from: &usize| {
        let before = from.checked_sub(1).and_then(|at| word.get(at));
        before.is_none_or(|byte| matches!(byte, b'.' | b':'))
    };
    (0..word.len()).filter(begin_is_free).find_map(|from| {
        let end = ends(from).find(|end| word.get(from..*end).is_some_and(is_address))?;
        Some((word.get(..from)?, word.get(end..)?))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let kept = without_asker(text.as_bytes());
        assert_eq!(String::from_utf8_lossy(&kept), expected);
    }

    #[test]
    fn the_askers_address_is_left_out() {
        check("% IP Client: 203.0.113.9\n", "% IP Client: (left out)\n");
        check(
            "% 2016-08-05 15:11:12 (BRT -03:00) - IP: 203.0.113.9\r\n",
            "% 2016-08-05 15:11:12 (BRT -03:00) - IP: (left out)\r\n",
        );
        check(
            "%ERROR:201: access denied for 2001:db8::9\n%\n",
            "%ERROR:201: access denied for (left out)\n%\n",
        );
        check("Queries from 203.0.113.9.", "Queries from (left out).");
        check("% IP Client:203.0.113.9", "% IP Client:(left out)");
        check("Your IP=203.0.113.9:4711 is", "Your IP=(left out):4711 is");
        check("denied 1.2.3.4:5.6.7.8", "denied (left out):(left out)");
        let hidden = format!("denied {}.203.0.113.9", "a".repeat(99));
        check(&hidden, &hidden.replace("203.0.113.9", "(left out)"));
    }

    #[test]
    fn all_else_stays() {
        for text in [
            "% Information related to '62.239.237.0 - 62.239.237.255'\n",
            "inetnum:     200.57.128/19\nowner: Cafe\u{e9}\n",
            "#     \"n 144.134.121.81\"\n",
            "NetRange: 216.6.0.0 - 216.6.1.255",
        ] {
            check(text, text);
        }
        let bytes = b"% IP Client: \xff\xfe abc";
        assert_eq!(without_asker(bytes), bytes);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100), text in "% denied [0-9a-f:. ]{0,60}") {
            without_asker(&bytes);
            let once = without_asker(text.as_bytes());
            prop_assert_eq!(without_asker(&once), once);
        }
    }
}

//! What Windows writes down as the answer to a question for a name: a status and a line of results. The
//! provider Microsoft-Windows-DNS-Client tells it (event 3008), and Sysmon hands it on (event 22).
//!
//! The line: `type:  5 alias.example;::ffff:192.0.2.1;`, records of other types than addresses with their
//! type before them, all behind one another. Nothing is said of how long they hold.

use std::net::IpAddr;

use model::{Answer, Text};

/// So many records of one answer are kept.
const MOST_RECORDS: usize = 512;

/// `None`: nobody answered, or it is not known what.
pub(crate) fn answer(status: u32, results: &[u8]) -> Option<Answer> {
    let code = match status {
        // DNS_ERROR_RCODE_..., and a name that has no records of this type (winerror.h).
        code @ 9001..=9016 => u8::try_from(code - 9000).ok()?,
        0 | 9501 => 0,
        _ => return None,
    };
    let mut answer = Answer {
        code,
        ..Answer::default()
    };
    for result in results.split(|byte| *byte == b';').take(MOST_RECORDS) {
        let result = result.trim_ascii();
        if let Some(address) = address(result) {
            answer.addresses.push((address.to_canonical(), 0));
        } else if let Some(typed) = result.strip_prefix(b"type:") {
            let typed = typed.trim_ascii();
            let alias = typed.strip_prefix(b"5").map(<[u8]>::trim_ascii);
            answer
                .aliases
                .extend(alias.filter(|alias| !alias.is_empty()).map(Text::from));
        }
    }
    Some(answer)
}

fn address(text: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(status: u32, results: &str, expected: &str) {
        let told = answer(status, results.as_bytes()).map(|it| {
            let addresses: Vec<_> = it.addresses.iter().map(|(ip, _)| ip.to_string()).collect();
            format!("{} {:?} {addresses:?}", it.code, it.aliases)
        });
        assert_eq!(told.as_deref().unwrap_or("nothing"), expected, "{results}");
    }

    #[test]
    fn addresses_and_other_names_are_told() {
        check(
            0,
            "type:  5 b.example;::ffff:192.0.2.1;2001:db8::1;",
            r#"0 ["b.example"] ["192.0.2.1", "2001:db8::1"]"#,
        );
        check(0, "type:  15 mail.example;", "0 [] []");
        check(0, "type:  5 ;;", "0 [] []");
        check(9003, "", "3 [] []");
        check(9501, "-", "0 [] []");
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for status in [87, 1460, 9000, 9017, 9560, u32::MAX] {
            check(status, "::ffff:192.0.2.1;", "nothing");
        }
    }

    proptest! {
        #[test]
        fn takes_any_bytes(status in 8990_u32..9600, results: Vec<u8>) {
            let _answer = answer(status, &results);
        }
    }
}

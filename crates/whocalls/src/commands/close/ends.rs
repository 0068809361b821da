//! The ends of a connection, as `list` prints them: `192.0.2.7:40512 203.0.113.9:443/https`.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};

use model::{Connection, Endpoint};

/// What stands between the ends elsewhere, and says nothing.
const ARROWS: [&str; 2] = ["->", "→"];

/// What a person named by its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    NotNamed,
    /// It is this end or that one.
    Either(Endpoint),
    Both {
        local: Endpoint,
        remote: Endpoint,
    },
}

impl Ends {
    pub(super) fn are_of(self, connection: &Connection) -> bool {
        match self {
            Self::NotNamed => true,
            Self::Either(end) => connection.local == end || connection.remote == Some(end),
            Self::Both { local, remote } => {
                connection.local == local && connection.remote == Some(remote)
            }
        }
    }
}

/// The ends among words, and the words that are left.
///
/// Errors: for people: what looks like an end and is none, or there are too many.
pub(super) fn taken(words: &[String]) -> Result<(Ends, Vec<String>), String> {
    let (mut ends, mut left) = (Vec::new(), Vec::new());
    for word in words {
        let parts = || word.split_whitespace().filter(|it| !ARROWS.contains(it));
        let of_it: Option<Vec<_>> = parts().map(end).collect();
        match of_it {
            Some(of_it) => ends.extend(of_it),
            None => match parts().find(|it| is_meant_as_end(it) && end(it).is_none()) {
                Some(part) => return Err(no_end(part)),
                None => left.push(word.clone()),
            },
        }
    }
    let joins = |it: &str| {
        let words = ["and", "or", "not"];
        words.iter().any(|word| it.eq_ignore_ascii_case(word)) || it.contains(['(', ')'])
    };
    let mut beside = left.iter().flat_map(|it| it.split_whitespace());
    if !ends.is_empty() && beside.any(joins) {
        return Err(
            "an end may stand beside terms, and not beside and, or, not and brackets".to_owned(),
        );
    }
    let has_scope = words.iter().any(|it| it.contains('%'));
    if has_scope && ends.len() == 1 {
        return Err(
            "an end with an interface may be that of several: name the other end, too".to_owned(),
        );
    }
    let ends = match ends.as_slice() {
        [] => return Ok((Ends::NotNamed, words.to_vec())),
        [end] => Ends::Either(*end),
        [local, remote] => Ends::Both {
            local: *local,
            remote: *remote,
        },
        _ => return Err("a connection has two ends".to_owned()),
    };
    Ok((ends, left))
}

fn no_end(word: &str) -> String {
    format!(
        "'{word}' is no end of a connection\nhelp: write it as list prints it: 203.0.113.9:443 or \
         [2001:db8::7]:443"
    )
}

/// `None`: it is none.
fn end(word: &str) -> Option<Endpoint> {
    let word = match word.split_once('/') {
        Some((end, service)) if service.starts_with(|it: char| it.is_ascii_alphabetic()) => end,
        _ => word,
    };
    let end: SocketAddr = word.parse().ok().or_else(|| scoped(word))?;
    Some(Endpoint::new(end.ip(), end.port()))
}

/// `[fe80::1%wlan0]:22`: an interface tells apart what looks alike; here the other end does.
fn scoped(word: &str) -> Option<SocketAddr> {
    let (ip, port) = word.strip_prefix('[')?.rsplit_once("]:")?;
    let (ip, _) = ip.split_once('%')?;
    let (ip, port): (Ipv6Addr, u16) = (ip.parse().ok()?, port.parse().ok()?);
    Some(SocketAddrV6::new(ip, port, 0, 0).into())
}

/// No term of a filter begins so and has a colon.
fn is_meant_as_end(word: &str) -> bool {
    let before = word.split_once(':').map(|(before, _)| before);
    before.is_some_and(|it| it.starts_with(|first: char| first == '[' || first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], expected: Ends, left: &[&str]) {
        let words: Vec<_> = words.iter().map(|it| (*it).to_owned()).collect();
        let left: Vec<_> = left.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(taken(&words), Ok((expected, left)), "{words:?}");
    }

    #[test]
    fn ends_are_read_as_they_are_printed() {
        let local = Endpoint::new([192, 0, 2, 7].into(), 40512);
        let remote = Endpoint::new([203, 0, 113, 9].into(), 443);
        let both = Ends::Both { local, remote };
        check(&["203.0.113.9:443"], Ends::Either(remote), &[]);
        check(&["203.0.113.9:443/https"], Ends::Either(remote), &[]);
        check(&["192.0.2.7:40512", "203.0.113.9:443/https"], both, &[]);
        check(&["192.0.2.7:40512 -> 203.0.113.9:443"], both, &[]);
        check(
            &["proc:curl", "203.0.113.9:443"],
            Ends::Either(remote),
            &["proc:curl"],
        );
        let other = Endpoint::new([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7].into(), 443);
        check(&["[2001:db8::7]:443"], Ends::Either(other), &[]);
        let near = Endpoint::new([0xfe80, 0, 0, 0, 0, 0, 0, 1].into(), 22);
        let scoped = ["[fe80::1%wlan0]:22", "[fe80::1%wlan0]:23"];
        let far = Endpoint {
            port: Some(23),
            ..near
        };
        let both = Ends::Both {
            local: near,
            remote: far,
        };
        check(&scoped, both, &[]);
    }

    #[test]
    fn all_else_is_left_to_the_filter() {
        for words in [
            &["proc:updater dst:203.0.113.9"][..],
            &["dst:203.0.113.9", "->"],
            &["203.0.113.9"],
            &["\"1.2.3.4:5 x\""],
        ] {
            check(words, Ends::NotNamed, words);
        }
    }

    #[test]
    fn what_is_no_end_is_said() {
        let wrong = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(|it| (*it).to_owned()).collect();
            taken(&words).unwrap_err()
        };
        for word in [
            "127.0.0.1:99999",
            "127.0.0.1:",
            "[2001:db8::7:443",
            "1.2.3:4",
        ] {
            assert!(wrong(&[word]).contains("is no end"), "{word}");
        }
        for words in [
            &["not", "203.0.113.9:443", "proc:curl"][..],
            &["203.0.113.9:443", "proc:curl or proc:wget"],
        ] {
            assert!(wrong(words).contains("beside"), "{words:?}");
        }
        assert!(wrong(&["[fe80::1%wlan0]:22"]).contains("interface"));
        let three = ["1.2.3.4:5", "1.2.3.4:6", "1.2.3.4:7"];
        assert_eq!(wrong(&three), "a connection has two ends");
    }
}

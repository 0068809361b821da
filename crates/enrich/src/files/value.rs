//! One value out of a text: what it is, by how it looks.

use std::net::IpAddr;

use model::{FileHash, IndicatorValue, Network, UncheckedKind};

use super::name::normalised;

/// Longer texts are none.
const LONGEST: usize = 4096;
/// From its first address to its last: a network of 8 bits.
const WIDEST_RANGE: u32 = 0x00ff_ffff;

/// What a value is, by how it looks; written defanged (`hxxp://evil[.]example`) or not. `None`: it
/// looks like nothing that can be compared.
pub fn guess(text: &str) -> Option<IndicatorValue> {
    let text = fanged(bare(text));
    address(&text)
        .or_else(|| hash(&text))
        .or_else(|| url(&text, false))
        .or_else(|| name(&text))
        .or_else(|| email(&text))
        .or_else(|| path(&text))
}

/// Without blanks and quotes around it. Empty where it is too long.
pub(super) fn bare(text: &str) -> &str {
    let text = text.trim_matches(|it: char| it.is_whitespace() || matches!(it, '"' | '\'' | '`'));
    if text.len() > LONGEST { "" } else { text }
}

/// What was written so that nobody follows it by mistake, as it was.
pub(super) fn fanged(text: &str) -> String {
    let mut plain = text.to_owned();
    if text.contains(['[', '(', '{']) {
        for (defanged, fanged) in [
            ("[.]", "."),
            ("(.)", "."),
            ("{.}", "."),
            ("[dot]", "."),
            ("(dot)", "."),
            ("[:]", ":"),
            ("[://]", "://"),
            ("[@]", "@"),
            ("[at]", "@"),
        ] {
            plain = plain.replace(defanged, fanged);
        }
    }
    for (defanged, fanged) in [("hxxp", "http"), ("hXXp", "http"), ("fxp://", "ftp://")] {
        if let Some(rest) = plain.strip_prefix(defanged) {
            plain = format!("{fanged}{rest}");
        }
    }
    plain
}

/// An address, with a port or without one, or a block of them.
pub(super) fn address(text: &str) -> Option<IndicatorValue> {
    if let Some((first, prefix)) = text.split_once('/') {
        let address: IpAddr = first.trim().parse().ok()?;
        let prefix = prefix.trim();
        let prefix = match prefix.parse::<u8>() {
            Ok(bits) => bits,
            Err(_) => bits_of_mask(prefix)?,
        };
        return network(address, prefix);
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(IndicatorValue::Address(address.to_canonical()));
    }
    // Short forms as inet_aton(3) takes them are not read: what they mean is a matter of taste.
    let (address, port) = text.rsplit_once([':', '|'])?;
    port.parse::<u16>().ok()?;
    let address = address.strip_prefix('[').unwrap_or(address);
    let address: IpAddr = match address.strip_suffix(']') {
        Some(address) => address.parse().ok()?,
        None => IpAddr::V4(address.parse().ok()?),
    };
    Some(IndicatorValue::Address(address.to_canonical()))
}

/// A block; one of a single address is that address.
fn network(address: IpAddr, prefix: u8) -> Option<IndicatorValue> {
    let (address, prefix) = match (address.to_canonical(), address) {
        (IpAddr::V4(v4), IpAddr::V6(_)) => (IpAddr::V4(v4), prefix.checked_sub(96)?),
        (address, _) => (address, prefix),
    };
    let network = Network::new(address, prefix)?;
    Some(if network.is_single() {
        IndicatorValue::Address(network.first())
    } else {
        IndicatorValue::Network(network)
    })
}

/// `255.255.255.0` is 24.
fn bits_of_mask(text: &str) -> Option<u8> {
    let mask = u32::from(text.parse::<std::net::Ipv4Addr>().ok()?);
    let bits = mask.leading_ones();
    (mask.checked_shl(bits).unwrap_or(0) == 0).then_some(u8::try_from(bits).ok()?)
}

/// Wider networks of the internet are refused: each has more computers than anybody means.
pub(super) fn is_too_wide(network: Network) -> bool {
    match (network.first(), network.last()) {
        // From 224.0.0.0 on nobody is called.
        (IpAddr::V4(first), IpAddr::V4(_)) => {
            network.prefix() < 8 && first.octets() < [224, 0, 0, 0]
        }
        // 2000::/3 is the internet (RFC 4291, 2.4).
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            let internet = [0x2000, 0x3fff];
            let [first, last] = [first, last].map(|it| it.segments().first().copied().unwrap_or(0));
            network.prefix() < 16 && first <= internet[1] && last >= internet[0]
        }
        _ => false,
    }
}

/// The blocks that make up `192.0.2.0-192.0.2.9`, at most 64 of IPv4. A range as wide as a network
/// that would be refused is the network around it, so that it is refused whole.
pub(super) fn range(text: &str) -> Option<Vec<IndicatorValue>> {
    let (first, last) = text.split_once('-')?;
    let first = u32::from(first.trim().parse::<std::net::Ipv4Addr>().ok()?);
    let last = u32::from(last.trim().parse::<std::net::Ipv4Addr>().ok()?);
    if last.checked_sub(first)? > WIDEST_RANGE {
        let bits = u8::try_from((first ^ last).leading_zeros()).ok()?;
        let around = Network::new(IpAddr::from(first.to_be_bytes()), bits)?;
        if is_too_wide(around) {
            return Some(vec![IndicatorValue::Network(around)]);
        }
    }
    let (mut first, last) = (u64::from(first), u64::from(last));
    let mut blocks = Vec::new();
    while first <= last {
        let mut bits = first.trailing_zeros().min(32);
        while first + (1 << bits) - 1 > last {
            bits -= 1;
        }
        let address = IpAddr::from(u32::try_from(first).ok()?.to_be_bytes());
        blocks.push(network(address, u8::try_from(32 - bits).ok()?)?);
        first += 1 << bits;
    }
    (!blocks.is_empty()).then_some(blocks)
}

pub(super) fn hash(text: &str) -> Option<IndicatorValue> {
    FileHash::parse(text).map(IndicatorValue::Hash)
}

/// A name, also one that stands for all below it: `*.evil.example`, `.evil.example`.
pub(super) fn name(text: &str) -> Option<IndicatorValue> {
    let below = text.strip_prefix("*.").or_else(|| text.strip_prefix('.'));
    let name = normalised(below.unwrap_or(text))?;
    Some(IndicatorValue::Name {
        name: name.into_owned(),
        below: below.is_some(),
    })
}

/// A URL; `evil.example/x` too where it is said that it is one.
pub(super) fn url(text: &str, is_said: bool) -> Option<IndicatorValue> {
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        Some(_) => return None,
        None if is_said => text,
        None => return None,
    };
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let authority = authority.rsplit('@').next()?;
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let address: IpAddr = bracketed.split(']').next()?.parse().ok()?;
            address.to_canonical().to_string()
        }
        None => {
            let host = authority.split(':').next()?;
            match host.parse::<IpAddr>() {
                Ok(address) => address.to_string(),
                Err(_) => normalised(host)?.into_owned(),
            }
        }
    };
    Some(IndicatorValue::Url {
        url: text.to_owned(),
        host,
    })
}

fn is_scheme(scheme: &str) -> bool {
    !scheme.is_empty()
        && scheme.len() <= 20
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn email(text: &str) -> Option<IndicatorValue> {
    let (user, host) = text.rsplit_once('@')?;
    normalised(host)?;
    (!user.is_empty() && !user.contains(char::is_whitespace)).then(|| IndicatorValue::Unchecked {
        kind: UncheckedKind::Email,
        value: text.to_owned(),
    })
}

/// A path from the root, of Unix or of Windows.
pub(super) fn path(text: &str) -> Option<IndicatorValue> {
    let unix = text.starts_with('/') && text.len() > 1 && !text.starts_with("//");
    let windows =
        matches!(text.as_bytes(), [drive, b':', b'\\', _, ..] if drive.is_ascii_alphabetic());
    (unix || windows).then(|| IndicatorValue::Path(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, kind: &str, value: &str) {
        let guessed = guess(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(guessed.kind().word(), kind, "{text}");
        assert_eq!(guessed.to_string(), value, "{text}");
    }

    #[test]
    fn a_value_is_known_by_its_looks() {
        check("192.0.2.1", "address", "192.0.2.1");
        check("\"192[.]0[.]2[.]1\"", "address", "192.0.2.1");
        check("192.0.2.1:8080", "address", "192.0.2.1");
        check("192.0.2.1|443", "address", "192.0.2.1");
        check("[2001:db8::1]:443", "address", "2001:db8::1");
        check("::ffff:192.0.2.1", "address", "192.0.2.1");
        check("2001:DB8::/32", "network", "2001:db8::/32");
        check("192.0.2.9/24", "network", "192.0.2.0/24");
        check("192.0.2.0/255.255.255.128", "network", "192.0.2.0/25");
        check("192.0.2.9/32", "address", "192.0.2.9");
        check("::ffff:192.0.2.0/120", "network", "192.0.2.0/24");
        check("Evil.Example.", "name", "evil.example");
        check("*.evil.example", "name", "evil.example");
        check(
            "hxxps://evil[.]example/a?b",
            "url",
            "https://evil.example/a?b",
        );
        check(&"Ab".repeat(32), "hash", &"ab".repeat(32));
        check("a@evil.example", "email", "a@evil.example");
        check("/private/var/tmp/x", "path", "/private/var/tmp/x");
        check(r"C:\Windows\evil.dll", "path", r"C:\Windows\evil.dll");
    }

    #[test]
    fn what_looks_like_nothing_is_nothing() {
        for text in [
            "",
            "bh",
            "a b",
            "1.2.3",
            "192.0.2.1/33",
            "192.0.2.1:99999",
            "/",
            "http://",
            "x://y",
            "192.0.2.0/255.0.255.0",
        ] {
            assert_eq!(guess(text), None, "{text}");
        }
    }

    #[test]
    fn a_url_has_its_host() {
        for (text, expected) in [
            ("http://User:pw@Evil.Example:8080/x", "evil.example"),
            ("http://[2001:db8::1]:80/", "2001:db8::1"),
            ("https://192.0.2.1#x", "192.0.2.1"),
        ] {
            let Some(IndicatorValue::Url { host, .. }) = url(text, false) else {
                panic!("{text}");
            };
            assert_eq!(host, expected);
        }
        assert_eq!(url("evil.example/x", false), None);
        assert!(url("evil.example/x", true).is_some());
    }

    #[test]
    fn a_range_becomes_blocks() {
        let blocks = range("192.0.2.1 - 192.0.2.8").unwrap();
        let blocks: Vec<_> = blocks.iter().map(ToString::to_string).collect();
        assert_eq!(
            blocks,
            ["192.0.2.1", "192.0.2.2/31", "192.0.2.4/30", "192.0.2.8"]
        );
        assert_eq!(range("192.0.2.8-192.0.2.1"), None);
        assert!(range("9.0.0.1-9.255.255.254").unwrap().len() <= 64);
    }

    #[test]
    fn a_range_as_wide_as_the_internet_is_one_network() {
        let check = |text: &str, expected: &str| {
            let blocks = range(text).unwrap();
            let blocks: Vec<_> = blocks.iter().map(ToString::to_string).collect();
            assert_eq!(blocks, [expected], "{text}");
        };
        check("0.0.0.0-255.255.255.255", "0.0.0.0/0");
        check("0.0.0.1-255.255.255.254", "0.0.0.0/0");
        check("9.0.0.0-10.0.0.0", "8.0.0.0/6");
        check("9.0.0.0-9.255.255.255", "9.0.0.0/8");
        check("224.0.0.0-255.255.255.255", "224.0.0.0/3");
    }

    #[test]
    fn networks_are_no_wider_than_somebody_means() {
        let check = |text: &str, expected: bool| {
            let Some(IndicatorValue::Network(network)) = address(text) else {
                panic!("{text}");
            };
            assert_eq!(is_too_wide(network), expected, "{text}");
        };
        for text in [
            "0.0.0.0/0",
            "128.0.0.0/1",
            "8.0.0.0/7",
            "192.0.0.0/2",
            "::/0",
            "2000::/3",
        ] {
            check(text, true);
        }
        for text in [
            "9.0.0.0/8",
            "224.0.0.0/3",
            "2002::/16",
            "fc00::/7",
            "8000::/1",
            "::/8",
        ] {
            check(text, false);
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,60}", other in "[0-9a-fx:./@\\[\\]|*-]{0,40}") {
            guess(&text);
            guess(&other);
            range(&other);
        }
    }
}

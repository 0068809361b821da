//! What a person types to be looked up.

use std::net::IpAddr;

use enrich::suffix::Name;
use ipnet::IpNet;
use model::{HashKind, hex};

/// An item that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// As it was typed, without blanks around it.
    pub(super) text: String,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Address(IpAddr, Option<u16>),
    /// First address, length, last address.
    Network(IpAddr, u8, IpAddr),
    Name(Name),
    /// Hex in lower case.
    Hash(HashKind, String),
}

/// Longer items are not looked at.
const MOST_BYTES: usize = 1024;

impl Asked {
    pub(super) fn address(ip: IpAddr) -> Self {
        Self {
            text: ip.to_string(),
            what: What::Address(ip.to_canonical(), None),
        }
    }

    /// A name as it was seen on the wire. `None`: no name that can be looked up.
    pub(super) fn name(text: &str) -> Option<Self> {
        let name = Name::parse(text).ok()?;
        Some(Self {
            text: name.ascii.clone(),
            what: What::Name(name),
        })
    }

    pub(super) fn sha256(hash: &[u8; 32]) -> Self {
        let text = hex(hash);
        Self {
            what: What::Hash(HashKind::Sha256, text.clone()),
            text,
        }
    }

    /// `Err`: why it is nothing that can be looked up, with help.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("an empty item cannot be looked up".to_owned());
        }
        if text.len() > MOST_BYTES {
            return Err(format!("an item of {} bytes is too long", text.len()));
        }
        let refanged = refanged(text);
        let what = what(&refanged).map_err(|why| format!("'{text}' cannot be looked up: {why}"))?;
        Ok(Self {
            text: text.to_owned(),
            what,
        })
    }
}

/// People break what is dangerous, so that no program turns it into a link.
fn refanged(text: &str) -> String {
    let dots = ["[.]", "(.)", "{.}", "[dot]", "(dot)"];
    let text = dots
        .iter()
        .fold(text.to_owned(), |text, it| text.replace(it, "."));
    text.replace("[:]", ":")
}

fn what(text: &str) -> Result<What, String> {
    if let Some(address) = address(text) {
        return Ok(address);
    }
    if let Some((before, after)) = text.split_once("://") {
        let rest = after.split(['/', '?', '#']).next().unwrap_or(after);
        let host = rest.rsplit('@').next().unwrap_or(rest);
        let hint = if host.is_empty() { "HOST" } else { host };
        return Err(format!(
            "it is a URL ({before})\nhelp: look up its host: whocalls lookup '{hint}'"
        ));
    }
    if text.contains('/') {
        return network(text);
    }
    if let Some(hash) = hash(text)? {
        return Ok(hash);
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(
            "neither an address, nor a name with a port\nhelp: an IPv6 address with a port \
                    stands in brackets: '[2001:db8::7]:443'"
                .to_owned(),
        );
    }
    let name = Name::parse(name)?;
    let last = name.ascii.rsplit('.').next().unwrap_or_default();
    if !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("not an address: it has four numbers from 0 to 255".to_owned());
    }
    Ok(What::Name(name))
}

/// `192.0.2.7`, `192.0.2.7:443`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:443`; a zone (`%eth0`)
/// may stand behind IPv6. `None`: none of them.
fn address(text: &str) -> Option<What> {
    let without_zone = |text: &str| text.split('%').next().unwrap_or(text).to_owned();
    if let Ok(ip) = without_zone(text).parse::<IpAddr>() {
        return Some(What::Address(ip.to_canonical(), None));
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            let port = match rest.strip_prefix(':') {
                Some(port) => Some(port),
                None if rest.is_empty() => None,
                None => return None,
            };
            (host, port)
        }
        None => {
            let (host, port) = text.split_once(':')?;
            (host, Some(port))
        }
    };
    let ip: IpAddr = without_zone(host).parse().ok()?;
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    Some(What::Address(ip.to_canonical(), port))
}

fn network(text: &str) -> Result<What, String> {
    let network: IpNet = text.parse().map_err(|_| {
        "not a network\nhelp: a network is an address and a length: 198.51.100.0/24".to_owned()
    })?;
    Ok(What::Network(
        network.network(),
        network.prefix_len(),
        network.broadcast(),
    ))
}

/// `Ok(None)`: no hash at all.
fn hash(text: &str) -> Result<Option<What>, String> {
    const SHORTEST: usize = 32;
    if text.len() < SHORTEST || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let kind = match text.len() {
        32 => HashKind::Md5,
        40 => HashKind::Sha1,
        64 => HashKind::Sha256,
        other => {
            return Err(format!(
                "{other} hexadecimal digits\nhelp: MD5 has 32, SHA-1 40, SHA-256 64"
            ));
        }
    };
    Ok(Some(What::Hash(kind, text.to_ascii_lowercase())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let told = match Asked::parse(text).map(|it| it.what) {
            Ok(What::Address(ip, None)) => ip.to_string(),
            Ok(What::Address(ip, Some(port))) => format!("{ip} port {port}"),
            Ok(What::Network(first, length, last)) => format!("{first}/{length} to {last}"),
            Ok(What::Name(name)) => name.ascii,
            Ok(What::Hash(kind, _)) => kind.word().to_owned(),
            Err(why) => {
                assert!(why.contains(expected), "{text}: {why}");
                return;
            }
        };
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn items_are_understood() {
        check(" 192.0.2.7 ", "192.0.2.7");
        check("192.0.2.7:443", "192.0.2.7 port 443");
        check("192[.]0[.]2[.]7", "192.0.2.7");
        check("::ffff:192.0.2.7", "192.0.2.7");
        check("2001:db8::7", "2001:db8::7");
        check("[2001:db8::7]", "2001:db8::7");
        check("[2001:db8::7]:443", "2001:db8::7 port 443");
        check("fe80::1%eth0", "fe80::1");
        check("10.1.2.3/8", "10.0.0.0/8 to 10.255.255.255");
        check("0.0.0.0/0", "0.0.0.0/0 to 255.255.255.255");
        check("WWW.Example.com.", "www.example.com");
        check("bücher.example:443", "xn--bcher-kva.example");
        check("localhost", "localhost");
        check(&"aB".repeat(16), "md5");
        check(&"0".repeat(40), "sha1");
        check(&"f".repeat(64), "sha256");
    }

    #[test]
    fn what_is_none_is_said() {
        check("", "empty");
        check("256.1.1.1", "four numbers");
        check("1.2.3", "four numbers");
        check("https://a.example/x", "whocalls lookup 'a.example'");
        check("10.0.0.0/33", "not a network");
        check("[2001:db8::7]:99999", "neither");
        check("2001:db8::7:x", "neither");
        check(&"a".repeat(50), "50 hexadecimal digits");
        check("a..b", "two dots");
        check("a b.example", "characters");
        check("a\u{202e}b.example", "characters");
        check(&"x".repeat(2000), "too long");
        check(&format!("{}.example", "x".repeat(64)), "63");
    }
}

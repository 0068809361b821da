//! Addresses, blocks of addresses, and patterns over their text.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};

use super::error::{Fault, quoted, shown};
use super::glob::{Case, Glob};
use super::key::Key;

/// Which addresses are wanted. IPv4-mapped IPv6 addresses count as IPv4, as in the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Addresses {
    One(IpAddr),
    /// Without bits after the prefix.
    Block(IpNet),
    /// On the usual text of the address (RFC 5952).
    Glob(Glob),
}

impl Addresses {
    pub(super) fn parse(text: &str, key: Key) -> Result<Self, Fault> {
        if let Some(address) = address(text) {
            return Ok(Self::One(address));
        }
        if let Ok(block) = text.parse::<IpNet>() {
            return Ok(Self::Block(canonical(block)));
        }
        // No text of an address has both: it would be an address and a port.
        let mixed = text.contains('.') && text.contains(':');
        let possible = |character: char| {
            character.is_ascii_hexdigit() || matches!(character, '.' | ':' | '*' | '?')
        };
        if !mixed && text.contains(['*', '?']) && text.chars().all(possible) {
            return Ok(Self::Glob(Glob::new(text, Case::Ignored)));
        }
        Err(Fault::new(format!("{} is not an address", quoted(text))).help(help(text, key)))
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match self {
            Self::One(one) => *one == address,
            Self::Block(block) => block.contains(&address),
            Self::Glob(glob) => glob.matches(&address.to_string()),
        }
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(address) => address.fmt(f),
            Self::Block(block) => block.fmt(f),
            Self::Glob(glob) => f.write_str(glob.pattern()),
        }
    }
}

/// An address with or without square brackets. `None`: it is none.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let inside = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address: IpAddr = inside.unwrap_or(text).parse().ok()?;
    (inside.is_none() || address.is_ipv6()).then(|| address.to_canonical())
}

/// The two terms that say what `10.0.0.1:443` says. `None`: it is not an address with a port.
pub(super) fn address_and_port(text: &str, key: Key) -> Option<String> {
    let end: SocketAddr = text.parse().ok()?;
    Some(format!("{}:{} port:{}", key.word(), end.ip(), end.port()))
}

fn canonical(block: IpNet) -> IpNet {
    let block = block.trunc();
    if let IpNet::V6(mapped) = block
        && let Some(length) = mapped.prefix_len().checked_sub(96)
        && let Some(address) = mapped.addr().to_ipv4_mapped()
        && let Ok(block) = Ipv4Net::new(address, length)
    {
        return block.into();
    }
    block
}

fn help(text: &str, key: Key) -> String {
    if let Some(terms) = address_and_port(text, key) {
        return format!("the port is a term of its own: {terms}");
    }
    if text.contains('.') && text.contains(':') {
        return "the port is a term of its own, port:443".to_owned();
    }
    if let Some((address, zone)) = text.split_once('%') {
        let (word, address, zone) = (key.word(), shown(address), shown(zone));
        return format!("write {word}:{address} without the interface '%{zone}'");
    }
    let of_names = |character: char| character.is_alphabetic() && !character.is_ascii_hexdigit();
    if key == Key::Dst && !text.contains('/') && text.contains(of_names) {
        return format!("for names there is name:{}", shown(text));
    }
    "an address (192.0.2.7, 2001:db8::1), a block (10.0.0.0/8) or a pattern (10.0.*)".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let read = match Addresses::parse(text, Key::Dst) {
            Ok(addresses) => addresses.to_string(),
            Err(fault) => format!("{fault:?}"),
        };
        assert!(read.contains(expected), "{text}: {read}");
    }

    fn contains(text: &str, address: &str) -> bool {
        let addresses = Addresses::parse(text, Key::Dst).unwrap();
        addresses.contains(address.parse().unwrap())
    }

    #[test]
    fn reads_addresses_and_blocks() {
        check("10.0.0.1", "10.0.0.1");
        check("[::1]", "::1");
        check("FE80::0:1", "fe80::1");
        check("::ffff:192.0.2.7", "192.0.2.7");
        check("2001:db8::/32", "2001:db8::/32");
        check("10.1.2.3/8", "10.0.0.0/8");
        check("::ffff:10.0.0.0/104", "10.0.0.0/8");
        check("10.0.*", "10.0.*");
        check("FE80:*", "fe80:*");
    }

    #[test]
    fn helps_with_what_is_none() {
        check("10.0.0.1:443", "dst:10.0.0.1 port:443");
        check("[::1]:443", "dst:::1 port:443");
        check("10.0.0.*:443", "the port is a term of its own");
        check("example.com:443", "the port is a term of its own");
        check(
            "fe80::1%eth0",
            "write dst:fe80::1 without the interface '%eth0'",
        );
        check("www.example.com", "for names there is name:www.example.com");
        check("*.example.com", "for names there is name:*.example.com");
        check("10.0.0.0/33", "'10.0.0.0/33' is not an address");
        check("10.0.0", "a pattern (10.0.*)");
        check("[10.0.0.1]", "is not an address");
        check(">10.0.0.1", "is not an address");
    }

    #[test]
    fn contains_what_it_says() {
        assert!(contains("10.0.0.0/8", "10.255.0.1"));
        assert!(!contains("10.0.0.0/8", "11.0.0.1"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("2001:db8::/32", "2001:db8:1::1"));
        assert!(contains("10.0.*", "10.0.3.4"));
        assert!(!contains("10.0.*", "110.0.3.4"));
        assert!(contains("FE80:*", "fe80::1"));
        assert!(contains("::1", "::1"));
    }
}

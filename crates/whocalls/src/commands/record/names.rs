//! The names of addresses, as answers and greetings told them, for the files with packets: Wireshark
//! then shows them without asking anybody.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use model::{Detail, Event, NameSource};

/// So many addresses are remembered. Beyond them those are let go of which nothing was heard for
/// longest.
const MOST: usize = 20_000;
/// A name of the DNS has at most 253 characters (RFC 1035, 2.3.4).
const LONGEST: usize = 255;

/// An address and its name.
pub(super) type Named = (IpAddr, Box<str>);

/// Tells `of` each name that an event tells of an address of another computer.
pub(super) fn of_event(event: &Event, of: &mut impl FnMut(Named)) {
    let Detail::Name(seen) = &event.detail else {
        return;
    };
    let Some(name) = seen.name.as_ref().and_then(|name| host(name.bytes())) else {
        return;
    };
    let addresses = seen.answer.iter().flat_map(|answer| &answer.addresses);
    addresses
        .filter_map(|(ip, _)| nameable(*ip))
        .for_each(|ip| of((ip, name.into())));
    let greets = matches!(seen.source, NameSource::Sni | NameSource::Host);
    let remote = event.remote.and_then(|remote| nameable(remote.ip?));
    if let Some(ip) = remote.filter(|_| greets) {
        of((ip, name.into()));
    }
}

/// A name as hosts have it. `None`: it has none of these, or is an address.
fn host(name: &[u8]) -> Option<&str> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    let fits = !name.is_empty() && name.len() <= LONGEST && name.iter().all(is_plain);
    let name = std::str::from_utf8(name).ok().filter(|_| fits)?;
    name.parse::<IpAddr>().is_err().then_some(name)
}

/// Blockers of names answer with addresses that are nobody's, or that are everybody's own.
fn nameable(ip: IpAddr) -> Option<IpAddr> {
    let ip = ip.to_canonical();
    let is_one = !ip.is_unspecified() && !ip.is_loopback() && !ip.is_multicast();
    is_one.then_some(ip)
}

/// The newest name of each address.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: HashMap<IpAddr, (u64, Box<str>)>,
    /// The addresses in the order in which they were last heard of.
    order: BTreeMap<u64, IpAddr>,
    /// How many were heard.
    heard: u64,
}

impl Names {
    /// Whether that is news.
    pub(super) fn learn(&mut self, (ip, name): &Named) -> bool {
        self.heard += 1;
        self.order.insert(self.heard, *ip);
        let before = self.names.insert(*ip, (self.heard, name.clone()));
        if let Some((number, _)) = &before {
            self.order.remove(number);
        }
        if self.names.len() > MOST
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.names.remove(&oldest);
        }
        before.is_none_or(|(_, before)| before != *name)
    }

    /// All of them, the newest last.
    pub(super) fn all(&self) -> impl Iterator<Item = (IpAddr, &str)> {
        let name = |ip: &IpAddr| Some((*ip, &*self.names.get(ip)?.1));
        self.order.values().filter_map(name)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn names_are_those_of_hosts() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(host(name.as_bytes()), expected, "{name}");
        };
        check("www.Shop.example", Some("www.Shop.example"));
        check("_dmarc.shop.example.", Some("_dmarc.shop.example"));
        check("", None);
        check(".", None);
        check("192.0.2.2", None);
        check("shop.example:8080", None);
        check("shop example", None);
        check("sh\u{f6}p.example", None);
        check("shop\0.example", None);
        check(&"a".repeat(LONGEST), Some(&"a".repeat(LONGEST)));
        check(&"a".repeat(LONGEST + 1), None);
    }

    #[test]
    fn addresses_are_those_of_others() {
        let check = |ip: &str, expected: Option<&str>| {
            let expected = expected.map(|ip| ip.parse::<IpAddr>().unwrap());
            assert_eq!(nameable(ip.parse().unwrap()), expected, "{ip}");
        };
        check("192.0.2.2", Some("192.0.2.2"));
        check("::ffff:192.0.2.2", Some("192.0.2.2"));
        check("2001:db8::1", Some("2001:db8::1"));
        for ip in ["0.0.0.0", "::", "127.0.0.1", "::1", "224.0.0.251"] {
            check(ip, None);
        }
    }

    #[test]
    fn the_newest_names_are_remembered() {
        let ip = |number: usize| IpAddr::from(Ipv4Addr::from(u32::try_from(number).unwrap()));
        let mut names = Names::default();
        assert!(names.learn(&(ip(1), "one".into())));
        assert!(!names.learn(&(ip(1), "one".into())));
        assert!(names.learn(&(ip(1), "other".into())));
        assert_eq!(names.all().collect::<Vec<_>>(), [(ip(1), "other")]);
        for number in 2..=MOST {
            names.learn(&(ip(number), "some".into()));
        }
        // It was heard of again.
        names.learn(&(ip(1), "other".into()));
        names.learn(&(ip(MOST + 1), "some".into()));
        let all: Vec<_> = names.all().collect();
        assert_eq!((all.len(), names.order.len()), (MOST, MOST));
        assert!(all.contains(&(ip(1), "other")) && all.iter().all(|it| it.0 != ip(2)));
    }
}

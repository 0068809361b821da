//! Who is asked: the lists in which IANA names the server for each block of addresses and each
//! top-level domain (RFC 9224).
//!
//! Those of addresses are in the program (data.iana.org/rdap, CC0-1.0): they hardly change. That of
//! names changes by the week and is asked for when a name is.

use std::net::IpAddr;
use std::sync::LazyLock;

use model::Network;
use serde_json::Value;

use crate::sources::registries;

/// Where the list of names is kept. It is asked for as a whole: IANA does not learn for which name.
pub(in crate::sources) const NAMES_URL: &str = "https://data.iana.org/rdap/dns.json";

static IPV4: LazyLock<Bootstrap> = LazyLock::new(|| built_in(include_str!("bootstrap/ipv4.json")));
static IPV6: LazyLock<Bootstrap> = LazyLock::new(|| built_in(include_str!("bootstrap/ipv6.json")));
static NAMES: LazyLock<Bootstrap> = LazyLock::new(|| built_in(include_str!("bootstrap/dns.json")));

/// A test reads them.
fn built_in(text: &str) -> Bootstrap {
    Bootstrap::read(text.as_bytes()).unwrap_or_default()
}

/// The server for a block; its longest part that is listed counts. `None`: nobody is named for it.
pub(in crate::sources) fn for_network(network: Network) -> Option<&'static str> {
    let list = match network.first() {
        IpAddr::V4(_) => &IPV4,
        IpAddr::V6(_) => &IPV6,
    };
    let holds = list
        .blocks
        .iter()
        .filter(|(block, _)| block.prefix() <= network.prefix() && block.contains(network.first()));
    let longest = holds.max_by_key(|(block, _)| block.prefix());
    longest.map(|(_, url)| url.as_str())
}

/// The server for a name, by the list in the program.
pub(in crate::sources) fn for_name(name: &str) -> Option<&'static str> {
    NAMES.name(name)
}

/// Where a host that answered was asked: it may not be the one that was asked first.
pub(in crate::sources) fn of_host(host: &str) -> Option<&'static str> {
    let lists = [&IPV4, &IPV6].into_iter();
    let mut urls = lists.flat_map(|list| list.blocks.iter().map(|(_, url)| url.as_str()));
    urls.find(|url| super::host_of(url).is_some_and(|it| it.eq_ignore_ascii_case(host)))
}

/// A list that was read.
#[derive(Debug, Default)]
pub(in crate::sources) struct Bootstrap {
    /// With the URL of the server, which ends in `/`.
    blocks: Vec<(Network, String)>,
    /// Labels in lower case.
    names: Vec<(String, String)>,
}

impl Bootstrap {
    /// Services that are not of the form they should have, and URLs that are none, are passed over.
    ///
    /// Errors: what is wrong with it, when it is no such list.
    pub(in crate::sources) fn read(bytes: &[u8]) -> Result<Self, String> {
        let document = super::answer::document(bytes)?;
        let Some(services) = document.get("services").and_then(Value::as_array) else {
            return Err("no list of servers: it has no services".to_owned());
        };
        let mut list = Self::default();
        for service in services {
            let parts = service.as_array().map(Vec::as_slice).unwrap_or_default();
            // Three parts where people are named who look after it (RFC 8521): keys and URLs come last.
            let [.., keys, urls] = parts else {
                continue;
            };
            let Some(url) = preferred(urls) else {
                continue;
            };
            for key in keys.as_array().into_iter().flatten() {
                let Some(key) = key.as_str().map(str::trim) else {
                    continue;
                };
                if let Some(block) = registries::network(key) {
                    list.blocks.push((block, url.clone()));
                } else {
                    let name = key.trim_matches('.').to_ascii_lowercase();
                    list.names.push((name, url.clone()));
                }
            }
        }
        if list.blocks.is_empty() && list.names.is_empty() {
            return Err("no list of servers: none is named in it".to_owned());
        }
        Ok(list)
    }

    /// The server for a name: the entry with the most labels counts. An entry for the root has none.
    pub(in crate::sources) fn name(&self, name: &str) -> Option<&str> {
        let is_above = |entry: &str| {
            let rest = name.strip_suffix(entry);
            entry.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let fitting = self.names.iter().filter(|(entry, _)| is_above(entry));
        let longest = fitting.max_by_key(|(entry, _)| entry.len());
        longest.map(|(_, url)| url.as_str())
    }
}

/// One with TLS, else any; with `/` at its end.
fn preferred(urls: &Value) -> Option<String> {
    let urls = urls.as_array()?.iter().filter_map(Value::as_str);
    let usable: Vec<&str> = urls.filter(|url| super::host_of(url).is_some()).collect();
    let is_secure = |url: &&&str| url.starts_with("https://");
    let url = usable.iter().find(is_secure).or(usable.first())?;
    let end = if url.ends_with('/') { "" } else { "/" };
    Some(format!("{url}{end}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn single(address: &str) -> Option<&'static str> {
        let address: IpAddr = address.parse().unwrap();
        let bits = if address.is_ipv4() { 32 } else { 128 };
        for_network(Network::new(address, bits).unwrap())
    }

    #[test]
    fn those_in_the_program_can_be_read() {
        assert_eq!(IPV4.blocks.len(), 221);
        assert_eq!(IPV6.blocks.len(), 34);
        assert_eq!(NAMES.names.len(), 3);
        for (address, expected) in [
            ("216.6.0.28", Some("https://rdap.arin.net/registry/")),
            ("62.239.237.1", Some("https://rdap.db.ripe.net/")),
            ("210.107.73.73", Some("https://rdap.apnic.net/")),
            ("200.57.141.161", Some("https://rdap.lacnic.net/rdap/")),
            ("196.11.240.215", Some("https://rdap.afrinic.net/rdap/")),
            ("2a10::1", Some("https://rdap.db.ripe.net/")),
            ("10.0.0.1", None),
            ("fe80::1", None),
        ] {
            assert_eq!(single(address), expected, "{address}");
        }
        assert_eq!(for_name("www.example.cz"), Some("https://rdap.nic.cz/"));
        assert_eq!(for_name("example.com"), None);
    }

    #[test]
    fn the_longest_block_and_the_most_labels_count() {
        let list = r#"{"services": [
            [["10.0.0.0/8"], ["http://a.example"]],
            [["10.1.0.0/16", "example"], ["http://b.example/", "https://c.example/x"]],
            [["b.Example."], ["https://d.example/"]]
        ]}"#;
        let list = Bootstrap::read(list.as_bytes()).unwrap();
        assert_eq!(list.blocks[0].1, "http://a.example/");
        assert_eq!(list.name("a.example"), Some("https://c.example/x/"));
        assert_eq!(list.name("a.b.example"), Some("https://d.example/"));
        assert_eq!(list.name("ab.example"), Some("https://c.example/x/"));
        assert_eq!(list.name("example.org"), None);
    }

    #[test]
    fn what_is_wrong_in_it_is_passed_over_or_said() {
        let list = r#"{"services": [[], 7, [["a"]], [["b"], ["%%", "ftp://x/"]],
            [["c"], ["http://e.example/%%"]], [["who"], [1, "d"], ["https://f.example"]]]}"#;
        let list = Bootstrap::read(list.as_bytes()).unwrap();
        assert_eq!(list.name("d"), Some("https://f.example/"));
        assert_eq!(list.name("b"), None);
        for wrong in [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"services": []}"#,
            r#"{"services""#,
        ] {
            assert!(Bootstrap::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100), name in "[a-z.]{0,9}") {
            let _ = Bootstrap::read(&bytes);
            for_name(&name);
        }
    }
}

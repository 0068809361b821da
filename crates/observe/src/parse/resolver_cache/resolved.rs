//! The cache of systemd-resolved, as its method `io.systemd.Resolve.Monitor.DumpCache` tells it
//! since version 254 (systemd, src/shared/varlink-io.systemd.Resolve.Monitor.c;
//! src/resolve/resolved-dns-cache.c, dns_cache_dump_to_json). Messages are JSON and end in NUL
//! (varlink.org).

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::{Answers, Reading};

/// Asks for everything in the cache.
pub(crate) const QUESTION: &[u8] =
    b"{\"method\":\"io.systemd.Resolve.Monitor.DumpCache\",\"parameters\":{}}\0";

const TYPE_A: u64 = 1;
const TYPE_CNAME: u64 = 5;
const TYPE_PTR: u64 = 12;
const TYPE_AAAA: u64 = 28;
/// The type under which it keeps that a name does not exist at all.
const TYPE_ANY: u64 = 255;
/// Aliases of aliases are followed so far.
const ALIAS_DEPTH: usize = 8;

/// Why there are no answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswers {
    /// It knows no such method: it is older than version 254.
    TooOld,
    /// The error it named.
    Refused(String),
    /// Not a message of this form.
    Malformed,
}

/// Reads the answer to [`QUESTION`], without its NUL.
///
/// When an answer runs out is told, how long it was good for is not (and a short-lived alias cuts
/// short what it leads to), so `asked` is always `None`. By default nothing is kept for more than
/// two hours.
pub(crate) fn answers(message: &[u8], limit: usize) -> Result<Answers, NoAnswers> {
    let mut reading = Reading::new(message.len(), limit);
    let message: Value = serde_json::from_slice(message).map_err(|_| NoAnswers::Malformed)?;
    if let Some(error) = message.get("error") {
        return Err(match error.as_str() {
            Some("org.varlink.service.MethodNotFound") => NoAnswers::TooOld,
            Some(error) => NoAnswers::Refused(error.to_owned()),
            None => NoAnswers::Malformed,
        });
    }
    let dump = message
        .pointer("/parameters/dump")
        .and_then(Value::as_array);
    let scopes = dump.ok_or(NoAnswers::Malformed)?;
    let entries: Vec<Entry<'_>> = scopes
        .iter()
        .filter_map(|scope| scope.get("cache")?.as_array())
        .flatten()
        .filter_map(Entry::read)
        .collect();

    read_entries(&entries, &mut reading);
    Ok(reading.answers)
}

/// `None`: enough was read.
fn read_entries(entries: &[Entry<'_>], reading: &mut Reading) -> Option<()> {
    let aliases = Aliases::of(entries);
    for entry in entries {
        if let Some(address) = reverse_address(entry.name).filter(|_| entry.is_reverse()) {
            let mut names = entry.names().peekable();
            if names.peek().is_none() {
                reading.add(address, None, None)?;
            }
            for name in names {
                reading.add(address, Some(name.as_bytes()), None)?;
            }
        }
        let mut addresses = entry.addresses().peekable();
        if addresses.peek().is_none() {
            continue;
        }
        let names = aliases.names_of(entry.name, reading)?;
        for address in addresses {
            for name in &names {
                reading.add(address, Some(name.as_bytes()), None)?;
            }
        }
    }
    Some(())
}

/// What is kept for one name and type.
struct Entry<'a> {
    name: &'a str,
    kind: u64,
    records: &'a [Value],
}

impl<'a> Entry<'a> {
    fn read(entry: &'a Value) -> Option<Self> {
        let key = entry.get("key")?;
        Some(Self {
            name: key.get("name")?.as_str()?,
            kind: key.get("type")?.as_u64()?,
            // Absent where the name does not exist.
            records: entry
                .get("rrs")
                .and_then(Value::as_array)
                .map_or(&[], Vec::as_slice),
        })
    }

    /// Whether it answers, or would answer, for the name of an address.
    fn is_reverse(&self) -> bool {
        matches!(self.kind, TYPE_PTR | TYPE_ANY)
    }

    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let records = if matches!(self.kind, TYPE_A | TYPE_AAAA) {
            self.records
        } else {
            &[]
        };
        records
            .iter()
            .filter_map(|record| address(record.pointer("/rr/address")?))
    }

    /// The names that an alias leads to or an address has.
    fn names(&self) -> impl Iterator<Item = &'a str> {
        let records = if matches!(self.kind, TYPE_CNAME | TYPE_PTR) {
            self.records
        } else {
            &[]
        };
        records
            .iter()
            .filter_map(|record| record.pointer("/rr/name")?.as_str())
    }
}

/// `[192, 0, 2, 7]`
fn address(bytes: &Value) -> Option<IpAddr> {
    let bytes = bytes
        .as_array()?
        .iter()
        .map(|byte| u8::try_from(byte.as_u64()?).ok());
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    crate::parse::tcp_metrics::address(&bytes)
}

/// Which names are an alias of which. Each has a number, so that following them costs the same
/// whatever their length; small and capital letters are the same.
#[derive(Default)]
struct Aliases<'a> {
    numbers: HashMap<String, usize>,
    /// By number: the name as it was first written, and its aliases.
    names: Vec<(&'a str, Vec<usize>)>,
}

impl<'a> Aliases<'a> {
    fn of(entries: &[Entry<'a>]) -> Self {
        let mut aliases = Self::default();
        for entry in entries.iter().filter(|entry| entry.kind == TYPE_CNAME) {
            let alias = aliases.number(entry.name);
            for target in entry.names() {
                let target = aliases.number(target);
                if let Some((_, aliases)) = aliases.names.get_mut(target) {
                    aliases.push(alias);
                }
            }
        }
        aliases
    }

    fn number(&mut self, name: &'a str) -> usize {
        let next = self.names.len();
        let number = *self
            .numbers
            .entry(name.to_ascii_lowercase())
            .or_insert(next);
        if number == next {
            self.names.push((name, Vec::new()));
        }
        number
    }

    /// The name itself and its aliases: programs ask for those. `None`: enough was read.
    fn names_of(&self, name: &'a str, reading: &mut Reading) -> Option<Vec<&'a str>> {
        let mut names = vec![name];
        let Some(number) = self.numbers.get(&name.to_ascii_lowercase()) else {
            return Some(names);
        };
        let mut known = HashSet::from([*number]);
        let mut newest = vec![*number];
        for _ in 0..ALIAS_DEPTH {
            let mut found = Vec::new();
            for (_, aliases) in newest.iter().filter_map(|number| self.names.get(*number)) {
                for alias in aliases {
                    reading.step()?;
                    if known.insert(*alias) {
                        found.push(*alias);
                    }
                }
            }
            names.extend(
                found
                    .iter()
                    .filter_map(|number| Some(self.names.get(*number)?.0)),
            );
            newest = found;
        }
        Some(names)
    }
}

/// The address in a name like `7.2.0.192.in-addr.arpa` (RFC 1035, 3.5; RFC 3596, 2.5); `None`
/// where it is another name, or stands for a whole network.
fn reverse_address(name: &str) -> Option<IpAddr> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if let Some(labels) = name.strip_suffix(".in-addr.arpa") {
        let mut bytes: Vec<&str> = labels.split('.').collect();
        bytes.reverse();
        return Some(IpAddr::V4(bytes.join(".").parse::<Ipv4Addr>().ok()?));
    }
    let digits = name.strip_suffix(".ip6.arpa")?.split('.');
    let mut number: u128 = 0;
    let mut count: u32 = 0;
    for digit in digits {
        let value = u128::from_str_radix(digit, 16)
            .ok()
            .filter(|_| digit.len() == 1)?;
        number |= value.checked_shl(count.checked_mul(4)?)?;
        count += 1;
    }
    (count == 32).then(|| IpAddr::V6(Ipv6Addr::from(number)).to_canonical())
}

#[cfg(test)]
mod tests {
    use super::super::Answer;
    use super::*;
    use model::Text;
    use proptest::prelude::*;

    /// systemd 254.26: after looking for calls.example (an alias), plain.example,
    /// nothere.example, 203.0.113.10 and 203.0.113.11.
    const DUMP: &str = r#"{"parameters":{"dump":[{"protocol":"dns","cache":[
        {"key":{"class":1,"type":5,"name":"calls.example"},"rrs":[{"rr":{"key":{"class":1,"type":5,"name":"calls.example"},"name":"edge.cdn.example"},"raw":"BWNhbGxzB2V4YW1wbGUAAAUAAQAAASwAEgRlZGdlA2NkbgdleGFtcGxlAA=="}],"until":2288570726},
        {"key":{"class":1,"type":255,"name":"11.113.0.203.in-addr.arpa"},"type":"NXDOMAIN","until":2528578140},
        {"key":{"class":1,"type":1,"name":"edge.cdn.example"},"rrs":[{"rr":{"key":{"class":1,"type":1,"name":"edge.cdn.example"},"address":[203,0,113,10]},"raw":"BGVkZ2UDY2RuB2V4YW1wbGUAAAEAAQAAADwABMsAcQo="},{"rr":{"key":{"class":1,"type":1,"name":"edge.cdn.example"},"address":[203,0,113,9]},"raw":"BGVkZ2UDY2RuB2V4YW1wbGUAAAEAAQAAADwABMsAcQk="}],"until":2288570726},
        {"key":{"class":1,"type":28,"name":"edge.cdn.example"},"rrs":[{"rr":{"key":{"class":1,"type":28,"name":"edge.cdn.example"},"address":[32,1,13,184,0,9,0,0,0,0,0,0,0,0,0,9]},"raw":"BGVkZ2UDY2RuB2V4YW1wbGUAABwAAQAAADwAECABDbgACQAAAAAAAAAAAAk="}],"until":2288570553},
        {"key":{"class":1,"type":12,"name":"10.113.0.203.in-addr.arpa"},"rrs":[{"rr":{"key":{"class":1,"type":12,"name":"10.113.0.203.in-addr.arpa"},"name":"ten.example"},"raw":"AjEwAzExMwEwAzIwMwdpbi1hZGRyBGFycGEAAAwAAQAAAlgADQN0ZW4HZXhhbXBsZQA="}],"until":2828576588},
        {"key":{"class":1,"type":1,"name":"plain.example"},"rrs":[{"rr":{"key":{"class":1,"type":1,"name":"plain.example"},"address":[198,51,100,77]},"raw":"BXBsYWluB2V4YW1wbGUAAAEAAQAAHCAABMYzZE0="}],"until":9428573486},
        {"key":{"class":1,"type":28,"name":"plain.example"},"rrs":[],"until":2528573455},
        {"key":{"class":1,"type":255,"name":"nothere.example"},"type":"NXDOMAIN","until":2528575205}]}]}}"#;

    fn check(message: &str, expected: &[(&str, Option<&str>)]) {
        let mut kept = answers(message.as_bytes(), 100).unwrap().kept;
        kept.sort();
        let answer = |(address, name): &(&str, Option<&str>)| Answer {
            address: address.parse().unwrap(),
            name: name.map(Text::from),
            asked: None,
        };
        assert_eq!(kept, expected.iter().map(answer).collect::<Vec<_>>());
    }

    #[test]
    fn addresses_have_the_names_that_were_asked_for() {
        check(
            DUMP,
            &[
                ("198.51.100.77", Some("plain.example")),
                ("203.0.113.9", Some("calls.example")),
                ("203.0.113.9", Some("edge.cdn.example")),
                ("203.0.113.10", Some("calls.example")),
                ("203.0.113.10", Some("edge.cdn.example")),
                ("203.0.113.10", Some("ten.example")),
                ("203.0.113.11", None),
                ("2001:db8:9::9", Some("calls.example")),
                ("2001:db8:9::9", Some("edge.cdn.example")),
            ],
        );
    }

    #[test]
    fn an_empty_cache_has_no_answers() {
        check(
            r#"{"parameters":{"dump":[{"protocol":"dns","cache":[]}]}}"#,
            &[],
        );
    }

    #[test]
    fn aliases_that_lead_to_each_other_end() {
        let alias = |from: &str, to: &str| {
            format!(r#"{{"key":{{"type":5,"name":"{from}"}},"rrs":[{{"rr":{{"name":"{to}"}}}}]}}"#)
        };
        let address =
            r#"{"key":{"type":1,"name":"a.example"},"rrs":[{"rr":{"address":[192,0,2,1]}}]}"#;
        let (one, two) = (
            alias("A.example", "b.example"),
            alias("b.example", "a.example"),
        );
        check(
            &format!(r#"{{"parameters":{{"dump":[{{"cache":[{one},{two},{address}]}}]}}}}"#),
            &[
                ("192.0.2.1", Some("a.example")),
                ("192.0.2.1", Some("b.example")),
            ],
        );
    }

    #[test]
    fn a_hostile_cache_ends() {
        let alias = |number| {
            format!(r#"{{"key":{{"type":5,"name":"{number}"}},"rrs":[{{"rr":{{"name":"a"}}}}]}},"#)
        };
        let aliases: String = (0..1000).map(alias).collect();
        let check = |entries: String| {
            let message =
                format!(r#"{{"parameters":{{"dump":[{{"cache":[{aliases}{entries}]}}]}}}}"#);
            let answers = answers(message.as_bytes(), 500).unwrap();
            assert_eq!(answers.kept.len(), 500);
            assert!(answers.let_go < message.len(), "{}", answers.let_go);
            assert!(answers.cut);
        };
        // Many addresses of one name, and many names with one address.
        let addresses = vec![r#"{"rr":{"address":[192,0,2,1]}}"#; 1000].join(",");
        check(format!(
            r#"{{"key":{{"type":1,"name":"a"}},"rrs":[{addresses}]}}"#
        ));
        let entry = r#"{"key":{"type":1,"name":"a"},"rrs":[{"rr":{"address":[192,0,2,1]}}]}"#;
        check(vec![entry; 1000].join(","));
    }

    #[test]
    fn errors_are_told_apart() {
        let refused = |message: &str| answers(message.as_bytes(), 1).unwrap_err();
        // systemd 254.26, asked for a method that does not exist.
        let unknown = r#"{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"io.systemd.Resolve.Monitor.Nope"}}"#;
        assert_eq!(refused(unknown), NoAnswers::TooOld);
        let denied = r#"{"error":"org.varlink.service.PermissionDenied"}"#;
        let name = "org.varlink.service.PermissionDenied".to_owned();
        assert_eq!(refused(denied), NoAnswers::Refused(name));
        assert_eq!(refused("{}"), NoAnswers::Malformed);
        assert_eq!(refused("{"), NoAnswers::Malformed);
    }

    #[test]
    fn reverse_names_are_whole_addresses() {
        assert_eq!(
            reverse_address("7.2.0.192.in-addr.arpa"),
            Some([192, 0, 2, 7].into())
        );
        assert_eq!(reverse_address("2.0.192.in-addr.arpa"), None);
        assert_eq!(reverse_address("example.com"), None);
        let zeros = "0.".repeat(23);
        let reversed = format!("1.{zeros}8.B.D.0.1.0.0.2.ip6.arpa.");
        assert_eq!(reverse_address(&reversed), "2001:db8::1".parse().ok());
        assert_eq!(reverse_address(&format!("0.{reversed}")), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, name: String) {
            let _ = answers(&bytes, 10);
            let _ = reverse_address(&name);
            let _ = reverse_address(&format!("{name}.ip6.arpa"));
        }

        #[test]
        fn reads_back_any_address(four: [u8; 4], six: u128) {
            let [first, second, third, fourth] = four;
            let name = format!("{fourth}.{third}.{second}.{first}.in-addr.arpa");
            prop_assert_eq!(reverse_address(&name), Some(four.into()));
            let digits: String = format!("{six:032X}").chars().rev().flat_map(|digit| [digit, '.']).collect();
            let address = IpAddr::V6(six.into()).to_canonical();
            prop_assert_eq!(reverse_address(&format!("{digits}ip6.arpa")), Some(address));
        }

        #[test]
        fn never_panics_on_damage(at in 0..DUMP.len(), byte: u8) {
            let mut damaged = DUMP.as_bytes().to_vec();
            damaged[at] = byte;
            let _ = answers(&damaged, 10);
        }
    }
}

//! Warninglists of MISP (misp-warninglists, `schema.json`): addresses and names that are often taken
//! for bad ones, or say what somebody is, as one document with a `type` and a `list`.

use std::fmt;

use model::{IndicatorValue, ListMeaning, UncheckedKind};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Error;
use super::json::{Scalar, anything, document, passes_over};
use super::out::{About, MOST, Out, Place};
use super::time::time;
use super::word::{Word, guessed, values};

pub(super) fn read(text: &str, out: &mut Out) -> Result<(), Error> {
    let list = document(text, "MISP warninglist", Whole)?;
    let name = list.name.unwrap_or_default();
    out.content.meaning = Some(meaning(&name));
    // Versions are mostly dates: 20240417.
    out.saw(list.version.as_deref().and_then(time));
    out.content.name = Some(name).filter(|name| !name.is_empty());
    out.content.publisher = Some("MISP project".to_owned());
    let kind = list.kind.unwrap_or_default();
    for (number, entry) in (1..).zip(&list.entries) {
        let place = Place::Entry("entry", number);
        let entry = entry.trim();
        let found = match kind.as_str() {
            "cidr" => values(Word::Address, entry),
            "hostname" => values(Word::NameBelow, entry),
            "string" => equal(entry),
            "substring" | "regex" => vec![IndicatorValue::Unchecked {
                kind: UncheckedKind::Part,
                value: entry.to_owned(),
            }],
            _ => return Err(unknown(&kind)),
        };
        if found.is_empty() {
            out.skip(place, "it is not what the list says that it holds");
        }
        for value in found {
            out.add(place, value, &About::default());
        }
    }
    out.content.skipped.count += list.left_out;
    Ok(())
}

fn unknown(kind: &str) -> Error {
    Error::Damaged {
        format: "MISP warninglist",
        place: "its type".to_owned(),
        why: format!(
            "'{}' is none of cidr, hostname, string, substring and regex",
            super::out::cut(kind, 40)
        ),
    }
}

/// An entry that has to be equal: a name, a hash, or something else. With a dot in front it stands for
/// what is below it.
fn equal(entry: &str) -> Vec<IndicatorValue> {
    let found = guessed(entry);
    if !found.is_empty() || entry.is_empty() {
        return found;
    }
    vec![IndicatorValue::Unchecked {
        kind: UncheckedKind::Other,
        value: entry.to_owned(),
    }]
}

/// What it means to be on it, by the name of the list: half of them raise suspicion, and the format
/// does not say which.
fn meaning(name: &str) -> ListMeaning {
    let name = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["sinkhole"]) {
        ListMeaning::Sinkhole
    } else if has(&["dynamic dns", "dyndns"]) {
        ListMeaning::DynamicDns
    } else if has(&["external ip", "your source ip"]) {
        ListMeaning::AddressEcho
    } else if has(&["vpn", "private relay"]) {
        ListMeaning::Vpn
    } else if has(&["tor exit", "tor node"]) {
        ListMeaning::Tor
    } else if has(&["trusted sites", "lots", "link in bio", "link-in-bio"]) {
        ListMeaning::SharedPlatform
    } else if has(&[
        "amazon aws",
        "azure datacenter",
        "gcp",
        "oracle",
        "ovh",
        "digitalocean",
    ]) {
        ListMeaning::Hosting
    } else {
        ListMeaning::Ordinary
    }
}

#[derive(Default)]
struct List {
    name: Option<String>,
    kind: Option<String>,
    version: Option<String>,
    entries: Vec<String>,
    left_out: u64,
}

struct Whole;

impl<'de> DeserializeSeed<'de> for Whole {
    type Value = List;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<List, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Whole {
    type Value = List;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut document: A) -> Result<List, A::Error> {
        let mut list = List::default();
        while let Some(key) = document.next_key::<String>()? {
            match key.as_str() {
                "name" => list.name = document.next_value_seed(Scalar)?,
                "type" => list.kind = document.next_value_seed(Scalar)?,
                "version" => list.version = document.next_value_seed(Scalar)?,
                "list" => document.next_value_seed(Entries(&mut list))?,
                _ => {
                    document.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(list)
    }

    passes_over!(List::default(); scalars, lists);
}

/// Kept until the type is known, which may stand behind them.
struct Entries<'a>(&'a mut List);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(entry) = list.next_element_seed(Scalar)? {
            match entry {
                Some(entry) if self.0.entries.len() < MOST => self.0.entries.push(entry),
                _ => self.0.left_out += 1,
            }
        }
        Ok(())
    }

    passes_over!((); scalars, objects);
}

#[cfg(test)]
mod tests {
    use model::ListMeaning;

    use super::super::{Format, tests::check};

    #[test]
    fn each_type_of_list_is_read_by_its_rule() {
        let content = check(
            r#"{"list":["192.0.2.0/24","192.0.2.1","2001:DB8::/32","x",5],"type":"cidr","name":"List of known sinkholes","version":20240417}"#,
            Format::MispWarninglist,
            &[
                "network 192.0.2.0/24",
                "address 192.0.2.1",
                "network 2001:db8::/32",
            ],
            2,
        );
        assert_eq!(content.meaning, Some(ListMeaning::Sinkhole));
        assert!(content.published.is_some());
        let content = check(
            r#"{"name":"Microsoft","type":"hostname","version":1,"list":[".Afx.ms","api.example."]}"#,
            Format::MispWarninglist,
            &["name afx.ms", "name api.example"],
            0,
        );
        assert_eq!(content.meaning, Some(ListMeaning::Ordinary));
        check(
            r#"{"name":"x","type":"substring","version":1,"list":["abc"]}"#,
            Format::MispWarninglist,
            &["part abc"],
            0,
        );
        check(
            r#"{"name":"x","type":"string","version":1,"list":["3::","word","d41d8cd98f00b204e9800998ecf8427e"]}"#,
            Format::MispWarninglist,
            &[
                "address 3::",
                "other word",
                "hash d41d8cd98f00b204e9800998ecf8427e",
            ],
            0,
        );
    }
}

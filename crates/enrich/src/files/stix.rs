//! Bundles of STIX 2 (OASIS, STIX Version 2.1), as MVT and Amnesty International write them: one
//! malware, indicators with a pattern of one comparison each, relationships between them.

mod pattern;

use std::collections::BTreeMap;
use std::fmt;

use model::{IndicatorValue, UncheckedKind};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use self::pattern::{Comparison, comparisons};
use super::Error;
use super::json::{Row, RowOf, Rows, anything, document, passes_over};
use super::out::{About, Out, Place, confidence, cut};
use super::time::time;
use super::word::{Word, values};

const OBJECT: RowOf = RowOf(&[
    "type",
    "name",
    "description",
    "pattern",
    "pattern_type",
    "created",
    "modified",
    "valid_from",
    "confidence",
    "revoked",
    "id",
    "created_by_ref",
]);

pub(super) fn read(text: &str, out: &mut Out) -> Result<(), Error> {
    let mut reading = Reading {
        out,
        number: 0,
        malware: Vec::new(),
        from: 0,
        identities: Vec::new(),
        makers: BTreeMap::new(),
    };
    document(text, "STIX 2", Bundle(&mut reading))?;
    reading.finish();
    Ok(())
}

struct Reading<'a> {
    out: &'a mut Out,
    number: usize,
    /// What the indicators are about; one in each bundle, as a rule.
    malware: Vec<String>,
    /// The first indicator that is not told yet what it is about.
    from: usize,
    /// People and organisations, by their `id`: those who wrote the indicators, and others.
    identities: Vec<(String, String)>,
    /// Who made indicators, by the `id`, and how many.
    makers: BTreeMap<String, u64>,
}

/// More names of one bundle tell nobody anything.
const MOST_MALWARE: usize = 3;
/// Further identities and makers of one bundle are not kept.
const MOST_IDENTITIES: usize = 256;
/// `identity--` and a UUID (STIX 2.1, 2.9), with room to spare.
const LONGEST_ID: usize = 256;

impl Reading<'_> {
    fn object(&mut self, row: Option<Row>) {
        self.number += 1;
        let place = Place::Entry("object", self.number);
        let Some(row) = row else {
            return self.out.skip(place, "it is no object");
        };
        match row.member("type") {
            Some("indicator") => self.indicator(place, &row),
            Some("malware" | "campaign" | "intrusion-set" | "threat-actor" | "tool") => {
                if let Some(name) = row.member("name")
                    && self.malware.len() < MOST_MALWARE
                {
                    self.malware.push(name.to_owned());
                }
            }
            Some("identity") => {
                if let (Some(id), Some(name)) = (row.member("id"), row.member("name"))
                    && id.len() <= LONGEST_ID
                    && self.identities.len() < MOST_IDENTITIES
                {
                    let name = cut(name, LONGEST_ID);
                    self.identities.push((id.to_owned(), name.to_owned()));
                }
            }
            // What says how it belongs together, or how it may be passed on.
            Some(_) => {}
            None => self.out.skip(place, "it has no type"),
        }
    }

    fn indicator(&mut self, place: Place<'_>, row: &Row) {
        if row.member("revoked") == Some("true") {
            return self.out.skip(place, "its publisher has taken it back");
        }
        if row.member("pattern_type").is_some_and(|it| it != "stix") {
            return self
                .out
                .skip(place, "its pattern is not in the language of STIX");
        }
        if let Some(maker) = row.member("created_by_ref") {
            self.made_by(maker);
        }
        let Some(pattern) = row.member("pattern") else {
            return self.out.skip(place, "it has no pattern");
        };
        let comparisons = match comparisons(pattern) {
            Ok(comparisons) => comparisons,
            Err(why) => return self.out.skip(place, why),
        };
        let times = ["modified", "created", "valid_from"];
        let published = times.iter().find_map(|name| time(row.member(name)?));
        let sure = row.member("confidence").and_then(|it| it.parse().ok());
        let said = About {
            about: row.member("name").or(row.member("description")),
            confidence: sure.map(confidence),
            published,
        };
        for comparison in comparisons {
            let values = compared(&comparison);
            if values.is_empty() {
                self.out
                    .skip(place, "its value is not what its pattern says");
            }
            for value in values {
                self.out.add(place, value, &said);
            }
        }
    }

    fn made_by(&mut self, maker: &str) {
        if let Some(count) = self.makers.get_mut(maker) {
            *count += 1;
        } else if self.makers.len() < MOST_IDENTITIES && maker.len() <= LONGEST_ID {
            self.makers.insert(maker.to_owned(), 1);
        }
    }

    /// Whoever made the most of the indicators, as far as the bundle names them.
    fn publisher(&self) -> Option<String> {
        let name = |maker: &str| {
            let found = self.identities.iter().find(|(id, _)| id == maker);
            found.map(|(_, name)| name.clone())
        };
        let named = self.makers.iter().rev();
        let named = named.filter_map(|(maker, count)| Some((*count, name(maker)?)));
        named.max_by_key(|(count, _)| *count).map(|(_, name)| name)
    }

    /// What has no words of its own is about the malware of the bundle.
    fn finish(&mut self) {
        self.out.content.publisher = self.publisher();
        if self.malware.is_empty() {
            return;
        }
        let name = self.malware.join(", ");
        let about: std::sync::Arc<str> = cut(&name, 200).into();
        self.out.content.name.get_or_insert(name);
        for indicator in self.out.content.indicators.iter_mut().skip(self.from) {
            indicator.about.get_or_insert_with(|| about.clone());
        }
    }
}

/// The value of a comparison, by its left side.
fn compared(comparison: &Comparison) -> Vec<IndicatorValue> {
    let left = comparison.left.as_str();
    let unchecked = |kind| Word::Unchecked(kind);
    let word = match left {
        "domain-name:value" => Word::Name,
        "ipv4-addr:value" | "ipv6-addr:value" => Word::Address,
        "url:value" => Word::Url,
        "process:name" => Word::ProcessName,
        "file:name" => Word::FileName,
        "file:path" | "file:parent_directory_ref.path" | "directory:path" => Word::Path,
        "email-addr:value" => unchecked(UncheckedKind::Email),
        "app:id" => unchecked(UncheckedKind::App),
        "configuration-profile:id" => unchecked(UncheckedKind::Profile),
        "android-property:name" => unchecked(UncheckedKind::Property),
        _ if left.starts_with("file:hashes.") => Word::Hash,
        _ if left.starts_with("app:cert.") || left.starts_with("x509-certificate:") => {
            unchecked(UncheckedKind::Certificate)
        }
        "network-traffic:dst_ref.value" | "network-traffic:src_ref.value" => {
            return super::word::guessed(&comparison.value);
        }
        _ => unchecked(UncheckedKind::Other),
    };
    values(word, &comparison.value)
}

struct Bundle<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Bundle<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bundle<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut bundle: A) -> Result<(), A::Error> {
        while let Some(key) = bundle.next_key::<String>()? {
            if key == "objects" {
                bundle.next_value_seed(Rows {
                    of: OBJECT,
                    each: &mut |row| self.0.object(row),
                })?;
            } else {
                bundle.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    passes_over!((); scalars, lists);
}

#[cfg(test)]
mod tests {
    use super::super::{Format, tests::content};

    const BUNDLE: &str = r#"{"type":"bundle","id":"bundle--1","objects":[
        {"type":"malware","name":"Spy\u202e","is_family":false},
        {"type":"indicator","pattern_type":"stix","pattern":"[domain-name:value='Evil.Example.']","created":"2024-01-26T21:28:21.013288Z"},
        {"type":"indicator","pattern":"[file:hashes.'SHA-256'='00000000000000000000000000000000000000000000000000000000000000AA']","confidence":85},
        {"type":"indicator","pattern":"[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value IN ('192.0.2.2', '192.0.2.3')]","name":"two"},
        {"type":"indicator","pattern":"[app:id='com.spy']"},
        {"type":"indicator","pattern":"[a:b='c' AND d:e='f']"},
        {"type":"indicator","pattern":7},
        {"type":"indicator","pattern":"alert tcp","pattern_type":"snort"},
        {"type":"relationship","source_ref":"x"}, 5, {"no":"type"}
    ]}"#;

    #[test]
    fn a_bundle_is_read_entry_by_entry() {
        let content = content(BUNDLE, Format::Stix).unwrap();
        let read: Vec<_> = content
            .indicators
            .iter()
            .map(|it| {
                format!(
                    "{} {} {:?}",
                    it.value.kind().word(),
                    it.value,
                    it.confidence
                )
            })
            .collect();
        assert_eq!(
            read,
            [
                "name evil.example Medium",
                "hash 00000000000000000000000000000000000000000000000000000000000000aa High",
                "address 192.0.2.1 Medium",
                "address 192.0.2.2 Medium",
                "address 192.0.2.3 Medium",
                "app com.spy Medium",
            ]
        );
        assert_eq!(content.indicators[0].about.as_deref(), Some("Spy\u{202e}"));
        assert_eq!(content.indicators[2].about.as_deref(), Some("two"));
        assert_eq!(content.skipped.count, 5, "{:?}", content.skipped);
        assert_eq!(content.name.as_deref(), Some("Spy\u{202e}"));
        assert_eq!(
            content.published.unwrap().to_string(),
            "2024-01-26T21:28:21.013288000Z"
        );
    }

    #[test]
    fn the_publisher_is_whoever_made_the_indicators() {
        let indicator = |maker: &str| {
            format!(
                r#"{{"type":"indicator","pattern":"[domain-name:value='a.example']","created_by_ref":"{maker}"}}"#
            )
        };
        let identity = |id: &str, name: &str| {
            format!(
                r#"{{"type":"identity","id":"{id}","name":"{name}","identity_class":"organization"}}"#
            )
        };
        let check = |objects: &[String], expected: Option<&str>| {
            let objects = objects.join(",");
            let bundle = format!(r#"{{"type":"bundle","objects":[{objects}]}}"#);
            let content = content(&bundle, Format::Stix).unwrap();
            assert_eq!(content.publisher.as_deref(), expected, "{bundle}");
        };
        let (victim, maker) = (
            identity("identity--1", "Victim"),
            identity("identity--2", "Lab"),
        );
        let made = indicator("identity--2");
        // The identity may stand behind what it made.
        check(&[victim.clone(), made.clone(), maker.clone()], Some("Lab"));
        let other = indicator("identity--1");
        check(
            &[
                other.clone(),
                made.clone(),
                made.clone(),
                victim.clone(),
                maker.clone(),
            ],
            Some("Lab"),
        );
        check(
            &[other, made.clone(), victim.clone(), maker],
            Some("Victim"),
        );
        // Who is in a bundle need not have made it.
        check(&[victim, made], None);
        check(&[indicator("identity--3")], None);
    }

    #[test]
    fn what_is_cut_is_damaged_and_says_where() {
        let error = content(&BUNDLE[..BUNDLE.len() - 8], Format::Stix).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("it looks like STIX 2 and is damaged at line "),
            "{text}"
        );
    }

    #[test]
    fn depth_does_not_hurt() {
        let deep = format!(
            r#"{{"type":"bundle","objects":[{{"type":{}"#,
            "[".repeat(1 << 20)
        );
        assert!(content(&deep, Format::Stix).is_err());
        let deep = format!(
            r#"{{"type":"bundle","x":{}{}}}"#,
            "[".repeat(1 << 20),
            "]".repeat(1 << 20)
        );
        assert!(content(&deep, Format::Stix).is_err());
    }
}

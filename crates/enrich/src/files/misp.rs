//! Events of MISP (the MISP core format, Internet-Draft draft-dulaunoy-misp-core-format), alone, within
//! `Event`, or several in a `response`.

use std::fmt;

use model::{IndicatorValue, UncheckedKind};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Error;
use super::json::{Row, RowOf, Rows, Scalar, anything, document, passes_over};
use super::out::{About, Out, Place};
use super::time::time;
use super::word;

const ATTRIBUTE: RowOf = RowOf(&[
    "type",
    "value",
    "comment",
    "to_ids",
    "timestamp",
    "deleted",
    "object_relation",
]);
/// Attributes of one object are kept until its name is known; more are skipped.
const MOST_OF_OBJECT: usize = 65_536;
/// Events in events are none.
const DEEPEST: usize = 4;

pub(super) fn read(text: &str, out: &mut Out) -> Result<(), Error> {
    let mut reading = Reading { out, number: 0 };
    document(text, "MISP event", Event(&mut reading, 0))
}

struct Reading<'a> {
    out: &'a mut Out,
    number: usize,
}

impl Reading<'_> {
    fn attribute(&mut self, row: Option<Row>, object: Option<&str>) {
        self.number += 1;
        let place = Place::Entry("attribute", self.number);
        let row = row.unwrap_or_default();
        let (Some(kind), Some(value)) = (row.member("type"), row.member("value")) else {
            return self.out.skip(place, "it has no type or no value");
        };
        if matches!(row.member("deleted"), Some("true" | "1")) {
            return self.out.skip(place, "its publisher has taken it back");
        }
        let published = row.member("timestamp").and_then(time);
        let comment = row.member("comment").filter(|it| !it.trim().is_empty());
        let said = About {
            about: object.or(comment),
            confidence: None,
            published,
        };
        if matches!(row.member("to_ids"), Some("false" | "0")) {
            let is_app = row.member("object_relation") == Some("appid");
            // The words of an object that say what it is are no entries of their own.
            let is_word = matches!(
                kind,
                "text" | "link" | "comment" | "datetime" | "counter" | "boolean"
            );
            if is_word && !is_app {
                return;
            }
            let kind = if is_app {
                UncheckedKind::App
            } else {
                UncheckedKind::NotForDetection
            };
            let value = value.to_owned();
            return self
                .out
                .add(place, IndicatorValue::Unchecked { kind, value }, &said);
        }
        if row.member("object_relation") == Some("certificate") {
            let value = IndicatorValue::Unchecked {
                kind: UncheckedKind::Certificate,
                value: value.to_owned(),
            };
            return self.out.add(place, value, &said);
        }
        let Some(word) = word::of(kind) else {
            let value = IndicatorValue::Unchecked {
                kind: UncheckedKind::Other,
                value: value.to_owned(),
            };
            return self.out.add(place, value, &said);
        };
        let values = word::values(word, value);
        if values.is_empty() {
            self.out.skip(place, "its value is not what its type says");
        }
        for value in values {
            self.out.add(place, value, &said);
        }
    }

    /// What says who wrote it, when, and what about.
    fn told(&mut self, key: &str, value: Option<String>) {
        let content = &mut self.out.content;
        match key {
            "info" => content.name = content.name.take().or(value),
            "date" | "publish_timestamp" | "timestamp" => {
                let time = value.as_deref().and_then(time);
                self.out.saw(time);
            }
            _ => {}
        }
    }
}

struct Event<'a, 'b>(&'a mut Reading<'b>, usize);

impl<'de> DeserializeSeed<'de> for Event<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        if self.1 > DEEPEST {
            return value.deserialize_any(IgnoredAny).map(|_| ());
        }
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Event<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut events: A) -> Result<(), A::Error> {
        while events
            .next_element_seed(Event(self.0, self.1 + 1))?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut event: A) -> Result<(), A::Error> {
        while let Some(key) = event.next_key::<String>()? {
            match key.as_str() {
                "Event" | "response" => event.next_value_seed(Event(self.0, self.1 + 1))?,
                "Attribute" => event.next_value_seed(Rows {
                    of: ATTRIBUTE,
                    each: &mut |row| self.0.attribute(row, None),
                })?,
                "Object" => event.next_value_seed(Objects(self.0))?,
                "Orgc" => {
                    let organisation = event.next_value_seed(RowOf(&["name"]))?;
                    let name = organisation.as_ref().and_then(|it| it.member("name"));
                    let publisher = &mut self.0.out.content.publisher;
                    *publisher = publisher.take().or(name.map(str::to_owned));
                }
                key @ ("info" | "date" | "publish_timestamp" | "timestamp") => {
                    let value = event.next_value_seed(Scalar)?;
                    self.0.told(key, value);
                }
                _ => {
                    event.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    passes_over!((); scalars);
}

/// Objects: attributes that belong together, one of which may name what they belong to.
struct Objects<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Objects<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Objects<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut objects: A) -> Result<(), A::Error> {
        while objects.next_element_seed(Object(self.0))?.is_some() {}
        Ok(())
    }

    passes_over!((); scalars, objects);
}

struct Object<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut rows = Vec::new();
        let mut left_out = 0_u64;
        let mut comment = None;
        while let Some(key) = object.next_key::<String>()? {
            match key.as_str() {
                "Attribute" => object.next_value_seed(Rows {
                    of: ATTRIBUTE,
                    each: &mut |row| {
                        if rows.len() < MOST_OF_OBJECT {
                            rows.push(row);
                        } else {
                            left_out += 1;
                        }
                    },
                })?,
                "comment" => comment = object.next_value_seed(Scalar)?,
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        let is_name = |row: &&Row| row.member("object_relation") == Some("name");
        let named = rows.iter().flatten().find(is_name);
        let name = named.and_then(|row| row.member("value")).map(str::to_owned);
        let about = name.or(comment).filter(|it| !it.trim().is_empty());
        for row in rows {
            self.0.attribute(row, about.as_deref());
        }
        self.0.out.content.skipped.count += left_out;
        Ok(())
    }

    passes_over!((); scalars, lists);
}

#[cfg(test)]
mod tests {
    use super::super::{Format, tests::check};

    #[test]
    fn an_event_is_read_alone_and_within_others() {
        let event = r#"{"info":"Spying","date":"2024-02-03","Orgc":{"name":"CERT"},
            "Attribute":[{"type":"ip-dst|port","value":"192.0.2.1|443","comment":"first","to_ids":true},
                {"type":"domain|ip","value":"evil.example|192.0.2.2","to_ids":"1"},
                {"type":"domain","value":"innocent.example","to_ids":false},
                {"type":"link","value":"https://report.example/","to_ids":false},
                {"type":"mutex","value":"m","to_ids":true},
                {"type":"md5","value":"short","to_ids":true}, null],
            "Object":[{"name":"android-app","Attribute":[
                {"type":"text","object_relation":"appid","value":"com.spy","to_ids":false},
                {"type":"sha1","object_relation":"certificate","value":"00","to_ids":true},
                {"type":"domain","object_relation":"domain","value":"c2.example","to_ids":true},
                {"type":"text","object_relation":"name","value":"SpyApp","to_ids":false}]}, 3]}"#;
        for text in [
            event.to_owned(),
            format!(r#"{{"Event":{event}}}"#),
            format!(r#"{{"response":[{{"Event":{event}}}]}}"#),
        ] {
            let content = check(
                &text,
                Format::MispEvent,
                &[
                    "address 192.0.2.1 (first)",
                    "name evil.example",
                    "address 192.0.2.2",
                    "not_for_detection innocent.example",
                    "other m",
                    "app com.spy (SpyApp)",
                    "certificate 00 (SpyApp)",
                    "name c2.example (SpyApp)",
                ],
                2,
            );
            assert_eq!(content.publisher.as_deref(), Some("CERT"));
            assert_eq!(content.name.as_deref(), Some("Spying"));
            assert!(content.published.is_some());
        }
    }

    #[test]
    fn the_publisher_is_the_organisation_that_created_the_event() {
        let event = |orgc: &str| {
            format!(
                r#"{{"Event":{{"info":"x","Org":{{"name":"Owner of the server"}}{orgc},
                "Attribute":[{{"type":"domain","value":"evil.example","to_ids":true}}]}}}}"#
            )
        };
        let publisher = |orgc: &str| {
            let content = super::super::tests::content(&event(orgc), Format::MispEvent);
            content.unwrap().publisher
        };
        assert_eq!(
            publisher(r#","Orgc":{"id":"1","name":" CERT \u00e4 "}"#).as_deref(),
            Some("CERT \u{e4}")
        );
        for none in [
            "",
            r#","Orgc":null"#,
            r#","Orgc":{"name":" "}"#,
            r#","Orgc":["x"]"#,
        ] {
            assert_eq!(publisher(none), None, "{none}");
        }
        let long = format!(r#","Orgc":{{"name":"{}"}}"#, "x".repeat(10_000));
        assert_eq!(publisher(&long).map(|it| it.len()), Some(512));
    }
}

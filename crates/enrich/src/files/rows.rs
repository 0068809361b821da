//! Any other JSON: objects whose members are named like the headings of a table, and lists of values.
//! Written as one document, or one on each line (Spamhaus DROP, ThreatFox, Feodo Tracker and others).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Error;
use super::columns::{Columns, MOST};
use super::json::anything;
use super::out::{About, Out, Place, cut};
use super::word::guessed;

/// What lies deeper is passed over.
const DEEPEST: usize = 8;
const LONGEST_VALUE: usize = 4096;

pub(super) fn read(text: &str, out: &mut Out) -> Result<(), Error> {
    let mut reading = Reading { out, number: 0 };
    let mut reader = serde_json::Deserializer::from_str(text);
    // serde_json's own iterator keeps each value; a seed hands it on.
    while reader.end().is_err() {
        let seed = Node {
            reading: &mut reading,
            depth: 0,
        };
        seed.deserialize(&mut reader)
            .map_err(|error| Error::Damaged {
                format: "JSON",
                place: format!("line {}, column {}", error.line(), error.column()),
                why: "it is not complete, or not JSON".to_owned(),
            })?;
    }
    Ok(())
}

struct Reading<'a> {
    out: &'a mut Out,
    number: usize,
}

impl Reading<'_> {
    /// `row`: members that are a text or a number.
    fn row(&mut self, row: &[(String, String)], has_more: bool) {
        if row.is_empty() {
            return;
        }
        self.number += 1;
        let place = Place::Entry("entry", self.number);
        let columns = Columns::of_headings(row.iter().map(|(key, _)| key.as_str()));
        let cells: Vec<&str> = row.iter().map(|(_, value)| value.as_str()).collect();
        let found = columns.is_some_and(|columns| columns.row(place, &cells, self.out));
        // What holds others is a frame and no entry, and so is a last line with a licence.
        if !found && !has_more && !is_frame(row) {
            self.out.skip(place, "it holds no value that is known");
        }
    }

    fn value(&mut self, value: &str) {
        self.number += 1;
        let place = Place::Entry("entry", self.number);
        let found = guessed(value);
        if found.is_empty() {
            self.out
                .skip(place, "it is no address, name, hash, URL or path");
        }
        for value in found {
            self.out.add(place, value, &About::default());
        }
    }
}

fn is_frame(row: &[(String, String)]) -> bool {
    let words = [
        "copyright",
        "terms",
        "licence",
        "license",
        "query_status",
        "metadata",
    ];
    row.iter()
        .any(|(key, value)| words.contains(&key.as_str()) || value == "metadata")
}

/// What a value was, for whom it belongs to.
enum Seen {
    Scalar(Option<String>),
    Nested,
}

struct Node<'a, 'b> {
    reading: &'a mut Reading<'b>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = Seen;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Seen, D::Error> {
        if self.depth > DEEPEST {
            value.deserialize_any(IgnoredAny)?;
            return Ok(Seen::Nested);
        }
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Seen, E> {
        Ok(Seen::Scalar(None))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Seen, E> {
        Ok(Seen::Scalar(Some(value.to_string())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Seen, E> {
        Ok(Seen::Scalar(Some(value.to_string())))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Seen, E> {
        Ok(Seen::Scalar(None))
    }

    fn visit_str<E>(self, value: &str) -> Result<Seen, E> {
        Ok(Seen::Scalar(Some(cut(value, LONGEST_VALUE).to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen::Scalar(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Seen, A::Error> {
        loop {
            let node = Node {
                reading: &mut *self.reading,
                depth: self.depth + 1,
            };
            match list.next_element_seed(node)? {
                // Lists within entries are tags, references and the like.
                Some(Seen::Scalar(Some(value))) if self.depth <= 1 => self.reading.value(&value),
                Some(_) => {}
                None => return Ok(Seen::Nested),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Seen, A::Error> {
        let mut row = Vec::new();
        let mut has_more = false;
        while let Some(key) = object.next_key::<String>()? {
            let node = Node {
                reading: &mut *self.reading,
                depth: self.depth + 1,
            };
            match object.next_value_seed(node)? {
                Seen::Scalar(Some(value)) if row.len() < MOST => row.push((key, value)),
                Seen::Scalar(_) => {}
                Seen::Nested => has_more = true,
            }
        }
        self.reading.row(&row, has_more);
        Ok(Seen::Nested)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, tests::check};

    #[test]
    fn rows_of_any_json_are_read_by_their_members() {
        check(
            "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":\"x\"}\n{\"cidr\":\"198.51.100.0/24\",\"sblid\":\"SBL2\"}\n{\"type\":\"metadata\",\"timestamp\":1,\"copyright\":\"(c)\"}\n",
            Format::Json,
            &[
                "network 192.0.2.0/24 (SBL1)",
                "network 198.51.100.0/24 (SBL2)",
            ],
            0,
        );
        check(
            r#"[{"ip_address":"192.0.2.1","port":443,"malware":"Bad","first_seen":"2024-02-03 04:05:06"},{"port":1}]"#,
            Format::Json,
            &["address 192.0.2.1 (Bad)"],
            1,
        );
        check(
            r#"{"12":[{"ioc_value":"192.0.2.1:80","ioc_type":"ip:port","malware_printable":"Bad","confidence_level":75,"tags":["x.example"]}]}"#,
            Format::Json,
            &["address 192.0.2.1 (Bad)"],
            0,
        );
        check(
            r#"["evil.example","192.0.2.1",5]"#,
            Format::Json,
            &["name evil.example", "address 192.0.2.1"],
            1,
        );
    }

    #[test]
    fn depth_does_not_hurt() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
            let _ = super::super::tests::content(&deep, Format::Json);
        }
    }
}

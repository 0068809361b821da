//! Which format a file has, by its content. What it is called counts for nothing.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::{Scalar, anything, passes_over};
use super::{Error, csv, text};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Stix,
    MispEvent,
    MispWarninglist,
    TinyCheck,
    /// Rows of values in any other JSON, also one on each line.
    Json,
    /// The YAML of the stalkerware indicators of Echap.
    Stalkerware,
    Suricata,
    Csv,
    List,
    Mmdb,
}

impl Format {
    pub const ALL: [Self; 10] = [
        Self::Stix,
        Self::MispEvent,
        Self::MispWarninglist,
        Self::TinyCheck,
        Self::Json,
        Self::Stalkerware,
        Self::Suricata,
        Self::Csv,
        Self::List,
        Self::Mmdb,
    ];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stix => "STIX 2",
            Self::MispEvent => "MISP event",
            Self::MispWarninglist => "MISP warninglist",
            Self::TinyCheck => "TinyCheck",
            Self::Json => "JSON",
            Self::Stalkerware => "stalkerware YAML",
            Self::Suricata => "Suricata rules",
            Self::Csv => "CSV",
            Self::List => "plain list",
            Self::Mmdb => "MMDB",
        }
    }
}

/// What lists and tables are known by.
const HEAD: usize = 64 << 10;

/// Errors: it is empty, or something else than indicators.
pub(super) fn format(bytes: &[u8]) -> Result<Format, Error> {
    if super::mmdb::is_one(bytes) {
        return Ok(Format::Mmdb);
    }
    if let Some((_, what, help)) = FOREIGN.iter().find(|(mark, ..)| bytes.starts_with(mark)) {
        return Err(Error::NotIndicators { what, help });
    }
    let head = text::of_head(bytes, HEAD);
    let head = head.trim_start();
    if head.is_empty() && bytes.len() <= HEAD {
        return Err(Error::Empty);
    }
    if head.contains('\0') {
        return Err(Error::NotIndicators {
            what: "not text",
            help: "indicators come as text; docs/indicators.md lists the formats",
        });
    }
    if head.starts_with(['{', '[']) && !is_line_of_list(head) {
        return json(&text::decoded(bytes.to_vec()));
    }
    if head.starts_with('<') {
        return Err(Error::NotIndicators {
            what: "a web page or XML",
            help: "a page that shows a file is not the file; look for a link named raw or download",
        });
    }
    of_lines(head)
}

/// `[2001:db8::1]:443` begins as JSON does.
fn is_line_of_list(head: &str) -> bool {
    let line = head.lines().next().unwrap_or_default();
    head.starts_with('[') && super::value::address(line.trim()).is_some()
}

fn of_lines(head: &str) -> Result<Format, Error> {
    let lines = head
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#') && *line != "---");
    let first = lines.clone().next().unwrap_or_default();
    if is_entry_of_yaml(first) {
        return Ok(Format::Stalkerware);
    }
    if first == "indicators:" {
        return Err(Error::NotIndicators {
            what: "an index that tells where lists are published, not a list",
            help: "fetch the files that it names, on another computer, and add those",
        });
    }
    let mut lines = lines.take(50);
    if lines.clone().any(super::suricata::is_rule) {
        return Ok(Format::Suricata);
    }
    let is_hosts = lines.any(|line| line.starts_with("0.0.0.0 ") || line.starts_with("127.0.0.1"));
    if !is_hosts && csv::delimiter(head).is_some() {
        return Ok(Format::Csv);
    }
    Ok(Format::List)
}

/// `- name: x`
fn is_entry_of_yaml(line: &str) -> bool {
    let Some((key, _)) = line.strip_prefix("- ").and_then(|it| it.split_once(':')) else {
        return false;
    };
    matches!(key.trim(), "name" | "names" | "type" | "packages")
}

/// Files that people take for lists, what they are, and what to do instead.
const FOREIGN: [(&[u8], &str, &str); 9] = [
    (
        b"PK\x03\x04",
        "a ZIP archive",
        "unpack it and add the file in it; some publishers pack with the password 'infected'",
    ),
    (
        b"7z\xbc\xaf",
        "a 7z archive",
        "unpack it and add the file in it",
    ),
    (b"\xfd7zXZ", "packed by xz", "unpack it: xz -d FILE"),
    (b"BZh", "packed by bzip2", "unpack it: bzip2 -d FILE"),
    (
        b"\x28\xb5\x2f\xfd",
        "packed by zstd",
        "unpack it: zstd -d FILE",
    ),
    (
        b"%PDF",
        "a PDF",
        "reports often have their indicators as a list beside them; add that",
    ),
    (b"\x7fELF", "a program", "indicators come as text"),
    (b"MZ", "a program", "indicators come as text"),
    (
        b"SQLite format 3",
        "a database",
        "export the table as CSV and add that",
    ),
];

/// Errors: it is no JSON.
fn json(text: &str) -> Result<Format, Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let shape = Shape
        .deserialize(&mut reader)
        .map_err(|error| Error::Damaged {
            format: "JSON",
            place: format!("line {}, column {}", error.line(), error.column()),
            why: "it is not complete, or not JSON".to_owned(),
        })?;
    Ok(shape.format())
}

/// The members of a document, or of the first entry of a list of them.
#[derive(Default)]
struct Keys {
    kind: Option<String>,
    keys: Vec<String>,
}

/// More members do not tell more.
const MOST_KEYS: usize = 64;

impl Keys {
    fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|it| it == key)
    }

    fn format(&self) -> Format {
        if self.has("objects") && self.kind.as_deref().is_none_or(|kind| kind == "bundle") {
            Format::Stix
        } else if self.has("iocs") {
            Format::TinyCheck
        } else if self.has("list") && self.has("type") {
            Format::MispWarninglist
        } else if ["Event", "response", "Attribute", "Object"]
            .iter()
            .any(|key| self.has(key))
        {
            Format::MispEvent
        } else {
            Format::Json
        }
    }
}

struct Shape;

impl<'de> DeserializeSeed<'de> for Shape {
    type Value = Keys;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Keys, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shape {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut document: A) -> Result<Keys, A::Error> {
        let mut keys = Keys::default();
        while let Some(key) = document.next_key::<String>()? {
            if key == "type" {
                keys.kind = document.next_value_seed(Scalar)?;
            } else {
                document.next_value::<IgnoredAny>()?;
            }
            if keys.keys.len() < MOST_KEYS {
                keys.keys.push(key);
            }
        }
        Ok(keys)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Keys, A::Error> {
        // Lists in lists are none of these.
        let first = list.next_element_seed(First)?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.unwrap_or_default())
    }

    passes_over!(Keys::default(); scalars);
}

/// As [`Shape`], of an entry of a list.
struct First;

impl<'de> DeserializeSeed<'de> for First {
    type Value = Keys;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Keys, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for First {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, document: A) -> Result<Keys, A::Error> {
        Shape.visit_map(document)
    }

    passes_over!(Keys::default(); scalars, lists);
}

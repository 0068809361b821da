//! Lists of indicators: who published them, when, under which licence, and what they hold.

use std::io::{self, Write};

use model::{IndicatorKind, IndicatorList, ListMeaning, ListOrigin, UncheckedKind};

use crate::gaps::folded;
use crate::json::SCHEMA;
use crate::json::writer::object;
use crate::visible::visible_str;

/// A paragraph for each list.
pub fn report(
    lists: &[&IndicatorList],
    width: Option<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    for list in lists {
        writeln!(out, "{}", visible_str(&list.name))?;
        folded("  published   ", &published(list), width, out)?;
        folded("  licence     ", &licence(list), width, out)?;
        if let ListOrigin::Added { at, file, sha256 } = &list.origin {
            let day = at.to_string();
            let day = day.get(..10).unwrap_or_default();
            let text = format!("{day}, from {}, {}", visible_str(file), list.format);
            folded("  added       ", &text, width, out)?;
            folded("  SHA-256     ", sha256, None, out)?;
        } else {
            folded("  added       ", "comes with the program", width, out)?;
        }
        folded("  means       ", meaning(list.meaning), width, out)?;
        folded("  holds       ", &held(list, true), width, out)?;
        let unchecked = held(list, false);
        if !unchecked.is_empty() {
            folded("  not checked here  ", &unchecked, width, out)?;
        }
        if list.skipped > 0 {
            let text = format!("{} entries that were not understood", grouped(list.skipped));
            folded("  skipped     ", &text, width, out)?;
        }
    }
    Ok(())
}

/// One line about a list: what it holds.
pub fn line(list: &IndicatorList) -> String {
    let mut text = format!("{}: {}", visible_str(&list.name), held(list, true));
    let unchecked = held(list, false);
    if !unchecked.is_empty() {
        text.push_str(&format!("; not checked here: {unchecked}"));
    }
    text
}

fn published(list: &IndicatorList) -> String {
    let by = list.publisher.as_deref().map(visible_str);
    let by = by.map_or_else(|| "nobody said by whom".into(), |by| format!("by {by}"));
    match list.published {
        Some(at) => format!("{by}, {}", at.to_string().get(..10).unwrap_or_default()),
        None => format!("{by}; when is not told"),
    }
}

fn licence(list: &IndicatorList) -> String {
    let licence = list.licence.as_deref().map(visible_str);
    let licence = licence.map_or_else(|| "not told".into(), |it| it.into_owned());
    match list.link.as_deref() {
        Some(link) => format!("{licence}, {}", visible_str(link)),
        None => licence,
    }
}

/// `1,438 names, 81 process names`; of what is checked here, or of what is not.
fn held(list: &IndicatorList, checked: bool) -> String {
    let counts = list.counts();
    if checked && counts.is_empty() {
        return "facts about addresses, which lookup tells".to_owned();
    }
    let of_kinds = counts
        .iter()
        .filter(|(kind, _)| kind.is_checked() == checked);
    let parts: Vec<String> = of_kinds
        .map(|(kind, count)| {
            let (one, many) = words(*kind);
            let count = u64::try_from(*count).unwrap_or(u64::MAX);
            format!("{} {}", grouped(count), if count == 1 { one } else { many })
        })
        .collect();
    if checked && parts.is_empty() {
        return "nothing that can be checked here".to_owned();
    }
    parts.join(", ")
}

/// One of a kind, and several.
fn words(kind: IndicatorKind) -> (&'static str, &'static str) {
    match kind {
        IndicatorKind::Address => ("address", "addresses"),
        IndicatorKind::Network => ("network", "networks"),
        IndicatorKind::Name => ("name", "names"),
        IndicatorKind::Url => ("URL", "URLs"),
        IndicatorKind::Hash => ("hash of a file", "hashes of files"),
        IndicatorKind::ProcessName => ("name of a process", "names of processes"),
        IndicatorKind::Path => ("path", "paths"),
        IndicatorKind::FileName => ("name of a file", "names of files"),
        IndicatorKind::Unchecked(kind) => match kind {
            UncheckedKind::App => ("app of a telephone", "apps of telephones"),
            UncheckedKind::Certificate => ("certificate", "certificates"),
            UncheckedKind::Email => ("e-mail address", "e-mail addresses"),
            UncheckedKind::Profile => ("profile of settings", "profiles of settings"),
            UncheckedKind::Property => ("property of Android", "properties of Android"),
            UncheckedKind::Part => ("part of a name or path", "parts of names or paths"),
            UncheckedKind::NotForDetection => (
                "entry not meant for detection",
                "entries not meant for detection",
            ),
            UncheckedKind::Other => ("entry of another kind", "entries of other kinds"),
        },
    }
}

fn meaning(meaning: ListMeaning) -> &'static str {
    match meaning {
        ListMeaning::KnownBad => "known bad, says its publisher",
        ListMeaning::Drop => "no traffic should go there at all, says its publisher",
        ListMeaning::Tor => "relays of Tor",
        ListMeaning::Vpn => "providers of VPNs and relays",
        ListMeaning::Hosting => "clouds and hosting",
        ListMeaning::DynamicDns => "names that point wherever their owner wants (dynamic DNS)",
        ListMeaning::Sinkhole => "taken over by those who fight attackers",
        ListMeaning::AddressEcho => "tells whoever asks which address they come from",
        ListMeaning::SharedPlatform => "anybody may publish there",
        ListMeaning::Ordinary => "usual, or often wrongly on other lists",
    }
}

/// `12,345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One document: `{"schema", "lists": [...]}` (docs/json.md).
pub fn document(lists: &[&IndicatorList], out: &mut impl Write) -> io::Result<()> {
    let mut buffer = Vec::new();
    object(&mut buffer, |document| {
        document.plain("schema", SCHEMA);
        document.array("lists", lists, |out, list| {
            object(out, |entry| {
                entry.text("name", &list.name);
                entry.optional_text("publisher", list.publisher.as_deref());
                entry.optional_text("licence", list.licence.as_deref());
                entry.optional_text("link", list.link.as_deref());
                entry.optional_plain("published", list.published);
                entry.word("meaning", list.meaning.word());
                entry.text("format", list.format);
                let added = match &list.origin {
                    ListOrigin::Embedded => None,
                    ListOrigin::Added { at, file, sha256 } => Some((at, file, sha256)),
                };
                entry.boolean("embedded", added.is_none());
                entry.optional_plain("added", added.map(|(at, ..)| at));
                entry.optional_text("file", added.map(|(_, file, _)| file.as_str()));
                entry.optional_text("sha256", added.map(|(.., sha256)| sha256.as_str()));
                entry.array("counts", list.counts(), |out, (kind, count)| {
                    object(out, |of_kind| {
                        of_kind.word("kind", kind.word());
                        of_kind.number("count", count);
                        of_kind.boolean("checked", kind.is_checked());
                    });
                });
                entry.number("skipped", list.skipped);
            });
        });
    });
    buffer.push(b'\n');
    out.write_all(&buffer)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use model::{Confidence, Indicator, IndicatorValue, Timestamp};

    use super::*;

    fn list() -> IndicatorList {
        let indicator = |value| Indicator {
            value,
            about: None,
            confidence: Confidence::High,
            published: None,
        };
        let name = |name: &str| IndicatorValue::Name {
            name: name.to_owned(),
            below: false,
        };
        let app = IndicatorValue::Unchecked {
            kind: UncheckedKind::App,
            value: "com.spy".to_owned(),
        };
        IndicatorList {
            name: "Spy\u{202e}".to_owned(),
            publisher: Some("CERT\u{1b}[2J".to_owned()),
            licence: None,
            link: None,
            published: Timestamp::parse("2024-01-26T21:28:21.013288000Z"),
            meaning: ListMeaning::KnownBad,
            format: "STIX 2",
            origin: ListOrigin::Added {
                at: Timestamp::from_unix_nanos(0),
                file: "spy.stix2".to_owned(),
                sha256: "ab".repeat(32),
            },
            indicators: [name("a.example"), name("b.example"), app]
                .map(indicator)
                .into(),
            skipped: 1234,
        }
    }

    #[test]
    fn a_list_is_told_in_a_paragraph_that_does_not_act() {
        let mut text = Vec::new();
        report(&[&list()], None, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            "Spy\u{2039}U+202E\u{203a}\n  published   by CERT\u{2039}U+001B\u{203a}[2J, 2024-01-26\n  \
             licence     not told\n  added       1970-01-01, from spy.stix2, STIX 2\n  SHA-256     \
             abababababababababababababababababababababababababababababababab\n  means       known \
             bad, says its publisher\n  holds       2 names\n  not checked here  1 app of a \
             telephone\n  skipped     1,234 entries that were not understood\n"
        );
    }

    #[test]
    fn a_document_is_json() {
        let mut text = Vec::new();
        document(&[&list()], &mut text).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let list = &document["lists"][0];
        assert_eq!(document["schema"], SCHEMA);
        assert_eq!(list["name"], "Spy\u{202e}");
        assert_eq!(list["licence"], serde_json::Value::Null);
        assert_eq!(list["counts"][1]["checked"], false);
        assert_eq!(list["embedded"], false);
    }
}

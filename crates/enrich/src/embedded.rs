//! Free sets of indicators that are in the program: those of Amnesty International's Security Lab, of
//! the Mobile Verification Toolkit (MVT), and Echap's of stalkerware.
//!
//! They are one text, packed by deflate: `examples/embed.rs` writes it with [`pack`] from the files of
//! the publishers, [`lists`] reads it. The text has a line for each list and each indicator, with tabs
//! between what they tell.

use std::io::{Read, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use model::{
    Confidence, FileHash, Indicator, IndicatorList, IndicatorValue, ListMeaning, ListOrigin,
    Timestamp, UncheckedKind,
};

const PACKED: &[u8] = include_bytes!("embedded/sets.zlib");

/// What each set is credited to, for whoever shows it (CC-BY asks for that).
pub const CREDITS: &[&str] = &[
    "Amnesty International Security Lab, github.com/AmnestyTech/investigations, CC-BY-2.0",
    "MVT project, github.com/mvt-project/mvt-indicators, MIT",
    "Echap, github.com/AssoEchap/stalkerware-indicators, CC-BY-4.0",
];

/// The lists in the order in which they were packed. Empty never, unless the program was built wrongly:
/// a test reads them.
pub fn lists() -> Vec<IndicatorList> {
    unpack(PACKED).unwrap_or_default()
}

/// As [`lists`] reads it.
pub fn pack(lists: &[IndicatorList]) -> std::io::Result<Vec<u8>> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(text(lists).as_bytes())?;
    packed.finish()
}

fn text(lists: &[IndicatorList]) -> String {
    let mut text = String::new();
    let field = |it: &Option<String>| clean(it.as_deref().unwrap_or_default());
    for list in lists {
        text.push_str(&format!(
            "list\t{}\t{}\t{}\t{}\t{}\t{}\n",
            clean(&list.name),
            field(&list.publisher),
            field(&list.licence),
            field(&list.link),
            clean(list.format),
            day(list.published)
        ));
        let mut said: Option<(&str, Confidence)> = None;
        for indicator in &list.indicators {
            let about = indicator.about.as_deref().unwrap_or_default();
            if said != Some((about, indicator.confidence)) {
                said = Some((about, indicator.confidence));
                let confidence = letter(indicator.confidence);
                text.push_str(&format!("about\t{}\t{confidence}\n", clean(about)));
            }
            let (kind, value) = (indicator.value.kind().word(), indicator.value.to_string());
            text.push_str(&format!("{kind}\t{}\n", clean(&value)));
        }
    }
    text
}

/// A field has neither tab nor end of line in it.
fn clean(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

/// `2024-01-26`, or nothing.
fn day(time: Option<Timestamp>) -> String {
    let text = time.map(|time| time.to_string()).unwrap_or_default();
    text.get(..10).unwrap_or_default().to_owned()
}

fn letter(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "l",
        Confidence::Medium => "m",
        Confidence::High => "h",
    }
}

/// `None`: it is not what was packed.
fn unpack(packed: &[u8]) -> Option<Vec<IndicatorList>> {
    let mut text = String::new();
    ZlibDecoder::new(packed).read_to_string(&mut text).ok()?;
    let mut lists: Vec<IndicatorList> = Vec::new();
    let mut about: Option<Arc<str>> = None;
    let mut confidence = Confidence::Medium;
    for line in text.lines() {
        let mut fields = line.split('\t');
        let word = fields.next()?;
        let value = fields.next()?;
        match word {
            "list" => lists.push(begun(value, &mut fields)?),
            "about" => {
                about = Some(value).filter(|it| !it.is_empty()).map(Arc::from);
                confidence = match fields.next()? {
                    "l" => Confidence::Low,
                    "m" => Confidence::Medium,
                    _ => Confidence::High,
                };
            }
            kind => {
                let list = lists.last_mut()?;
                let published = list.published;
                list.indicators.push(Indicator {
                    value: value_of(kind, value)?,
                    about: about.clone(),
                    confidence,
                    published,
                });
            }
        }
    }
    Some(lists)
}

fn begun<'a>(name: &str, fields: &mut impl Iterator<Item = &'a str>) -> Option<IndicatorList> {
    let mut next = || {
        let field = fields.next()?;
        Some(Some(field).filter(|it| !it.is_empty()).map(str::to_owned))
    };
    let (publisher, licence, link) = (next()?, next()?, next()?);
    let format = next()?.unwrap_or_default();
    let formats = crate::files::Format::ALL.map(crate::files::Format::name);
    let published = next()?.and_then(|day| Timestamp::parse(&format!("{day}T00:00:00.000000000Z")));
    Some(IndicatorList {
        name: name.to_owned(),
        publisher,
        licence,
        link,
        published,
        meaning: ListMeaning::KnownBad,
        format: formats.into_iter().find(|it| *it == format)?,
        origin: ListOrigin::Embedded,
        indicators: Vec::new(),
        skipped: 0,
    })
}

fn value_of(kind: &str, value: &str) -> Option<IndicatorValue> {
    let text = value.to_owned();
    Some(match kind {
        "address" => IndicatorValue::Address(value.parse().ok()?),
        "name" => IndicatorValue::Name {
            name: text,
            below: false,
        },
        "url" => match crate::files::guess(value) {
            Some(url @ IndicatorValue::Url { .. }) => url,
            _ => {
                let host = value.split('/').next()?.to_owned();
                IndicatorValue::Url { url: text, host }
            }
        },
        "hash" => IndicatorValue::Hash(FileHash::parse(value)?),
        "process_name" => IndicatorValue::ProcessName(text),
        "path" => IndicatorValue::Path(text),
        "file_name" => IndicatorValue::FileName(text),
        other => IndicatorValue::Unchecked {
            kind: UncheckedKind::ALL
                .into_iter()
                .find(|kind| kind.word() == other)?,
            value: text,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_there_and_credited() {
        let lists = lists();
        assert!(lists.len() > 20, "{}", lists.len());
        for list in &lists {
            let publisher = list.publisher.as_deref().unwrap_or_default();
            let licence = list.licence.as_deref().unwrap_or_default();
            let credit = CREDITS
                .iter()
                .find(|credit| credit.starts_with(publisher) && credit.ends_with(licence));
            assert!(credit.is_some() && !publisher.is_empty(), "{}", list.name);
            assert!(list.published.is_some(), "{}", list.name);
            assert!(!list.indicators.is_empty(), "{}", list.name);
        }
        let all: usize = lists.iter().map(|list| list.indicators.len()).sum();
        assert!(all > 6000, "{all}");
    }

    #[test]
    fn they_read_back_as_they_were_packed() {
        let lists = lists();
        let packed = pack(&lists).unwrap();
        assert_eq!(unpack(&packed), Some(lists));
    }

    #[test]
    fn they_stay_small() {
        assert!(PACKED.len() < 120 << 10, "{}", PACKED.len());
    }
}

//! What a reader of a format gives: indicators up to a bound, and what was skipped.

use std::sync::Arc;

use model::{Confidence, Indicator, IndicatorKind, IndicatorValue, Timestamp};

use super::value::is_too_wide;
use super::{Content, Format};
use crate::suffix::Section;
use crate::tables::Tables;

/// More are not kept, and counted as skipped.
pub(super) const MOST: usize = 2_000_000;
/// Longer values are skipped.
const LONGEST_VALUE: usize = 2048;
/// What a list says about an entry is cut behind this many bytes.
const LONGEST_ABOUT: usize = 512;
/// How many of those that were skipped are told one by one.
const TOLD: usize = 10;

/// Entries that were not understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    pub count: u64,
    /// Of the first few, where and why.
    pub first: Vec<(String, String)>,
}

impl Skipped {
    /// For the end of a sentence; empty where nothing was skipped.
    pub(super) fn in_words(&self) -> String {
        let Some((place, why)) = self.first.first() else {
            return String::new();
        };
        format!(
            "; {} entries were skipped, the first at {place}: {why}",
            self.count
        )
    }
}

pub(super) struct Out {
    pub(super) content: Content,
    /// What was said last: most entries that belong together stand together.
    about: Option<Arc<str>>,
}

impl Out {
    pub(super) fn new(format: Format) -> Self {
        Self {
            content: Content {
                format,
                name: None,
                publisher: None,
                licence: None,
                link: None,
                published: None,
                meaning: None,
                indicators: Vec::new(),
                skipped: Skipped::default(),
            },
            about: None,
        }
    }

    /// What the file says of itself is as bounded as what it says of its entries.
    pub(super) fn finish(mut self) -> Content {
        let content = &mut self.content;
        for said in [
            &mut content.name,
            &mut content.publisher,
            &mut content.licence,
            &mut content.link,
        ] {
            let text = said.as_deref().map(|it| cut(it.trim(), LONGEST_ABOUT));
            *said = text.filter(|it| !it.is_empty()).map(str::to_owned);
        }
        self.content
    }

    pub(super) fn add(&mut self, place: Place<'_>, value: IndicatorValue, said: &About<'_>) {
        if let Some(why) = refused(&value) {
            return self.skip(place, why);
        }
        if self.content.indicators.len() >= MOST {
            return self.skip(place, "there are more than 2,000,000");
        }
        let about = said.about.map(str::trim).filter(|about| !about.is_empty());
        let about = about.map(|about| self.shared(about));
        self.saw(said.published);
        self.content.indicators.push(Indicator {
            value,
            about,
            confidence: said.confidence.unwrap_or(Confidence::Medium),
            published: said.published,
        });
    }

    /// A time that the list gives: the newest is that of the list.
    pub(super) fn saw(&mut self, time: Option<Timestamp>) {
        self.content.published = self.content.published.max(time);
    }

    pub(super) fn skip(&mut self, place: Place<'_>, why: &str) {
        let skipped = &mut self.content.skipped;
        skipped.count += 1;
        if skipped.first.len() < TOLD {
            skipped.first.push((place.to_string(), why.to_owned()));
        }
    }

    fn shared(&mut self, about: &str) -> Arc<str> {
        let about = cut(about, LONGEST_ABOUT);
        match &self.about {
            Some(last) if **last == *about => Arc::clone(last),
            _ => {
                let about: Arc<str> = about.into();
                self.about = Some(Arc::clone(&about));
                about
            }
        }
    }
}

/// What is said about an entry.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct About<'a> {
    pub(super) about: Option<&'a str>,
    pub(super) confidence: Option<Confidence>,
    pub(super) published: Option<Timestamp>,
}

/// Where an entry stands, for people.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    Line(usize),
    /// The number of an entry of a list, and what the list is called.
    Entry(&'a str, usize),
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Entry(list, number) => write!(f, "{list} {number}"),
        }
    }
}

/// Why a value would do harm.
fn refused(value: &IndicatorValue) -> Option<&'static str> {
    match value {
        IndicatorValue::Network(network) if is_too_wide(*network) => {
            Some("it is so wide that it says nothing: wider than /8 of IPv4 or /16 of IPv6")
        }
        IndicatorValue::Name { name, below: true } if is_everybodys(name) => {
            Some("it is so wide that it says nothing: everybody may register names below it")
        }
        IndicatorValue::Path(path) if is_of_every_computer(path) => Some(
            "it is so wide that it says nothing: every computer has this folder, and much in it",
        ),
        IndicatorValue::Network(_) | IndicatorValue::Hash(_) => None,
        IndicatorValue::Address(address) => {
            (address.is_unspecified()).then_some("the address stands for none")
        }
        IndicatorValue::Name { name: text, .. }
        | IndicatorValue::Url { url: text, .. }
        | IndicatorValue::ProcessName(text)
        | IndicatorValue::Path(text)
        | IndicatorValue::FileName(text)
        | IndicatorValue::Unchecked { value: text, .. } => {
            (text.len() > LONGEST_VALUE).then_some("it is longer than 2 KiB")
        }
    }
}

/// Folders in which systems keep what belongs to them, and people what is theirs. A path stands for all
/// that is below it.
const FOLDERS: [&str; 37] = [
    "/bin",
    "/boot",
    "/dev",
    "/dev/shm",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/snap",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/share",
    "/var",
    "/var/lib",
    "/var/tmp",
    r"c:\program files",
    r"c:\program files (x86)",
    r"c:\programdata",
    r"c:\users",
    r"c:\windows",
    r"c:\windows\system32",
];

fn is_of_every_computer(path: &str) -> bool {
    let path = path.trim_end_matches(['/', '\\']);
    FOLDERS
        .iter()
        .any(|folder| folder.eq_ignore_ascii_case(path))
}

/// Whether a registry gives away names below it.
pub(super) fn is_everybodys(name: &str) -> bool {
    let suffix = Tables::embedded().suffix(name);
    suffix.section == Section::Registry && suffix.registrable.is_none()
}

/// No longer than so many bytes, and a character stays whole.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// How sure a publisher is, of 100.
pub(super) fn confidence(of_100: u64) -> Confidence {
    match of_100 {
        0..34 => Confidence::Low,
        34..67 => Confidence::Medium,
        _ => Confidence::High,
    }
}

/// Whether a kind can stand for what is on each line of a plain list.
pub(super) fn is_kind_of_line(kind: IndicatorKind) -> bool {
    kind.is_checked()
}

//! Names taken apart: what of a name anybody may register below (the public suffix), what was
//! registered, and how it is written in both ways (RFC 5890).
//!
//! The rules are those of the public suffix list (publicsuffix.org), which is one of the tables: so
//! it is as new as the others, and a newer file brings newer rules.

mod lookalike;
mod punycode;

pub use self::lookalike::{Lookalike, lookalikes};

use crate::tables::{Tables, reversed};

/// Numbers of rules are below: one bit each for what the list says of exactly this name.
pub(crate) const RULES: u32 = 32;
/// Names end here, as countries and registries have it, or a company that lets others have names.
pub(crate) const SUFFIX: [u32; 2] = [1, 2];
/// Every name right below is a suffix (`*.`).
pub(crate) const ALL_BELOW: [u32; 2] = [4, 8];
/// It is no suffix although all beside it are (`!`).
pub(crate) const EXCEPTION: u32 = 16;

/// Who made the rule that says where a name ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Registries: whoever registered the domain is responsible for all below it.
    Registry,
    /// Companies that give names to their customers: each name is somebody else's.
    Platform,
    /// No rule: the last label stands for it.
    NotListed,
}

/// Where a name ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suffix<'a> {
    pub suffix: &'a str,
    /// The suffix and one label more. `None`: the name is a suffix itself.
    pub registrable: Option<&'a str>,
    pub section: Section,
}

/// A name as it is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// A-labels in lower case, without a dot at the end.
    pub ascii: String,
    /// As people write it, as far as it can be read; the same where nothing differs.
    pub unicode: String,
}

impl Name {
    /// A name that was really asked for: programs may put any bytes into a label, and what was
    /// registered above it stays what it is. Such labels stand as `_`. `None`: no label is left.
    pub fn seen(text: &str) -> Option<Self> {
        if let Ok(name) = Self::parse(text) {
            return Some(name);
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        let labels = labels(text).map(|label| parse_label(label).ok());
        let labels: Vec<_> = labels.collect();
        labels.iter().flatten().next()?;
        let (ascii, unicode): (Vec<_>, Vec<_>) = labels
            .into_iter()
            .map(|label| label.unwrap_or_else(|| (UNREADABLE.to_owned(), UNREADABLE.to_owned())))
            .unzip();
        let name = Self {
            ascii: ascii.join("."),
            unicode: unicode.join("."),
        };
        (name.ascii.len() <= MOST_NAME_BYTES).then_some(name)
    }

    /// `Err`: why it is no name.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err("nothing is in it");
        }
        if text.len() > 4 * MOST_NAME_BYTES {
            return Err("too long for a name");
        }
        let (mut ascii, mut unicode) = (Vec::new(), Vec::new());
        // The other dots are those of IDNA2003 (RFC 3490, 3.1), which browsers take.
        for label in text.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']) {
            let (plain, shown) = parse_label(label)?;
            ascii.push(plain);
            unicode.push(shown);
        }
        let name = Self {
            ascii: ascii.join("."),
            unicode: unicode.join("."),
        };
        if name.ascii.len() > MOST_NAME_BYTES {
            return Err("longer than the 253 characters of a name");
        }
        Ok(name)
    }
}

/// Stands for a label that is none of a host.
const UNREADABLE: &str = "_";

/// The labels of a name in which `\\` stands before a dot that is part of a label.
fn labels(text: &str) -> impl Iterator<Item = &str> {
    let mut is_escaped = false;
    text.split(move |character| {
        let is_end = character == '.' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        is_end
    })
}

/// RFC 1035, 2.3.4, without the length bytes at both ends.
const MOST_NAME_BYTES: usize = 253;
const MOST_LABEL_BYTES: usize = 63;

/// A label with A-labels, and as people write it.
fn parse_label(label: &str) -> Result<(String, String), &'static str> {
    if label.is_empty() {
        return Err("two dots side by side");
    }
    let lower = label.to_lowercase();
    let (ascii, unicode) = if lower.is_ascii() {
        let shown = lower.strip_prefix("xn--").and_then(punycode::decode);
        (lower.clone(), shown.unwrap_or(lower))
    } else {
        let encoded = punycode::encode(&lower).ok_or("too long for a name")?;
        (format!("xn--{encoded}"), lower)
    };
    if ascii.len() > MOST_LABEL_BYTES {
        return Err("a part between dots is longer than 63 characters");
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !ascii.bytes().all(allowed) {
        return Err("it has characters that no name has");
    }
    if unicode
        .chars()
        .any(|it| model::acts_or_hides(it) || it.is_whitespace())
    {
        return Err("it has characters that no name has");
    }
    Ok((ascii, unicode))
}

impl Tables {
    /// Where a name ends. `name` has A-labels in lower case.
    pub fn suffix<'a>(&self, name: &'a str) -> Suffix<'a> {
        self.suffix_by(name, true)
    }

    /// The same by the rules of registries alone: what was registered in the first place.
    pub fn registry_suffix<'a>(&self, name: &'a str) -> Suffix<'a> {
        self.suffix_by(name, false)
    }

    fn suffix_by<'a>(&self, name: &'a str, with_platforms: bool) -> Suffix<'a> {
        let labels = name.split('.').count();
        let reversed = reversed(name);
        let ends = reversed.match_indices('.').map(|(at, _)| at);
        let (mut length, mut section) = (1, Section::NotListed);
        for (above, end) in (1..).zip(ends.chain([reversed.len()])) {
            let Some(rule) = self.suffix_rule(reversed.get(..end).unwrap_or_default()) else {
                continue;
            };
            let sections = [Section::Registry, Section::Platform];
            let sections = sections.into_iter().zip(SUFFIX).zip(ALL_BELOW);
            for ((of, suffix), all_below) in sections {
                if of == Section::Platform && !with_platforms {
                    continue;
                }
                if rule & suffix != 0 {
                    (length, section) = (above, of);
                }
                if rule & all_below != 0 && above < labels {
                    (length, section) = (above + 1, of);
                }
            }
            if rule & EXCEPTION != 0 {
                (length, section) = (above - 1, Section::Registry);
                break;
            }
        }
        Suffix {
            suffix: last_labels(name, length),
            registrable: (labels > length).then(|| last_labels(name, length + 1)),
            section,
        }
    }
}

fn last_labels(name: &str, count: usize) -> &str {
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    match count.checked_sub(1).and_then(|before| dots.nth(before)) {
        Some(dot) => name.get(dot + 1..).unwrap_or(name),
        None => name,
    }
}

#[cfg(test)]
mod tests;

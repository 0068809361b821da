//! Files of indicators that a person loads: one module for each format, recognised by content.
//!
//! Bytes go in, a [`Content`] comes out. Whoever wrote the file may be the attacker: every reader is
//! bounded and total, and counts what it does not understand.

mod columns;
mod csv;
mod error;
mod input;
mod json;
mod list;
mod misp;
mod mmdb;
mod name;
mod out;
mod recognise;
mod rows;
mod stalkerware;
mod stix;
mod suricata;
mod text;
pub(crate) mod time;
mod tinycheck;
mod value;
mod warninglist;
mod word;

use std::io::Read;

use model::{Indicator, IndicatorKind, IndicatorList, ListMeaning, ListOrigin, Timestamp};

pub use self::error::Error;
pub use self::input::LARGEST;
pub use self::mmdb::Table;
pub(crate) use self::name::normalised;
pub use self::out::Skipped;
pub use self::recognise::Format;
pub use self::value::guess;

use self::out::Out;

/// What a file turned out to hold.
#[derive(Debug)]
pub enum Loaded {
    Indicators(Content),
    /// Facts about addresses, made by somebody else (MMDB).
    Table(Table),
}

/// What a person says of a file, where the file itself does not.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The name of the file, without its folder: a hint for lists of bare words.
    pub file: String,
    /// What sort of value stands on each line of a plain list.
    pub kind: Option<IndicatorKind>,
}

/// Indicators, and what the file tells about itself.
#[derive(Clone, Debug)]
pub struct Content {
    pub format: Format,
    /// `None`: it tells none.
    pub name: Option<String>,
    pub publisher: Option<String>,
    pub licence: Option<String>,
    pub link: Option<String>,
    pub published: Option<Timestamp>,
    /// `None`: it does not say; then it is taken for a list of what is known bad.
    pub meaning: Option<ListMeaning>,
    pub indicators: Vec<Indicator>,
    pub skipped: Skipped,
}

impl Content {
    /// The list, with what is still not known left open.
    pub fn into_list(self, name: String, origin: ListOrigin) -> IndicatorList {
        IndicatorList {
            name,
            publisher: self.publisher,
            licence: self.licence,
            link: self.link,
            published: self.published,
            meaning: self.meaning.unwrap_or(ListMeaning::KnownBad),
            format: self.format.name(),
            origin,
            indicators: self.indicators,
            skipped: self.skipped.count,
        }
    }
}

/// Reads a whole file, unpacked where it is packed by gzip.
///
/// Errors: it cannot be read, is too large, is none of the formats, is damaged, or holds nothing.
pub fn read(input: impl Read, said: &Said) -> Result<Loaded, Error> {
    let bytes = input::whole(input)?;
    let format = recognise::format(&bytes)?;
    read_as(bytes, format, said)
}

/// Reads bytes as one format.
///
/// Errors: as [`read`].
pub fn read_as(bytes: Vec<u8>, format: Format, said: &Said) -> Result<Loaded, Error> {
    if format == Format::Mmdb {
        return Table::new(bytes).map(Loaded::Table);
    }
    let text = text::decoded(bytes);
    let mut out = Out::new(format);
    match format {
        Format::Stix => stix::read(&text, &mut out)?,
        Format::MispEvent => misp::read(&text, &mut out)?,
        Format::MispWarninglist => warninglist::read(&text, &mut out)?,
        Format::TinyCheck => tinycheck::read(&text, &mut out)?,
        Format::Json => rows::read(&text, &mut out)?,
        Format::Stalkerware => stalkerware::read(&text, &mut out),
        Format::Suricata => suricata::read(&text, &mut out),
        Format::Csv => csv::read(&text, &mut out),
        Format::List => list::read(&text, said, &mut out),
        Format::Mmdb => {}
    }
    let content = out.finish();
    if content.indicators.is_empty() {
        return Err(Error::Nothing {
            format: format.name(),
            skipped: content.skipped,
        });
    }
    Ok(Loaded::Indicators(content))
}

/// What a file is known by: SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    model::FileHash::Sha256(Sha256::digest(bytes).into()).to_string()
}

#[cfg(test)]
mod tests;

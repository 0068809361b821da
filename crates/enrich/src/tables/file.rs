//! The file of the tables: a head with its hash, a directory, and the blocks of all tables.
//!
//! Head: 16 bytes `whocalls tables\n`, the version (u32, little endian), SHA-256 of all that
//! follows, the length of the directory (u32, little endian). Directory: sources, sets of sources,
//! countries, then the index of each table. Numbers are LEB128, texts have their length in front.

use std::borrow::Cow;

use model::{Country, NetworkKind};
use sha2::{Digest, Sha256};

use super::block::BlockWriter;
use super::bytes::{Reader, put_count, put_text};
use super::joined::Joined;
use super::organisations::Organisations;
use super::ranges::Ranges;
use super::strings::Strings;
use super::{Parts, Set, Tables};
use crate::suffix;

const MAGIC: &[u8; 16] = b"whocalls tables\n";
const VERSION: u32 = 1;
/// Larger files are not read.
pub const MOST_FILE_BYTES: u64 = 64 << 20;
/// No text of the directory is longer.
const MOST_TEXT_BYTES: usize = 4096;
const MOST_SOURCES: usize = 4096;
const MOST_SETS: usize = 1 << 16;
const MOST_COUNTRIES: usize = 1 << 10;
const LAST_V4: u128 = u32::MAX as u128;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not a file of tables")]
    Foreign,
    #[error("tables in format {found}; this build reads format {VERSION}")]
    Version { found: u32 },
    #[error("damaged: not what its hash says")]
    Changed,
    #[error("damaged: {0}")]
    Damaged(&'static str),
}

/// Where something in the tables comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file it was read from.
    pub file: String,
    pub title: String,
    pub publisher: String,
    /// When it was made: `2026-08-22`.
    pub date: String,
    pub licence: String,
    /// What the licence asks to be said; empty when nothing.
    pub credit: String,
    /// Whose network it is; empty when it is of many.
    pub provider: String,
    /// What the list is of. `None`: it is no list, but the source of a table.
    pub kind: Option<NetworkKind>,
    /// Whether a name on it stands for itself alone, and not for those below it.
    pub matches_exactly: bool,
    /// Lines or entries that were read.
    pub entries: u64,
}

/// All that goes into a file, in order.
#[derive(Default)]
pub struct Contents {
    pub sources: Vec<Source>,
    /// Places in `sources`; the number of a set is its place and one more.
    pub sets: Vec<Vec<usize>>,
    pub countries: Vec<Country>,
    /// Number of the system and name, the first with the most ranges.
    pub organisations: Vec<(u32, String)>,
    /// IPv4, IPv6: break points with the place of an organisation and one more.
    pub announcers: [Vec<(u128, u32)>; 2],
    /// The same with the place of a country.
    pub allocated: [Vec<(u128, u32)>; 2],
    /// The same with the number of a set.
    pub kinds: [Vec<(u128, u32)>; 2],
    /// Names in reverse order of their labels, with the number of a set.
    pub names: Vec<(String, u32)>,
    /// Rules of the suffix list, the same way.
    pub suffixes: Vec<(String, u32)>,
    /// Hex in lower case, with the number of a set.
    pub hashes: Vec<(String, u32)>,
}

impl Contents {
    /// The file: the same bytes for the same contents.
    pub fn write(&self) -> Vec<u8> {
        let (mut index, mut packed) = (Vec::new(), Vec::new());
        put_count(&mut index, self.sources.len());
        for source in &self.sources {
            put_source(&mut index, source);
        }
        put_count(&mut index, self.sets.len());
        for set in &self.sets {
            put_count(&mut index, set.len());
            for place in set {
                put_count(&mut index, *place);
            }
        }
        put_count(&mut index, self.countries.len());
        for country in &self.countries {
            index.extend(country.code());
        }
        let mut writer = BlockWriter {
            index: &mut index,
            packed: &mut packed,
        };
        let numbered = (0..).zip(&self.organisations);
        let numbered = numbered.map(|(number, (asn, name))| (number, *asn, name.clone()));
        Organisations::write(&mut writer, &numbered.collect::<Vec<_>>());
        for family in [&self.announcers, &self.allocated, &self.kinds] {
            for table in family {
                Ranges::write(&mut writer, table);
            }
        }
        for texts in [&self.names, &self.suffixes, &self.hashes] {
            Strings::write(&mut writer, texts);
        }
        let length = u32::try_from(index.len()).unwrap_or(u32::MAX);
        let mut body = length.to_le_bytes().to_vec();
        body.extend(index);
        body.extend(packed);
        let mut file = MAGIC.to_vec();
        file.extend(VERSION.to_le_bytes());
        file.extend(Sha256::digest(&body));
        file.extend(body);
        file
    }
}

impl Tables {
    /// Reads a file, and holds it against its hash.
    pub fn read(bytes: Vec<u8>) -> Result<Self, Error> {
        let (_, hash, body) = head(&bytes)?;
        if Sha256::digest(body).as_slice() != hash {
            return Err(Error::Changed);
        }
        Self::read_unchecked(bytes.into())
    }

    /// The same without the hash, of bytes that are part of the program.
    pub(super) fn read_unchecked(bytes: Cow<'static, [u8]>) -> Result<Self, Error> {
        let (version, hash, body) = head(&bytes)?;
        if version != VERSION {
            return Err(Error::Version { found: version });
        }
        let hash = *hash;
        let (length, body) = body
            .split_first_chunk()
            .ok_or(Error::Damaged("it ends in its head"))?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let directory = body
            .get(..length)
            .ok_or(Error::Damaged("it ends in its directory"))?;
        let mut tables = directory_of(directory).ok_or(Error::Damaged("its directory"))?;
        let blocks = bytes.len() - body.len() + length;
        tables.packed = match bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(blocks..).unwrap_or_default()),
            Cow::Owned(mut bytes) => Cow::Owned(bytes.split_off(blocks)),
        };
        tables.hash = hash;
        Ok(tables)
    }

    /// Opens every block of every table.
    pub fn check(&self) -> Result<(), Error> {
        let Some(parts) = &self.parts else {
            return Err(Error::Damaged("nothing is in it"));
        };
        let packed = &*self.packed;
        let names = [
            "who announces addresses",
            "where blocks were allocated",
            "what networks are for",
        ];
        for family in [&parts.v4, &parts.v6] {
            for (what, table) in names.into_iter().zip(&family.tables) {
                if !table.is_whole(packed) {
                    return Err(Error::Damaged(what));
                }
            }
        }
        for (what, strings) in [
            ("names", &parts.names),
            ("suffixes", &parts.suffixes),
            ("hashes", &parts.hashes),
        ] {
            if !strings.is_whole(packed) {
                return Err(Error::Damaged(what));
            }
        }
        let count = u32::try_from(parts.organisations.count()).unwrap_or(u32::MAX);
        let known = (0..count).all(|it| parts.organisations.get(packed, it).is_some());
        known.then_some(()).ok_or(Error::Damaged("organisations"))
    }

    /// How many entries each table has, for people.
    pub fn counts(&self) -> Vec<(&'static str, usize)> {
        let Some(parts) = &self.parts else {
            return Vec::new();
        };
        let points = |family: &Joined, place: usize| {
            let table = family.tables.get(place);
            table.map_or(0, Ranges::points)
        };
        let v4 = |place| points(&parts.v4, place);
        let v6 = |place| points(&parts.v6, place);
        vec![
            ("organisations", parts.organisations.count()),
            ("announced ranges, IPv4", v4(0)),
            ("announced ranges, IPv6", v6(0)),
            ("allocated ranges, IPv4", v4(1)),
            ("allocated ranges, IPv6", v6(1)),
            ("ranges on lists, IPv4", v4(2)),
            ("ranges on lists, IPv6", v6(2)),
            ("names on lists", parts.names.count()),
            ("public suffixes", parts.suffixes.count()),
            ("hashes on lists", parts.hashes.count()),
        ]
    }
}

/// Version, hash, and what the hash is of.
fn head(bytes: &[u8]) -> Result<(u32, &[u8; 32], &[u8]), Error> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(Error::Foreign)?;
    let short = Error::Damaged("it ends in its head");
    let Some((version, rest)) = rest.split_first_chunk() else {
        return Err(short);
    };
    let (hash, body) = rest.split_first_chunk().ok_or(short)?;
    Ok((u32::from_le_bytes(*version), hash, body))
}

/// All but the blocks. `None`: damaged.
fn directory_of(bytes: &[u8]) -> Option<Tables> {
    let mut reader = Reader::new(bytes);
    let reader = &mut reader;
    let mut tables = Tables::default();
    for _ in 0..reader.count().filter(|it| *it <= MOST_SOURCES)? {
        tables.sources.push(source(reader)?);
    }
    for _ in 0..reader.count().filter(|it| *it <= MOST_SETS)? {
        let mut set = Set::default();
        for _ in 0..reader.count().filter(|it| *it <= MOST_SOURCES)? {
            let place = reader.count()?;
            set.kinds.extend(tables.sources.get(place)?.kind);
            set.sources.push(place);
        }
        set.kinds.sort_unstable();
        set.kinds.dedup();
        tables.sets.push(set);
    }
    for _ in 0..reader.count().filter(|it| *it <= MOST_COUNTRIES)? {
        let code = reader.take(2)?.try_into().ok()?;
        tables.countries.push(Country::new(code)?);
    }
    let mut at = 0;
    let organisations = Organisations::read(reader, &mut at)?;
    let above = |count: usize| u32::try_from(count).ok()?.checked_add(1);
    let announcers = above(organisations.count())?;
    let countries = above(tables.countries.len())?;
    let sets = above(tables.sets.len())?;
    // Of each table first IPv4, then IPv6.
    let mut both = |limit| {
        let v4 = Ranges::read(reader, &mut at, LAST_V4, limit)?;
        Some((v4, Ranges::read(reader, &mut at, u128::MAX, limit)?))
    };
    let (announcers, countries, kinds) = (both(announcers)?, both(countries)?, both(sets)?);
    tables.parts = Some(Parts {
        organisations,
        v4: Joined::of([announcers.0, countries.0, kinds.0], LAST_V4),
        v6: Joined::of([announcers.1, countries.1, kinds.1], u128::MAX),
        names: Strings::read(reader, &mut at, sets)?,
        suffixes: Strings::read(reader, &mut at, suffix::RULES)?,
        hashes: Strings::read(reader, &mut at, sets)?,
    });
    reader.is_empty().then_some(tables)
}

fn put_source(out: &mut Vec<u8>, source: &Source) {
    let kind = source.kind.map_or("", NetworkKind::word);
    for text in [
        &source.file,
        &source.title,
        &source.publisher,
        &source.date,
        &source.licence,
        &source.credit,
        &source.provider,
    ] {
        put_text(out, text);
    }
    put_text(out, kind);
    put_count(out, usize::from(source.matches_exactly));
    put_count(out, usize::try_from(source.entries).unwrap_or(usize::MAX));
}

fn source(reader: &mut Reader<'_>) -> Option<Source> {
    let mut text = || Some(reader.text(MOST_TEXT_BYTES)?.to_owned());
    Some(Source {
        file: text()?,
        title: text()?,
        publisher: text()?,
        date: text()?,
        licence: text()?,
        credit: text()?,
        provider: text()?,
        kind: kind(&text()?)?,
        matches_exactly: reader.number()? != 0,
        entries: u64::try_from(reader.number()?).ok()?,
    })
}

/// `None` outside: a word that this build does not know.
fn kind(word: &str) -> Option<Option<NetworkKind>> {
    if word.is_empty() {
        return Some(None);
    }
    let kind = NetworkKind::ALL.into_iter().find(|it| it.word() == word)?;
    Some(Some(kind))
}

//! What is in a case folder: names, lengths and the manifest. Nothing is written. Links are never
//! followed, and what does not belong into a case is damage.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::UNIX_EPOCH;

use model::Timestamp;
use zip::DateTime;

use super::{Damage, Damaged, Error};
use crate::case::{CASE_JSON, FORMAT, LOG, MANIFEST, Manifest, ManifestFault, START_HERE};

/// Who unpacks meets them first, in this order. With `.age` behind it in an encrypted case.
const FIRST: [&str; 4] = [START_HERE, CASE_JSON, MANIFEST, LOG];
/// The files in one case, and the folders in one another.
const MOST_FILES: usize = 1_000_000;
const DEEPEST: usize = 16;
const LONGEST_MANIFEST: u64 = 256 * 1024 * 1024;
/// The longest name of a file on most file systems.
const LONGEST_NAME: usize = 255;

/// What is there.
pub(super) struct Contents {
    pub(super) folders: Vec<String>,
    /// In the order in which they are packed.
    pub(super) files: Vec<Entry>,
    /// Names and SHA-256 in hex.
    pub(super) manifest: BTreeMap<String, String>,
    pub(super) manifest_text: Vec<u8>,
    pub(super) damage: Vec<(String, Damage)>,
}

/// A file.
pub(super) struct Entry {
    /// Below the folder of the case, with `/`.
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) modified: DateTime,
}

impl Contents {
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    fn damaged(&mut self, name: &str, how: Damage, damaged: Damaged) -> Result<(), Error> {
        let name = name.to_owned();
        match damaged {
            Damaged::Refuse => Err(Error::Changed { name, how }),
            Damaged::PackAnyway => {
                self.damage.push((name, how));
                Ok(())
            }
        }
    }
}

/// Errors: no case, cannot be read; damaged, when that is refused.
pub(super) fn of(case: &Path, damaged: Damaged) -> Result<Contents, Error> {
    let mut contents = Contents {
        folders: Vec::new(),
        files: Vec::new(),
        manifest: BTreeMap::new(),
        manifest_text: Vec::new(),
        damage: Vec::new(),
    };
    read_manifest(case, &mut contents, damaged)?;
    let mut folders = vec![(String::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let not_read = |source| Error::Read {
            name: if folder.is_empty() {
                "the folder".to_owned()
            } else {
                folder.clone()
            },
            source,
        };
        for entry in fs::read_dir(case.join(&folder)).map_err(not_read)? {
            let entry = entry.map_err(not_read)?;
            let file_name = entry.file_name();
            let shown = joined(&folder, &file_name.to_string_lossy());
            let Some(name) = file_name.to_str().filter(|name| is_name(name)) else {
                contents.damaged(&shown, Damage::Name, damaged)?;
                continue;
            };
            let name = joined(&folder, name);
            // Of a link it is that of the link itself.
            let metadata = entry.metadata().map_err(not_read)?;
            if metadata.is_dir() {
                if depth + 1 == DEEPEST {
                    contents.damaged(&name, Damage::TooMuch, damaged)?;
                    continue;
                }
                folders.push((name.clone(), depth + 1));
                contents.folders.push(name);
            } else if metadata.is_file() {
                if contents.files.len() + contents.folders.len() >= MOST_FILES {
                    return Err(Error::Changed {
                        name,
                        how: Damage::TooMuch,
                    });
                }
                // What is packed is what was read of it.
                let bytes = match name.as_str() {
                    MANIFEST => contents.manifest_text.len() as u64,
                    _ => metadata.len(),
                };
                let modified = modified(&metadata);
                contents.files.push(Entry {
                    name,
                    bytes,
                    modified,
                });
            } else {
                contents.damaged(&name, Damage::NoFile, damaged)?;
            }
        }
    }
    contents.folders.sort();
    contents
        .files
        .sort_by(|one, other| place(&one.name).cmp(&place(&other.name)));
    let there: Vec<&str> = contents
        .files
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    let missing: Vec<String> = contents
        .manifest
        .keys()
        .filter(|name| {
            there
                .binary_search_by(|there| place(there).cmp(&place(name)))
                .is_err()
        })
        .cloned()
        .collect();
    for name in missing {
        contents.damaged(&name, Damage::Missing, damaged)?;
    }
    Ok(contents)
}

/// Whether it is one plain name, on every system that the zip may be unpacked on.
pub(super) fn is_name(name: &str) -> bool {
    let is_odd = |character: char| character.is_control() || "/\\:".contains(character);
    !matches!(name, "" | "." | "..") && name.len() <= LONGEST_NAME && !name.contains(is_odd)
}

/// Where it comes in the zip.
fn place(name: &str) -> (usize, &str) {
    let plain = name.strip_suffix(".age").unwrap_or(name);
    let first = FIRST.iter().position(|first| *first == plain);
    (first.unwrap_or(FIRST.len()), name)
}

fn joined(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// In UTC; a zip holds even seconds from 1980 on. Outside of that: the earliest.
fn modified(metadata: &fs::Metadata) -> DateTime {
    let since_1970 = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanos = since_1970.and_then(|since| i64::try_from(since.as_nanos()).ok());
    let text = Timestamp::from_unix_nanos(nanos.unwrap_or(0)).rfc_3339();
    let number = |from: usize, to: usize| -> Option<u16> {
        std::str::from_utf8(text.get(from..to)?).ok()?.parse().ok()
    };
    let small = |from: usize| number(from, from + 2).and_then(|number| u8::try_from(number).ok());
    let parts = || {
        DateTime::from_date_and_time(
            number(0, 4)?,
            small(5)?,
            small(8)?,
            small(11)?,
            small(14)?,
            small(17)?,
        )
        .ok()
    };
    parts().unwrap_or_default()
}

/// Takes the hashes from the manifest. One that is damaged has none.
fn read_manifest(case: &Path, contents: &mut Contents, damaged: Damaged) -> Result<(), Error> {
    let path = case.join(MANIFEST);
    let not_a_case = |why: String| Error::NotACase {
        path: case.to_owned(),
        why,
    };
    let metadata =
        fs::symlink_metadata(&path).map_err(|error| not_a_case(format!("{MANIFEST}: {error}")))?;
    if !metadata.is_file() {
        return Err(not_a_case(format!("{MANIFEST} is no file")));
    }
    let mut text = Vec::new();
    let read = fs::File::open(&path)
        .and_then(|file| file.take(LONGEST_MANIFEST + 1).read_to_end(&mut text))
        .map_err(|source| Error::Read {
            name: MANIFEST.to_owned(),
            source,
        })?;
    if read as u64 > LONGEST_MANIFEST {
        return Err(not_a_case(format!("{MANIFEST} is longer than any of ours")));
    }
    match Manifest::parse(&text) {
        Ok(manifest) => {
            let lines = manifest.files();
            contents.manifest = lines
                .map(|line| (line.name.clone(), line.sha256.clone()))
                .collect();
        }
        Err(ManifestFault::TooNew(found)) => {
            let why = format!("it is in format {found}; this build reads up to {FORMAT}");
            return Err(not_a_case(why));
        }
        Err(ManifestFault::NotOurs) if !case.join(START_HERE).exists() => {
            return Err(not_a_case(format!("its {MANIFEST} is of something else")));
        }
        Err(ManifestFault::NotOurs) => contents.damaged(MANIFEST, Damage::Manifest, damaged)?,
        Err(ManifestFault::Line { number, .. }) => {
            let line = format!("{MANIFEST}, line {number},");
            contents.damaged(&line, Damage::Line, damaged)?;
        }
    }
    contents.manifest_text = text;
    Ok(())
}

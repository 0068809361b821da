//! What of a case folder is packed: its files with their lengths, and the manifest that they are held
//! against. Nothing is written. What lies there and is none of the case is named and stays behind.

use std::collections::HashMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;
use zip::DateTime;

use super::{Damaged, Error};
use crate::case::{CASE_JSON, How, LOG, Looked, Lying, MANIFEST, Problem, START_HERE, look};

/// Who unpacks meets them first, in this order. With `.age` behind it in an encrypted case.
const FIRST: [&str; 4] = [START_HERE, CASE_JSON, MANIFEST, LOG];

/// What is there.
pub(super) struct Contents {
    pub(super) folders: Vec<String>,
    /// In the order in which they are packed.
    pub(super) files: Vec<Entry>,
    /// Names and SHA-256 in hex.
    pub(super) hashes: HashMap<String, String>,
    pub(super) manifest_text: Vec<u8>,
    pub(super) is_sealed: bool,
    pub(super) problems: Vec<Problem>,
    pub(super) strangers: Vec<String>,
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
}

/// Errors: no case, cannot be read; damaged, when that is refused.
pub(super) fn of(case: &Path, damaged: Damaged) -> Result<Contents, Error> {
    let Looked {
        manifest,
        manifest_text,
        scan,
        problems,
        ..
    } = look(case, How::NamesOnly)?;
    if !problems.is_empty() && damaged == Damaged::Refuse {
        return Err(Error::Damaged(problems));
    }
    let manifest = manifest.unwrap_or_default();
    let hashes = manifest
        .files()
        .map(|line| (line.name.clone(), line.sha256.clone()));
    let is_sealed = manifest.seal().is_some();
    // What was being made is of no use to anybody, and the room that is held for the end is empty.
    let of_use = scan.files.into_values().filter(Lying::is_of_use);
    let files = of_use.map(|lying| Entry {
        // What is packed of it is what was read of it.
        bytes: match lying.name.as_str() {
            MANIFEST => manifest_text.len() as u64,
            _ => lying.bytes,
        },
        modified: zip_time(lying.modified),
        name: lying.name,
    });
    let mut files: Vec<Entry> = files.collect();
    files.sort_by(|one, other| place(&one.name).cmp(&place(&other.name)));
    let mut folders = scan.folders;
    folders.sort();
    Ok(Contents {
        folders,
        files,
        hashes: hashes.collect(),
        manifest_text,
        is_sealed,
        problems,
        strangers: scan.strangers,
    })
}

/// Where it comes in the zip.
fn place(name: &str) -> (usize, &str) {
    let plain = name.strip_suffix(".age").unwrap_or(name);
    let first = FIRST.iter().position(|first| *first == plain);
    (first.unwrap_or(FIRST.len()), name)
}

/// In UTC; a zip holds even seconds from 1980 on. Outside of that: the earliest.
fn zip_time(modified: Option<SystemTime>) -> DateTime {
    let since_1970 = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
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

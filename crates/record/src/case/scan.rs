//! What lies in the folder of a case, without opening any of it but the manifest. No link is
//! followed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::manifest::{MOST_BYTES, Manifest, ManifestFault};
use super::name::{self, Found};
use super::{CASE_JSON, DERIVED, Error, FORMAT, Kind, LOG, MANIFEST, START_HERE};
use crate::pack::before_reading;

/// Folders in folders.
const DEEPEST: usize = 16;
/// More files are not looked at.
const MOST_FILES: usize = 2_000_000;

/// The bytes of the manifest of a case.
///
/// Errors: no case at all, a manifest that is none, is not there, or too long.
pub(super) fn manifest_text(root: &Path) -> Result<Vec<u8>, Error> {
    let path = || root.to_owned();
    let read = |source| Error::Read {
        path: path(),
        source,
    };
    let foreign = |why: &str| Error::Foreign {
        path: path(),
        why: why.to_owned(),
    };
    let at_manifest = |why| damaged(root, MANIFEST, why);
    if !fs::metadata(root).map_err(read)?.is_dir() {
        return Err(foreign(&match before_reading(&root.to_string_lossy()) {
            Some(help) => format!("it is no folder; where it is a packed case, {help}"),
            None => "it is no folder".to_owned(),
        }));
    }
    let (file, length) = match name::find(root, MANIFEST).map_err(read)? {
        Found::File(file, met) => (file, met.len()),
        Found::Missing if !has_files_of_case(root) => {
            return Err(foreign("it has no manifest.sha256"));
        }
        Found::Missing => return Err(at_manifest("it is missing")),
        Found::Link => return Err(at_manifest("it is a link")),
        Found::Other => return Err(at_manifest("it is no file")),
    };
    if length > MOST_BYTES {
        return Err(at_manifest("it is longer than any that is written"));
    }
    let mut text = Vec::new();
    let opened = name::open(&file).map_err(read)?;
    let mut opened = opened
        .ok_or_else(|| at_manifest("it is no file"))?
        .take(MOST_BYTES);
    opened.read_to_end(&mut text).map_err(read)?;
    Ok(text)
}

/// Takes the text of a manifest apart.
///
/// Errors: no case at all, a newer format, a manifest that is damaged.
pub(super) fn manifest(root: &Path, text: &[u8]) -> Result<Manifest, Error> {
    let path = || root.to_owned();
    let at_manifest = |why| damaged(root, MANIFEST, why);
    match Manifest::parse(text) {
        Ok(manifest) => Ok(manifest),
        Err(ManifestFault::TooNew(found)) => match format_of_case_json(root) {
            // The two say it together.
            Some(format) if format <= u64::from(FORMAT) => Err(at_manifest(
                "its first line names another format than case.json",
            )),
            _ => Err(Error::TooNew {
                path: path(),
                found,
            }),
        },
        Err(ManifestFault::NotOurs) if !has_files_of_case(root) => Err(Error::Foreign {
            path: path(),
            why: "its manifest.sha256 is of something else".to_owned(),
        }),
        Err(ManifestFault::NotOurs) if text.iter().all(|byte| *byte == 0) && !text.is_empty() => {
            Err(at_manifest("it is full of zeros"))
        }
        Err(ManifestFault::NotOurs) => Err(at_manifest("its first line is not that of a case")),
        Err(ManifestFault::Line { number, why }) => {
            Err(damaged(root, &format!("{MANIFEST}, line {number}"), &why))
        }
    }
}

fn damaged(root: &Path, place: &str, why: &str) -> Error {
    Error::Damaged {
        path: root.to_owned(),
        place: place.to_owned(),
        why: why.to_owned(),
    }
}

/// Whether it looks like a case that has lost its manifest.
fn has_files_of_case(root: &Path) -> bool {
    let age = format!("{CASE_JSON}.age");
    [START_HERE, CASE_JSON, &age]
        .iter()
        .any(|name| !matches!(name::find(root, name), Ok(Found::Missing)))
}

fn format_of_case_json(root: &Path) -> Option<u64> {
    let Ok(Found::File(path, _)) = name::find(root, CASE_JSON) else {
        return None;
    };
    let mut text = Vec::new();
    let file = name::open(&path).ok()??;
    file.take(super::about::MOST_BYTES)
        .read_to_end(&mut text)
        .ok()?;
    let document: serde_json::Value = serde_json::from_slice(&text).ok()?;
    document.get("format")?.as_u64()
}

/// What one file in the folder is, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Has its last name.
    Closed,
    /// A segment or the log that was still being written: `NAME.part`, or a piece of its row.
    Open { name: String, piece: Option<u64> },
    /// Was being written, and is of no use: its content stands elsewhere too, or never was whole.
    Unfinished,
}

/// A file in the folder.
#[derive(Clone, Debug)]
pub(crate) struct Lying {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// `None`: the file system does not tell.
    pub(crate) modified: Option<SystemTime>,
    pub(super) role: Role,
}

impl Lying {
    /// Whether something in it may stand nowhere else.
    pub(crate) fn is_of_use(&self) -> bool {
        self.role != Role::Unfinished
    }
}

/// All that lies in a case.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Where the case itself puts files: at the top those that it knows, and its folders.
    pub(crate) files: BTreeMap<String, Lying>,
    pub(crate) folders: Vec<String>,
    pub(super) links: Vec<String>,
    /// Files with a name that no file of a case has.
    pub(super) misnamed: Vec<String>,
    /// Pipes, devices, names that are no text.
    pub(super) odd: Vec<String>,
    /// What stands beside the files of the case and is none of it.
    pub(crate) strangers: Vec<String>,
}

impl Scan {
    fn length(&self) -> usize {
        let others = [
            &self.folders,
            &self.links,
            &self.misnamed,
            &self.odd,
            &self.strangers,
        ];
        self.files.len() + others.iter().map(|names| names.len()).sum::<usize>()
    }
}

/// Looks through the folder.
///
/// Errors: of the file system; more files than a case can have.
pub(super) fn scan(root: &Path) -> Result<Scan, Error> {
    let mut scan = Scan::default();
    let mut waiting: Vec<(PathBuf, String, usize)> = vec![(root.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = waiting.pop() {
        let read = |source| Error::Read {
            path: folder.clone(),
            source,
        };
        for entry in fs::read_dir(&folder).map_err(read)? {
            let entry = entry.map_err(read)?;
            let Ok(file) = entry.file_name().into_string() else {
                scan.odd
                    .push(format!("{prefix}{}", entry.file_name().display()));
                continue;
            };
            let name = format!("{prefix}{file}");
            let met = match fs::symlink_metadata(entry.path()) {
                Ok(met) => met,
                // Removed in this moment, by whoever writes the case.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(read(error)),
            };
            let is_ours = depth > 0 || is_at_top(&file);
            if met.file_type().is_symlink() && is_ours {
                scan.links.push(name);
            } else if is_ours && name::fault(&name).is_some() {
                scan.misnamed.push(name);
            } else if met.is_dir() && is_ours && depth < DEEPEST {
                waiting.push((entry.path(), format!("{name}/"), depth + 1));
                scan.folders.push(name);
            } else if met.is_file() && is_ours {
                let lying = Lying {
                    bytes: met.len(),
                    modified: met.modified().ok(),
                    role: role(&name),
                    name: name.clone(),
                };
                scan.files.insert(name, lying);
            } else if is_ours {
                scan.odd.push(name);
            } else if name != DERIVED {
                scan.strangers.push(name);
            }
            if scan.length() > MOST_FILES {
                let why = format!("there are more than {MOST_FILES} files");
                return Err(damaged(root, &prefix, &why));
            }
        }
    }
    scan.strangers.sort();
    Ok(scan)
}

/// Whether something of this name at the top is of the case.
fn is_at_top(file: &str) -> bool {
    let is_of = |name: &str| {
        file.strip_prefix(name).is_some_and(|rest| {
            rest.is_empty()
                || [".age", ".new", ".part"]
                    .iter()
                    .any(|end| rest.starts_with(end))
        })
    };
    let folders = Kind::ALL
        .iter()
        .map(|kind| kind.word())
        .chain(super::FOLDERS);
    folders.into_iter().any(|folder| folder == file)
        || [START_HERE, CASE_JSON, LOG, MANIFEST]
            .into_iter()
            .any(is_of)
        || [super::RESERVE, super::START_HERE_NEW].contains(&file)
}

fn role(name: &str) -> Role {
    if name.ends_with(".new") || name == super::RESERVE {
        return Role::Unfinished;
    }
    let Some((whole, rest)) = name.rsplit_once(".part") else {
        return Role::Closed;
    };
    let piece = || rest.strip_prefix('.')?.strip_suffix(".age")?.parse().ok();
    let name = whole.to_owned();
    match (segment(whole).is_some() || whole == LOG, rest) {
        (true, "") => Role::Open { name, piece: None },
        (true, _) => match piece() {
            Some(piece) => Role::Open {
                name,
                piece: Some(piece),
            },
            None => Role::Closed,
        },
        (false, _) => Role::Closed,
    }
}

/// Kind and number of a segment by its name, closed, with or without `.age`.
pub(super) fn segment(name: &str) -> Option<(Kind, u64)> {
    let (folder, file) = name.split_once('/')?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == folder)?;
    let (number, ending) = name::number(file)?;
    let ending = ending.strip_suffix(".age").unwrap_or(ending);
    (ending == kind.ending()).then_some((kind, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Role) {
        assert_eq!(role(name), expected, "{name}");
    }

    #[test]
    fn a_name_tells_what_a_file_is() {
        let open = |name: &str, piece| Role::Open {
            name: name.to_owned(),
            piece,
        };
        check("events/000001.ndjson", Role::Closed);
        check(
            "events/000001.ndjson.part",
            open("events/000001.ndjson", None),
        );
        check("log.ndjson.part.000012.age", open("log.ndjson", Some(12)));
        check("events/000001.ndjson.age.new", Role::Unfinished);
        check("events/odd.part", Role::Closed);
        check("events/000001.ndjson.part.x.age", Role::Closed);
        check("programs/a.part", Role::Closed);
        assert_eq!(
            segment("packets/000002.pcapng.age"),
            Some((Kind::Packets, 2))
        );
        assert_eq!(segment("packets/000002.ndjson"), None);
        assert_eq!(segment("snapshots/000002.ndjson"), None);
    }
}

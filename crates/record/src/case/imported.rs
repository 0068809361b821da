//! What stands in `imports/` of a case: each file in a folder of its own, as it was, and beside it
//! `about.json`, which tells where it came from.

use std::io::Read;

use model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::about::{MOST_BYTES, Tool, as_text};
use super::{Error, OpenCase, name};
use crate::lines;

/// The name of the file that tells about the other one.
pub const ABOUT: &str = "about.json";
pub(super) const FOLDER: &str = "imports";
/// In bytes. With number and folders it fits on every file system.
const LONGEST_NAME: usize = 120;

/// Where an imported file came from: what stands in its `about.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The path as it was named.
    pub source: String,
    /// All bytes of it, where they are no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_hex: Option<String>,
    /// As it is called in the case, without `.age`.
    pub file: String,
    pub bytes: u64,
    /// Of the file as it was, not encrypted.
    pub sha256: String,
    /// When it was last written to, as its file system told, in the form of [`Timestamp`].
    pub modified: Option<String>,
    #[serde(with = "as_text")]
    pub imported: Timestamp,
    /// The computer that it was imported on, and who did.
    pub host: String,
    pub by: String,
    pub tool: Tool,
    /// What it was recognised as. `None`: nothing that the importing version knew.
    pub kind: Option<String>,
    /// Is added to every time that it tells: its clock was wrong by that much.
    pub clock_offset_ns: i64,
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Origin {
    /// As it stands in the file.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut document = Map::new();
        document.insert("schema".to_owned(), json!("whocalls/1"));
        // Texts and numbers always have a form in JSON.
        if let Ok(Value::Object(facts)) = serde_json::to_value(self) {
            document.extend(facts);
        }
        lines::document(&Value::Object(document))
    }

    fn read(text: &[u8]) -> Result<Self, String> {
        let mut origin: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        origin.more.remove("schema");
        Ok(origin)
    }
}

/// A file that was imported.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedFile {
    /// As [`OpenCase::file`] takes it.
    pub name: String,
    /// `None`: the import was interrupted before it could be told.
    pub origin: Option<Origin>,
}

impl OpenCase {
    /// What was imported, in order. What of it cannot be read is handed to `fault`, and left out.
    pub fn imports(&self, fault: &mut dyn FnMut(Error)) -> Vec<ImportedFile> {
        let mut files = Vec::new();
        let names: Vec<&str> = self.names().collect();
        let is_about = |name: &str| place(name).is_some_and(|(_, file)| file == ABOUT);
        for name in names.iter().filter(|name| !is_about(name)) {
            let Some((folder, _)) = place(name) else {
                continue;
            };
            let about = format!("{FOLDER}/{folder}/{ABOUT}");
            let origin = match names.contains(&about.as_str()) {
                false => None,
                true => match self.origin(&about) {
                    Ok(origin) => Some(origin),
                    Err(error) => {
                        fault(error);
                        continue;
                    }
                },
            };
            let name = (*name).to_owned();
            files.push(ImportedFile { name, origin });
        }
        files
    }

    fn origin(&self, about: &str) -> Result<Origin, Error> {
        let mut text = Vec::new();
        let read = self.file(about)?.take(MOST_BYTES).read_to_end(&mut text);
        read.map_err(|error| self.fault_in(about, error))?;
        Origin::read(&text).map_err(|why| Error::Damaged {
            path: self.path().to_owned(),
            place: about.to_owned(),
            why,
        })
    }
}

/// Folder and name of a file in `imports/`.
fn place(name: &str) -> Option<(&str, &str)> {
    let (folders, rest) = name.split_once('/')?;
    (folders == FOLDER).then(|| rest.split_once('/'))?
}

/// The number of an import by any name in `imports/`, the folder itself too.
pub(super) fn number(name: &str) -> Option<u64> {
    let (folders, rest) = name.split_once('/')?;
    let digits = rest
        .split(['-', '/'])
        .next()
        .filter(|_| folders == FOLDER)?;
    digits.parse().ok()
}

/// A name that leads nowhere, means nothing to any system, and is none of ours: what is neither
/// letter nor digit nor one of a few signs becomes `_`.
pub(super) fn harmless(name: &str) -> String {
    let plain = |it: char| match it.is_alphanumeric() || "-_.+@=, ()".contains(it) {
        true => it,
        false => '_',
    };
    let harmless: String = name.chars().map(plain).collect();
    // Windows passes over blanks and dots at the end; a dot in front hides a file elsewhere.
    let mut harmless = shortened(&harmless).trim_matches([' ', '.']).to_owned();
    let folded = harmless.to_lowercase();
    if folded.contains(".part") || folded.ends_with(".new") || folded.ends_with(".age") {
        harmless = harmless.replace('.', "_");
    }
    let is_about = harmless.to_lowercase() == ABOUT;
    if harmless.is_empty() || name::is_device(&harmless) || is_about {
        harmless.insert(0, '_');
    }
    harmless
}

/// The beginning and the end of a long name, which tells what it is.
fn shortened(name: &str) -> String {
    if name.len() <= LONGEST_NAME {
        return name.to_owned();
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let ending = match ending.len() {
        1..=16 => format!(".{ending}"),
        _ => String::new(),
    };
    let mut end = LONGEST_NAME - ending.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", name.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::add::check_name;
    use super::super::name;
    use super::*;

    fn check(from: &str, expected: &str) {
        assert_eq!(harmless(from), expected, "{from:?}");
    }

    #[test]
    fn names_become_harmless() {
        check("conn.log", "conn.log");
        check("Güter 2.pcapng", "Güter 2.pcapng");
        check("..", "_");
        check("", "_");
        check("../../etc/passwd", "_.._etc_passwd");
        check("a\u{202e}gpj.exe\x1b[2J", "a_gpj.exe__2J");
        check("NUL.txt", "_NUL.txt");
        check("com1", "_com1");
        check("comet.log", "comet.log");
        check("About.JSON", "_About.JSON");
        check("keys.age", "keys_age");
        check("x.part.new", "x_part_new");
        check("evil. . ", "evil");
        check(
            &format!("{}.pcap", "é".repeat(200)),
            &format!("{}.pcap", "é".repeat(57)),
        );
    }

    #[test]
    fn an_import_is_known_by_its_number() {
        assert_eq!(number("imports/12-conn.log/conn.log"), Some(12));
        assert_eq!(number("imports/3-x"), Some(3));
        assert_eq!(number("imports/x-3/x"), None);
        assert_eq!(number("events/000001.ndjson"), None);
    }

    proptest! {
        #[test]
        fn every_name_can_stand_in_a_case(from: String) {
            let harmless = harmless(&from);
            prop_assert!(name::is_name(&harmless), "{harmless:?}");
            let whole = format!("{FOLDER}/1-{}/{harmless}", harmless.to_lowercase());
            prop_assert!(check_name(&whole).is_ok(), "{whole:?}");
        }

        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = Origin::read(&bytes);
        }
    }
}

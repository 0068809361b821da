//! `manifest.sha256`: one line for each closed file, in the form of sha256sum(1), which passes over
//! the lines that begin with `#`:
//!
//! ```text
//! # whocalls case 1                            the first line: the format
//! <64 hexadecimal digits>  <name>
//! # log <lines> <SHA-256 of the last line>     the case was sealed here
//! # import                                     what follows was added to a sealed case
//! ```
//!
//! The log of an encrypted case is a file of the manifest like others; there the last line is
//! `# log 1 <SHA-256 of log.ndjson.age>`, so that it can be checked without a key.
//!
//! What is added after a seal comes behind it, and a new seal at the end; so each earlier seal is
//! still the hash of a beginning of the file. The line `# import` stands before the first file is
//! there, so that an import that is cut off leaves a case that is not sealed, and not one that was
//! changed.

use std::collections::HashSet;

use model::hex;
use sha2::{Digest, Sha256};

use super::FORMAT;
use super::name;
use super::seal::{Seal, is_sha256};

/// Longer ones are not read: some 500,000 files.
pub(super) const MOST_BYTES: u64 = 64 * 1024 * 1024;
const HEADER: &str = "# whocalls case ";
const LOG_LINE: &str = "# log ";
const IMPORT_LINE: &str = "# import";

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub name: String,
    /// In lower case.
    pub sha256: String,
}

/// What the log was when the case was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogMark {
    pub(super) lines: u64,
    pub(super) last_sha256: String,
}

impl LogMark {
    /// Of the log of an encrypted case.
    pub(super) fn of_file(log: &Line) -> Self {
        Self {
            lines: 1,
            last_sha256: log.sha256.clone(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    File(Line),
    Log(LogMark),
    /// Something is added to a case that was sealed.
    Import,
}

/// All files that are closed, and the seals so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    items: Vec<Item>,
}

/// Why it cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub enum ManifestFault {
    /// The first line is not that of a manifest of ours.
    NotOurs,
    TooNew(u32),
    Line {
        number: usize,
        why: String,
    },
}

impl Manifest {
    /// Reads a manifest strictly: everything that this module would write in another way is a
    /// fault.
    pub fn parse(text: &[u8]) -> Result<Self, ManifestFault> {
        let at = |number| {
            move |why: &str| ManifestFault::Line {
                number,
                why: why.to_owned(),
            }
        };
        let text = match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(error) => {
                let good = text.get(..error.valid_up_to()).unwrap_or_default();
                let ends = good.iter().filter(|byte| **byte == b'\n').count();
                return Err(match ends {
                    0 => ManifestFault::NotOurs,
                    _ => at(ends + 1)("it is no text"),
                });
            }
        };
        let Some((first, mut rest)) = text.split_once('\n') else {
            return Err(ManifestFault::NotOurs);
        };
        let format = first
            .strip_prefix(HEADER)
            .filter(|number| is_number(number))
            .and_then(|number| number.parse().ok());
        match format {
            Some(1..=FORMAT) => {}
            Some(0) | None => return Err(ManifestFault::NotOurs),
            Some(newer) => return Err(ManifestFault::TooNew(newer)),
        }
        let mut items = Vec::new();
        let mut names = HashSet::new();
        let mut number = 1;
        while !rest.is_empty() {
            number += 1;
            let fault = at(number);
            let (line, after) = rest
                .split_once('\n')
                .ok_or_else(|| fault("it is cut short"))?;
            let item = item(line).map_err(fault)?;
            if let Item::File(file) = &item
                && !names.insert(file.name.clone())
            {
                return Err(fault("it names a file again"));
            }
            items.push(item);
            rest = after;
        }
        Ok(Self { items })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = header();
        for item in &self.items {
            text.push_str(&item_text(item));
        }
        text.into_bytes()
    }

    /// In the order in which they were closed.
    pub fn files(&self) -> impl Iterator<Item = &Line> {
        self.items.iter().filter_map(|item| match item {
            Item::File(line) => Some(line),
            Item::Log(_) | Item::Import => None,
        })
    }

    /// Those that were recorded, without what was added later.
    pub(super) fn recorded(&self) -> impl Iterator<Item = &Line> {
        let before = self.items.iter();
        let before = before.take_while(|item| matches!(item, Item::File(_)));
        before.filter_map(|item| match item {
            Item::File(line) => Some(line),
            Item::Log(_) | Item::Import => None,
        })
    }

    /// The newest seal, when nothing was added after it.
    pub fn seal(&self) -> Option<Seal> {
        self.is_sealed().then(|| self.seals().pop())?
    }

    /// All seals, the oldest first.
    pub fn seals(&self) -> Vec<Seal> {
        let mut hash = Sha256::new_with_prefix(header());
        let mut seals = Vec::new();
        for item in &self.items {
            hash.update(item_text(item));
            if matches!(item, Item::Log(_)) {
                seals.push(Seal::of(&hash.clone().finalize()));
            }
        }
        seals
    }

    pub(super) fn is_sealed(&self) -> bool {
        matches!(self.items.last(), Some(Item::Log(_)))
    }

    pub(super) fn log_marks(&self) -> impl Iterator<Item = &LogMark> {
        self.items.iter().filter_map(|item| match item {
            Item::File(_) | Item::Import => None,
            Item::Log(mark) => Some(mark),
        })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.files().any(|line| line.name == name)
    }

    pub(super) fn add(&mut self, line: Line) {
        self.items.push(Item::File(line));
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.items
            .retain(|item| !matches!(item, Item::File(line) if line.name == name));
    }

    pub(super) fn add_seal(&mut self, mark: LogMark) {
        self.items.push(Item::Log(mark));
    }

    /// From here on it is not sealed, until there is another seal.
    pub(super) fn begin_import(&mut self) {
        self.items.push(Item::Import);
    }

    /// Takes [`Manifest::begin_import`] back, where nothing was added since.
    pub(super) fn forget_import(&mut self) {
        self.items.pop_if(|item| matches!(item, Item::Import));
    }
}

fn header() -> String {
    format!("{HEADER}{FORMAT}\n")
}

fn item_text(item: &Item) -> String {
    match item {
        Item::File(Line { name, sha256 }) => format!("{sha256}  {name}\n"),
        Item::Log(mark) => format!("{LOG_LINE}{} {}\n", mark.lines, mark.last_sha256),
        Item::Import => format!("{IMPORT_LINE}\n"),
    }
}

fn item(line: &str) -> Result<Item, &'static str> {
    if line == IMPORT_LINE {
        return Ok(Item::Import);
    }
    if let Some(mark) = line.strip_prefix(LOG_LINE) {
        let (lines, last) = mark.split_once(' ').ok_or("it is no seal")?;
        let lines = Some(lines)
            .filter(|lines| is_number(lines))
            .and_then(|lines| lines.parse().ok())
            .ok_or("it is no seal")?;
        if !is_sha256(last) {
            return Err("it is no seal");
        }
        let last_sha256 = last.to_owned();
        return Ok(Item::Log(LogMark { lines, last_sha256 }));
    }
    let (sha256, name) = line.split_once("  ").ok_or("it is no line of sha256sum")?;
    if !is_sha256(sha256) {
        return Err("its hash is none");
    }
    match name::fault(name) {
        Some(_) => Err("the name leads out of the case, or is none"),
        None => Ok(Item::File(Line {
            name: name.to_owned(),
            sha256: sha256.to_owned(),
        })),
    }
}

/// Digits without a zero in front, so that each number has one form.
fn is_number(text: &str) -> bool {
    !text.starts_with('0') && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Line {
    pub(super) fn new(name: String, hash: &[u8]) -> Self {
        Self {
            name,
            sha256: hex(hash),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;

    fn line(name: &str) -> String {
        format!("{}  {name}\n", "a".repeat(64))
    }

    fn check(text: &str, expected: &str) {
        let read = format!("{:?}", Manifest::parse(text.as_bytes()));
        assert!(read.contains(expected), "{read}");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        check("", "NotOurs");
        check(&line("a"), "NotOurs");
        check("# whocalls case 0\n", "NotOurs");
        check("# whocalls case 01\n", "NotOurs");
        check("# whocalls case 2\n", "TooNew(2)");
        let with = |rest: &str| format!("# whocalls case 1\n{rest}");
        check(&with(""), "Ok");
        check(&with(&line("a")), "Ok");
        check(&with(&line("../a")), "number: 2");
        check(&with(&line("/a")), "number: 2");
        check(&with(&(line("b") + &line("a") + &line("a"))), "number: 4");
        check(&with(line("a").trim_end()), "cut short");
        check(&with(&line("a").to_uppercase()), "hash");
        check(&with("# log 0 x\n"), "no seal");
        check(&with("# a comment\n"), "no line");
        check(&with("# imports\n"), "no line");
        check(&with("# import\n"), "Ok");
        check(&with("\n"), "no line");
    }

    #[test]
    fn a_hundred_thousand_lines_are_read_in_no_time() {
        let mut text = header();
        for number in 0..100_000 {
            text.push_str(&line(&format!("events/{number:06}.ndjson")));
        }
        let began = Instant::now();
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        assert_eq!(manifest.files().count(), 100_000);
        assert_eq!(manifest.to_bytes(), text.as_bytes());
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }

    #[test]
    fn an_earlier_seal_is_that_of_a_beginning() {
        let mark = |lines| LogMark {
            lines,
            last_sha256: "b".repeat(64),
        };
        let mut manifest = Manifest::default();
        manifest.add(Line::new("a".to_owned(), &[7; 32]));
        assert_eq!(manifest.seal(), None);
        manifest.add_seal(mark(3));
        let first = manifest.seal().unwrap();
        assert_eq!(first, Seal::of(&Sha256::digest(manifest.to_bytes())));
        let before = manifest.to_bytes();
        manifest.begin_import();
        assert_eq!(manifest.seal(), None);
        manifest.forget_import();
        assert_eq!(manifest.to_bytes(), before);
        manifest.begin_import();
        manifest.add(Line::new("b".to_owned(), &[8; 32]));
        manifest.forget_import();
        assert_eq!(manifest.seal(), None);
        assert_eq!(Manifest::parse(&manifest.to_bytes()), Ok(manifest.clone()));
        assert_eq!(manifest.seals(), [first]);
        manifest.add_seal(mark(9));
        assert_eq!(manifest.seals()[0], first);
        assert_ne!(manifest.seal(), Some(first));
    }

    proptest! {
        #[test]
        fn never_panics_and_reads_back_what_it_wrote(bytes: Vec<u8>, names in "[a#/. \n0-9]{0,60}") {
            let _ = Manifest::parse(&bytes);
            let text = format!("# whocalls case 1\n{}", line(&names));
            if let Ok(manifest) = Manifest::parse(text.as_bytes()) {
                prop_assert_eq!(manifest.to_bytes(), text.as_bytes());
            }
        }
    }
}

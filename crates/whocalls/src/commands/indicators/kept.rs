//! The folder of lists that were added. Each is a folder with the file as it was (`original`) and what
//! was said of it (`about.json`). It is written beside and then renamed, so that it is there whole or not
//! at all, and read anew each time.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use enrich::files::{LARGEST, Loaded, Said};
use model::{IndicatorKind, ListMeaning, Timestamp};
use serde_json::{Value, json};
use show::json::SCHEMA;

use crate::arguments::Kind;
use crate::output::Usage;

const ORIGINAL: &str = "original";
const ABOUT: &str = "about.json";
const LARGEST_ABOUT: u64 = 64 << 10;
/// So many lists are read.
pub(super) const MOST: usize = 1000;
const LONGEST_NAME: usize = 64;

/// What was said of a file when it was added.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) file: String,
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) added: Timestamp,
    pub(super) publisher: Option<String>,
    pub(super) licence: Option<String>,
    pub(super) meaning: Option<ListMeaning>,
    pub(super) kind: Option<IndicatorKind>,
}

/// A list that was added.
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) read: std::result::Result<(About, Loaded), Problem>,
}

/// What lies in a folder of lists.
#[derive(Default)]
pub(super) struct All {
    /// By name.
    pub(super) lists: Vec<Kept>,
    /// Lists that were not read: there are too many.
    pub(super) more: usize,
    /// What lies beside the lists and was never added, by name.
    pub(super) others: Vec<String>,
}

/// Why one cannot be used.
pub(super) struct Problem {
    pub(super) why: String,
}

/// A whole file, as it is.
///
/// Errors: it cannot be read, is no file, or is too large.
pub(super) fn bytes(file: &Path) -> Result<Vec<u8>> {
    // A pipe or a device could go on for ever, or never begin.
    if !fs::metadata(file)?.is_file() {
        bail!("it is no file");
    }
    let mut bytes = Vec::new();
    File::open(file)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        bail!(
            "it is larger than {} MiB\nhelp: split it, or take the part of it that matters",
            LARGEST >> 20
        );
    }
    Ok(bytes)
}

/// What a list may be called: a name of a folder on every file system.
///
/// Errors: nothing is left of it.
pub(super) fn name(wanted: &str) -> Result<String> {
    let plain = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => character,
        _ => '_',
    };
    let name: String = wanted.chars().take(LONGEST_NAME).map(plain).collect();
    let name = name.trim_matches('.');
    if name.chars().all(|character| character == '_') {
        return Err(Usage(format!(
            "'{wanted}' cannot be the name of a list\nhelp: --name"
        ))
        .into());
    }
    Ok(name.to_owned())
}

/// Errors: there is one of that name, or it cannot be written.
pub(super) fn keep(folder: &Path, name: &str, bytes: &[u8], about: &About) -> Result<()> {
    let place = folder.join(name);
    if place.symlink_metadata().is_ok() {
        return Err(Usage(format!(
            "there is a list '{name}' already\nhelp: 'whocalls indicators remove {name}' lets it go; \
             --name calls this one otherwise"
        ))
        .into());
    }
    let cannot = || format!("cannot write to {}", folder.display());
    match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(anyhow::Error::from(error).context(cannot()));
        }
        _ => {}
    }
    let part = folder.join(format!(".part-{name}-{}", std::process::id()));
    let written = write(&part, bytes, about).and_then(|()| fs::rename(&part, &place));
    if let Err(error) = written {
        // What was begun is ours.
        let _ = fs::remove_dir_all(&part);
        return Err(anyhow::Error::from(error).context(cannot()));
    }
    Ok(())
}

fn write(part: &Path, bytes: &[u8], about: &About) -> std::io::Result<()> {
    fs::create_dir(part)?;
    for (name, content) in [(ORIGINAL, bytes), (ABOUT, written(about).as_bytes())] {
        let mut file = File::create_new(part.join(name))?;
        file.write_all(content)?;
        file.sync_all()?;
    }
    Ok(())
}

fn written(about: &About) -> String {
    let value = json!({
        "schema": SCHEMA,
        "file": about.file,
        "sha256": about.sha256,
        "bytes": about.bytes,
        "added": about.added.to_string(),
        "publisher": about.publisher,
        "licence": about.licence,
        "meaning": about.meaning.map(ListMeaning::word),
        "kind": about.kind.map(IndicatorKind::word),
    });
    format!("{value:#}\n")
}

/// All of a folder. What is hidden is none of it: systems put such files everywhere.
///
/// Errors: the folder cannot be read.
pub(super) fn all(folder: &Path) -> Result<All> {
    let cannot = || format!("cannot read {}", folder.display());
    let (mut names, mut others) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        match entry.file_name().into_string() {
            Ok(name) if name.starts_with('.') => {}
            Ok(name) if is_folder => names.push(name),
            Ok(name) => others.push(name),
            // No list is called so.
            Err(name) => others.push(name.to_string_lossy().into_owned()),
        }
    }
    names.sort();
    others.sort();
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    let read = |name: String| {
        let read = one(&folder.join(&name)).map_err(|error| Problem {
            why: format!("{error:#}"),
        });
        Kept { name, read }
    };
    Ok(All {
        lists: names.into_iter().map(read).collect(),
        more,
        others,
    })
}

fn one(place: &Path) -> Result<(About, Loaded)> {
    let about = read_about(&place.join(ABOUT)).context("what was said of it cannot be read")?;
    let original = place.join(ORIGINAL);
    let bytes = bytes(&original).context("its file cannot be read")?;
    if enrich::files::sha256(&bytes) != about.sha256 {
        bail!("its file is not as it was when it was added; it is left out");
    }
    let said = Said {
        file: about.file.clone(),
        kind: about.kind,
    };
    let loaded = enrich::files::read(bytes.as_slice(), &said)?;
    Ok((about, loaded))
}

fn read_about(file: &Path) -> Result<About> {
    let mut text = String::new();
    File::open(file)?
        .take(LARGEST_ABOUT)
        .read_to_string(&mut text)?;
    let value: Value = serde_json::from_str(&text)?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let needed = |name: &str| text(name).ok_or_else(|| anyhow!("it has no {name}"));
    let added = needed("added")?;
    let meaning = text("meaning");
    let mut meanings = ListMeaning::ALL.into_iter();
    let kind = text("kind").and_then(|word| Kind::of_word(&word));
    Ok(About {
        file: needed("file")?,
        sha256: needed("sha256")?,
        bytes: value.get("bytes").and_then(Value::as_u64).unwrap_or(0),
        added: Timestamp::parse(&added).ok_or_else(|| anyhow!("'{added}' is no time"))?,
        publisher: text("publisher"),
        licence: text("licence"),
        meaning: meanings.find(|known| Some(known.word()) == meaning.as_deref()),
        kind: kind.map(IndicatorKind::from),
    })
}

/// `false`: there is none of that name.
///
/// Errors: it cannot be removed.
pub(super) fn remove(folder: &Path, name: &str) -> Result<bool> {
    let is_name = self::name(name).is_ok_and(|plain| plain == name);
    let place = folder.join(name);
    let is_list = is_name && place.symlink_metadata().is_ok_and(|it| it.is_dir());
    if !is_list || !place.join(ABOUT).is_file() {
        return Ok(false);
    }
    let cannot = || format!("cannot remove {}", place.display());
    // Out of sight at once, so that half of it is never read.
    let gone = folder.join(format!(".gone-{name}-{}", std::process::id()));
    fs::rename(&place, &gone).with_context(cannot)?;
    for file in [ORIGINAL, ABOUT] {
        fs::remove_file(gone.join(file)).with_context(cannot)?;
    }
    fs::remove_dir(&gone).with_context(cannot)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere() {
        for (wanted, expected) in [
            ("pegasus.stix2", "pegasus.stix2"),
            ("../../etc/passwd", "_.._etc_passwd"),
            (".hidden", "hidden"),
            ("a b\u{202e}", "a_b_"),
        ] {
            assert_eq!(name(wanted).unwrap(), expected);
        }
        for wanted in ["", "..", "/", "\u{202e}"] {
            assert!(name(wanted).is_err(), "{wanted}");
        }
    }
}

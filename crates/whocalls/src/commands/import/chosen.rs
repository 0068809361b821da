//! Which files are to be imported, and what is known of each before it is read.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, anyhow};
use model::{Timestamp, hex};
use observe::import::{Error, Import, Options};
use record::case::Foreign;

use crate::arguments::{ClockOffset, ImportArguments};
use crate::commands::case::is_case;
use crate::commands::imports::{LeftOut, check_offsets, explained, files_below};
use crate::output::{Talk, Usage};

/// All files that are to be imported.
#[derive(Default)]
pub(super) struct Choice {
    pub(super) files: Vec<Chosen>,
    /// Of folders: what is of no kind that is known, or could not be read.
    left_out: LeftOut,
}

/// One file.
pub(super) struct Chosen {
    pub(super) path: PathBuf,
    about: Metadata,
    /// `None`: it is taken as it is.
    kind: Option<&'static str>,
    clock_offset_ns: i64,
}

impl Choice {
    /// Errors: what was named is no file and no folder, lies in the case itself, or is of no known
    /// kind.
    pub(super) fn of(arguments: &ImportArguments) -> Result<Self> {
        check_offsets(&arguments.files, &arguments.clock_offset)?;
        let case = arguments.case.canonicalize();
        let case = case.with_context(|| format!("cannot read {}", arguments.case.display()))?;
        let mut choice = Self::default();
        for path in &arguments.files {
            let offset = ClockOffset::of(&arguments.clock_offset, path);
            let cannot = || format!("cannot read {}", path.display());
            let about = fs::symlink_metadata(path).with_context(cannot)?;
            let whole = path.canonicalize().with_context(cannot)?;
            if whole.starts_with(&case) || case.starts_with(&whole) {
                let text = format!(
                    "{} is a part of the case itself, or holds it",
                    path.display()
                );
                return Err(Usage(text).into());
            }
            if about.is_dir() {
                if is_case(&path.to_string_lossy()) {
                    let text = format!(
                        "{} is a case, and has a seal of its own: keep it as it is",
                        path.display()
                    );
                    return Err(Usage(text).into());
                }
                let (files, left_out) = files_below(path)?;
                choice.left_out.add_all(left_out);
                for path in files {
                    match chosen(path.clone(), offset, arguments.as_it_is) {
                        Ok(chosen) => choice.files.push(chosen),
                        Err(error) => choice.left_out.add(path, error),
                    }
                }
            } else if about.is_file() {
                let chosen = chosen(path.clone(), offset, arguments.as_it_is);
                choice
                    .files
                    .push(chosen.map_err(|error| refused(path, error))?);
            } else if about.is_symlink() {
                let to = whole.display();
                let text = format!("{} is a link\nhelp: name {to} itself", path.display());
                return Err(anyhow!(text));
            } else {
                return Err(anyhow!("{} is no file and no folder", path.display()));
            }
        }
        if choice.files.is_empty() {
            return Err(anyhow!(
                "nothing of a kind that whocalls knows is there\nhelp: docs/imports.md names the \
                 kinds; --as-it-is imports other files too"
            ));
        }
        Ok(choice)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|chosen| chosen.about.len()).sum()
    }

    pub(super) fn has_left_out(&self) -> bool {
        !self.left_out.is_empty()
    }

    pub(super) fn say_left_out(&self, talk: Talk) {
        if let Some(text) = self.left_out.text() {
            talk.say(&format!(
                "Not imported; --as-it-is takes also what is of no known kind:\n{text}"
            ));
        }
    }
}

fn chosen(path: PathBuf, clock_offset_ns: i64, as_it_is: bool) -> Result<Chosen, Error> {
    let about = fs::metadata(&path)?;
    let kind = match Import::open(&path, Options::default()) {
        Ok(import) => Some(import.kind()),
        Err(_) if as_it_is => None,
        Err(error) => return Err(error),
    };
    Ok(Chosen {
        path,
        about,
        kind,
        clock_offset_ns,
    })
}

fn refused(path: &Path, error: Error) -> anyhow::Error {
    match error {
        Error::Unknown | Error::Empty => anyhow!(
            "{}: {error}\nhelp: docs/imports.md names the kinds; --as-it-is imports it all the same",
            path.display()
        ),
        error @ (Error::Read(_) | Error::NotRegular) => explained(path, error),
    }
}

impl Chosen {
    pub(super) fn is_known(&self) -> bool {
        self.kind.is_some()
    }

    /// What the case is told of it.
    pub(super) fn foreign(&self) -> Foreign {
        let name = self.path.file_name().unwrap_or_default();
        let modified = self.about.modified().ok();
        let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|since| i64::try_from(since.as_nanos()).ok());
        Foreign {
            name: name.to_string_lossy().into_owned(),
            source: self.path.to_string_lossy().into_owned(),
            source_hex: hex_of(&self.path),
            bytes: self.about.len(),
            modified: modified.map(Timestamp::from_unix_nanos),
            kind: self.kind.map(str::to_owned),
            clock_offset_ns: self.clock_offset_ns,
        }
    }
}

/// All bytes of a path that is no text.
fn hex_of(path: &Path) -> Option<String> {
    if path.to_str().is_some() {
        return None;
    }
    Some(hex(path.as_os_str().as_encoded_bytes()))
}

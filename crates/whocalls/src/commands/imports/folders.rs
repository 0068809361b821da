//! Folders that hold captures and logs, and what of them is left out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use observe::import::Error;

/// How deep folders are gone into, and how many files are taken out of them.
const DEEPEST: usize = 16;
const MOST_FILES: usize = 100_000;
/// So many files that were left out are named one by one.
const MOST_NAMED: usize = 10;

/// Files that are not read, and why: the first of them, and how many there are.
#[derive(Debug, Default)]
pub(in super::super) struct LeftOut {
    first: Vec<(PathBuf, Error)>,
    count: u64,
}

impl LeftOut {
    pub(in super::super) fn add(&mut self, path: PathBuf, error: Error) {
        self.count += 1;
        if self.first.len() < MOST_NAMED {
            self.first.push((path, error));
        }
    }

    pub(in super::super) fn add_all(&mut self, others: Self) {
        self.count += others.count;
        let room = MOST_NAMED - self.first.len();
        self.first.extend(others.first.into_iter().take(room));
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(in super::super) fn count(&self) -> u64 {
        self.count
    }

    /// A line for each of the first, and how many more there are. `None`: there are none.
    pub(in super::super) fn text(&self) -> Option<String> {
        let mut text = String::new();
        for (path, error) in &self.first {
            text.push_str(&format!("  {}: {}\n", path.display(), why(error)));
        }
        let more = self.count - self.first.len() as u64;
        if more > 0 {
            text.push_str(&format!("  and {more} more\n"));
        }
        (!self.is_empty()).then_some(text)
    }
}

/// Why a file is left out.
fn why(error: &Error) -> String {
    match error {
        Error::Read(source) => format!("{error}: {source}"),
        Error::Unknown | Error::Empty | Error::NotRegular => error.to_string(),
    }
}

/// All files of a folder and of those in it, in the order of their names. Links are not followed.
///
/// Errors: it cannot be read, or there are too many.
pub(in super::super) fn files_below(folder: &Path) -> Result<(Vec<PathBuf>, LeftOut)> {
    let (mut files, mut left_out) = (Vec::new(), LeftOut::default());
    walk(folder, DEEPEST, &mut files, &mut left_out)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    if files.len() > MOST_FILES {
        return Err(anyhow!(
            "{} holds more than {MOST_FILES} files; name those that matter",
            folder.display()
        ));
    }
    files.sort();
    Ok((files, left_out))
}

/// All files below a folder. Links are not followed; what cannot be gone into is left out.
fn walk(
    folder: &Path,
    deepest: usize,
    files: &mut Vec<PathBuf>,
    left_out: &mut LeftOut,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_file() {
            files.push(path);
        } else if !kind.is_dir() {
            left_out.add(path, Error::NotRegular);
        } else if deepest == 0 {
            let why = "the folder lies too deep";
            left_out.add(path, Error::Read(io::Error::other(why)));
        } else if let Err(error) = walk(&path, deepest - 1, files, left_out) {
            left_out.add(path, Error::Read(error));
        }
        // What is left out is counted to the end; more files than these are an error.
        if files.len() > MOST_FILES {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_left_out_is_counted_and_the_first_are_named() {
        let mut left_out = LeftOut::default();
        assert_eq!(left_out.text(), None);
        let mut others = LeftOut::default();
        for number in 0..200_000 {
            let half = if number % 2 == 0 {
                &mut left_out
            } else {
                &mut others
            };
            half.add(PathBuf::from(format!("file-{number}")), Error::Empty);
        }
        left_out.add_all(others);
        assert_eq!(left_out.count(), 200_000);
        let text = left_out.text().unwrap();
        assert_eq!(text.lines().count(), 11, "{text}");
        assert!(text.ends_with("  and 199990 more\n"), "{text}");
    }
}

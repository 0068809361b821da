//! What was read of captures and logs, and what was not understood of them, in words for a person.

use std::path::Path;

use anyhow::anyhow;
use observe::import::{Error, Skipped};

use super::{Imports, LIMITS};
use crate::output::Talk;

/// So many files of a case that were not read are named one by one.
const MOST_NAMED: usize = 10;

impl Imports {
    /// What was read, and what was not understood, for a person.
    pub(in super::super) fn say(&self, talk: Talk) {
        talk.say(&self.text(talk));
    }

    pub(in super::super) fn text(&self, talk: Talk) -> String {
        let mut text = String::new();
        if self.let_go > 0 {
            text.push_str(&format!(
                "{} more connections are not here: there is room for {} that have ended and {} that \
                 have not. Fewer files at once show all.\n",
                self.let_go,
                LIMITS.closed_connections,
                LIMITS.open_connections
            ));
        }
        for (path, first) in &self.twins {
            text.push_str(&format!(
                "{}: the same content as {}, read once\n",
                path.display(),
                first.display()
            ));
        }
        let is_one = matches!(self.files.as_slice(), [file] if file.kept.is_none());
        for read in &self.read {
            let whole = !read.skipped.is_loss();
            if talk.verbose || (is_one && whole) {
                text.push_str(&format!("{}: {}\n", read.path.display(), read.kind));
            }
            text.push_str(&not_understood(&read.path, read.kind, &read.skipped));
        }
        for (name, why) in self.unread.iter().take(MOST_NAMED) {
            text.push_str(&format!("{name}: {why}\n"));
        }
        let more = self.unread.len().saturating_sub(MOST_NAMED);
        if more > 0 {
            text.push_str(&format!("So it is with {more} more.\n"));
        }
        if let Some(left_out) = self.left_out.text() {
            text.push_str(&format!(
                "{} left out:\n{left_out}",
                files(self.left_out.count())
            ));
        }
        text
    }
}

/// What was not understood of a file, for a person. Empty: nothing.
pub(in super::super) fn not_understood(path: &Path, kind: &str, skipped: &Skipped) -> String {
    let (name, mut text) = (path.display(), String::new());
    if skipped.count > 0 {
        text.push_str(&format!(
            "{name}: {kind}, {} not understood and left out:\n",
            parts(skipped.count)
        ));
        for part in &skipped.first {
            text.push_str(&format!("  {}: {}\n", part.place, part.why));
        }
        let more = skipped.count - skipped.first.len() as u64;
        if more > 0 {
            text.push_str(&format!("  and {more} more\n"));
        }
    }
    if let Some(place) = &skipped.cut {
        text.push_str(&format!(
            "{name}: it ends in the middle, at {place}; all before that is here.\n"
        ));
    }
    text
}

pub(in super::super) fn explained(path: &Path, error: Error) -> anyhow::Error {
    let why = match &error {
        Error::Unknown => format!(
            "{} is of no kind that whocalls knows\nhelp: docs/imports.md names the kinds",
            path.display()
        ),
        Error::Empty => format!("{} is empty", path.display()),
        Error::NotRegular => format!(
            "{} is no regular file\nhelp: save what it gives to a file, and name that",
            path.display()
        ),
        Error::Read(_) => {
            return anyhow::Error::new(error).context(format!("cannot read {}", path.display()));
        }
    };
    anyhow!(why)
}

fn parts(count: u64) -> String {
    match count {
        1 => "1 part".to_owned(),
        count => format!("{count} parts"),
    }
}

fn files(count: u64) -> String {
    match count {
        1 => "1 file is".to_owned(),
        count => format!("{count} files are"),
    }
}

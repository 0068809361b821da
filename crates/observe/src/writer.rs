//! Saves what a person asks to save, as a new file in the folder that whocalls was started in, or beside a
//! case. A
//! process of its own does it, since the one that takes apart what others wrote may not open files
//! for writing any more. A name and bytes go in; the path of the file comes out, or why there is
//! none.

use std::io;
use std::path::{Path, PathBuf};

use crate::platform;

/// The longest that is saved.
pub const MOST_BYTES: usize = 256 * 1024 * 1024;
/// The longest name that file systems have.
const LONGEST_NAME: usize = 255;
/// What a reviewer adds to a case, beside it (`record::review`).
const REVIEW: &str = ".review.sqlite";
const ENDINGS: [&str; 4] = ["csv", "json", "ndjson", "txt"];

/// Why nothing was saved, or not all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaveError {
    #[error("a file needs a name")]
    NoName,
    #[error("the name is longer than {LONGEST_NAME} bytes")]
    NameTooLong,
    #[error(
        "a name is no path: it has no '/'; the file is made in the folder whocalls was started in"
    )]
    NameHasSlash,
    #[error("a name that begins with a dot would hide the file")]
    NameHidden,
    #[error("the name has control or invisible characters")]
    NameInvisible,
    #[error("the name has to end in .csv, .json, .ndjson or .txt")]
    NameEnding,
    #[error("there is a file of this name already; whocalls overwrites nothing")]
    Exists,
    #[error("it is more than {} MiB", MOST_BYTES >> 20)]
    TooLarge,
    #[error("the file cannot be made: {}", std::io::Error::from_raw_os_error(*.0))]
    Failed(i32),
    #[error("the file is incomplete: {}", std::io::Error::from_raw_os_error(*.0))]
    Incomplete(i32),
    #[error("the process that saves has ended")]
    WriterEnded,
    #[error("the process that saves does not answer; the file may be incomplete")]
    Unanswered,
}

impl SaveError {
    /// What the person can do about it. `None`: nothing, or it says so itself.
    pub fn help(self) -> Option<&'static str> {
        let Self::Failed(errno) = self else {
            return None;
        };
        let not_allowed = [
            io::ErrorKind::PermissionDenied,
            io::ErrorKind::ReadOnlyFilesystem,
        ];
        let kind = io::Error::from_raw_os_error(errno).kind();
        let is_not_allowed = not_allowed.contains(&kind);
        is_not_allowed.then_some("start whocalls in a folder of your own")
    }
}

/// Whether a file may be called so: also said before there are bytes.
pub fn check_name(name: &str) -> Result<(), SaveError> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    let is_known = |ending: &str| ENDINGS.iter().any(|it| it.eq_ignore_ascii_case(ending));
    if name.is_empty() {
        Err(SaveError::NoName)
    } else if name.len() > LONGEST_NAME {
        Err(SaveError::NameTooLong)
    } else if name.contains('/') {
        Err(SaveError::NameHasSlash)
    } else if name.starts_with('.') {
        Err(SaveError::NameHidden)
    } else if name.chars().any(acts_or_hides) {
        Err(SaveError::NameInvisible)
    } else if !ending.is_some_and(is_known) && !name.ends_with(REVIEW) {
        Err(SaveError::NameEnding)
    } else {
        Ok(())
    }
}

/// Control characters, and those that turn the direction of text or have no width (Unicode, bidi
/// controls and zero width).
fn acts_or_hides(character: char) -> bool {
    let hides = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    character.is_control() || hides
}

/// The way to the process that saves. It may be used on any thread.
pub struct Writer(platform::writer::Writer);

impl Writer {
    /// Starts it; to be called before rights are given up, by a thread that does not end before us.
    /// It has no rights itself: under sudo(8) it is the user who called that, so that files are
    /// theirs.
    ///
    /// Errors: why nothing can be saved.
    pub fn start() -> io::Result<Self> {
        platform::writer::Writer::start(None).map(Self)
    }

    /// The same for another folder than the one that we are in.
    ///
    /// Errors: as [`Writer::start`].
    pub fn start_in(folder: &Path) -> io::Result<Self> {
        platform::writer::Writer::start(Some(folder)).map(Self)
    }

    /// Where files go.
    pub fn folder(&self) -> &Path {
        self.0.folder()
    }

    /// Saves a new file and gives its path. Waits until it is on the disk.
    ///
    /// Errors: there is no such file, but for [`SaveError::Incomplete`] and
    /// [`SaveError::Unanswered`].
    pub fn save(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf, SaveError> {
        check_name(name)?;
        if bytes.len() > MOST_BYTES {
            return Err(SaveError::TooLarge);
        }
        self.0.save(name, bytes)?;
        Ok(self.folder().join(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Result<(), SaveError>) {
        assert_eq!(check_name(name), expected, "{name:?}");
    }

    #[test]
    fn only_a_plain_name_is_a_name() {
        for name in [
            "a.csv",
            "calls of firefox.json",
            "ä.NDJSON",
            "a.b.txt",
            "case-1.review.sqlite",
        ] {
            check(name, Ok(()));
        }
        check(&format!("{}.csv", "a".repeat(251)), Ok(()));
        check(
            &format!("{}.csv", "a".repeat(252)),
            Err(SaveError::NameTooLong),
        );
        check("", Err(SaveError::NoName));
        for name in ["/etc/cron.d/a.txt", "../a.csv", "a/b.csv", "/"] {
            check(name, Err(SaveError::NameHasSlash));
        }
        check(".a.csv", Err(SaveError::NameHidden));
        check(".csv", Err(SaveError::NameHidden));
        check(".review.sqlite", Err(SaveError::NameHidden));
        for name in [
            "a\n.csv",
            "a\0.csv",
            "a\u{1b}[2J.txt",
            "a\u{202e}vsc.txt",
            "\u{200b}.csv",
        ] {
            check(name, Err(SaveError::NameInvisible));
        }
        for name in ["a", "a.", "a.sh", "a.csv.sh", "a.csv ", "csv", "a.sqlite"] {
            check(name, Err(SaveError::NameEnding));
        }
    }
}

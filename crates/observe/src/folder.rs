//! The folder of a case while it is written. A process of its own makes the files in it and hands
//! their open descriptors over, since the one that takes apart what others wrote may not open files
//! for writing any more. Names go in; files come out, which can be written and nothing else.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::platform;

/// Folders on the way to a file, and the file.
const MOST_PARTS: usize = 3;
const LONGEST_PART: usize = 128;
/// The longest name that file systems have.
const LONGEST_NAME: usize = 255;
/// The one name with capital letters: who opens the folder is to see it first.
const START_HERE: &str = "START-HERE.txt";
/// What is written anew as long as the case grows.
const MANIFEST: &str = "manifest.sha256";
/// Room that is kept for a clean end, and given back then.
const RESERVE: &str = "reserve";
/// Where segments lie; the oldest go when the case has a limit.
const SEGMENTS: [&str; 2] = ["events/", "packets/"];
/// How the name of a file ends that is to take the place of another.
const NEW: &str = ".new";
/// What the name of a file has in it that is still written.
const PART: &str = ".part";

/// Why there is no folder to write to.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("a folder cannot be called {0:?}")]
    Name(String),
    #[error("there is something of this name already: {}; whocalls overwrites nothing", .0.display())]
    Exists(PathBuf),
    #[error("cannot make the folder {}: {source}", path.display())]
    Make { path: PathBuf, source: io::Error },
    #[error("the process that makes the files of a case cannot be started: {0}")]
    Start(#[source] io::Error),
}

/// Room on a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What we may still fill.
    pub free_bytes: u64,
    pub total_bytes: u64,
}

/// A new folder, and the way to the process that works in it. It may be used on any thread, and by
/// several; one waits for the other.
///
/// Names have at most three parts with `/` between them, of small letters, digits, `.`, `_` and `-`,
/// each beginning with a letter or digit and not ending in a dot (FAT leaves it off); and
/// `START-HERE.txt`. Others are `InvalidInput`. No link is followed.
pub struct Folder {
    process: platform::folder::Process,
    path: PathBuf,
}

impl Folder {
    /// Makes the folder `name` in `parent`, for its owner alone, and starts the process. To be called
    /// before rights are given up, by a thread that does not end before us. The process has no
    /// rights, and where there was the right to it is shut into the folder. Under sudo(8) folder and
    /// files are those of the user who called that, where the file system knows of users.
    ///
    /// Errors: there is no folder.
    pub fn make(parent: &Path, name: &str) -> Result<Self, FolderError> {
        if !is_folder_name(name) {
            return Err(FolderError::Name(name.to_owned()));
        }
        let path = std::path::absolute(parent)
            .unwrap_or_else(|_| parent.to_path_buf())
            .join(name);
        let process = platform::folder::Process::make(parent, name, &path)?;
        Ok(Self { process, path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// To be asked later where the folder stands. `None`: this platform cannot tell.
    pub fn whereabouts(&self) -> Option<Whereabouts> {
        self.process.whereabouts().map(Whereabouts)
    }

    /// False: everybody who can read the drive reads the case, as on FAT and exFAT.
    pub fn keeps_permissions(&self) -> bool {
        self.process.keeps_permissions()
    }

    /// Makes a folder in it; one that is there already will do.
    ///
    /// Errors: of the file system; `BrokenPipe`: the process has ended; `TimedOut`: it did not
    /// answer, and is not asked again.
    pub fn make_folder(&self, name: &str) -> io::Result<()> {
        self.ask(Request::MakeFolder(name)).map(drop)
    }

    /// Makes a file that is not there yet, for writing.
    ///
    /// Errors: `AlreadyExists`, and as [`Folder::make_folder`].
    pub fn create(&self, name: &str) -> io::Result<File> {
        self.ask(Request::Create(name))?
            .file
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Gives a file its last name, which none has yet: only one whose name says that it is still
    /// written (`.part` in it, or `.new` at its end).
    ///
    /// Errors: as [`Folder::create`]; `InvalidInput`: not that file.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.ask(Request::Rename(from, to)).map(drop)
    }

    /// The same, in place of the file that has the name: only `manifest.sha256.new` takes the place
    /// of `manifest.sha256`.
    ///
    /// Errors: as [`Folder::make_folder`]; `InvalidInput`: not that file.
    pub fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        self.ask(Request::Replace(from, to)).map(drop)
    }

    /// Removes a file: a segment (all in `events/` and `packets/`), one that is still written, or the
    /// `reserve`.
    ///
    /// Errors: as [`Folder::make_folder`]; `InvalidInput`: not that file.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        self.ask(Request::Remove(name)).map(drop)
    }

    /// Makes sure that names made and changed since are on the disk.
    ///
    /// Errors: as [`Folder::make_folder`].
    pub fn sync(&self) -> io::Result<()> {
        self.ask(Request::Sync).map(drop)
    }

    /// How much room there is.
    ///
    /// Errors: as [`Folder::make_folder`].
    pub fn space(&self) -> io::Result<Space> {
        self.ask(Request::Space).map(|answer| answer.space)
    }

    fn ask(&self, request: Request<'_>) -> io::Result<Answer> {
        if !request.is_allowed() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.process.ask(request)
    }
}

/// The folder of a case, whatever becomes of its name.
#[derive(Clone, Debug)]
pub struct Whereabouts(Arc<platform::folder::Whereabouts>);

impl Whereabouts {
    /// Where it stands by now, as the kernel names it. `None`: it was removed, and what is written to
    /// it is lost.
    ///
    /// Errors: the kernel does not tell.
    pub fn path(&self) -> io::Result<Option<PathBuf>> {
        self.0.path()
    }
}

/// What the process may be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request<'name> {
    MakeFolder(&'name str),
    Create(&'name str),
    Rename(&'name str, &'name str),
    Replace(&'name str, &'name str),
    Remove(&'name str),
    Sync,
    Space,
}

impl Request<'_> {
    /// Whether these are names for it. Both sides look.
    pub(crate) fn is_allowed(self) -> bool {
        match self {
            Self::MakeFolder(name) => is_name(name) && name.split('/').count() < MOST_PARTS,
            Self::Create(name) => is_name(name),
            Self::Rename(from, to) => is_name(from) && is_name(to) && is_unfinished(from),
            Self::Replace(from, to) => to == MANIFEST && from.strip_suffix(NEW) == Some(to),
            Self::Remove(name) => is_name(name) && may_go(name),
            Self::Sync | Self::Space => true,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Only of [`Request::Create`].
    pub(crate) file: Option<File>,
    /// Only of [`Request::Space`]; else there is none.
    pub(crate) space: Space,
}

/// Whether a case file may be called so.
fn is_name(name: &str) -> bool {
    name == START_HERE || (name.split('/').count() <= MOST_PARTS && name.split('/').all(is_part))
}

fn is_part(part: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    part.len() <= LONGEST_PART
        && part.bytes().all(is_plain)
        && part
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
        && !part.ends_with('.')
}

fn is_unfinished(name: &str) -> bool {
    name.contains(PART) || name.ends_with(NEW)
}

fn may_go(name: &str) -> bool {
    name == RESERVE || is_unfinished(name) || SEGMENTS.iter().any(|folder| name.starts_with(folder))
}

/// Whether the folder itself may be called so: a person may have chosen it.
fn is_folder_name(name: &str) -> bool {
    let is_odd = |character: char| character == '/' || model::acts_or_hides(character);
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.starts_with('.')
        && !name.chars().any(is_odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(request: Request<'_>, expected: bool) {
        assert_eq!(request.is_allowed(), expected, "{request:?}");
    }

    #[test]
    fn only_names_of_case_files_are_names() {
        for name in [
            "START-HERE.txt",
            "case.json",
            "log.ndjson",
            "manifest.sha256",
            "events/000001.ndjson.part",
            "packets/000001.pcapng.age",
            "snapshots/first.ndjson",
            "programs/0a1b",
            "imports/1/zeek_conn.log",
        ] {
            check(Request::Create(name), true);
        }
        let long = "a".repeat(LONGEST_PART + 1);
        for name in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../case.json",
            "events/../case.json",
            "events/..",
            "./case.json",
            "events//a",
            "events/",
            ".hidden",
            "events/.hidden",
            "-rf",
            "a.",
            "a/b/c/d",
            "Case.json",
            "events/START-HERE.txt",
            "a b",
            "a\nb",
            "a\0b",
            "ä",
            "a\\b",
            "c:",
            &long,
        ] {
            check(Request::Create(name), false);
            check(Request::MakeFolder(name), false);
            check(Request::Remove(name), false);
            check(Request::Rename("a.part", name), false);
            check(Request::Rename(name, "a"), false);
        }
        check(Request::MakeFolder("events/000001.part"), true);
        check(Request::MakeFolder("a/b/c"), false);
    }

    #[test]
    fn what_is_closed_keeps_its_name_and_place() {
        check(
            Request::Rename("events/1.ndjson.part", "events/1.ndjson"),
            true,
        );
        check(Request::Rename("events/1.ndjson", "events/2.ndjson"), false);
        check(
            Request::Replace("manifest.sha256.new", "manifest.sha256"),
            true,
        );
        for (from, to) in [
            ("manifest.sha256", "manifest.sha256"),
            ("case.json.new", "case.json"),
            ("log.ndjson", "manifest.sha256"),
            ("manifest.sha256.new", "log.ndjson"),
        ] {
            check(Request::Replace(from, to), false);
        }
        for name in [
            "events/1.ndjson",
            "packets/1.pcapng.age",
            "programs/a.part",
            "a.new",
            "reserve",
        ] {
            check(Request::Remove(name), true);
        }
        for name in [
            "case.json",
            "log.ndjson",
            "manifest.sha256",
            "START-HERE.txt",
            "programs/a",
            "events",
            "eventsx/a",
        ] {
            check(Request::Remove(name), false);
        }
    }

    #[test]
    fn a_person_may_choose_the_name_of_the_folder() {
        for name in ["whocalls-laptop-2026-11-22", "Frau Müller", "a.b"] {
            assert!(is_folder_name(name), "{name:?}");
        }
        let long = "a".repeat(256);
        for name in [
            "",
            ".",
            "..",
            ".a",
            "a/b",
            "/",
            "a\0",
            "a\n",
            "a\u{202e}b",
            &long,
        ] {
            assert!(!is_folder_name(name), "{name:?}");
        }
    }
}

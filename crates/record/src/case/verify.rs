//! Whether a case is as it was written. Nothing else is needed for it, no key either; and nothing
//! is written.

mod check;
pub(super) mod content;

use std::path::Path;

use self::check::Check;
pub(super) use self::check::Ledger;
use super::manifest::Manifest;
use super::scan::{self, Scan};
use super::{Error, LOG, Seal};

/// How often a case is checked again that was written to meanwhile.
const MOST_TIMES: usize = 4;

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub outcome: Outcome,
    /// Why it is [`Outcome::Changed`].
    pub problems: Vec<Problem>,
    /// What was being written when the recording was interrupted.
    pub interrupted: Vec<Interrupted>,
    /// What lies beside the files of the case and is none of it: not checked.
    pub strangers: Vec<String>,
    /// The oldest first. Each stands for all that was there when it was made.
    pub seals: Vec<Seal>,
    /// Files that are as the manifest says, and their bytes.
    pub files: u64,
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is there and as it was when the last seal was made.
    Sealed,
    /// The recording was interrupted, or something was added since the last seal. What was closed is
    /// as it was written.
    Unsealed,
    /// It is not as it was written.
    Changed,
}

/// What is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("{place}: {why}")]
    Manifest { place: String, why: String },
    #[error("{file}: it was changed")]
    Changed { file: String },
    #[error("{file}: it was changed: it has {bytes} bytes, and had {expected} when it was closed")]
    OtherLength {
        file: String,
        bytes: u64,
        expected: u64,
    },
    #[error("{file}: it was changed: it is full of zeros")]
    Zeros { file: String },
    #[error("{file}: it is missing")]
    Missing { file: String },
    /// Of the row of an open file in an encrypted case.
    #[error("{file}: a piece of it is missing")]
    PieceMissing { file: String },
    #[error("{file}: it is not in the manifest")]
    Additional { file: String },
    #[error("{file}: it is a link")]
    Link { file: String },
    #[error("{file}: it is no file")]
    NotAFile { file: String },
    #[error("{}: no file of a case has such a name", file.escape_debug())]
    Name { file: String },
    #[error("{file}: it cannot be read: {why}")]
    Unreadable { file: String, why: String },
    /// What showed when it was read.
    #[error("{file}: {why}")]
    Damaged { file: String, why: String },
    /// `line` is 0 when it is about the whole log.
    #[error("{LOG}, line {line}: {why}")]
    Log { line: u64, why: String },
    #[error("the seal is another one: {given} was given")]
    OtherSeal { given: String },
}

impl Problem {
    /// The file that it is about, or the place in it. `None`: it is about the whole case.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Manifest { place: file, .. }
            | Self::Changed { file }
            | Self::OtherLength { file, .. }
            | Self::Zeros { file }
            | Self::Missing { file }
            | Self::PieceMissing { file }
            | Self::Additional { file }
            | Self::Link { file }
            | Self::NotAFile { file }
            | Self::Name { file }
            | Self::Unreadable { file, .. }
            | Self::Damaged { file, .. } => Some(file),
            Self::Log { .. } => Some(LOG),
            Self::OtherSeal { .. } => None,
        }
    }

    /// Whether it is about a file of this name, encrypted or not.
    pub(super) fn is_about(&self, name: &str) -> bool {
        let file = self.file().unwrap_or_default();
        file == name || file.strip_suffix(".age") == Some(name)
    }
}

/// A file that was not written to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupted {
    pub file: String,
    pub bytes: u64,
    /// How much of it can be read: whole lines, whole blocks. `None`: it is encrypted, and the key
    /// is needed to tell.
    pub readable_bytes: Option<u64>,
}

/// Checks a case folder. A seal that a person wrote down is held against those of the case; blanks,
/// hyphens and capital letters in it do not matter.
///
/// Errors: no case, a newer format, the folder cannot be read. All that is wrong in a case is told
/// in [`Verified`].
pub fn verify(root: &Path, seal: Option<&str>) -> Result<Verified, Error> {
    let looked = match look(root, How::WithContent) {
        Ok(looked) => looked,
        Err(Error::Damaged { place, why, .. }) => Looked {
            problems: vec![Problem::Manifest { place, why }],
            ..Looked::default()
        },
        Err(error) => return Err(error),
    };
    let Looked {
        mut problems,
        interrupted,
        scan,
        files,
        bytes,
        ..
    } = looked;
    let manifest = looked.manifest.unwrap_or_default();
    let seals = manifest.seals();
    if let Some(given) = seal
        && !Seal::parse(given).is_some_and(|given| seals.contains(&given))
    {
        let given = given.to_owned();
        problems.push(Problem::OtherSeal { given });
    }
    let outcome = match (problems.is_empty(), manifest.is_sealed()) {
        (false, _) => Outcome::Changed,
        (true, true) => Outcome::Sealed,
        (true, false) => Outcome::Unsealed,
    };
    Ok(Verified {
        outcome,
        problems,
        interrupted,
        strangers: scan.strangers,
        seals,
        files,
        bytes,
    })
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Names, lengths, the manifest and the log: what takes no time.
    NamesOnly,
    /// The content of every file as well.
    WithContent,
}

/// What lies in the folder of a case, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// `None`: it is damaged, so that nothing can be held against it.
    pub(crate) manifest: Option<Manifest>,
    /// As it was read. Empty: it could not be.
    pub(crate) manifest_text: Vec<u8>,
    pub(crate) scan: Scan,
    pub(crate) problems: Vec<Problem>,
    pub(crate) interrupted: Vec<Interrupted>,
    /// Files that are as the manifest says, and their bytes.
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// Looks at a case: the one beginning of all that is done with it.
///
/// Errors: no case, a newer format, the folder cannot be read, or has more files than a case can have.
pub(crate) fn look(root: &Path, how: How) -> Result<Looked, Error> {
    let mut looked = look_once(root, how)?;
    // A case that is being written may have gone on meanwhile.
    for _ in 0..MOST_TIMES {
        let text = scan::manifest_text(root).unwrap_or_default();
        if looked.problems.is_empty() || text == looked.manifest_text {
            break;
        }
        looked = look_once(root, how)?;
    }
    Ok(looked)
}

fn look_once(root: &Path, how: How) -> Result<Looked, Error> {
    let mut looked = Looked::default();
    let read = scan::manifest_text(root).and_then(|text| {
        looked.manifest_text = text;
        scan::manifest(root, &looked.manifest_text)
    });
    match read {
        Ok(manifest) => looked.manifest = Some(manifest),
        Err(Error::Damaged { place, why, .. }) => {
            looked.problems.push(Problem::Manifest { place, why });
        }
        Err(error) => return Err(error),
    }
    looked.scan = scan::scan(root)?;
    if let Some(manifest) = &looked.manifest {
        let mut check = Check::new(root, manifest, &looked.scan);
        check.all(how);
        looked.problems = check.problems;
        looked.interrupted = check.interrupted;
        (looked.files, looked.bytes) = (check.files, check.bytes);
    }
    Ok(looked)
}

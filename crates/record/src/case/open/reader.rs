//! Reads what a case holds, and tells whether it is as it was written.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use model::hex;
use sha2::{Digest, Sha256};

use super::Segment;
use crate::case::name;
use crate::crypt::{self, Identities, OpenFile};

/// Reads one file of a case, or the row of an open one as if it were one file. Whether a closed file
/// is as the manifest says shows at its end: an error of reading then, which [`super::OpenCase::fault`]
/// puts into words.
pub struct CaseReader {
    /// Those that follow, the next last.
    files: Vec<PathBuf>,
    source: Source,
    identities: Option<Identities>,
    sha256: Option<String>,
    is_closed: bool,
    /// Of its one file, in bytes. `None`: all of it.
    most: Option<u64>,
    cut: Option<Cut>,
}

enum Source {
    Nothing,
    Plain(Box<Checked>),
    Sealed(Box<OpenFile<Checked>>),
}

/// Where an open file ends that was not written to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// What the encryption tells of it. `None`: it is not encrypted; the last line or block may not
    /// be complete.
    pub why: Option<String>,
}

/// A file has another hash than in the manifest.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAsWritten {
    #[error("it was changed: it has another SHA-256 than in the manifest")]
    Changed,
    #[error("it was changed: it is full of zeros")]
    Zeros,
}

impl CaseReader {
    /// `files`: those of the segment, the last first. `most`: so many bytes of its one file. Nothing is
    /// open before [`CaseReader::next_file`].
    pub(super) fn of(
        segment: &Segment,
        files: Vec<PathBuf>,
        identities: Option<Identities>,
        most: Option<u64>,
    ) -> Self {
        Self {
            files,
            source: Source::Nothing,
            identities,
            sha256: segment.sha256.clone(),
            is_closed: segment.is_closed,
            most,
            cut: None,
        }
    }

    /// Where it was cut off, once it has been read to the end. `None`: it was closed.
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// `false`: there is none.
    pub(super) fn next_file(&mut self) -> io::Result<bool> {
        let Some(path) = self.files.pop() else {
            self.source = Source::Nothing;
            return Ok(false);
        };
        let file = name::open(&path)?.ok_or(io::ErrorKind::InvalidData)?;
        let checked = Checked {
            file: file.take(self.most.unwrap_or(u64::MAX)),
            hash: Sha256::new(),
            is_zeros: true,
            expected: self.sha256.clone(),
        };
        let is_encrypted = path.extension().is_some_and(|ending| ending == "age");
        self.source = match (&self.identities, is_encrypted) {
            (_, false) => Source::Plain(Box::new(checked)),
            (Some(identities), true) => match identities.open(checked) {
                Ok(file) => Source::Sealed(Box::new(file)),
                Err(crypt::Error::Read(error)) => return Err(error),
                Err(why) if self.is_last_piece() => {
                    let why = Some(why.to_string());
                    self.cut = Some(Cut { why });
                    Source::Nothing
                }
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            },
            (None, true) => {
                let error = crypt::Error::WrongKey;
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        };
        Ok(true)
    }

    /// Only the last piece of a row that was still being written can be cut short; after a loss of
    /// power, what is missing of it may be zeros.
    fn is_last_piece(&self) -> bool {
        !self.is_closed && self.files.is_empty()
    }
}

impl Read for CaseReader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        loop {
            let read = match &mut self.source {
                Source::Nothing => Ok(0),
                Source::Plain(file) => file.read(bytes),
                Source::Sealed(file) => file.read(bytes),
            };
            match read {
                Ok(0) => {}
                Ok(read) => return Ok(read),
                Err(error) => match crypt::Error::inside(&error) {
                    Some(why) if self.is_last_piece() => {
                        let why = Some(why.to_string());
                        self.cut = Some(Cut { why });
                        self.source = Source::Nothing;
                    }
                    _ => return Err(error),
                },
            }
            if !self.next_file()? {
                if !self.is_closed && self.cut.is_none() {
                    self.cut = Some(Cut { why: None });
                }
                return Ok(0);
            }
        }
    }
}

impl fmt::Debug for CaseReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CaseReader").finish_non_exhaustive()
    }
}

/// A file that is hashed while it is read, and held against the manifest at its end.
struct Checked {
    file: io::Take<File>,
    hash: Sha256,
    /// Nothing else was met so far.
    is_zeros: bool,
    expected: Option<String>,
}

impl Read for Checked {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(bytes)?;
        // Without a line in the manifest there is nothing to hold a hash against.
        if self.expected.is_some() {
            let read = bytes.get(..read).unwrap_or_default();
            self.hash.update(read);
            self.is_zeros = self.is_zeros && read.iter().all(|byte| *byte == 0);
        }
        if read == 0
            && !bytes.is_empty()
            && let Some(expected) = self.expected.take()
            && hex(&self.hash.clone().finalize()) != expected
        {
            let fault = match self.is_zeros {
                true => NotAsWritten::Zeros,
                false => NotAsWritten::Changed,
            };
            return Err(io::Error::new(io::ErrorKind::InvalidData, fault));
        }
        Ok(read)
    }
}

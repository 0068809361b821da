//! Why a case could not be written or read.

use std::io;
use std::path::PathBuf;

use super::{FORMAT, LEAST_MAX_SIZE, MIB};
use crate::crypt;

/// Why a case could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot write {file}: {source}")]
    Write { file: String, source: io::Error },
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// Before anything was written.
    #[error(
        "there is not enough room for a case: {} are needed, {} are free",
        quantity(*needed),
        quantity(*free)
    )]
    NoRoom { needed: u64, free: u64 },
    #[error("a case cannot be kept below {max_size} bytes: at least {LEAST_MAX_SIZE} are needed")]
    MaxSizeTooSmall { max_size: u64 },
    /// It is time to stop cleanly: close the streams and finish. What was handed in before is
    /// written.
    #[error(
        "the disk is nearly full: {} are free, {} have to stay free",
        quantity(*free),
        quantity(*floor)
    )]
    SpaceLow { free: u64, floor: u64 },
    /// Nothing is left that ring mode could let go. What was handed in is not written.
    #[error("cannot write {file}: the case would grow beyond {max_size} bytes")]
    SizeReached { file: String, max_size: u64 },
    #[error("a file in a case cannot be called \"{}\": {why}", name.escape_debug())]
    Name { name: String, why: &'static str },
    /// A segment was not closed, or could not be.
    #[error("the case cannot be sealed: {file} is not closed")]
    StillOpen { file: String },
    /// To be encrypted, or not, as the case is.
    #[error("the case is encrypted: the public keys are needed that it is encrypted to")]
    NoRecipients,
    #[error("the case is not encrypted, and what is added to it is not either")]
    NotEncrypted,
    #[error("the case was written to a moment ago: is it still being recorded?")]
    StillRecorded,
    #[error("something else is just being added to the case")]
    Busy,
    /// It is not taken in.
    #[error(
        "there is not enough room for it: it has {}, {} are free, and {} have to stay free",
        quantity(*bytes),
        quantity(*free),
        quantity(*floor)
    )]
    NoRoomForFile { bytes: u64, free: u64, floor: u64 },
    #[error("stopped before its end")]
    Stopped,
    #[error("cannot write {file}: the case is sealed")]
    Finished { file: String },
    /// No case at all.
    #[error("{} is not a case: {why}", path.display())]
    Foreign { path: PathBuf, why: String },
    #[error("case {} is in format {found}; this build reads up to {FORMAT}", path.display())]
    TooNew { path: PathBuf, found: u32 },
    /// It is a case, and not as it was written.
    #[error("{} is damaged: {place}: {why}", path.display())]
    Damaged {
        path: PathBuf,
        /// The line, or what else tells where.
        place: String,
        why: String,
    },
    #[error("case {} is encrypted: the file with the private key is needed", path.display())]
    Encrypted { path: PathBuf },
    #[error("cannot decrypt {}: {source}", path.display())]
    Decrypt { path: PathBuf, source: crypt::Error },
}

/// For people, rounded down to the next unit.
fn quantity(count: u64) -> String {
    match count {
        0..1024 => format!("{count} bytes"),
        1024..MIB => format!("{} KiB", count / 1024),
        _ => format!("{} MiB", count / MIB),
    }
}

impl Error {
    pub(super) fn write(file: &str) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        move |source| Self::Write { file, source }
    }
}

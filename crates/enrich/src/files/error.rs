//! Why a file of indicators cannot be taken, and what the person can do.

use std::io;

use super::Skipped;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    #[error("it is larger than {} MiB{}", most >> 20, if *.unpacked { " when unpacked" } else { "" })]
    TooLarge { most: u64, unpacked: bool },
    #[error("it is packed by gzip, and damaged: {0}")]
    DamagedGzip(String),
    #[error("it is empty")]
    Empty,
    #[error("it is {what}")]
    NotIndicators {
        what: &'static str,
        help: &'static str,
    },
    #[error("it looks like {format} and is damaged at {place}: {why}")]
    Damaged {
        format: &'static str,
        place: String,
        why: String,
    },
    #[error("read as {format}, it holds no indicator that was understood{}", skipped.in_words())]
    Nothing {
        format: &'static str,
        skipped: Skipped,
    },
}

impl Error {
    /// What the person can do. `None`: nothing here.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Read(_) => return None,
            Self::TooLarge { .. } => "split it, or take the part of it that matters",
            Self::DamagedGzip(_) | Self::Damaged { .. } => {
                "fetch the file again, on another computer, and compare its length or hash with what \
                 its publisher says"
            }
            Self::Empty => "the file that was meant may not have arrived; fetch it again",
            Self::NotIndicators { help, .. } => help,
            Self::Nothing { .. } => {
                "docs/indicators.md tells what each format has to look like; for a plain list of \
                 words say what they are: --kind process_name"
            }
        })
    }
}

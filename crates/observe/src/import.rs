//! Captures and logs of other tools. A file goes in; `model::Imported` comes out. What kind of file
//! it is tells its content, not its name; each format has a file of its own here, and a line in
//! `formats::ALL`.
//!
//! What a format does not say stays unknown. What is not understood is skipped, counted and told.

mod capture;
mod field;
mod format;
mod formats;
mod input;
mod json;
mod lines;
mod list;
mod lsof;
mod netstat;
mod saved;
mod sides;
mod ss;
mod suricata;
mod sysmon;
mod tcpvcon;
mod tcpview;
mod told;
mod zeek;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use model::{BootId, Imported};

use self::format::{Format, Out};
use self::input::Input;

/// How to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Is added to every time that the source tells: its clock was wrong by that much.
    pub clock_offset_ns: i64,
}

/// Why a file cannot be imported at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read it")]
    Read(#[from] io::Error),
    #[error("it is empty")]
    Empty,
    #[error("it is no regular file: a link, a pipe, a device")]
    NotRegular,
    #[error("it is of no kind that whocalls knows")]
    Unknown,
}

/// What was not understood of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    pub count: u64,
    /// The first of them.
    pub first: Vec<SkippedPart>,
    /// It ends in the middle, here. `None`: it is whole.
    pub cut: Option<String>,
}

impl Skipped {
    /// Something is missing.
    pub fn is_loss(&self) -> bool {
        self.count > 0 || self.cut.is_some()
    }
}

/// One part that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedPart {
    /// `line 7`, `record 12`, `byte 4096`.
    pub place: String,
    /// In plain words.
    pub why: String,
}

/// Reads one file.
pub struct Import {
    name: &'static str,
    format: Box<dyn Format>,
    input: Input,
    out: Out,
}

impl Import {
    /// Opens a file and finds out of what kind it is.
    ///
    /// Errors: it cannot be read, is no regular file, is empty, or is of no known kind.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        // Opening a pipe would wait for whoever fills it.
        if !fs::metadata(path)?.is_file() {
            return Err(Error::NotRegular);
        }
        Self::of(Input::open(File::open(path)?)?, None, options)
    }

    /// Likewise of what lies in memory. `kind`: it is one of this kind, whatever it looks like.
    ///
    /// Errors: as [`Import::open`].
    pub fn of_bytes(bytes: Vec<u8>, kind: Option<&str>, options: Options) -> Result<Self, Error> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self::of(Input::of(io::Cursor::new(bytes), length)?, kind, options)
    }

    /// Likewise of a file that something else opens: it has so many bytes.
    ///
    /// Errors: as [`Import::open`].
    pub fn read(
        from: impl Read + Send + 'static,
        bytes: u64,
        options: Options,
    ) -> Result<Self, Error> {
        Self::of(Input::of(from, bytes)?, None, options)
    }

    fn of(input: Input, kind: Option<&str>, options: Options) -> Result<Self, Error> {
        let head = input.head();
        if head.is_empty() {
            return Err(Error::Empty);
        }
        let kind = formats::ALL.iter().find(|known| match kind {
            Some(name) => known.name == name,
            None => (known.recognises)(head),
        });
        let kind = kind.ok_or(Error::Unknown)?;
        let out = Out::new(input.source(), options);
        Ok(Self {
            name: kind.name,
            format: (kind.open)(),
            input,
            out,
        })
    }

    /// Of what kind it is, in words: `Zeek log`, `pcapng`.
    pub fn kind(&self) -> &'static str {
        self.name
    }

    /// What the file is known by, wherever it lies: its length and its beginning. It stands in the
    /// place of the start of a computer.
    pub fn source(&self) -> BootId {
        self.out.source()
    }

    /// Reads some more and hands it on. `false`: that was all.
    ///
    /// Errors: of the file system. What is damaged is no error; [`Import::skipped`] tells.
    pub fn next(&mut self, seen: &mut Vec<Imported>) -> Result<bool, Error> {
        let goes_on = self.format.read(&mut self.input, &mut self.out)?;
        seen.append(&mut self.out.seen);
        Ok(goes_on)
    }

    /// How much of the file has been read, and how long it is, in bytes as it lies on the disk.
    pub fn progress(&self) -> (u64, u64) {
        self.input.progress()
    }

    pub fn skipped(&self) -> &Skipped {
        &self.out.skipped
    }

    /// Reads what no format has asked for, up to the end: a reader that checks the whole does so
    /// there.
    ///
    /// Errors: as [`Import::next`].
    pub fn read_rest(&mut self) -> Result<(), Error> {
        io::copy(&mut self.input, &mut io::sink())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

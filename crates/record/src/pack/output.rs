//! Where the zip goes: through the encryption, if any, into the file, hashed on the way.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::rc::Rc;

use model::hex;
use sha2::{Digest, Sha256};

use crate::crypt::{Recipients, SealedFile};

/// What a zip writes is small between the files.
const BUFFER: usize = 256 * 1024;

/// The file and its hash.
pub(super) struct Hashed {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or(bytes));
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The file, plain or encrypted.
pub(super) enum Output {
    Plain(BufWriter<Hashed>),
    Sealed(Box<SealedFile<BufWriter<Hashed>>>),
}

impl Output {
    /// Errors: of the file.
    pub(super) fn new(file: File, recipients: Option<&Recipients>) -> io::Result<Self> {
        let hashed = Hashed {
            file,
            hash: Sha256::new(),
            bytes: 0,
        };
        let buffered = BufWriter::with_capacity(BUFFER, hashed);
        Ok(match recipients {
            None => Self::Plain(buffered),
            Some(recipients) => Self::Sealed(Box::new(SealedFile::new(buffered, recipients)?)),
        })
    }

    /// Brings everything to the disk. Comes back with how long it is and its hash in hex.
    ///
    /// Errors: of the file.
    pub(super) fn finish(self) -> io::Result<(u64, String)> {
        let buffered = match self {
            Self::Plain(buffered) => buffered,
            Self::Sealed(sealed) => sealed.finish()?,
        };
        let Hashed { file, hash, bytes } = buffered
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok((bytes, hex(&hash.finalize())))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Sealed(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Sealed(out) => out.flush(),
        }
    }
}

/// Lets through until its latch is shut; then what comes goes nowhere.
pub(super) struct Gate<W> {
    out: W,
    is_shut: Rc<Cell<bool>>,
}

/// Shuts a [`Gate`].
pub(super) struct Latch(Rc<Cell<bool>>);

impl Latch {
    pub(super) fn shut(&self) {
        self.0.set(true);
    }
}

impl<W> Gate<W> {
    pub(super) fn new(out: W) -> (Self, Latch) {
        let is_shut = Rc::new(Cell::new(false));
        let latch = Latch(Rc::clone(&is_shut));
        (Self { out, is_shut }, latch)
    }

    pub(super) fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Write for Gate<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.is_shut.get() {
            true => Ok(bytes.len()),
            false => self.out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.is_shut.get() {
            true => Ok(()),
            false => self.out.flush(),
        }
    }
}

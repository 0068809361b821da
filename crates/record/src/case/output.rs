//! One file of a case while it is written: hashed on the way, encrypted on the way where the case
//! is encrypted. It has no name that counts before it is whole.

use std::fs::File;
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model::hex;
use sha2::{Digest, Sha256};

use super::{COPY_BYTES, Error, LOG};
use crate::crypt::{Recipients, SealedFile};

/// Beside the bytes that an age file keeps for each chunk of 64 KiB: header, nonce and last chunk,
/// and what each recipient adds.
const AGE_FILE_BYTES: u64 = 512;
const AGE_RECIPIENT_BYTES: u64 = 256;

/// How much a file of this content takes at most, once it is encrypted.
pub(super) fn most_encrypted(bytes: u64, recipients: &Recipients) -> u64 {
    let header = AGE_FILE_BYTES + AGE_RECIPIENT_BYTES * recipients.names().len() as u64;
    bytes + bytes.div_ceil(64 * 1024) * 16 + header
}

/// What is left of the room on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SpareState {
    Enough,
    /// Less than what has to stay free.
    Low,
    /// The disk was full and the reserve was given back: it is for what has to be closed.
    Full,
}

/// The reserve file. When the disk is full it is emptied, so that what is half written, the
/// manifest and the log still find room.
#[derive(Debug, Default)]
pub(super) struct Spare {
    reserve: Mutex<Option<File>>,
    state: AtomicU8,
}

impl Spare {
    pub(super) fn keep(&self, reserve: File) {
        *self.reserve.lock().unwrap_or_else(PoisonError::into_inner) = Some(reserve);
    }

    pub(super) fn state(&self) -> SpareState {
        match self.state.load(Ordering::Relaxed) {
            0 => SpareState::Enough,
            1 => SpareState::Low,
            _ => SpareState::Full,
        }
    }

    pub(super) fn note(&self, state: SpareState) {
        self.state.fetch_max(state as u8, Ordering::Relaxed);
    }

    /// Gives the room back. `false`: there is none any more.
    fn release(&self) -> bool {
        self.note(SpareState::Full);
        let reserve = self
            .reserve
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        reserve.is_some_and(|file| file.set_len(0).and_then(|()| file.sync_all()).is_ok())
    }

    /// Does what may need room, and once more when the room of the reserve makes it possible.
    pub(super) fn with<T>(&self, mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        match work() {
            Err(error) if is_full(&error) && self.release() => work(),
            done => done,
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// What came of a copy.
pub(super) struct Copied {
    pub(super) written: Written,
    /// Of what came in, and its length.
    pub(super) sha256: String,
    pub(super) bytes: u64,
}

/// Writes a whole file; `name` is for errors. `each` gets how many bytes come next, before they are
/// written, and can end it.
///
/// Errors: of `from` ([`Error::Read`]), of the file ([`Error::Write`]), of `each`.
pub(super) fn copy(
    file: Raw,
    recipients: Option<&Recipients>,
    name: &str,
    from: &mut dyn Read,
    each: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<Copied, Error> {
    let mut whole = Whole::new(file, recipients).map_err(Error::write(name))?;
    let mut content = Sha256::new();
    let mut bytes = 0;
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => buffer.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => {
                let path = PathBuf::from(name);
                return Err(Error::Read { path, source });
            }
        };
        each(read.len() as u64)?;
        bytes += read.len() as u64;
        content.update(read);
        whole.write_all(read).map_err(Error::write(name))?;
    }
    let written = whole.finish().map_err(Error::write(name))?;
    let sha256 = hex(&content.finalize());
    Ok(Copied {
        written,
        sha256,
        bytes,
    })
}

/// A file that asks for the reserve when the disk is full.
#[derive(Debug)]
pub(super) struct Raw {
    file: File,
    spare: Arc<Spare>,
}

impl Raw {
    pub(super) fn new(file: File, spare: Arc<Spare>) -> Self {
        Self { file, spare }
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.spare.with(|| self.file.sync_all())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.spare.with(|| self.file.sync_data())
    }

    /// Writes all of these pieces, of which none is empty, one behind the other.
    fn write_all_vectored(&mut self, mut pieces: &mut [IoSlice<'_>]) -> io::Result<()> {
        while !pieces.is_empty() {
            match self.write_vectored(pieces) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut pieces, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes back what was written after this length.
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        self.file.seek(SeekFrom::Start(bytes)).map(drop)
    }
}

impl Write for Raw {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (file, spare) = (&mut self.file, &self.spare);
        spare.with(|| file.write(bytes))
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let (file, spare) = (&mut self.file, &self.spare);
        spare.with(|| file.write_vectored(pieces))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hashes and counts what goes through it.
pub(super) struct Hashing<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W> Hashing<W> {
    fn new(out: W) -> Self {
        Self {
            out,
            hash: Sha256::new(),
            bytes: 0,
        }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// So many pieces go to the file system at once, and no system refuses them.
const MOST_PIECES: usize = 64;
/// And so many bytes: what was hashed is still in the processor's memory when it is written.
const MOST_AT_ONCE: usize = 128 * 1024;

impl Hashing<Raw> {
    /// Writes all of them. After an error its hash and length are of no use.
    fn write_pieces(&mut self, pieces: &[&[u8]]) -> io::Result<()> {
        let parts = pieces.iter().flat_map(|piece| piece.chunks(MOST_AT_ONCE));
        let mut parts = parts.peekable();
        let mut slices = Vec::with_capacity(MOST_PIECES);
        while parts.peek().is_some() {
            let mut left = MOST_AT_ONCE;
            while slices.len() < MOST_PIECES
                && let Some(part) = parts.next_if(|part| part.len() <= left)
            {
                left -= part.len();
                self.bytes += part.len() as u64;
                self.hash.update(part);
                slices.push(IoSlice::new(part));
            }
            self.out.write_all_vectored(&mut slices)?;
            slices.clear();
        }
        Ok(())
    }
}

/// What a file became: its hash and length as it lies on the disk.
pub(super) struct Written {
    pub(super) sha256: Vec<u8>,
    pub(super) bytes: u64,
}

pub(super) type HashedFile = Hashing<Raw>;

impl HashedFile {
    /// Makes sure that it is on the disk.
    fn written(self) -> io::Result<Written> {
        self.out.sync()?;
        Ok(Written {
            sha256: self.hash.finalize().to_vec(),
            bytes: self.bytes,
        })
    }
}

/// A file that counts only when it is whole, encrypted or not.
pub(super) enum Whole {
    Plain(Box<HashedFile>),
    Sealed(Box<SealedFile<HashedFile>>),
}

impl Whole {
    pub(super) fn new(file: Raw, recipients: Option<&Recipients>) -> io::Result<Self> {
        let file = Hashing::new(file);
        Ok(match recipients {
            None => Self::Plain(Box::new(file)),
            Some(recipients) => Self::Sealed(Box::new(SealedFile::new(file, recipients)?)),
        })
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(bytes),
            Self::Sealed(file) => file.write_all(bytes),
        }
    }

    /// Brings it to the disk.
    pub(super) fn finish(self) -> io::Result<Written> {
        match self {
            Self::Plain(file) => file.written(),
            Self::Sealed(file) => file.finish()?.written(),
        }
    }
}

/// Makes a file in the place.
pub(super) type Make<'a> = &'a mut dyn FnMut(&str) -> io::Result<File>;

/// A file that can be read while it is still written, up to where it was last brought to the disk:
/// a segment, the log.
pub(super) enum Output {
    /// One file, `NAME.part`; `log.ndjson` has its name from the beginning, since it is never
    /// closed for good.
    Plain {
        file: Box<HashedFile>,
        is_broken: bool,
    },
    /// `NAME.age.new`, which becomes `NAME.age`, and the row `NAME.part.000001.age` and so on,
    /// which holds the same until then.
    Sealed(Box<SealedOutput>),
}

pub(super) struct SealedOutput {
    name: String,
    recipients: Recipients,
    spare: Arc<Spare>,
    whole: SealedFile<HashedFile>,
    /// What was written to it, before it was encrypted.
    whole_bytes: u64,
    piece: Option<SealedFile<Raw>>,
    /// The same of the piece.
    piece_bytes: u64,
    row: Vec<String>,
    is_broken: bool,
}

fn plain_name(name: &str) -> String {
    match name {
        LOG => name.to_owned(),
        _ => format!("{name}.part"),
    }
}

/// The name of a piece of a row. They count from 1.
pub(super) fn piece_name(name: &str, number: usize) -> String {
    format!("{name}.part.{number:06}.age")
}

/// A file that was written to its end and is on the disk, and what is to be done with names.
pub(super) struct Finished {
    pub(super) written: Written,
    pub(super) from: String,
    pub(super) to: String,
    /// To be removed when the file has its name.
    pub(super) row: Vec<String>,
}

fn broken() -> io::Error {
    io::Error::other("writing it has failed before")
}

impl Output {
    /// `name` is that of the file when it is whole and not encrypted.
    pub(super) fn begin(
        name: &str,
        recipients: Option<&Recipients>,
        spare: &Arc<Spare>,
        make: Make<'_>,
    ) -> io::Result<Self> {
        let mut make = |name: &str| -> io::Result<Raw> {
            let file = spare.with(|| make(name))?;
            Ok(Raw::new(file, Arc::clone(spare)))
        };
        Ok(match recipients {
            None => Self::Plain {
                file: Box::new(Hashing::new(make(&plain_name(name))?)),
                is_broken: false,
            },
            Some(recipients) => {
                let whole = Hashing::new(make(&format!("{name}.age.new"))?);
                Self::Sealed(Box::new(SealedOutput {
                    name: name.to_owned(),
                    recipients: recipients.clone(),
                    spare: Arc::clone(spare),
                    whole: SealedFile::new(whole, recipients)?,
                    whole_bytes: 0,
                    piece: None,
                    piece_bytes: 0,
                    row: Vec::new(),
                    is_broken: false,
                }))
            }
        })
    }

    /// Writes all of it, or nothing: where that cannot be held, it cannot be finished any more.
    ///
    /// Errors: of the file system.
    pub(super) fn write(&mut self, pieces: &[&[u8]], make: Make<'_>) -> io::Result<()> {
        match self {
            Self::Plain { is_broken, .. } if *is_broken => Err(broken()),
            Self::Plain { file, is_broken } => {
                let (hash, length) = (file.hash.clone(), file.bytes);
                let written = file.write_pieces(pieces);
                if written.is_err() {
                    *is_broken = file.out.cut(length).is_err();
                    (file.hash, file.bytes) = (hash, length);
                }
                written
            }
            Self::Sealed(output) => output.write(pieces, make),
        }
    }

    /// What was written until now can be read after a loss of power, once the place has synced its
    /// names too: `true` when there are new ones.
    ///
    /// Errors: of the file system. What is on the disk is not known then, and it cannot be finished
    /// any more.
    pub(super) fn flush_to_disk(&mut self) -> io::Result<bool> {
        match self {
            Self::Plain { is_broken, .. } if *is_broken => Err(broken()),
            Self::Plain { file, is_broken } => {
                let synced = file.out.sync_data();
                *is_broken = synced.is_err();
                synced.map(|()| false)
            }
            Self::Sealed(output) => output.end_piece(),
        }
    }

    /// Brings it to the disk. It has no name yet.
    ///
    /// Errors: of the file system, now or before.
    pub(super) fn finish(self, name: &str) -> io::Result<Finished> {
        match self {
            Self::Plain { is_broken, .. } if is_broken => Err(broken()),
            Self::Plain { file, .. } => Ok(Finished {
                written: file.written()?,
                from: plain_name(name),
                to: name.to_owned(),
                row: Vec::new(),
            }),
            Self::Sealed(mut output) => {
                output.end_piece()?;
                Ok(Finished {
                    written: output.whole.finish()?.written()?,
                    from: format!("{name}.age.new"),
                    to: format!("{name}.age"),
                    row: output.row,
                })
            }
        }
    }
}

impl Output {
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain { .. })
    }

    /// What so many bytes more take on the disk at most.
    pub(super) fn most_bytes(&self, bytes: u64) -> u64 {
        match self {
            Self::Plain { .. } => bytes,
            Self::Sealed(output) => output.most_bytes(bytes),
        }
    }
}

impl SealedOutput {
    /// Once in the whole, whose header is there already, and once in the row, perhaps as a new piece.
    /// Each write adds only what it needs: a quiet computer writes a little, very often.
    fn most_bytes(&self, bytes: u64) -> u64 {
        let most = |bytes| most_encrypted(bytes, &self.recipients);
        let whole = most(self.whole_bytes + bytes) - most(self.whole_bytes);
        let row = match &self.piece {
            Some(_) => most(self.piece_bytes + bytes) - most(self.piece_bytes),
            None => most(bytes),
        };
        whole + row
    }

    fn write(&mut self, pieces: &[&[u8]], make: Make<'_>) -> io::Result<()> {
        if self.is_broken {
            return Err(broken());
        }
        // An encrypted file cannot be cut back to where a write began.
        self.is_broken = true;
        if self.piece.is_none() {
            let name = piece_name(&self.name, self.row.len() + 1);
            let file = self.spare.with(|| make(&name))?;
            self.row.push(name);
            let file = Raw::new(file, Arc::clone(&self.spare));
            self.piece = Some(SealedFile::new(file, &self.recipients)?);
            self.piece_bytes = 0;
        }
        for bytes in pieces {
            if let Some(piece) = &mut self.piece {
                piece.write_all(bytes)?;
            }
            self.whole.write_all(bytes)?;
            self.piece_bytes += bytes.len() as u64;
            self.whole_bytes += bytes.len() as u64;
        }
        self.is_broken = false;
        Ok(())
    }

    fn end_piece(&mut self) -> io::Result<bool> {
        if self.is_broken {
            return Err(broken());
        }
        let Some(piece) = self.piece.take() else {
            return Ok(false);
        };
        self.is_broken = true;
        piece.finish()?.sync()?;
        self.is_broken = false;
        Ok(true)
    }
}

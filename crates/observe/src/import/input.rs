//! The bytes of a file, unpacked where they are packed (gzip).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use model::BootId;
use sha2::{Digest, Sha256};

/// What is read at once.
const BUFFER: usize = 1 << 20;
/// What a file is known by.
const SOURCE: u64 = 1 << 20;
/// What its kind is recognised by.
const HEAD: u64 = 64 << 10;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file that is read from its beginning to its end.
pub(super) struct Input {
    reader: BufReader<Box<dyn Read + Send>>,
    head: Vec<u8>,
    read: Arc<AtomicU64>,
    bytes: u64,
    source: BootId,
}

impl Input {
    /// Errors: of the file system; packed by gzip, and nothing of it can be unpacked.
    pub(super) fn open(file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        Self::of(file, bytes)
    }

    /// Errors: as [`Input::open`].
    pub(super) fn of(file: impl Read + Send + 'static, bytes: u64) -> io::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let mut counted = Counted {
            file,
            read: Arc::clone(&read),
        };
        let (beginning, end) = peek(&mut counted, SOURCE);
        if let Some(error) = end {
            return Err(error);
        }
        let counted = Cursor::new(beginning.clone()).chain(counted);
        let mut unpacked: Box<dyn Read + Send> = if beginning.starts_with(&GZIP) {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(
                BUFFER, counted,
            )))
        } else {
            Box::new(counted)
        };
        let (head, end) = peek(&mut unpacked, HEAD);
        let rest: Box<dyn Read + Send> = match end {
            None => unpacked,
            // What was unpacked before it is there, and whoever reads it tells where it ends.
            Some(error) if is_damage(&error) && !head.is_empty() => Box::new(Fails(error.kind())),
            Some(error) => return Err(error),
        };
        let unpacked = Cursor::new(head.clone()).chain(rest);
        Ok(Self {
            reader: BufReader::with_capacity(BUFFER, Box::new(unpacked)),
            head,
            read,
            bytes,
            source: source(bytes, &beginning),
        })
    }

    /// The first bytes, which are still to be read: 64 KiB, fewer only where there are no more.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// What makes this file the same one wherever it lies: SHA-256 over its length and its first
    /// MiB, cut to 16 bytes.
    pub(super) fn source(&self) -> BootId {
        self.source
    }

    pub(super) fn progress(&self) -> (u64, u64) {
        let read = self.read.load(Ordering::Relaxed);
        (read.min(self.bytes), self.bytes)
    }
}

impl Read for Input {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.reader.read(to)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
    }
}

/// Counts what is read of the file.
struct Counted<R> {
    file: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(to)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// What was packed ends in the middle, or is not what it should be.
pub(super) fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput
    )
}

/// What is left of something that cannot be read any further.
struct Fails(ErrorKind);

impl Read for Fails {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
}

/// The first bytes, and why there are no more where reading failed.
fn peek(reader: &mut impl Read, bytes: u64) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::new();
    let end = reader.take(bytes).read_to_end(&mut head);
    (head, end.err())
}

fn source(bytes: u64, beginning: &[u8]) -> BootId {
    let mut hash = Sha256::new();
    hash.update(bytes.to_le_bytes());
    hash.update(beginning);
    let digest: [u8; 32] = hash.finalize().into();
    let mut source = [0; 16];
    for (to, from) in source.iter_mut().zip(digest) {
        *to = from;
    }
    BootId(source)
}

//! What every format has in common.

use std::io;

use model::{BootId, Imported, SocketKey, Timestamp};
use sha2::{Digest, Sha256};

use super::input::Input;
use super::{Options, Skipped, SkippedPart};

/// So many parts that were skipped are told one by one.
const MOST_TOLD: usize = 10;

/// A kind of file that can be imported.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Whether a file that begins so is of this kind.
    pub(super) recognises: fn(head: &[u8]) -> bool,
    pub(super) open: fn() -> Box<dyn Format>,
}

/// Reads files of one kind.
pub(super) trait Format: Send {
    /// Reads some more: as much as takes a few milliseconds. `false`: that was all.
    ///
    /// Errors: of the file system.
    fn read(&mut self, input: &mut Input, out: &mut Out) -> io::Result<bool>;
}

/// Where a format puts what it reads.
pub(super) struct Out {
    pub(super) seen: Vec<Imported>,
    pub(super) skipped: Skipped,
    source: BootId,
    offset_ns: i64,
}

impl Out {
    pub(super) fn new(source: BootId, options: Options) -> Self {
        Self {
            seen: Vec::new(),
            skipped: Skipped::default(),
            source,
            offset_ns: options.clock_offset_ns,
        }
    }

    /// What stands in the place of the start of a computer, in the names of processes and
    /// connections: the file.
    pub(super) fn source(&self) -> BootId {
        self.source
    }

    /// What stands in the place of a socket: a record of the file, by its number or its name.
    pub(super) fn socket(&self, record: &[u8]) -> SocketKey {
        let mut hash = Sha256::new();
        hash.update(self.source.0);
        hash.update(record);
        let digest: [u8; 32] = hash.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        SocketKey {
            inode: None,
            cookie: Some(u64::from_le_bytes([a, b, c, d, e, f, g, h])),
        }
    }

    /// A time as the source has it, with its clock put right.
    pub(super) fn time(&self, unix_ns: i64) -> Timestamp {
        Timestamp::from_unix_nanos(unix_ns.saturating_add(self.offset_ns))
    }

    /// Something was not understood.
    pub(super) fn skip(&mut self, place: impl FnOnce() -> String, why: impl FnOnce() -> String) {
        self.skipped.count += 1;
        if self.skipped.first.len() < MOST_TOLD {
            let (place, why) = (place(), why());
            self.skipped.first.push(SkippedPart { place, why });
        }
    }

    /// The file ends in the middle.
    pub(super) fn cut(&mut self, place: String) {
        self.skipped.cut.get_or_insert(place);
    }
}

//! Bytes of a file, as many at once as a record needs. Records are read where they lie.

use std::io::{self, Read};

/// What is read at once. A reader that buffers less than that hands its bytes over without a copy.
const CHUNK: usize = 1 << 20;

/// A part of a file that is in memory.
#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    begin: usize,
    end: usize,
    /// Of the file, before `begin`.
    taken: u64,
}

impl Buffer {
    /// What is there.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.begin..self.end).unwrap_or_default()
    }

    /// Where in the file that begins.
    pub(super) fn position(&self) -> u64 {
        self.taken
    }

    /// So many bytes are done with.
    pub(super) fn take(&mut self, count: usize) {
        let count = count.min(self.end - self.begin);
        self.begin += count;
        self.taken += u64::try_from(count).unwrap_or(0);
    }

    /// Reads more, at least until so many bytes are there. `false`: the file ends before.
    ///
    /// Errors: of the file system.
    pub(super) fn fill(&mut self, source: &mut impl Read, wanted: usize) -> io::Result<bool> {
        self.bytes.copy_within(self.begin..self.end, 0);
        self.end -= self.begin;
        self.begin = 0;
        loop {
            // It grows with what really comes, not with what a length promises.
            if self.bytes.len() < self.end + CHUNK {
                self.bytes.resize(self.end + CHUNK, 0);
            }
            let space = self.bytes.get_mut(self.end..).unwrap_or_default();
            match source.read(space) {
                Ok(0) => return Ok(self.end >= wanted && self.end > 0),
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.end >= wanted {
                return Ok(true);
            }
        }
    }
}

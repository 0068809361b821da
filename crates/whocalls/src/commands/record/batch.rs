//! Bytes of a stream on their way to the disk. Those of large packets stay where they were captured.

use observe::packets::Lent;

/// Whole lines or blocks.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    /// What is missing in `bytes`, and where; in their order.
    lent: Vec<(usize, Lent)>,
    lent_bytes: usize,
}

impl From<Vec<u8>> for Batch {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.lent_bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Has these bytes at that place of `bytes`, which is not before those that came before.
    pub(super) fn lend(&mut self, place: usize, lent: Lent) {
        self.lent_bytes += lent.bytes().len();
        self.lent.push((place, lent));
    }

    /// All of it, one piece behind the other.
    pub(super) fn pieces(&self) -> Vec<&[u8]> {
        let mut pieces = Vec::with_capacity(2 * self.lent.len() + 1);
        let mut written = 0;
        for (place, lent) in &self.lent {
            pieces.extend(self.bytes.get(written..*place));
            pieces.push(lent.bytes());
            written = *place;
        }
        pieces.extend(self.bytes.get(written..));
        pieces
    }

    /// Lets go of what is lent.
    pub(super) fn copy_lent(&mut self) {
        if !self.lent.is_empty() {
            *self = Self::from(self.pieces().concat());
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.lent.clear();
        self.lent_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use observe::packets::{Lender, Memory};
    use std::sync::Arc;

    #[test]
    fn what_is_lent_stands_in_its_place_until_it_is_copied() {
        let memory: Arc<Memory> = Arc::new(b"one packet, another packet".to_vec());
        let lender = Lender::new(Some(&memory));
        let all = (*memory).as_ref();
        let mut batch = Batch::default();
        batch.lend(0, lender.lend(&all[..3]).unwrap());
        batch.bytes.extend(b" [");
        batch.lend(2, lender.lend(&all[4..10]).unwrap());
        batch.lend(2, lender.lend(&all[12..]).unwrap());
        batch.bytes.extend(b"]");
        let expected = b"one [packetanother packet]";
        assert_eq!(batch.pieces().concat(), expected);
        assert_eq!(batch.len(), expected.len());
        assert_eq!(Arc::strong_count(&memory), 4);
        batch.copy_lent();
        assert_eq!(batch.bytes, expected);
        assert_eq!(
            (batch.len(), Arc::strong_count(&memory)),
            (expected.len(), 1)
        );
        assert!(!batch.is_empty());
        batch.clear();
        assert!(batch.is_empty());
    }
}

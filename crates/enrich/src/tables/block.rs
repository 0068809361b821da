//! A table is cut into blocks, each packed by itself (deflate, RFC 1951), with an index of what
//! each begins with: one question opens one block. An opened block is kept.

use std::sync::OnceLock;

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::bytes::{Reader, put_count};

/// No block has more, opened: what is read may be meant to burst.
const MOST_BYTES: usize = 1 << 20;
/// No block has more entries: what three of them have together is counted in two bytes.
pub(super) const MOST_ENTRIES: usize = 1 << 14;
/// No table has more blocks.
const MOST_BLOCKS: usize = 1 << 14;
/// The best that miniz_oxide does.
const LEVEL: u8 = 10;

/// A block as it lies in the file; `T` is what it becomes when it is opened.
pub(super) struct Block<T> {
    /// How many entries it has.
    pub(super) entries: usize,
    unpacked_bytes: usize,
    /// Where it lies among the bytes of all blocks.
    place: std::ops::Range<usize>,
    /// `None` inside: it is damaged.
    opened: OnceLock<Option<T>>,
}

impl<T> Block<T> {
    /// Reads one line of the index. `at` is where the next block lies, and moves on.
    fn read(reader: &mut Reader<'_>, at: &mut usize) -> Option<Self> {
        let entries = reader
            .count()
            .filter(|it| (1..=MOST_ENTRIES).contains(it))?;
        let unpacked_bytes = reader.count().filter(|it| *it <= MOST_BYTES)?;
        let packed_bytes = reader.count()?;
        let start = *at;
        *at = start.checked_add(packed_bytes)?;
        Some(Self {
            entries,
            unpacked_bytes,
            place: start..*at,
            opened: OnceLock::new(),
        })
    }

    /// Its bytes, not kept. `None`: it is damaged.
    pub(super) fn unpacked(&self, packed: &[u8]) -> Option<Vec<u8>> {
        let packed = packed.get(self.place.clone())?;
        let bytes = decompress_to_vec_with_limit(packed, self.unpacked_bytes).ok()?;
        (bytes.len() == self.unpacked_bytes).then_some(bytes)
    }

    /// What is in it. `None`: it is damaged.
    pub(super) fn open(
        &self,
        packed: &[u8],
        decode: impl FnOnce(Reader<'_>, usize) -> Option<T>,
    ) -> Option<&T> {
        self.opened
            .get_or_init(|| {
                let bytes = self.unpacked(packed)?;
                decode(Reader::new(&bytes), self.entries)
            })
            .as_ref()
    }
}

/// The index of a table: the first key of each block, in order, and the block.
pub(super) struct Index<K, T> {
    firsts: Vec<K>,
    blocks: Vec<Block<T>>,
}

impl<K: Ord, T> Index<K, T> {
    /// `None`: damaged. `at` is where the first block lies among the bytes of all, and becomes
    /// where the next table's does.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        at: &mut usize,
        mut key: impl FnMut(&mut Reader<'_>) -> Option<K>,
    ) -> Option<Self> {
        let count = reader.count().filter(|it| *it <= MOST_BLOCKS)?;
        let mut index = Self {
            firsts: Vec::new(),
            blocks: Vec::new(),
        };
        for _ in 0..count {
            index.firsts.push(key(reader)?);
            index.blocks.push(Block::read(reader, at)?);
        }
        index.firsts.is_sorted().then_some(index)
    }

    /// The block that `key` would be in, with its first key. `None`: it comes before all of them.
    pub(super) fn block_of<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &Block<T>)>
    where
        K: std::borrow::Borrow<Q>,
    {
        let after = self.firsts.partition_point(|first| first.borrow() <= key);
        let place = after.checked_sub(1)?;
        Some((self.firsts.get(place)?, self.blocks.get(place)?))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &Block<T>)> {
        self.firsts.iter().zip(&self.blocks)
    }

    pub(super) fn entries(&self) -> usize {
        self.blocks.iter().map(|it| it.entries).sum()
    }
}

/// Writes a table: the lines of its index and the packed blocks.
pub(super) struct BlockWriter<'a> {
    pub(super) index: &'a mut Vec<u8>,
    pub(super) packed: &'a mut Vec<u8>,
}

impl BlockWriter<'_> {
    /// Cuts `entries` into blocks of `size`. `key` writes the first key of a block, `encode` what is
    /// in it.
    pub(super) fn write<E>(
        &mut self,
        entries: &[E],
        size: usize,
        key: impl Fn(&mut Vec<u8>, &E),
        encode: impl Fn(&[E]) -> Vec<u8>,
    ) {
        put_count(self.index, entries.len().div_ceil(size));
        for block in entries.chunks(size) {
            if let Some(first) = block.first() {
                key(self.index, first);
            }
            let bytes = encode(block);
            let packed = compress_to_vec(&bytes, LEVEL);
            for count in [block.len(), bytes.len(), packed.len()] {
                put_count(self.index, count);
            }
            self.packed.extend(packed);
        }
    }
}

//! A page of a tree: a header, entries, and from its end the tags that tell where these lie.

use std::collections::HashSet;

use super::{MOST_ENTRIES, Missed, SIGNATURE, u16_at, u32_at};

const HEADER: usize = 40;
const LARGE_HEADER: usize = 80;
const TAG: usize = 4;
const IS_LEAF: u32 = 0x2;
/// Space trees, indexes and long values: no rows.
const OTHERS: u32 = 0x20 | 0x40 | 0x80;
/// The checksum is of the newer kind.
const NEW_CHECKSUM: u32 = 0x2000;
/// Of an entry: it was deleted.
const DELETED: u16 = 0x2;
/// Of an entry: the beginning of its key is that of the page.
const COMMON_KEY: u16 = 0x4;
/// Flags are in the highest three of sixteen bits.
const FLAGS: u16 = 13;
const BELOW_FLAGS: u16 = 0x1fff;

/// What has been seen of a tree.
pub(super) struct Walk {
    pub(super) known: HashSet<u32>,
    /// What was looked at of it, whether it was of use or not.
    pub(super) entries: usize,
    pub(super) missed: Missed,
}

impl Walk {
    /// False: too much was looked at; what is left is missed.
    pub(super) fn has_room(&mut self) -> bool {
        self.entries = self.entries.saturating_add(1);
        if self.entries == MOST_ENTRIES {
            self.missed.pages = self.missed.pages.saturating_add(1);
        }
        self.entries < MOST_ENTRIES
    }
}

pub(super) struct Page {
    bytes: Vec<u8>,
    number: u32,
    is_large: bool,
    flags: u32,
    tags: usize,
}

impl Page {
    /// `None`: it is cut short, or of none of the trees that have rows.
    pub(super) fn new(
        bytes: Vec<u8>,
        number: u32,
        page_bytes: usize,
        is_large: bool,
    ) -> Option<Self> {
        let flags = u32_at(&bytes, 36)?;
        let tags = usize::from(u16_at(&bytes, 34)?);
        let header = if is_large { LARGE_HEADER } else { HEADER };
        let room = bytes.len().checked_sub(header)?;
        (bytes.len() == page_bytes && flags & OTHERS == 0 && tags <= room / TAG).then_some(Self {
            bytes,
            number,
            is_large,
            flags,
            tags,
        })
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.flags & IS_LEAF != 0
    }

    /// Whether its checksum is another. Those of large pages are not looked at.
    pub(super) fn is_damaged(&self) -> bool {
        let is_new = self.flags & NEW_CHECKSUM != 0;
        let (start, first) = match (self.is_large, is_new) {
            (true, _) => return false,
            (false, true) => (8, self.number),
            (false, false) => (4, SIGNATURE),
        };
        let words = self.bytes.get(start..).unwrap_or_default();
        let sum = words.chunks_exact(4).fold(first, |sum, word| {
            sum ^ word.first_chunk().copied().map_or(0, u32::from_le_bytes)
        });
        u32_at(&self.bytes, 0) != Some(sum)
    }

    /// The pages below; of one that is no leaf.
    pub(super) fn children(&self) -> impl Iterator<Item = u32> {
        self.entries().filter_map(|entry| u32_at(entry, 0))
    }

    /// What stands behind the key of each entry that was not deleted.
    pub(super) fn entries(&self) -> impl Iterator<Item = &[u8]> {
        // The first is about the page itself.
        (1..self.tags).filter_map(|place| self.entry(place))
    }

    fn entry(&self, place: usize) -> Option<&[u8]> {
        let back = place.checked_add(1)?.checked_mul(TAG)?;
        let tag = self.bytes.len().checked_sub(back)?;
        let (length, offset) = (u16_at(&self.bytes, tag)?, u16_at(&self.bytes, tag + 2)?);
        let (header, mask) = if self.is_large {
            (LARGE_HEADER, 0x7fff)
        } else {
            (HEADER, BELOW_FLAGS)
        };
        let start = header.checked_add(usize::from(offset & mask))?;
        let entry = self.bytes.get(start..)?.get(..usize::from(length & mask))?;
        // A large page has no room for the flags in its tags.
        let flags = if self.is_large {
            u16_at(entry, 0)?
        } else {
            offset
        } >> FLAGS;
        if flags & DELETED != 0 {
            return None;
        }
        let key = if flags & COMMON_KEY != 0 { 2 } else { 0 };
        let entry = entry.get(key..)?;
        let key = usize::from(u16_at(entry, 0)? & BELOW_FLAGS);
        entry.get(2..)?.get(key..)
    }
}

//! Texts to numbers: names, suffixes and hashes in order, those that begin alike beside each other.

use super::block::{BlockWriter, Index};
use super::bytes::{Reader, put_count, put_text};

/// Texts in one block.
const SIZE: usize = 2048;
/// No text is longer: that is what a name may have (RFC 1035, 2.3.4).
const MOST_BYTES: usize = 255;

pub(super) struct Strings {
    index: Index<String, Block>,
    /// Numbers must be below.
    limit: u32,
}

/// The texts of a block: where each ends in one text, and its number.
struct Block {
    ends: Vec<u32>,
    text: String,
    values: Vec<u32>,
}

impl Strings {
    pub(super) fn read(reader: &mut Reader<'_>, at: &mut usize, limit: u32) -> Option<Self> {
        let key = |reader: &mut Reader<'_>| reader.text(MOST_BYTES).map(str::to_owned);
        let index = Index::read(reader, at, key)?;
        Some(Self { index, limit })
    }

    pub(super) fn count(&self) -> usize {
        self.index.entries()
    }

    /// The number of exactly this text.
    pub(super) fn find(&self, packed: &[u8], text: &str) -> Option<u32> {
        let (_, block) = self.index.block_of(text)?;
        let block = block.open(packed, |reader, count| self.decode(reader, count))?;
        block.find(text)
    }

    /// Opens every block. `false`: one is damaged, or begins before the one in front of it ends.
    pub(super) fn is_whole(&self, packed: &[u8]) -> bool {
        let mut before: Option<&str> = None;
        self.index.iter().all(|(first, block)| {
            let Some(block) = block.open(packed, |reader, count| self.decode(reader, count)) else {
                return false;
            };
            let follows = before.is_none_or(|before| before < first.as_str());
            before = block.ends.len().checked_sub(1).and_then(|it| block.at(it));
            follows && block.at(0) == Some(first)
        })
    }

    fn decode(&self, mut reader: Reader<'_>, count: usize) -> Option<Block> {
        let mut block = Block {
            ends: Vec::with_capacity(count),
            text: String::new(),
            values: Vec::with_capacity(count),
        };
        let shared = reader.take(count)?;
        for _ in 0..count {
            block
                .values
                .push(reader.small().filter(|it| *it < self.limit)?);
        }
        let mut before = String::new();
        for shared in shared {
            let mut text = before.get(..usize::from(*shared))?.to_owned();
            text.push_str(reader.text(MOST_BYTES)?);
            if text.len() > MOST_BYTES || (!block.ends.is_empty() && text <= before) {
                return None;
            }
            block.text.push_str(&text);
            block.ends.push(u32::try_from(block.text.len()).ok()?);
            before = text;
        }
        block.text.shrink_to_fit();
        reader.is_empty().then_some(block)
    }

    /// Writes texts, in order and each once.
    pub(super) fn write(writer: &mut BlockWriter<'_>, texts: &[(String, u32)]) {
        writer.write(texts, SIZE, |out, (text, _)| put_text(out, text), encode);
    }
}

fn encode(block: &[(String, u32)]) -> Vec<u8> {
    let (mut shared, mut values, mut endings) = (Vec::new(), Vec::new(), Vec::new());
    let mut before = "";
    for (text, value) in block {
        let alike = text.char_indices().zip(before.chars());
        let alike = alike.take_while(|((_, one), other)| one == other);
        let alike = alike.last().map_or(0, |((at, one), _)| at + one.len_utf8());
        shared.push(u8::try_from(alike).unwrap_or(0));
        put_count(&mut values, *value as usize);
        put_text(&mut endings, text.get(alike..).unwrap_or_default());
        before = text;
    }
    shared.extend(values);
    shared.extend(endings);
    shared
}

impl Block {
    fn find(&self, text: &str) -> Option<u32> {
        let mut range = 0..self.ends.len();
        while !range.is_empty() {
            let middle = range.start.midpoint(range.end);
            match self.at(middle)?.cmp(text) {
                std::cmp::Ordering::Less => range.start = middle + 1,
                std::cmp::Ordering::Greater => range.end = middle,
                std::cmp::Ordering::Equal => return self.values.get(middle).copied(),
            }
        }
        None
    }

    fn at(&self, place: usize) -> Option<&str> {
        let end = *self.ends.get(place)? as usize;
        let start = match place.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.text.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_found(
            texts in proptest::collection::btree_map("[a-cé]{1,9}", 0_u32..9, 0..80),
            other in "[a-cé]{1,9}",
        ) {
            let all: Vec<_> = texts.iter().map(|(text, value)| (text.clone(), *value)).collect();
            let (mut index, mut packed) = (Vec::new(), Vec::new());
            let mut writer = BlockWriter { index: &mut index, packed: &mut packed };
            Strings::write(&mut writer, &all);
            let read = Strings::read(&mut Reader::new(&index), &mut 0, 9).unwrap();
            for (text, value) in &all {
                prop_assert_eq!(read.find(&packed, text), Some(*value));
            }
            prop_assert_eq!(read.find(&packed, &other), texts.get(&other).copied());
            prop_assert!(read.is_whole(&packed));
            prop_assert_eq!(read.count(), all.len());
        }
    }
}

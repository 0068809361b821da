//! Addresses to numbers: break points in order, each with the number that holds from there to the
//! next one; 0 holds nothing. A block is opened for whoever asks and not kept: `joined` keeps what it
//! makes of several tables.

use super::block::{Block, BlockWriter, Index};
use super::bytes::{Reader, put_count, put_number};

/// Break points in one block.
const SIZE: usize = 8192;
/// Set in the byte of a step that is not a power of two.
const ODD: u8 = 0x80;

/// A table of one family of addresses; IPv4 addresses are the numbers below 2^32.
pub(super) struct Ranges {
    index: Index<u128, ()>,
    /// Numbers must be below.
    limit: u32,
    /// Addresses must not be above.
    last: u128,
}

impl Ranges {
    pub(super) fn read(
        reader: &mut Reader<'_>,
        at: &mut usize,
        last: u128,
        limit: u32,
    ) -> Option<Self> {
        let index = Index::read(reader, at, |it| it.number())?;
        Some(Self { index, limit, last })
    }

    /// Where blocks begin.
    pub(super) fn firsts(&self) -> impl Iterator<Item = u128> {
        self.index.iter().map(|(first, _)| *first)
    }

    /// All break points from the one that holds at `from` up to `to`. `None`: a block is damaged.
    pub(super) fn between(&self, packed: &[u8], from: u128, to: u128) -> Option<Vec<(u128, u32)>> {
        let mut found = Vec::new();
        let begin = self.index.block_of(&from).map_or(0, |(first, _)| *first);
        for (first, block) in self.index.iter() {
            if (begin..=to).contains(first) {
                let points = self.decode(packed, *first, block)?;
                found.extend(points.into_iter().filter(|(start, _)| *start <= to));
            }
        }
        let before = found.partition_point(|(start, _)| *start <= from);
        Some(found.split_off(before.saturating_sub(1)))
    }

    /// Opens every block. `false`: one is damaged, or begins before the one in front of it ends.
    pub(super) fn is_whole(&self, packed: &[u8]) -> bool {
        let mut before = None;
        self.index.iter().all(|(first, block)| {
            let follows = before.is_none_or(|before| before < *first);
            let points = self.decode(packed, *first, block);
            before = points.and_then(|points| Some(points.last()?.0));
            follows && before.is_some()
        })
    }

    pub(super) fn points(&self) -> usize {
        self.index.entries()
    }

    fn decode(&self, packed: &[u8], first: u128, block: &Block<()>) -> Option<Vec<(u128, u32)>> {
        let bytes = block.unpacked(packed)?;
        let mut reader = Reader::new(&bytes);
        let steps = reader.take(block.entries.checked_sub(1)?)?;
        let mut points = Vec::with_capacity(block.entries);
        let mut start = first;
        points.push((start, 0));
        for step in steps {
            let odd = if step & ODD == 0 {
                1
            } else {
                (reader.number()? << 1) | 1
            };
            let shift = u32::from(step & !ODD);
            let step = odd.checked_shl(shift).filter(|it| it >> shift == odd)?;
            start = start.checked_add(step)?;
            points.push((start, 0));
        }
        for (_, value) in &mut points {
            *value = reader.small().filter(|it| *it < self.limit)?;
        }
        (start <= self.last && reader.is_empty()).then_some(points)
    }

    /// Writes break points, in order and each once.
    pub(super) fn write(writer: &mut BlockWriter<'_>, points: &[(u128, u32)]) {
        writer.write(
            points,
            SIZE,
            |out, (start, _)| put_number(out, *start),
            encode,
        );
    }
}

/// Steps from one break point to the next are mostly powers of two: the byte that says which, then
/// for the others the odd factor; then the numbers.
fn encode(points: &[(u128, u32)]) -> Vec<u8> {
    let (mut steps, mut factors) = (Vec::new(), Vec::new());
    for (one, next) in points.iter().zip(points.iter().skip(1)) {
        let step = next.0 - one.0;
        let shift = step.trailing_zeros();
        let odd = step >> shift;
        let mark = if odd == 1 { 0 } else { ODD };
        steps.push(u8::try_from(shift).unwrap_or(0) | mark);
        if odd != 1 {
            put_number(&mut factors, odd >> 1);
        }
    }
    steps.extend(factors);
    for (_, value) in points {
        put_count(&mut steps, *value as usize);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// What was written, read again: the table and its bytes.
    fn written(points: &[(u128, u32)], last: u128) -> (Ranges, Vec<u8>) {
        let (mut index, mut packed) = (Vec::new(), Vec::new());
        let mut writer = BlockWriter {
            index: &mut index,
            packed: &mut packed,
        };
        Ranges::write(&mut writer, points);
        let read = Ranges::read(&mut Reader::new(&index), &mut 0, last, u32::MAX).unwrap();
        (read, packed)
    }

    fn check(points: BTreeMap<u128, u32>, last: u128) {
        let points: Vec<_> = points.into_iter().collect();
        let (table, packed) = written(&points, last);
        // Each question opens a block.
        for (place, (start, value)) in points.iter().enumerate().take(60) {
            let next = points.get(place + 1).map_or(last, |it| it.0 - 1);
            for address in [*start, next] {
                let found = table.between(&packed, address, address).unwrap();
                assert_eq!(found, [(*start, *value)]);
            }
        }
        assert!(table.is_whole(&packed));
        assert_eq!(table.between(&packed, 0, last).unwrap(), points);
        if let Some((start, _)) = points.first()
            && *start > 0
        {
            assert!(table.between(&packed, 0, start - 1).unwrap().is_empty());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_found(
            v4 in proptest::collection::btree_map(any::<u32>(), 0_u32..70_000, 0..50),
            v6 in proptest::collection::btree_map(any::<u128>(), 0_u32..300, 0..50),
            halves in proptest::collection::btree_map(any::<u64>(), 0_u32..9, 0..50),
        ) {
            let v4 = v4.into_iter().map(|(start, value)| (u128::from(start), value));
            check(v4.collect(), u128::from(u32::MAX));
            check(v6, u128::MAX);
            let halves = halves.into_iter().map(|(start, value)| (u128::from(start) << 64, value));
            check(halves.collect(), u128::MAX);
        }
    }

    #[test]
    fn several_blocks_are_one_table() {
        let points = (0..3 * SIZE as u128).map(|it| (it * 256, 1 + (it % 5) as u32));
        check(points.collect(), u128::from(u32::MAX));
    }
}

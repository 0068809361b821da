//! What several tables say of the addresses of one family, put together in memory: one search
//! answers for all of them. The file keeps the tables apart, since each packs better by itself; they
//! are put together part by part, where somebody asks.

use std::sync::OnceLock;

use super::points::{Points, bits};
use super::ranges::Ranges;

/// So many tables are put together.
const TABLES: usize = 3;

/// Who announces addresses, where they were allocated, what they are for.
pub(super) struct Joined {
    pub(super) tables: [Ranges; TABLES],
    /// Where each part begins: the first with the first address, the others where a block of a table
    /// does. So no part has more than one block of each.
    starts: Vec<u128>,
    parts: Vec<OnceLock<Part>>,
    last: u128,
}

/// Break points of all tables; the number of one has those of the tables beside each other.
struct Part {
    points: Points,
    /// How many bits the numbers of each table take, the first from the lowest on.
    bits: [u32; TABLES],
}

impl Joined {
    /// `last` is the last address.
    pub(super) fn of(tables: [Ranges; TABLES], last: u128) -> Self {
        let mut starts = vec![0];
        starts.extend(tables.iter().flat_map(Ranges::firsts));
        starts.sort_unstable();
        starts.dedup();
        Self {
            parts: starts.iter().map(|_| OnceLock::new()).collect(),
            tables,
            starts,
            last,
        }
    }

    /// The number of each table at an address; 0 where it has nothing, or its block is damaged.
    pub(super) fn find(&self, packed: &[u8], address: u128) -> [u32; TABLES] {
        let after = self.starts.partition_point(|start| *start <= address);
        let place = after.saturating_sub(1);
        let (Some(start), Some(part)) = (self.starts.get(place), self.parts.get(place)) else {
            return [0; TABLES];
        };
        let part = part.get_or_init(|| self.part(packed, place, *start));
        part.numbers(part.points.find(address - start))
    }

    fn part(&self, packed: &[u8], place: usize, from: u128) -> Part {
        let next = self.starts.get(place + 1);
        let to = next.map_or(self.last, |next| next - 1);
        let of_tables = self.tables.each_ref().map(|table| {
            let points = table.between(packed, from, to);
            points.unwrap_or_default()
        });
        let mut starts: Vec<u128> = of_tables.iter().flatten().map(|it| it.0).collect();
        starts.retain(|start| *start > from);
        starts.push(from);
        starts.sort_unstable();
        starts.dedup();
        let widest = |points: &Vec<(u128, u32)>| points.iter().map(|it| it.1).max();
        let bits = of_tables
            .each_ref()
            .map(|it| bits(widest(it).unwrap_or(0).into()));
        let mut rest = of_tables.each_ref().map(|it| it.iter().peekable());
        let mut numbers = [0; TABLES];
        let mut points: Vec<(u128, u64)> = Vec::with_capacity(starts.len());
        for start in starts {
            for (number, rest) in numbers.iter_mut().zip(&mut rest) {
                while let Some((_, next)) = rest.next_if(|(begins, _)| *begins <= start) {
                    *number = *next;
                }
            }
            let mut value = 0;
            for (number, bits) in numbers.iter().zip(bits).rev() {
                value = value << bits | u64::from(*number);
            }
            if points.last().is_none_or(|(_, before)| *before != value) {
                points.push((start - from, value));
            }
        }
        Part {
            points: Points::of(&points),
            bits,
        }
    }
}

impl Part {
    fn numbers(&self, value: u64) -> [u32; TABLES] {
        let mut rest = value;
        self.bits.map(|bits| {
            let number = rest & ((1 << bits) - 1);
            rest >>= bits;
            u32::try_from(number).unwrap_or(0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::BlockWriter;
    use super::super::bytes::Reader;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Table = BTreeMap<u32, u32>;

    fn any_table(numbers: u32) -> impl Strategy<Value = Table> {
        proptest::collection::btree_map(any::<u32>(), 0..numbers, 0..40)
    }

    proptest! {
        #[test]
        fn each_table_answers_as_it_would_alone(
            tables in (any_table(90_000), any_table(250), any_table(1000)),
            others in proptest::collection::vec(any::<u32>(), 0..40),
        ) {
            let tables = [tables.0, tables.1, tables.2];
            let (mut index, mut packed, mut at) = (Vec::new(), Vec::new(), 0);
            for table in &tables {
                let points: Vec<_> = table.iter().map(|it| (u128::from(*it.0), *it.1)).collect();
                let mut writer = BlockWriter { index: &mut index, packed: &mut packed };
                Ranges::write(&mut writer, &points);
            }
            let last = u128::from(u32::MAX);
            let mut reader = Reader::new(&index);
            let read = [(); TABLES].map(|()| Ranges::read(&mut reader, &mut at, last, u32::MAX).unwrap());
            let joined = Joined::of(read, last);
            let asked = tables.iter().flat_map(|it| it.keys().copied()).chain(others);
            for address in asked.flat_map(|it| [it, it.saturating_sub(1)]).chain([0, u32::MAX]) {
                let alone = tables.each_ref().map(|table| {
                    table.range(..=address).next_back().map_or(0, |it| *it.1)
                });
                prop_assert_eq!(joined.find(&packed, address.into()), alone, "{}", address);
            }
        }
    }
}

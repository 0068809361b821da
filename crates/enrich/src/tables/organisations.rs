//! Autonomous systems and what their organisations are called, by a number of our own: the more
//! ranges one announces, the lower it is, so that the tables of addresses hold small numbers.

use super::block::{BlockWriter, Index};
use super::bytes::{Reader, put_number, put_text};

/// Organisations in one block.
const SIZE: usize = 2048;
/// No organisation has a longer name.
const MOST_NAME_BYTES: usize = 1024;

pub(super) struct Organisations {
    index: Index<u32, Names>,
}

/// The organisations of a block: the number of the system, and where its name ends in one text.
struct Names {
    ends: Vec<(u32, u32)>,
    text: String,
}

impl Organisations {
    pub(super) fn read(reader: &mut Reader<'_>, at: &mut usize) -> Option<Self> {
        let index = Index::read(reader, at, |it| it.small())?;
        // Blocks follow each other without a hole, so that a number alone says where to look.
        let mut next = 0;
        for (first, block) in index.iter() {
            if usize::try_from(*first) != Ok(next) {
                return None;
            }
            next += block.entries;
        }
        Some(Self { index })
    }

    pub(super) fn count(&self) -> usize {
        self.index.entries()
    }

    /// The number of the system and the name. `None`: no such one, or its block is damaged.
    pub(super) fn get(&self, packed: &[u8], number: u32) -> Option<(u32, &str)> {
        let (first, block) = self.index.block_of(&number)?;
        let names = block.open(packed, decode)?;
        let place = usize::try_from(number.checked_sub(*first)?).ok()?;
        let (asn, end) = *names.ends.get(place)?;
        let start = match place.checked_sub(1) {
            Some(before) => names.ends.get(before)?.1 as usize,
            None => 0,
        };
        Some((asn, names.text.get(start..end as usize)?))
    }

    /// Writes organisations in the order of their numbers.
    pub(super) fn write(writer: &mut BlockWriter<'_>, organisations: &[(u32, u32, String)]) {
        writer.write(
            organisations,
            SIZE,
            |out, (number, ..)| put_number(out, u128::from(*number)),
            |block| {
                let (mut out, mut names) = (Vec::new(), Vec::new());
                let mut before = 0_i64;
                for (_, asn, name) in block {
                    let step = i64::from(*asn) - before;
                    before = i64::from(*asn);
                    // Zigzag: the sign in the lowest bit.
                    put_number(
                        &mut out,
                        u128::from(((step << 1) ^ (step >> 63)).cast_unsigned()),
                    );
                    put_text(&mut names, name);
                }
                out.extend(names);
                out
            },
        );
    }
}

fn decode(mut reader: Reader<'_>, count: usize) -> Option<Names> {
    let mut asns = Vec::with_capacity(count);
    let mut asn = 0_i64;
    for _ in 0..count {
        let coded = u64::try_from(reader.number()?).ok()?;
        let step = (coded >> 1).cast_signed() ^ -(coded & 1).cast_signed();
        asn = asn.checked_add(step)?;
        asns.push(u32::try_from(asn).ok()?);
    }
    let mut names = Names {
        ends: Vec::with_capacity(count),
        text: String::new(),
    };
    for asn in asns {
        names.text.push_str(reader.text(MOST_NAME_BYTES)?);
        names
            .ends
            .push((asn, u32::try_from(names.text.len()).ok()?));
    }
    names.text.shrink_to_fit();
    reader.is_empty().then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_found() {
        let count = 2 * u32::try_from(SIZE).unwrap() + 3;
        let all: Vec<_> = (0..count)
            .map(|it| {
                (
                    it,
                    it.wrapping_mul(2_654_435_761),
                    format!("Organisation {it} é"),
                )
            })
            .collect();
        let (mut index, mut packed) = (Vec::new(), Vec::new());
        let mut writer = BlockWriter {
            index: &mut index,
            packed: &mut packed,
        };
        Organisations::write(&mut writer, &all);
        let read = Organisations::read(&mut Reader::new(&index), &mut 0).unwrap();
        assert_eq!(read.count(), all.len());
        for (number, asn, name) in &all {
            assert_eq!(read.get(&packed, *number), Some((*asn, name.as_str())));
        }
        assert_eq!(read.get(&packed, count), None);
    }
}

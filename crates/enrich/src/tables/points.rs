//! Break points in memory, packed so that one search touches two places of it: which shelf, and the
//! points on that shelf.

/// Break points with a number each, as narrow as they can be kept. All lie a multiple of a power of two
/// behind the first one; how many times is the place of one.
pub(super) struct Points {
    /// The power of two.
    shift: u32,
    /// Upper bits of a place say which shelf it stands on; so many lower bits say where there.
    lower_bits: u32,
    /// As many bits set.
    lower_mask: u128,
    /// How many break points stand on the shelves before each shelf, and on all of them.
    shelves: Vec<u16>,
    /// Bytes of the lower bits of a place, and of its number behind them.
    widths: (usize, usize),
    value_mask: u64,
    /// The break points side by side, so that a question touches one place of the memory. Numbers
    /// have their lowest byte first; some bytes behind the last one let each be read at once.
    bytes: Vec<u8>,
}

/// A shelf for so many break points, when they lie evenly.
const ON_A_SHELF: usize = 4;
/// The widest that is read at once.
const WIDEST: usize = size_of::<u128>();

impl Points {
    /// `points` says how far each lies behind the first, in order and each once, the first 0, and its
    /// number. There are at most 65,535.
    pub(super) fn of(points: &[(u128, u64)]) -> Self {
        let used = points.iter().fold(0, |bits, (behind, _)| bits | behind);
        let shift = if used == 0 { 0 } else { used.trailing_zeros() };
        let last = points.last().map_or(0, |(behind, _)| behind >> shift);
        // At least two, so that no shift below is as wide as the number.
        let most = points.len().div_ceil(ON_A_SHELF).next_power_of_two().max(2);
        let lower_bits = bits(last).saturating_sub(most.trailing_zeros());
        let value_bits = bits(points.iter().map(|it| it.1).max().unwrap_or(0).into());
        let lower_mask = (1_u128 << lower_bits) - 1;
        let width = |bits: u32| bits.div_ceil(u8::BITS) as usize;
        let (lower_width, value_width) = (width(lower_bits), width(value_bits));
        let mut shelves = vec![0_u16];
        let mut bytes = Vec::with_capacity(points.len() * (lower_width + value_width) + WIDEST);
        for (before, (behind, value)) in (0..).zip(points) {
            let place = behind >> shift;
            let shelf = usize::try_from(place >> lower_bits).unwrap_or(usize::MAX);
            shelves.resize(shelf.min(most) + 1, before);
            let lower = place & lower_mask;
            bytes.extend(lower.to_le_bytes().into_iter().take(lower_width));
            bytes.extend(value.to_le_bytes().into_iter().take(value_width));
        }
        shelves.push(u16::try_from(points.len()).unwrap_or(u16::MAX));
        shelves.shrink_to_fit();
        bytes.extend([0; WIDEST]);
        Self {
            shift,
            lower_bits,
            lower_mask,
            shelves,
            widths: (lower_width, value_width),
            value_mask: u64::MAX
                .checked_shl(value_bits)
                .map_or(u64::MAX, |above| !above),
            bytes,
        }
    }

    /// The number that holds so far behind the first break point.
    pub(super) fn find(&self, behind: u128) -> u64 {
        let place = behind >> self.shift;
        let shelf = usize::try_from(place >> self.lower_bits).unwrap_or(usize::MAX);
        let ends = self.shelves.get(shelf..).and_then(<[u16]>::first_chunk);
        let shelf = match (ends, self.shelves.last()) {
            (Some(&[start, end]), _) => start..end,
            // Behind the last one.
            (None, Some(&count)) => count..count,
            (None, None) => return 0,
        };
        let lower = place & self.lower_mask;
        let (mut after, mut end) = (usize::from(shelf.start), usize::from(shelf.end));
        while after < end {
            let middle = after.midpoint(end);
            if self.lower(middle).is_some_and(|it| it <= lower) {
                after = middle + 1;
            } else {
                end = middle;
            }
        }
        let value = after.checked_sub(1).and_then(|it| self.value(it));
        value.unwrap_or(0)
    }

    fn lower(&self, index: usize) -> Option<u128> {
        let (lower, value) = self.widths;
        let bytes = self.bytes.get(index * (lower + value)..)?;
        let number = u128::from_le_bytes(*bytes.first_chunk()?);
        Some(number & self.lower_mask)
    }

    fn value(&self, index: usize) -> Option<u64> {
        let (lower, value) = self.widths;
        let bytes = self.bytes.get(index * (lower + value) + lower..)?;
        let number = u64::from_le_bytes(*bytes.first_chunk()?);
        Some(number & self.value_mask)
    }
}

/// How many bits a number has.
pub(super) fn bits(number: u128) -> u32 {
    u128::BITS - number.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_put_in_is_found(
            mut points in proptest::collection::btree_map(any::<u128>(), any::<u64>(), 0..90),
            shift in 0_u32..128,
            value_bits in 0_u32..64,
        ) {
            points.insert(0, 7);
            let narrow: std::collections::BTreeMap<u128, u64> = points
                .into_iter()
                .map(|(behind, value)| (behind >> shift, value >> value_bits))
                .collect();
            let all: Vec<_> = narrow.into_iter().collect();
            let kept = Points::of(&all);
            for (place, (behind, value)) in all.iter().enumerate() {
                prop_assert_eq!(kept.find(*behind), *value);
                let next = all.get(place + 1).map_or(u128::MAX, |it| it.0 - 1);
                prop_assert_eq!(kept.find(next), *value);
            }
        }
    }
}

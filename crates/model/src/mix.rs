//! A quick hash for tables that are asked often. Others choose much of what is hashed: packets, names,
//! addresses. So the hash begins with secret numbers, and nobody can choose things that meet in one
//! place. They differ from run to run, as the order of such a table does.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes [`Mixer`]s that begin alike: `HashMap<K, V, Mix>`.
#[derive(Clone, Debug)]
pub struct Mix {
    secret: u64,
    factor: u64,
}

impl Default for Mix {
    fn default() -> Self {
        let random = RandomState::new();
        Self {
            secret: random.hash_one(0),
            factor: random.hash_one(1) | 1,
        }
    }
}

impl BuildHasher for Mix {
    type Hasher = Mixer;

    #[inline]
    fn build_hasher(&self) -> Mixer {
        Mixer {
            state: self.secret,
            factor: self.factor,
        }
    }
}

/// See [`Mix`].
#[derive(Debug)]
pub struct Mixer {
    state: u64,
    factor: u64,
}

impl Mixer {
    /// Both halves of a product depend on all bits of both numbers.
    #[inline]
    fn fold(&mut self, number: u64) {
        let product = u128::from(self.state ^ number) * u128::from(self.factor);
        let low = u64::try_from(product & u128::from(u64::MAX)).unwrap_or(0);
        let high = u64::try_from(product >> 64).unwrap_or(0);
        self.state = low ^ high ^ number.rotate_left(29);
    }
}

impl Hasher for Mixer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.fold(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            // The length tells what ends in zeros from what is shorter.
            let length = u64::try_from(rest.len()).unwrap_or(0) << 56;
            let bytes = rest.iter().rev();
            self.fold(bytes.fold(0, |word, byte| word << 8 | u64::from(*byte)) | length);
        }
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.fold(number.into());
    }

    #[inline]
    fn write_u16(&mut self, number: u16) {
        self.fold(number.into());
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.fold(number.into());
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.fold(number);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.fold(u64::try_from(number).unwrap_or(0));
    }

    #[inline]
    fn write_isize(&mut self, number: isize) {
        self.write(&number.to_le_bytes());
    }

    #[inline]
    fn finish(&self) -> u64 {
        let mut last = Self { ..*self };
        last.fold(self.factor);
        last.state
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::Hash;

    use super::*;

    fn check<T: Hash>(things: impl Iterator<Item = T>, count: usize) {
        let mix = Mix::default();
        let hashes: Vec<_> = things.map(|thing| mix.hash_one(thing)).collect();
        let all: HashSet<_> = hashes.iter().collect();
        assert_eq!(all.len(), count);
        // A table takes the place from the lowest bits, and seven of the highest to tell neighbours.
        for (shift, places) in [(0, 1024), (57, 128)] {
            let mut filled = vec![0_usize; places];
            for hash in &hashes {
                filled[usize::try_from(hash >> shift).unwrap() % places] += 1;
            }
            let most = filled.iter().max().unwrap();
            assert!(*most < 2 * count / places + 32, "{most} in one place");
        }
    }

    #[test]
    fn what_is_alike_goes_to_different_places() {
        check(0_u64..20_000, 20_000);
        check((0_u64..20_000).map(|number| number << 40), 20_000);
        check((0_u32..20_000).map(u32::to_be_bytes), 20_000);
        check((0_usize..2_000).map(|length| vec![0_u8; length]), 2_000);
        check(
            (0_u16..20_000).map(|number| format!("{number}.example.com")),
            20_000,
        );
        check(
            (0_u16..20_000).map(|port| (Some(port), 6_u8, None::<u32>)),
            20_000,
        );
    }

    #[test]
    fn each_table_has_secrets_of_its_own() {
        assert_ne!(Mix::default().hash_one(7), Mix::default().hash_one(7));
    }
}

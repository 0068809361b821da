//! A quick hash for the table that is asked for every packet. Who sends packets chooses what is
//! hashed, so the hash begins with a secret number: nobody can choose packets that meet in one place.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// Makes [`Mixer`]s that begin alike.
#[derive(Clone, Debug)]
pub(super) struct Mix {
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

#[derive(Debug)]
pub(super) struct Mixer {
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
        for byte in rest {
            self.fold(u64::from(*byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.fold(number);
    }

    #[inline]
    fn finish(&self) -> u64 {
        let mut last = Self { ..*self };
        last.fold(self.factor);
        last.state
    }
}

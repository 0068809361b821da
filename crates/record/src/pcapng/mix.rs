//! A quick hash for tables that are asked for every packet. What is hashed comes from outside, so it
//! begins with a secret number: nobody can choose keys that meet in one place.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// Makes [`Mixer`]s that begin alike.
#[derive(Clone, Debug)]
pub(super) struct Mix {
    secret: u64,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            secret: RandomState::new().hash_one(0),
        }
    }
}

impl BuildHasher for Mix {
    type Hasher = Mixer;

    fn build_hasher(&self) -> Mixer {
        Mixer {
            state: self.secret,
            secret: self.secret | 1,
        }
    }
}

#[derive(Debug)]
pub(super) struct Mixer {
    state: u64,
    secret: u64,
}

impl Mixer {
    /// Both halves of a product depend on all bits of both numbers.
    #[inline]
    fn fold(&mut self, number: u64) {
        // The digits of pi, as many such functions have them.
        const ODD: u64 = 0x243f_6a88_85a3_08d3;
        let product = u128::from(self.state ^ number) * u128::from(self.secret ^ ODD << 1);
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
    fn write_u32(&mut self, number: u32) {
        self.fold(u64::from(number));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.fold(number);
    }

    #[inline]
    fn finish(&self) -> u64 {
        let mut last = Self { ..*self };
        last.fold(self.secret);
        last.state
    }
}

/// For keys that are such a hash already.
#[derive(Clone, Debug, Default)]
pub(super) struct Mixed;

impl BuildHasher for Mixed {
    type Hasher = AsItIs;

    fn build_hasher(&self) -> AsItIs {
        AsItIs(0)
    }
}

#[derive(Debug)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

//! Dice that fall the same each time, for tests.

use super::regularity::count;

/// Steps between 0 and 1 that look random.
pub(super) fn random(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        count(usize::try_from(state >> 40).unwrap_or(0)) / count(1 << 24)
    }
}

//! Where the values of a row lie: its least, its quartiles and its most.

use std::time::Duration;

/// At least one value; by the nearest of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spread {
    pub(super) least: u64,
    pub(super) low: u64,
    pub(super) middle: u64,
    pub(super) high: u64,
    pub(super) most: u64,
}

impl Spread {
    /// Of values in order. `None`: there are none.
    pub(super) fn of(sorted: &[u64]) -> Option<Self> {
        let last = sorted.len().checked_sub(1)?;
        let at = |quarter: usize| sorted.get((last * quarter + 2) / 4).copied();
        Some(Self {
            least: at(0)?,
            low: at(1)?,
            middle: at(2)?,
            high: at(3)?,
            most: at(4)?,
        })
    }

    /// Half the distance of the quartiles, in hundredths of the middle. `None`: the middle is 0.
    pub(super) fn jitter(&self) -> Option<u64> {
        let half = u128::from(self.high - self.low) * 50;
        let middle = u128::from(self.middle);
        let hundredths = (half + middle / 2).checked_div(middle)?;
        Some(u64::try_from(hundredths).unwrap_or(u64::MAX))
    }
}

/// Nanoseconds.
pub(super) fn length(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

pub(super) fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_values_of_the_row() {
        let row: Vec<u64> = (1..=9).collect();
        let spread = Spread::of(&row).unwrap();
        assert_eq!((spread.low, spread.middle, spread.high), (3, 5, 7));
        assert_eq!(spread.jitter(), Some(40));
        assert_eq!(Spread::of(&[]), None);
        let one = Spread::of(&[0]).unwrap();
        assert_eq!((one.least, one.most, one.jitter()), (0, 0, None));
    }
}

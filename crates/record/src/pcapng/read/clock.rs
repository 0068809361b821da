//! What an interface says of the times of its packets.

use model::{LinkType, Timestamp};

/// How an interface counts time, and what its packets begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) link: LinkType,
    /// Packets are cut after so many bytes. 0: they are not.
    pub(super) most: u32,
    pub(super) units: Units,
    pub(super) offset_seconds: i64,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Units {
    Nanoseconds,
    /// So many of them are a second.
    PerSecond(u128),
    /// More than we can count.
    TooSmall,
}

/// The first bit says whether it is a power of 2 or of 10 (draft-ietf-opsawg-pcapng, 4.2).
pub(super) fn units(resolution: u8) -> Units {
    if resolution == 9 {
        return Units::Nanoseconds;
    }
    let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
    let units = base.checked_pow(u32::from(resolution & 0x7f));
    units.map_or(Units::TooSmall, Units::PerSecond)
}

impl Clock {
    pub(super) fn time(&self, high: u32, low: u32) -> Option<Timestamp> {
        let count = u64::from(high) << 32 | u64::from(low);
        let nanos = match self.units {
            Units::Nanoseconds => count,
            Units::PerSecond(units) => {
                let nanos = u128::from(count).checked_mul(1_000_000_000)? / units;
                u64::try_from(nanos).ok()?
            }
            Units::TooSmall => return None,
        };
        let offset = self.offset_seconds.checked_mul(1_000_000_000)?;
        let nanos = i64::try_from(nanos).ok()?.checked_add(offset)?;
        Some(Timestamp::from_unix_nanos(nanos))
    }
}

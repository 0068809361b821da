//! What a pcapng file says of an interface: what its packets begin with, how it counts time, how many
//! packets it lost.

use super::super::fields::Fields;

const RESOLUTION: u16 = 9;
const OFFSET: u16 = 14;
const COMMENT: u16 = 1;
const LOST_BY_INTERFACE: u16 = 5;
const LOST_BY_SYSTEM: u16 = 7;

#[derive(Clone, Copy, Debug)]
pub(super) struct Interface {
    pub(super) link: u16,
    /// Packets are cut after so many bytes. 0: they are not.
    pub(super) most: u32,
    units: Units,
    offset_seconds: i64,
    lost: Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Units {
    /// Each is so many nanoseconds.
    Nanoseconds(u64),
    /// So many of them are a second.
    PerSecond(u128),
    /// More than we can count.
    TooSmall,
}

/// Packets that were lost since the beginning.
#[derive(Clone, Copy, Debug, Default)]
struct Lost {
    count: u64,
    /// The number is that of all interfaces of its network namespace together.
    of_all: bool,
}

impl Interface {
    /// `None`: cut.
    pub(super) fn of(mut body: Fields<'_>) -> Option<Self> {
        let link = body.u16()?;
        body.u16()?;
        let mut interface = Self {
            link,
            most: body.u32()?,
            units: Units::Nanoseconds(1000),
            offset_seconds: 0,
            lost: Lost::default(),
        };
        for (code, mut value) in body.options() {
            match (code, value.bytes) {
                (RESOLUTION, [resolution]) => interface.units = units(*resolution),
                (OFFSET, _) => {
                    if let Some(offset) = value.u64() {
                        interface.offset_seconds = offset.cast_signed();
                    }
                }
                _ => {}
            }
        }
        Some(interface)
    }

    /// `None`: no time of our calendar.
    #[inline]
    pub(super) fn time(&self, high: u32, low: u32) -> Option<i64> {
        let count = u64::from(high) << 32 | u64::from(low);
        let nanos = match self.units {
            Units::Nanoseconds(each) => count.checked_mul(each)?,
            Units::PerSecond(units) => {
                let nanos = u128::from(count).checked_mul(1_000_000_000)? / units;
                u64::try_from(nanos).ok()?
            }
            Units::TooSmall => return None,
        };
        let offset = self.offset_seconds.checked_mul(1_000_000_000)?;
        i64::try_from(nanos).ok()?.checked_add(offset)
    }

    /// Takes its counts (draft-ietf-opsawg-pcapng, 4.6): the later ones hold. `None`: cut.
    pub(super) fn count(&mut self, mut body: Fields<'_>) -> Option<()> {
        body.u64()?;
        let mut lost = Lost::default();
        for (code, mut value) in body.options() {
            match code {
                LOST_BY_INTERFACE | LOST_BY_SYSTEM => {
                    lost.count = lost.count.saturating_add(value.u64().unwrap_or(0));
                }
                COMMENT => {
                    let words = value.bytes.split(|byte| *byte == b' ');
                    lost.of_all |= words.into_iter().any(|word| word == b"counts=namespace");
                }
                _ => {}
            }
        }
        self.lost = lost;
        Some(())
    }
}

/// How many packets all of them lost.
pub(super) fn lost(interfaces: &[Interface]) -> u64 {
    let each = interfaces.iter().filter(|it| !it.lost.of_all);
    let together = interfaces.iter().filter(|it| it.lost.of_all);
    let together = together.map(|it| it.lost.count).max().unwrap_or(0);
    each.fold(together, |sum, it| sum.saturating_add(it.lost.count))
}

/// The first bit says whether it is a power of 2 or of 10 (draft-ietf-opsawg-pcapng, 4.2).
fn units(resolution: u8) -> Units {
    if let Some(power) = 9_u32.checked_sub(resolution.into()) {
        return Units::Nanoseconds(10_u64.pow(power));
    }
    let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
    let units = base.checked_pow(u32::from(resolution & 0x7f));
    units.map_or(Units::TooSmall, Units::PerSecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(resolution: u8, offset: i64) -> Interface {
        let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([9, 0, 1, 0, resolution, 0, 0, 0, 14, 0, 8, 0]);
        bytes.extend(offset.to_le_bytes());
        let body = Fields {
            bytes: &bytes,
            is_big_endian: false,
        };
        Interface::of(body).expect("whole")
    }

    #[test]
    fn times_are_in_the_units_of_their_interface() {
        let check = |resolution, offset, count: u64, expected| {
            let high = u32::try_from(count >> 32).expect("32 bits");
            let low = u32::try_from(count & 0xffff_ffff).expect("32 bits");
            let time = interface(resolution, offset).time(high, low);
            assert_eq!(time, expected, "{resolution} {count}");
        };
        check(6, 0, 1_500_000, Some(1_500_000_000));
        check(9, 0, 1_500_000, Some(1_500_000));
        check(0, 0, 7, Some(7_000_000_000));
        check(12, 0, 1_500_000, Some(1_500));
        check(0x80 | 10, 0, 512, Some(500_000_000));
        check(6, -2, 1_500_000, Some(-500_000_000));
        check(6, i64::MAX, 0, None);
        check(0, 0, u64::MAX, None);
        check(0x7f, 0, 1, None);
    }
}

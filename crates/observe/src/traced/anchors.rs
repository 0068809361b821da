//! From the wall clock, by which events are told, to the time since boot. The clock may be set meanwhile, and
//! it is not written down whether Windows tells events of a session by the clock as it is or as it was when
//! the session began. So both are tried: what has come is not of the future, and not old.

use model::Timestamp;

/// Events come within this, mostly, in nanoseconds.
const FRESH: u64 = 3_000_000_000;
/// The two clocks run apart by less than this unless one of them is set, and are read in steps of 16 ms.
const SLIGHT: u64 = 50_000_000;

/// When the computer was started, by the wall clock as it was: at the beginning, before it was last set, and
/// now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchors {
    first: Timestamp,
    former: Timestamp,
    last: Timestamp,
}

impl Anchors {
    pub(crate) fn new(boot_time: Timestamp) -> Self {
        Self {
            first: boot_time,
            former: boot_time,
            last: boot_time,
        }
    }

    /// Compares both clocks; to be done again and again. `now`: nanoseconds since boot.
    pub(crate) fn set(&mut self, wall: Timestamp, now: u64) {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let boot_time = Timestamp::from_unix_nanos(wall.unix_nanos().saturating_sub(now));
        let apart = boot_time.unix_nanos().abs_diff(self.last.unix_nanos());
        if apart > SLIGHT {
            (self.former, self.last) = (self.last, boot_time);
        }
    }

    /// Nanoseconds since boot of an event that has come now; never later than that.
    pub(crate) fn since_boot(&self, time: Timestamp, now: u64) -> u64 {
        let at = |boot_time: Timestamp| {
            let since = time.unix_nanos().saturating_sub(boot_time.unix_nanos());
            u64::try_from(since).unwrap_or_default()
        };
        let last = at(self.last);
        let is_fresh = last <= now.saturating_add(SLIGHT) && now.saturating_sub(last) <= FRESH;
        let best = if is_fresh {
            last
        } else {
            let all = [last, at(self.former), at(self.first)];
            let nearest = all.into_iter().min_by_key(|it| it.abs_diff(now));
            nearest.unwrap_or(last)
        };
        best.min(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const HOUR: i64 = 3_600_000_000_000;

    fn wall(since: u64, set_by: i64) -> Timestamp {
        Timestamp::from_unix_nanos(1_000 * HOUR + set_by + i64::try_from(since).unwrap())
    }

    fn anchors() -> Anchors {
        Anchors::new(wall(0, 0))
    }

    #[test]
    fn a_clock_that_is_set_moves_no_event() {
        for set_by in [-HOUR, HOUR, -5_000_000_000, 5_000_000_000] {
            let mut anchors = anchors();
            // By the clock as it is, before and after it was noticed, and as it was at the beginning.
            let (at, now) = (100 * SECOND, 101 * SECOND);
            assert_eq!(anchors.since_boot(wall(at, 0), now), at);
            anchors.set(wall(now, set_by), now);
            assert_eq!(anchors.since_boot(wall(at, set_by), now), at, "{set_by}");
            assert_eq!(anchors.since_boot(wall(at, 0), now), at, "{set_by}");
            // And set back.
            anchors.set(wall(now, 0), now);
            assert_eq!(anchors.since_boot(wall(at, set_by), now), at, "{set_by}");
        }
    }

    #[test]
    fn nothing_is_of_the_future_and_what_is_old_stays_so() {
        let mut anchors = anchors();
        assert_eq!(anchors.since_boot(wall(9 * SECOND, 0), SECOND), SECOND);
        assert_eq!(anchors.since_boot(wall(0, -HOUR), SECOND), 0);
        let (old, now) = (2 * SECOND, 60 * SECOND);
        assert_eq!(anchors.since_boot(wall(old, 0), now), old);
        // Steps in which the clock is read are none of it.
        anchors.set(wall(now, 16_000_000), now);
        assert_eq!(anchors.since_boot(wall(now - 5, 0), now), now - 5);
    }
}

//! The clocks of this computer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Now, in UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where wall-clock time enters evidence"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_unix_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// When the computer started, suspend counted, as of the wall clock now. One per run, so that all
/// times of a run share one offset.
pub(crate) fn boot_time() -> Timestamp {
    let up = clock_gettime(ClockId::Boottime);
    let up = Duration::new(
        up.tv_sec.unsigned_abs(),
        u32::try_from(up.tv_nsec).unwrap_or(0),
    );
    let up = i64::try_from(up.as_nanos()).unwrap_or(0);
    Timestamp::from_unix_nanos(now().unix_nanos().saturating_sub(up))
}

/// The clocks at one moment, in nanoseconds, to tell later what happened to them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    pub(crate) wall: i64,
    pub(crate) boot: i64,
    pub(crate) monotonic: i64,
}

impl Clocks {
    pub(crate) fn now() -> Self {
        let nanos = |clock| {
            let time = clock_gettime(clock);
            time.tv_sec.saturating_mul(1_000_000_000) + time.tv_nsec
        };
        Self {
            wall: now().unix_nanos(),
            boot: nanos(ClockId::Boottime),
            monotonic: nanos(ClockId::Monotonic),
        }
    }

    /// How long the computer slept in between, in nanoseconds.
    pub(crate) fn slept_since(&self, before: &Self) -> i64 {
        (self.boot - self.monotonic) - (before.boot - before.monotonic)
    }

    /// By how much the wall clock was set in between, in nanoseconds; forward is positive.
    pub(crate) fn stepped_since(&self, before: &Self) -> i64 {
        (self.wall - self.boot) - (before.wall - before.boot)
    }
}

//! The clocks, the zone they are shown in, and whether anybody steers them.

use std::mem;
use std::time::Duration;

use model::{Clock, Text, Timestamp};

use super::{link, read};
use crate::linux::clock::Clocks;

/// include/uapi/linux/timex.h
const STA_UNSYNC: libc::c_int = 0x40;

pub(crate) fn clock() -> Clock {
    let clocks = Clocks::now();
    let since = |nanos: i64| Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
    let (is_synchronized, error) = steering();
    Clock {
        now: Timestamp::from_unix_nanos(clocks.wall),
        boot_time: Timestamp::from_unix_nanos(clocks.wall.saturating_sub(clocks.boot)),
        up: since(clocks.boot),
        // They are not read at the same moment.
        awake: since(clocks.monotonic.min(clocks.boot)),
        zone: zone(),
        offset_seconds: offset_seconds(clocks.wall.div_euclid(1_000_000_000)),
        is_synchronized,
        error,
    }
}

/// The name of the zone, as localtime(5) has it or Debian's file.
fn zone() -> Option<Text> {
    let of_link = link("/etc/localtime").and_then(|path| {
        let path = path.lossy().into_owned();
        path.split_once("/zoneinfo/")
            .map(|(_, zone)| Text::from(zone))
    });
    of_link.or_else(|| {
        let file = read("/etc/timezone").ok()?;
        let zone = file.trim_ascii();
        (!zone.is_empty()).then(|| zone.into())
    })
}

/// How far local time is ahead of UTC at that time. `None`: it cannot be told.
#[expect(unsafe_code, reason = "the standard library knows no time zones")]
fn offset_seconds(unix: i64) -> Option<i32> {
    let time: libc::time_t = unix;
    // SAFETY: `tm` is numbers and a pointer, of all of which 0 is a value.
    let mut parts: libc::tm = unsafe { mem::zeroed() };
    // SAFETY: both pointers are to values that outlive the call, which keeps neither; no thread of
    // ours changes the environment, which it reads.
    let told = unsafe { libc::localtime_r(&raw const time, &raw mut parts) };
    if told.is_null() {
        return None;
    }
    i32::try_from(parts.tm_gmtoff).ok()
}

/// Whether a time service has told the kernel that it steers the clock, and how far off that may be.
#[expect(unsafe_code, reason = "rustix has no adjtimex")]
fn steering() -> (Option<bool>, Option<Duration>) {
    // SAFETY: `timex` is numbers; with `modes` 0 nothing is changed.
    let mut asked: libc::timex = unsafe { mem::zeroed() };
    // SAFETY: the pointer is to a value that outlives the call, which does not keep it.
    let state = unsafe { libc::adjtimex(&raw mut asked) };
    if state < 0 {
        return (None, None);
    }
    let is_synchronized = asked.status & STA_UNSYNC == 0;
    let error = u64::try_from(asked.maxerror)
        .ok()
        .map(Duration::from_micros);
    (Some(is_synchronized), error.filter(|_| is_synchronized))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn clocks_agree() {
        let clock = clock();
        assert!(clock.up >= clock.awake && clock.awake > Duration::ZERO);
        assert_eq!(clock.boot_time.until(clock.now), clock.up);
        assert!(clock.is_synchronized.is_some());
    }

    #[test]
    fn the_zone_is_the_one_that_date_shows() {
        let Ok(date) = Command::new("date")
            .args(["-d", "@1795386000", "+%z"])
            .output()
        else {
            return;
        };
        let text = String::from_utf8(date.stdout).unwrap();
        let number: i32 = text.trim().parse().unwrap();
        let seconds = number / 100 * 3600 + number % 100 * 60;
        assert_eq!(offset_seconds(1_795_386_000), Some(seconds));
    }
}

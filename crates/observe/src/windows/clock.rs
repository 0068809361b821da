//! The clocks of this computer, and its time zone.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::time::Duration;

use model::{Clock, Timestamp};
use windows_sys::Win32::System::Time::{
    DYNAMIC_TIME_ZONE_INFORMATION, GetDynamicTimeZoneInformation, TIME_ZONE_ID_INVALID,
};

use super::host::boot_nanos;
use super::library::Library;
use super::process::text;

pub(crate) fn clock() -> Clock {
    /// What [`GetDynamicTimeZoneInformation`] says in summer, where there is one.
    const DAYLIGHT: u32 = 2;
    const STANDARD: u32 = 1;

    let (now, up) = (super::now(), boot_nanos());
    let mut zone = DYNAMIC_TIME_ZONE_INFORMATION::default();
    // SAFETY: `zone` outlives the call.
    let season = unsafe { GetDynamicTimeZoneInformation(&raw mut zone) };
    let is_told = season != TIME_ZONE_ID_INVALID;
    let more = match season {
        DAYLIGHT => zone.DaylightBias,
        STANDARD => zone.StandardBias,
        _ => 0,
    };
    // How far it is behind UTC, in minutes.
    let bias = zone.Bias.saturating_add(more);
    let since = i64::try_from(up).unwrap_or_default();
    Clock {
        now,
        boot_time: Timestamp::from_unix_nanos(now.unix_nanos().saturating_sub(since)),
        up: Duration::from_nanos(up),
        awake: awake().unwrap_or(Duration::from_nanos(up)),
        zone: is_told
            .then(|| text(&zone.TimeZoneKeyName))
            .filter(|it| !it.is_empty()),
        offset_seconds: is_told.then(|| bias.saturating_mul(-60)),
        is_synchronized: None,
        error: None,
    }
}

type UnbiasedTime = unsafe extern "system" fn(*mut u64) -> i32;

/// Without sleep. `None`: it is not told.
fn awake() -> Option<Duration> {
    let library = Library::of_system("kernel32.dll")?;
    let ask = library.function(c"QueryUnbiasedInterruptTime")?;
    // SAFETY: it is the function of this name, whose type is that of realtimeapiset.h.
    let ask: UnbiasedTime = unsafe { std::mem::transmute(ask) };
    let mut ticks = 0;
    // SAFETY: `ticks` outlives the call.
    let is_told = unsafe { ask(&raw mut ticks) };
    // In units of 100 ns.
    (is_told != 0).then(|| Duration::from_nanos(ticks.saturating_mul(100)))
}

//! Which computer this is, and since when it runs.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::ffi::c_void;
use std::ptr::null_mut;

use model::{BootId, Host, Text};
use sha2::{Digest, Sha256};
use windows_sys::Win32::System::SystemInformation::GetTickCount64;

use super::library::Library;

pub(super) fn host() -> Host {
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update(&name);
    hash.update(boot_time().unwrap_or_default().to_le_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    Host {
        name: Text::from(name),
        boot: BootId(hash.first_chunk().copied().unwrap_or_default()),
    }
}

/// Nanoseconds since boot, suspend included; in steps of some 15 ms.
pub(super) fn boot_nanos() -> u64 {
    // SAFETY: nothing is passed.
    unsafe { GetTickCount64() }.saturating_mul(1_000_000)
}

/// `SYSTEM_TIMEOFDAY_INFORMATION` (class 3 of `NtQuerySystemInformation`), times in units of 100 ns.
#[repr(C)]
#[derive(Default)]
struct TimeOfDay {
    boot_time: i64,
    current_time: i64,
    zone_bias: i64,
    zone: u32,
    reserved: u32,
    /// By how much the clock was set since.
    boot_time_bias: u64,
    sleep_time_bias: u64,
}

type QuerySystem = unsafe extern "system" fn(i32, *mut c_void, u32, *mut u32) -> i32;

/// When the computer was started, by the clock as it was then: the same as long as it runs. `None`: it is
/// not told, and one boot cannot be told from another.
fn boot_time() -> Option<i64> {
    const CLASS: i32 = 3;

    let query = Library::of_system("ntdll.dll")?.function(c"NtQuerySystemInformation")?;
    // SAFETY: it is the function of this name, whose type is that of winternl.h.
    let query: QuerySystem = unsafe { std::mem::transmute(query) };
    let mut time = TimeOfDay::default();
    let size = u32::try_from(size_of::<TimeOfDay>()).ok()?;
    // SAFETY: `time` has `size` bytes to write to, and a length is not asked for.
    let status = unsafe { query(CLASS, (&raw mut time).cast(), size, null_mut()) };
    (status == 0).then(|| time.boot_time.wrapping_sub_unsigned(time.boot_time_bias))
}

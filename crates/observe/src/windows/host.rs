//! Which computer this is, and since when it runs.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use model::{BootId, Host, Text};
use sha2::{Digest, Sha256};
use windows_sys::Win32::System::SystemInformation::GetTickCount64;

use super::native::boot_time;

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

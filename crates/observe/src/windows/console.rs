//! Whose the console is.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use windows_sys::Win32::System::Console::GetConsoleProcessList;

/// Nobody else is at it.
pub(crate) fn is_own() -> bool {
    let mut pids = [0; 2];
    // SAFETY: `pids` has room for two numbers, and outlives the call.
    unsafe { GetConsoleProcessList(pids.as_mut_ptr(), 2) == 1 }
}

//! The threads of the computer, as the snapshot of the tool help library lists them.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::collections::HashMap;

use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
};

use super::handle::Handle;

/// So many threads of the whole computer are listed.
const MOST_THREADS: usize = 200_000;

/// By process. `None`: Windows does not list them.
pub(super) fn threads() -> Option<HashMap<u32, Vec<u32>>> {
    // SAFETY: no pointers.
    let list = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) };
    let list = Handle::own(list)?;
    let mut entry = THREADENTRY32 {
        dwSize: u32::try_from(size_of::<THREADENTRY32>()).ok()?,
        ..THREADENTRY32::default()
    };
    let mut threads: HashMap<u32, Vec<u32>> = HashMap::new();
    // SAFETY: `entry` outlives the call and tells its size.
    let mut more = unsafe { Thread32First(list.raw(), &raw mut entry) };
    for _ in 0..MOST_THREADS {
        if more == 0 {
            break;
        }
        let of_it = threads.entry(entry.th32OwnerProcessID).or_default();
        of_it.push(entry.th32ThreadID);
        // SAFETY: as above.
        more = unsafe { Thread32Next(list.raw(), &raw mut entry) };
    }
    Some(threads)
}

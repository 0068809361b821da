//! Which services a process runs: one `svchost.exe` may run many.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::collections::HashMap;
use std::io;
use std::ptr::null;

use model::{Process, Text};
use windows_sys::Win32::Foundation::{ERROR_MORE_DATA, GetLastError};
use windows_sys::Win32::System::Services::{
    CloseServiceHandle, EnumServicesStatusExW, OpenSCManagerW, SC_ENUM_PROCESS_INFO, SC_HANDLE,
    SC_MANAGER_ENUMERATE_SERVICE, SERVICE_ACTIVE, SERVICE_WIN32,
};

use crate::parse::windows_memory::Memory;
use crate::parse::windows_services::services;

/// As much as one call can fill, in numbers of 64 bits.
const ROOM: usize = 256 * 1024 / 8;
/// So often it goes on where it stopped.
const MOST_CALLS: usize = 32;

/// Writes the services of each process into its unit: `Dnscache, LanmanServer`.
///
/// Errors: they are not told.
pub(super) fn name(processes: &mut [Process]) -> io::Result<()> {
    let mut by_pid: HashMap<u32, Vec<Text>> = HashMap::new();
    for (pid, name) in running()? {
        by_pid.entry(pid).or_default().push(name);
    }
    for process in processes {
        process.unit = by_pid.get_mut(&process.id.pid).map(|names| {
            names.sort();
            let names: Vec<_> = names.iter().map(Text::lossy).collect();
            Text::from(names.join(", "))
        });
    }
    Ok(())
}

struct Manager(SC_HANDLE);

impl Drop for Manager {
    fn drop(&mut self) {
        // SAFETY: it is open, and nobody uses it afterwards.
        unsafe { CloseServiceHandle(self.0) };
    }
}

fn running() -> io::Result<Vec<(u32, Text)>> {
    // SAFETY: no names: this computer, and the services that run.
    let manager = unsafe { OpenSCManagerW(null(), null(), SC_MANAGER_ENUMERATE_SERVICE) };
    if manager.is_null() {
        return Err(io::Error::last_os_error());
    }
    let manager = Manager(manager);
    let (mut found, mut resume) = (Vec::new(), 0);
    let mut room = vec![0_u64; ROOM];
    let size = u32::try_from(size_of_val(room.as_slice())).map_err(io::Error::other)?;
    for _ in 0..MOST_CALLS {
        let (mut missing, mut count) = (0, 0);
        // SAFETY: the handle is open; `room` has `size` bytes to write to, and all outlive the call.
        let is_all = unsafe {
            EnumServicesStatusExW(
                manager.0,
                SC_ENUM_PROCESS_INFO,
                SERVICE_WIN32,
                SERVICE_ACTIVE,
                room.as_mut_ptr().cast(),
                size,
                &raw mut missing,
                &raw mut count,
                &raw mut resume,
                null(),
            )
        };
        // SAFETY: nothing is passed.
        let error = unsafe { GetLastError() };
        if is_all == 0 && error != ERROR_MORE_DATA {
            return Err(io::Error::from_raw_os_error(error.cast_signed()));
        }
        let bytes: Vec<u8> = room.iter().flat_map(|it| it.to_le_bytes()).collect();
        let memory = Memory {
            bytes: &bytes,
            base: u64::try_from(room.as_ptr().addr()).map_err(io::Error::other)?,
        };
        found.extend(services(
            memory,
            usize::try_from(count).unwrap_or(usize::MAX),
        ));
        if is_all != 0 {
            return Ok(found);
        }
        // Nothing fits any more: it would go on for ever.
        if count == 0 {
            break;
        }
    }
    Err(io::Error::other("there are more than can be read"))
}

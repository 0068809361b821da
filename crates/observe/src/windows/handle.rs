//! Processes, threads and other things of the system that are held open, and let go of when nobody needs them
//! any more.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::io;
use std::ptr::null_mut;

use model::Untested;
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, HANDLE,
    INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetProcessIdOfThread, OpenProcess, OpenProcessToken, OpenThread,
};

#[derive(Debug)]
pub(super) struct Handle(HANDLE);

impl Handle {
    /// Takes over one that nobody else closes. `None`: it is none.
    pub(super) fn own(handle: HANDLE) -> Option<Self> {
        (!handle.is_null() && handle != INVALID_HANDLE_VALUE).then_some(Self(handle))
    }

    /// As long as it is held, its number is given to nobody else. `None`: [`last_error`] tells why.
    pub(super) fn of_process(pid: u32, rights: u32) -> Option<Self> {
        // SAFETY: no pointers are passed.
        Self::own(unsafe { OpenProcess(rights, 0, pid) })
    }

    /// `None`: [`last_error`] tells why.
    pub(super) fn of_thread(thread: u32, rights: u32) -> Option<Self> {
        // SAFETY: no pointers are passed.
        Self::own(unsafe { OpenThread(rights, 0, thread) })
    }

    /// Of a thread: the number of its process. 0: it is not told.
    pub(super) fn owner(&self) -> u32 {
        // SAFETY: the handle is open.
        unsafe { GetProcessIdOfThread(self.0) }
    }

    /// What tells whose rights a process has. `None`: it may not be asked.
    pub(super) fn token(&self, rights: u32) -> Option<Self> {
        token(self.0, rights)
    }

    /// The same of whocalls itself.
    pub(super) fn own_token(rights: u32) -> Option<Self> {
        // SAFETY: nothing is passed; the handle it gives need not be closed.
        token(unsafe { GetCurrentProcess() }, rights)
    }

    pub(super) fn raw(&self) -> HANDLE {
        self.0
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: it is open, was given to us to close, and is used by nobody afterwards.
        unsafe { CloseHandle(self.0) };
    }
}

/// `process` is open.
fn token(process: HANDLE, rights: u32) -> Option<Handle> {
    let mut token = null_mut();
    // SAFETY: the handle is open; `token` outlives the call.
    let is_open = unsafe { OpenProcessToken(process, rights, &raw mut token) };
    if is_open == 0 {
        return None;
    }
    Handle::own(token)
}

/// Why the last call of the system failed (winerror.h).
pub(super) fn last_error() -> u32 {
    let told = io::Error::last_os_error().raw_os_error();
    told.unwrap_or_default().cast_unsigned()
}

/// The same, for a check of a process.
pub(super) fn why_untested() -> Untested {
    match last_error() {
        ERROR_ACCESS_DENIED => Untested::NoRights,
        // Wine says the second of a thread that has just ended.
        ERROR_INVALID_PARAMETER | ERROR_INVALID_HANDLE => Untested::Ended,
        _ => Untested::Unreadable,
    }
}

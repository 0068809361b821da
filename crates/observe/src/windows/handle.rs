//! A handle of the system that is closed when nobody needs it any more.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use windows_sys::Win32::Foundation::{CloseHandle, HANDLE};

pub(super) struct Handle(HANDLE);

impl Handle {
    /// Of a handle that nobody else closes.
    pub(super) fn own(handle: HANDLE) -> Self {
        Self(handle)
    }

    pub(super) fn raw(&self) -> HANDLE {
        self.0
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: it was given to us to close, and is used by nobody afterwards.
        unsafe { CloseHandle(self.0) };
    }
}

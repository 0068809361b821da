//! How a recording is asked to end by another process: an event object with a name, which the recording makes
//! and waits for, and `record stop` sets. As nothing else is said of it, Windows lets the same user, the system
//! and, of a recording that an administrator began, administrators set it.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::io;
use std::ptr::null;

use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE, WAIT_OBJECT_0,
};
use windows_sys::Win32::System::Threading::{
    CreateEventW, EVENT_MODIFY_STATE, INFINITE, OpenEventW, SetEvent, WaitForSingleObject,
};

use super::handle::{Handle, last_error};
use super::wide::wide;

/// Whose names all sessions see, a scheduled task's too; and this session only.
const WHERE: [&str; 2] = ["Global", "Local"];

pub(super) struct StopEvent(Handle);

impl StopEvent {
    /// Of this process.
    ///
    /// Errors: of the system; also where somebody else has made it.
    pub(super) fn make(pid: u32, start_ticks: u64) -> io::Result<Self> {
        let mut failed = io::Error::from(io::ErrorKind::Unsupported);
        for name in names(pid, start_ticks) {
            // SAFETY: the name ends with a zero and outlives the call. Without attributes no child inherits it.
            let event = unsafe { CreateEventW(null(), 1, 0, name.as_ptr()) };
            let why = last_error();
            match Handle::own(event) {
                Some(event) if why != ERROR_ALREADY_EXISTS => return Ok(Self(event)),
                // Whoever made it could hear and keep back the wish.
                _ => failed = io::Error::from_raw_os_error(why.cast_signed()),
            }
        }
        Err(failed)
    }

    /// Until somebody sets it. False: it cannot be waited for.
    pub(super) fn wait(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(self.0.raw(), INFINITE) == WAIT_OBJECT_0 }
    }
}

/// Sets that of another process.
///
/// Errors: the number of the system (winerror.h); `ERROR_FILE_NOT_FOUND`: there is none.
pub(super) fn set(pid: u32, start_ticks: u64) -> Result<(), u32> {
    let mut result = Err(ERROR_FILE_NOT_FOUND);
    // Somebody else may have taken the first name: all are set.
    for name in names(pid, start_ticks) {
        match set_named(&name) {
            Ok(()) => result = Ok(()),
            // The second: something else has the name. Wine also says so where nothing has.
            Err(ERROR_FILE_NOT_FOUND | ERROR_INVALID_HANDLE) => {}
            // One that is there and may not be set is more than one that is not there.
            Err(other) => result = result.or(Err(other)),
        }
    }
    result
}

/// `name` ends with a zero.
fn set_named(name: &[u16]) -> Result<(), u32> {
    // SAFETY: the name ends with a zero and outlives the call.
    let event = unsafe { OpenEventW(EVENT_MODIFY_STATE, 0, name.as_ptr()) };
    let event = Handle::own(event).ok_or_else(last_error)?;
    // SAFETY: the handle is open.
    match unsafe { SetEvent(event.raw()) } {
        0 => Err(last_error()),
        _ => Ok(()),
    }
}

/// No other process has it, nor one that has the same number later.
fn names(pid: u32, start_ticks: u64) -> [Vec<u16>; 2] {
    WHERE.map(|place| wide(format!(r"{place}\whocalls-record-{pid}-{start_ticks}")))
}

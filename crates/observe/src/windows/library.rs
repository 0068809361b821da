//! Functions of Windows that not every version has. They are looked up while the program runs: a name
//! that the program itself imports, and that is missing, would keep it from starting.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::ffi::CStr;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::HMODULE;
use windows_sys::Win32::System::LibraryLoader::{
    GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LOAD_WITH_ALTERED_SEARCH_PATH, LoadLibraryExW,
};
use windows_sys::Win32::System::SystemInformation::GetSystemDirectoryW;

/// The longest path of the system's folder, in units of UTF-16.
const LONGEST_FOLDER: usize = 260;

/// A library of the system, loaded until the program ends.
#[derive(Clone, Copy)]
pub(super) struct Library(HMODULE);

impl Library {
    /// Loads it from the folder of the system and from nowhere else: a file of the same name beside
    /// the program is never run. `None`: this Windows has none.
    pub(super) fn of_system(name: &str) -> Option<Self> {
        let mut path = system_folder()?;
        path.push(u16::from(b'\\'));
        path.extend(name.encode_utf16());
        path.push(0);
        // What it needs itself is looked for there as well. A Windows 7 without its updates knows no such
        // wish; there it is looked for beside the library, which is the same folder.
        for flags in [LOAD_LIBRARY_SEARCH_SYSTEM32, LOAD_WITH_ALTERED_SEARCH_PATH] {
            // SAFETY: `path` ends with a zero and outlives the call.
            let module = unsafe { LoadLibraryExW(path.as_ptr(), null_mut(), flags) };
            if !module.is_null() {
                return Some(Self(module));
            }
        }
        None
    }

    /// The address of a function, to be transmuted to its type. `None`: this Windows has none.
    pub(super) fn function(self, name: &CStr) -> Option<unsafe extern "system" fn() -> isize> {
        // SAFETY: the library stays loaded; `name` ends with a zero and outlives the call.
        unsafe { GetProcAddress(self.0, name.as_ptr().cast()) }
    }
}

/// `System32` of this Windows, without a zero at its end.
pub(super) fn system_folder() -> Option<Vec<u16>> {
    let mut path = vec![0; LONGEST_FOLDER];
    let room = u32::try_from(path.len()).ok()?;
    // SAFETY: `path` has `room` units to write to.
    let length = unsafe { GetSystemDirectoryW(path.as_mut_ptr(), room) };
    let length = usize::try_from(length).ok()?;
    if length == 0 || length >= path.len() {
        return None;
    }
    path.truncate(length);
    Some(path)
}

//! What holds for all processes of one look: the threads of the computer, its windows, what was read of files.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::collections::HashMap;

use windows_sys::Win32::System::SystemInformation::GetSystemWindowsDirectoryW;

use super::code::Code;
use super::display::Displays;
use super::signature::Signatures;
use crate::windows::native;
use crate::windows::threads::threads;

pub(super) struct Kept {
    /// By process. `None`: Windows did not list them.
    threads: Option<HashMap<u32, Vec<u32>>>,
    pub(super) displays: Displays,
    pub(super) signatures: Signatures,
    pub(super) code: Code,
    /// `C:\Windows`. `None`: the system does not tell.
    pub(super) windows_folder: Option<String>,
    /// This is Wine and no Windows: some of its own programs are made otherwise.
    pub(super) is_wine: bool,
}

impl Kept {
    pub(super) fn read() -> Self {
        Self {
            threads: threads(),
            displays: Displays::read(),
            signatures: Signatures::open(),
            code: Code::default(),
            windows_folder: windows_folder(),
            is_wine: native::is_wine(),
        }
    }

    /// Threads, windows and files once more.
    pub(super) fn renew(&mut self) {
        self.code.forget();
        self.threads = threads();
        self.displays = Displays::read();
    }

    /// Of one process. `None`: not known.
    pub(super) fn threads(&self, pid: u32) -> Option<&[u32]> {
        let of_it = self.threads.as_ref()?.get(&pid)?;
        Some(of_it.as_slice())
    }
}

fn windows_folder() -> Option<String> {
    let mut path = vec![0_u16; 260];
    let room = u32::try_from(path.len()).ok()?;
    // SAFETY: `path` has `room` units to write to.
    let length = unsafe { GetSystemWindowsDirectoryW(path.as_mut_ptr(), room) };
    let path = path.get(..usize::try_from(length).ok()?)?;
    (!path.is_empty()).then(|| String::from_utf16_lossy(path))
}

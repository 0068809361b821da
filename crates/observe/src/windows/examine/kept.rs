//! What holds for all processes of one look: the threads of the computer, and the function that tells
//! where one began.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::collections::HashMap;
use std::ffi::c_void;

use model::Untested;
use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE, NTSTATUS};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
};

use windows_sys::Win32::System::SystemInformation::GetSystemWindowsDirectoryW;

use super::code::Code;
use super::display::Displays;
use super::signature::Signatures;
use super::subject::{Handle, Subject};
use crate::windows::library::Library;

/// So many threads of the whole computer are listed.
const MOST_THREADS: usize = 200_000;

/// `ProcessBasicInformation` (winternl.h, PROCESSINFOCLASS).
const BASIC: i32 = 0;

/// winternl.h.
pub(super) type QueryThread =
    unsafe extern "system" fn(HANDLE, i32, *mut c_void, u32, *mut u32) -> NTSTATUS;

type QueryProcess = unsafe extern "system" fn(HANDLE, i32, *mut c_void, u32, *mut u32) -> NTSTATUS;

/// `PROCESS_BASIC_INFORMATION` (winternl.h): what is asked stands second.
#[repr(C)]
#[derive(Default)]
struct Basic {
    status: usize,
    block: usize,
    others: [usize; 4],
}

pub(super) struct Kept {
    /// By process. `None`: Windows did not list them.
    threads: Option<HashMap<u32, Vec<u32>>>,
    pub(super) query_thread: Option<QueryThread>,
    pub(super) displays: Displays,
    pub(super) signatures: Signatures,
    pub(super) code: Code,
    query_process: Option<QueryProcess>,
    /// `C:\Windows`. `None`: the system does not tell.
    pub(super) windows_folder: Option<String>,
    /// This is Wine and no Windows: some of its own programs are made otherwise.
    pub(super) is_wine: bool,
}

impl Kept {
    pub(super) fn read() -> Self {
        Self {
            threads: threads(),
            query_thread: query_thread(),
            query_process: query_process(),
            displays: Displays::read(),
            signatures: Signatures::open(),
            code: Code::default(),
            windows_folder: windows_folder(),
            is_wine: is_wine(),
        }
    }

    /// Threads, windows and files once more.
    pub(super) fn renew(&mut self) {
        self.code.forget();
        self.threads = threads();
        self.displays = Displays::read();
    }

    /// Where the block of a process lies in its memory (PEB).
    pub(super) fn block_of(&self, subject: &Subject) -> Result<u64, Untested> {
        let query = self.query_process.ok_or(Untested::NotHere)?;
        let mut told = Basic::default();
        let room = u32::try_from(size_of::<Basic>()).map_err(|_| Untested::Unreadable)?;
        let place = (&raw mut told).cast();
        let process = subject.raw();
        // SAFETY: `place` has `room` bytes and outlives the call; the length that was written is not asked.
        let status = unsafe { query(process, BASIC, place, room, std::ptr::null_mut()) };
        let block = u64::try_from(told.block).unwrap_or_default();
        if status < 0 || block == 0 {
            return Err(Untested::Unreadable);
        }
        Ok(block)
    }

    /// Of one process. `None`: not known.
    pub(super) fn threads(&self, pid: u32) -> Option<&[u32]> {
        let of_it = self.threads.as_ref()?.get(&pid)?;
        Some(of_it.as_slice())
    }
}

fn query_thread() -> Option<QueryThread> {
    let function = Library::of_system("ntdll.dll")?.function(c"NtQueryInformationThread")?;
    // SAFETY: the function of this name has this type since Windows NT.
    Some(unsafe {
        std::mem::transmute::<unsafe extern "system" fn() -> isize, QueryThread>(function)
    })
}

fn query_process() -> Option<QueryProcess> {
    let function = Library::of_system("ntdll.dll")?.function(c"NtQueryInformationProcess")?;
    // SAFETY: the function of this name has this type since Windows NT.
    Some(unsafe {
        std::mem::transmute::<unsafe extern "system" fn() -> isize, QueryProcess>(function)
    })
}

/// Only Wine has this function (dlls/ntdll/ntdll.spec).
fn is_wine() -> bool {
    let library = Library::of_system("ntdll.dll");
    library.is_some_and(|it| it.function(c"wine_get_version").is_some())
}

fn windows_folder() -> Option<String> {
    let mut path = vec![0_u16; 260];
    let room = u32::try_from(path.len()).ok()?;
    // SAFETY: `path` has `room` units to write to.
    let length = unsafe { GetSystemWindowsDirectoryW(path.as_mut_ptr(), room) };
    let path = path.get(..usize::try_from(length).ok()?)?;
    (!path.is_empty()).then(|| String::from_utf16_lossy(path))
}

fn threads() -> Option<HashMap<u32, Vec<u32>>> {
    // SAFETY: no pointers.
    let list = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) };
    if list == INVALID_HANDLE_VALUE {
        return None;
    }
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

//! What `ntdll.dll` is asked: it has answers that nothing above it gives. Its functions are looked up once.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::ffi::c_void;
use std::mem::size_of_val;
use std::ptr::null_mut;
use std::sync::OnceLock;

use model::Untested;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

use super::handle::Handle;
use super::library::Library;

/// `NtQueryInformationProcess` and the same of threads (winternl.h): of whom, what, the place for the answer and
/// its size in bytes, and the place for how long the answer is.
type Query = unsafe extern "system" fn(HANDLE, i32, *mut c_void, u32, *mut u32) -> NTSTATUS;
/// `NtQuerySystemInformation` (winternl.h): the same of the computer.
type QuerySystem = unsafe extern "system" fn(i32, *mut c_void, u32, *mut u32) -> NTSTATUS;
type Function = unsafe extern "system" fn() -> isize;

/// `None` each: this Windows has no such function.
struct Native {
    process: Option<Query>,
    thread: Option<Query>,
    system: Option<QuerySystem>,
    is_wine: bool,
}

/// Where the block of a process lies in its memory (PEB).
///
/// Errors: `NotHere`: this Windows does not tell. `Unreadable`: not of this process.
pub(super) fn block_of(process: &Handle) -> Result<u64, Untested> {
    /// `ProcessBasicInformation` (PROCESSINFOCLASS) gives a `PROCESS_BASIC_INFORMATION`, where it stands second.
    const BASIC: i32 = 0;

    let query = native().process.ok_or(Untested::NotHere)?;
    let told = told::<6>(query, process, BASIC, size_of::<[usize; 6]>());
    let [_, block, ..] = told.ok_or(Untested::Unreadable)?;
    match u64::try_from(block) {
        Ok(0) | Err(_) => Err(Untested::Unreadable),
        Ok(block) => Ok(block),
    }
}

/// Whether the computer stops when it ends. `None`: this Windows does not tell.
pub(super) fn is_critical(process: &Handle) -> Option<bool> {
    /// `ProcessBreakOnTermination` (PROCESSINFOCLASS) gives a number of four bytes.
    const BREAK_ON_TERMINATION: i32 = 29;

    let query = native().process?;
    let told = told::<1>(query, process, BREAK_ON_TERMINATION, size_of::<u32>());
    // Wine does not know the question, and has no such processes.
    let is_critical = told.map(|[ends_all]| ends_all != 0);
    is_critical.or_else(|| is_wine().then_some(false))
}

/// The address that a thread began at; 0 where it is kept back.
///
/// Errors: `NotHere`: this Windows does not tell. `Unreadable`: not of this thread.
pub(super) fn start_of(thread: &Handle) -> Result<u64, Untested> {
    /// `ThreadQuerySetWin32StartAddress` (THREADINFOCLASS) gives an address.
    const START_ADDRESS: i32 = 9;

    let query = native().thread.ok_or(Untested::NotHere)?;
    let told = told::<1>(query, thread, START_ADDRESS, size_of::<usize>());
    let [start] = told.ok_or(Untested::Unreadable)?;
    u64::try_from(start).map_err(|_| Untested::Unreadable)
}

/// Whether [`start_of`] can tell anything here.
pub(super) fn tells_starts() -> bool {
    native().thread.is_some()
}

/// When the computer was started, by the clock as it was then: the same as long as it runs. `None`: it is
/// not told, and one boot cannot be told from another.
pub(super) fn boot_time() -> Option<i64> {
    /// `SystemTimeOfDayInformation` (SYSTEM_INFORMATION_CLASS).
    const TIME_OF_DAY: i32 = 3;

    let query = native().system?;
    let mut time = TimeOfDay::default();
    let size = u32::try_from(size_of::<TimeOfDay>()).ok()?;
    let place = (&raw mut time).cast();
    // SAFETY: `place` has `size` bytes to write to, and a length is not asked for.
    let status = unsafe { query(TIME_OF_DAY, place, size, null_mut()) };
    (status == 0).then(|| time.boot_time.wrapping_sub_unsigned(time.boot_time_bias))
}

/// `SYSTEM_TIMEOFDAY_INFORMATION`, times in units of 100 ns.
#[repr(C)]
#[derive(Default)]
struct TimeOfDay {
    boot_time: i64,
    current_time: i64,
    zone_bias: i64,
    zone: u32,
    reserved: u32,
    /// By how much the clock was set since.
    boot_time_bias: u64,
    sleep_time_bias: u64,
}

/// This is Wine and no Windows. Only Wine has the function that is looked for (dlls/ntdll/ntdll.spec).
pub(super) fn is_wine() -> bool {
    native().is_wine
}

fn native() -> &'static Native {
    static NATIVE: OnceLock<Native> = OnceLock::new();

    NATIVE.get_or_init(|| {
        let library = Library::of_system("ntdll.dll");
        let function = |name| library?.function(name);
        let query = |name| {
            // SAFETY: both functions it is called with have this type since Windows NT.
            function(name).map(|it| unsafe { std::mem::transmute::<Function, Query>(it) })
        };
        Native {
            process: query(c"NtQueryInformationProcess"),
            thread: query(c"NtQueryInformationThread"),
            system: function(c"NtQuerySystemInformation").map(|it| {
                // SAFETY: the function of this name has this type since Windows NT.
                unsafe { std::mem::transmute::<Function, QuerySystem>(it) }
            }),
            is_wine: function(c"wine_get_version").is_some(),
        }
    })
}

/// An answer of `size` bytes, at most as many as the numbers have, which are 0 behind it. `None`: there is none.
fn told<const N: usize>(query: Query, of: &Handle, what: i32, size: usize) -> Option<[usize; N]> {
    let mut told = [0; N];
    let size = u32::try_from(size.min(size_of_val(&told))).ok()?;
    let place = told.as_mut_ptr().cast();
    // SAFETY: the handle is open; `place` has `size` bytes to write to, and a length is not asked for.
    let status = unsafe { query(of.raw(), what, place, size, null_mut()) };
    (status >= 0).then_some(told)
}

//! The process that is examined, held open for reading, and what several checks read of it.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::cell::OnceCell;
use std::ffi::c_void;

use model::{Process, Text, Untested};
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, FILETIME,
    GetLastError, HANDLE,
};
use windows_sys::Win32::System::Diagnostics::Debug::ReadProcessMemory;
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_IMAGE, MEM_MAPPED, MEMORY_BASIC_INFORMATION, PAGE_EXECUTE, PAGE_EXECUTE_READ,
    PAGE_EXECUTE_READWRITE, PAGE_EXECUTE_WRITECOPY, PAGE_GUARD, VirtualQueryEx,
};
use windows_sys::Win32::System::Threading::{
    GetProcessTimes, OpenProcess, PROCESS_QUERY_INFORMATION, PROCESS_VM_READ,
};

/// A browser has some 5,000 regions.
const MOST_REGIONS: usize = 100_000;
/// Idle and System (Windows Internals): no file, and no memory that belongs to them.
const OF_KERNEL: [u32; 2] = [0, 4];
/// The same start told by two clocks of the system, in nanoseconds.
const SAME_START: u64 = 20_000_000;
/// From 1601 to 1970, in units of 100 nanoseconds (`FILETIME`).
const TO_UNIX: i64 = 116_444_736_000_000_000;

/// Something of the system that is held open.
#[derive(Debug)]
pub(super) struct Handle(HANDLE);

impl Handle {
    /// Takes over one that nobody else closes. `None`: it is none.
    pub(super) fn own(handle: HANDLE) -> Option<Self> {
        (!handle.is_null()).then_some(Self(handle))
    }

    pub(super) fn raw(&self) -> HANDLE {
        self.0
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: it is open, and nobody else closes it.
        unsafe { CloseHandle(self.0) };
    }
}

/// Why the last call of the system failed.
pub(super) fn why() -> Untested {
    // SAFETY: no arguments.
    match unsafe { GetLastError() } {
        ERROR_ACCESS_DENIED => Untested::NoRights,
        // Wine says the second of a thread that has just ended.
        ERROR_INVALID_PARAMETER | ERROR_INVALID_HANDLE => Untested::Ended,
        _ => Untested::Unreadable,
    }
}

/// Pages of one kind beside one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) start: u64,
    pub(super) length: u64,
    /// Where what it was allocated with begins: of a module its base.
    pub(super) allocation: u64,
    pub(super) kind: Kind,
    /// Also behind a guard: it can be taken away at any time.
    pub(super) executable: bool,
    pub(super) writable: bool,
    /// Who touches it is told to the process first (`PAGE_GUARD`).
    pub(super) guarded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A program or library, loaded as one.
    Image,
    /// A file that was mapped as data, or shared memory.
    Mapped,
    Private,
}

impl Region {
    pub(super) fn has(&self, address: u64) -> bool {
        address
            .checked_sub(self.start)
            .is_some_and(|at| at < self.length)
    }
}

/// One run of a program.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) pid: u32,
    /// Of the program file.
    pub(super) path: Option<Text>,
    pub(super) command_line: Option<Vec<Text>>,
    handle: Handle,
    regions: OnceCell<Result<Vec<Region>, Untested>>,
}

impl Subject {
    /// Errors: `Ended`: also where another process has its number by now. `NoRights`: of another user, or
    /// protected.
    pub(super) fn open(process: &Process) -> Result<Self, Untested> {
        let pid = process.id.pid;
        if OF_KERNEL.contains(&pid) {
            return Err(Untested::KernelThread);
        }
        // SAFETY: no pointers.
        let handle = unsafe { OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, 0, pid) };
        let handle = Handle::own(handle).ok_or_else(why)?;
        let started = process.started.map(|it| it.unix_nanos());
        if let (Some(listed), Some(own)) = (started, started_of(&handle))
            && listed.abs_diff(own) > SAME_START
        {
            return Err(Untested::Ended);
        }
        Ok(Self {
            pid,
            path: process.path.clone(),
            command_line: process.command_line.clone(),
            handle,
            regions: OnceCell::new(),
        })
    }

    pub(super) fn raw(&self) -> HANDLE {
        self.handle.raw()
    }

    /// All memory that is there, in order.
    pub(super) fn regions(&self) -> Result<&[Region], Untested> {
        let regions = self.regions.get_or_init(|| regions(&self.handle));
        regions.as_deref().map_err(|why| *why)
    }

    pub(super) fn region(&self, address: u64) -> Result<Option<&Region>, Untested> {
        let regions = self.regions()?;
        let after = regions.partition_point(|it| it.start <= address);
        let before = after.checked_sub(1).and_then(|at| regions.get(at));
        Ok(before.filter(|it| it.has(address)))
    }

    /// So many bytes from there on, cut off where they can no longer be read. What is behind a guard cannot,
    /// and the guard stays.
    pub(super) fn read(&self, address: u64, length: usize) -> Vec<u8> {
        let Ok(address) = usize::try_from(address) else {
            return Vec::new();
        };
        let mut bytes = vec![0_u8; length];
        let mut read = 0;
        let from = std::ptr::without_provenance::<c_void>(address);
        let to = bytes.as_mut_ptr().cast::<c_void>();
        // SAFETY: `to` has room for `length` bytes; what lies at `from` is of the other process.
        unsafe { ReadProcessMemory(self.handle.raw(), from, to, length, &raw mut read) };
        bytes.truncate(read);
        bytes
    }
}

/// In nanoseconds since 1970.
fn started_of(handle: &Handle) -> Option<i64> {
    let mut times = [FILETIME::default(); 4];
    let [created, ended, kernel, user] = &mut times;
    let process = handle.raw();
    // SAFETY: four places to write to, which outlive the call.
    let told = unsafe { GetProcessTimes(process, created, ended, kernel, user) };
    if told == 0 {
        return None;
    }
    let ticks = u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime);
    let since = i64::try_from(ticks).ok()?.checked_sub(TO_UNIX)?;
    since.checked_mul(100)
}

fn regions(handle: &Handle) -> Result<Vec<Region>, Untested> {
    let mut regions = Vec::new();
    let mut at = 0_usize;
    loop {
        let mut found = MEMORY_BASIC_INFORMATION::default();
        let room = size_of::<MEMORY_BASIC_INFORMATION>();
        let from = std::ptr::without_provenance::<c_void>(at);
        // SAFETY: `found` has `room` bytes; `from` is only asked about.
        let told = unsafe { VirtualQueryEx(handle.raw(), from, &raw mut found, room) };
        if told == 0 {
            break;
        }
        let Some(next) = found.BaseAddress.addr().checked_add(found.RegionSize) else {
            break;
        };
        if next <= at {
            break;
        }
        at = next;
        if found.State == MEM_COMMIT {
            regions.push(region(&found));
        }
        if regions.len() > MOST_REGIONS {
            return Err(Untested::TooLarge);
        }
    }
    if regions.is_empty() {
        return Err(why());
    }
    Ok(regions)
}

fn region(found: &MEMORY_BASIC_INFORMATION) -> Region {
    let number = |it: usize| u64::try_from(it).unwrap_or(u64::MAX);
    // Flags stand above the lowest byte.
    let protection = found.Protect & 0xff;
    let executes = [
        PAGE_EXECUTE,
        PAGE_EXECUTE_READ,
        PAGE_EXECUTE_READWRITE,
        PAGE_EXECUTE_WRITECOPY,
    ];
    Region {
        start: number(found.BaseAddress.addr()),
        length: number(found.RegionSize),
        allocation: number(found.AllocationBase.addr()),
        kind: match found.Type {
            MEM_IMAGE => Kind::Image,
            MEM_MAPPED => Kind::Mapped,
            _ => Kind::Private,
        },
        executable: executes.contains(&protection),
        writable: protection == PAGE_EXECUTE_READWRITE || protection == PAGE_EXECUTE_WRITECOPY,
        guarded: found.Protect & PAGE_GUARD != 0,
    }
}

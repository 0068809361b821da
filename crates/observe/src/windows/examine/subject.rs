//! The process that is examined, held open for reading, and what several checks read of it.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::cell::OnceCell;
use std::ffi::c_void;
use std::time::{Duration, Instant};

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

/// So many regions are kept; a browser has some 5,000, with those of data.
const MOST_REGIONS: usize = 100_000;
/// Who has more memory than can be walked through in this time may have it so that nobody does.
const LONGEST_WALK: Duration = Duration::from_secs(10);
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

/// One run of a program.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) pid: u32,
    /// Of the program file.
    pub(super) path: Option<Text>,
    pub(super) command_line: Option<Vec<Text>>,
    handle: Handle,
    memory: OnceCell<Result<Memory, Untested>>,
}

#[derive(Debug)]
struct Memory {
    regions: Vec<Region>,
    /// There was room and time for all.
    is_whole: bool,
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
            memory: OnceCell::new(),
        })
    }

    pub(super) fn raw(&self) -> HANDLE {
        self.handle.raw()
    }

    /// Memory of loaded files, and what else may run, in order. More than can be kept is left out: see
    /// [`Self::is_whole`].
    pub(super) fn regions(&self) -> Result<&[Region], Untested> {
        let memory = self.memory.get_or_init(|| memory(&self.handle));
        let regions = memory.as_ref().map(|it| it.regions.as_slice());
        regions.map_err(|why| *why)
    }

    /// Nothing was left out of its regions, as far as they were asked for.
    pub(super) fn is_whole(&self) -> bool {
        let memory = self.memory.get().map(Result::as_ref);
        !matches!(memory, Some(Ok(memory)) if !memory.is_whole)
    }

    /// What is at an address, from its page on, of all kinds of memory. `None`: none is there.
    pub(super) fn region(&self, address: u64) -> Result<Option<Region>, Untested> {
        let found = usize::try_from(address).ok();
        let found = found.and_then(|it| query(&self.handle, it));
        if let Some(found) = found.filter(|it| it.State == MEM_COMMIT) {
            return Ok(Some(region(&found)));
        }
        // Who has ended has no memory at all.
        let known = self.regions()?.first().map(|it| it.start);
        let known = known.and_then(|it| usize::try_from(it).ok());
        let known = known.and_then(|it| query(&self.handle, it));
        match known.is_some_and(|it| it.State == MEM_COMMIT) {
            true => Ok(None),
            false => Err(Untested::Ended),
        }
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

fn memory(handle: &Handle) -> Result<Memory, Untested> {
    let (mut regions, mut is_whole) = (Vec::new(), true);
    let (mut at, began) = (0_usize, Instant::now());
    while let Some(found) = query(handle, at) {
        let next = found.BaseAddress.addr().checked_add(found.RegionSize);
        let Some(next) = next.filter(|it| *it > at) else {
            break;
        };
        at = next;
        is_whole = regions.len() < MOST_REGIONS && began.elapsed() < LONGEST_WALK;
        if !is_whole {
            break;
        }
        let region = region(&found);
        if found.State == MEM_COMMIT && (region.executable || region.kind == Kind::Image) {
            regions.push(region);
        }
    }
    if regions.is_empty() {
        return Err(if is_whole { why() } else { Untested::TooLarge });
    }
    Ok(Memory { regions, is_whole })
}

/// What is at an address, from its page on. `None`: it is beyond all addresses, or the process has ended.
fn query(handle: &Handle, at: usize) -> Option<MEMORY_BASIC_INFORMATION> {
    let mut found = MEMORY_BASIC_INFORMATION::default();
    let room = size_of::<MEMORY_BASIC_INFORMATION>();
    let from = std::ptr::without_provenance::<c_void>(at);
    // SAFETY: `found` has `room` bytes; `from` is only asked about.
    let told = unsafe { VirtualQueryEx(handle.raw(), from, &raw mut found, room) };
    (told != 0).then_some(found)
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

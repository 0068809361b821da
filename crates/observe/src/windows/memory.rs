//! The memory of another process: of what kinds it is, and what stands there. The process may have written
//! there what it likes.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::ffi::c_void;
use std::ptr::without_provenance;
use std::time::{Duration, Instant};

use model::Untested;
use windows_sys::Win32::System::Diagnostics::Debug::ReadProcessMemory;
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_IMAGE, MEM_MAPPED, MEMORY_BASIC_INFORMATION, PAGE_EXECUTE, PAGE_EXECUTE_READ,
    PAGE_EXECUTE_READWRITE, PAGE_EXECUTE_WRITECOPY, PAGE_GUARD, VirtualQueryEx,
};

use super::handle::{Handle, why_untested};

/// So many regions are kept; a browser has some 5,000, with those of data.
const MOST_REGIONS: usize = 100_000;
/// Who has more memory than can be walked through in this time may have it so that nobody does.
const LONGEST_WALK: Duration = Duration::from_secs(10);

/// So many bytes from there on, cut off where they can no longer be read. What is behind a guard cannot,
/// and the guard stays.
pub(super) fn read(process: &Handle, address: u64, length: usize) -> Vec<u8> {
    let Ok(address) = usize::try_from(address) else {
        return Vec::new();
    };
    let mut bytes = vec![0_u8; length];
    let mut read = 0;
    let from = without_provenance::<c_void>(address);
    let to = bytes.as_mut_ptr().cast::<c_void>();
    // SAFETY: the handle is open; `to` has room for `length` bytes. What lies at `from` is of the other
    // process: an address that it does not have is an error.
    unsafe { ReadProcessMemory(process.raw(), from, to, length, &raw mut read) };
    bytes.truncate(read);
    bytes
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

/// What of it matters to checks.
#[derive(Debug)]
pub(super) struct Memory {
    /// Of loaded files, and what else may run, in order.
    pub(super) regions: Vec<Region>,
    /// There was room and time for all.
    pub(super) is_whole: bool,
}

pub(super) fn memory(process: &Handle) -> Result<Memory, Untested> {
    let (mut regions, mut is_whole) = (Vec::new(), true);
    let (mut at, began) = (0_usize, Instant::now());
    while let Some(found) = query(process, at) {
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
        return Err(if is_whole {
            why_untested()
        } else {
            Untested::TooLarge
        });
    }
    // It seems to have no more addresses as soon as it has ended.
    if regions
        .first()
        .is_some_and(|it| query_at(process, it.start).is_none())
    {
        return Err(Untested::Ended);
    }
    Ok(Memory { regions, is_whole })
}

/// What is at an address, from its page on, of all kinds of memory. `None`: none is there, or the process has
/// ended.
pub(super) fn at(process: &Handle, address: u64) -> Option<Region> {
    let found = query_at(process, address)?;
    (found.State == MEM_COMMIT).then(|| region(&found))
}

fn query_at(process: &Handle, address: u64) -> Option<MEMORY_BASIC_INFORMATION> {
    query(process, usize::try_from(address).ok()?)
}

/// `None`: it is beyond all addresses, or the process has ended.
fn query(process: &Handle, at: usize) -> Option<MEMORY_BASIC_INFORMATION> {
    let mut found = MEMORY_BASIC_INFORMATION::default();
    let room = size_of::<MEMORY_BASIC_INFORMATION>();
    let from = without_provenance::<c_void>(at);
    // SAFETY: the handle is open; `found` has `room` bytes; `from` is only asked about.
    let told = unsafe { VirtualQueryEx(process.raw(), from, &raw mut found, room) };
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

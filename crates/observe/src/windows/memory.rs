//! The memory of another process: of what kinds it is, and what stands there. The process may have written
//! there what it likes.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::ffi::c_void;
use std::ptr::without_provenance;

use model::Untested;
use windows_sys::Win32::System::Diagnostics::Debug::ReadProcessMemory;
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_IMAGE, MEM_MAPPED, MEMORY_BASIC_INFORMATION, PAGE_EXECUTE, PAGE_EXECUTE_READ,
    PAGE_EXECUTE_READWRITE, PAGE_EXECUTE_WRITECOPY, PAGE_GUARD, VirtualQueryEx,
};

use super::handle::{Handle, why_untested};

/// A browser has some 5,000 regions.
const MOST_REGIONS: usize = 100_000;

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

impl Region {
    pub(super) fn has(&self, address: u64) -> bool {
        address
            .checked_sub(self.start)
            .is_some_and(|at| at < self.length)
    }
}

/// All that is there, in order.
pub(super) fn regions(process: &Handle) -> Result<Vec<Region>, Untested> {
    let mut regions = Vec::new();
    let mut at = 0_usize;
    loop {
        let mut found = MEMORY_BASIC_INFORMATION::default();
        let room = size_of::<MEMORY_BASIC_INFORMATION>();
        let from = without_provenance::<c_void>(at);
        // SAFETY: the handle is open; `found` has `room` bytes; `from` is only asked about.
        let told = unsafe { VirtualQueryEx(process.raw(), from, &raw mut found, room) };
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
        return Err(why_untested());
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

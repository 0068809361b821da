//! The process that is examined, held open for reading, and what several checks read of it.

use std::cell::OnceCell;

use model::{Process, Text, Untested};
use windows_sys::Win32::System::Threading::{PROCESS_QUERY_INFORMATION, PROCESS_VM_READ};

use crate::windows::handle::{Handle, why_untested};
use crate::windows::memory::{self, Region};
use crate::windows::process::started;

/// Idle and System (Windows Internals): no file, and no memory that belongs to them.
const OF_KERNEL: [u32; 2] = [0, 4];
/// The same start told by two clocks of the system, in nanoseconds.
const SAME_START: u64 = 20_000_000;

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
        let rights = PROCESS_QUERY_INFORMATION | PROCESS_VM_READ;
        let handle = Handle::of_process(pid, rights).ok_or_else(why_untested)?;
        if let (Some(listed), Some(own)) = (process.started, started(&handle))
            && listed.unix_nanos().abs_diff(own.unix_nanos()) > SAME_START
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

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// All memory that is there, in order.
    pub(super) fn regions(&self) -> Result<&[Region], Untested> {
        let regions = self.regions.get_or_init(|| memory::regions(&self.handle));
        regions.as_deref().map_err(|why| *why)
    }

    pub(super) fn region(&self, address: u64) -> Result<Option<&Region>, Untested> {
        let regions = self.regions()?;
        let after = regions.partition_point(|it| it.start <= address);
        let before = after.checked_sub(1).and_then(|at| regions.get(at));
        Ok(before.filter(|it| it.has(address)))
    }

    /// See [`memory::read`].
    pub(super) fn read(&self, address: u64, length: usize) -> Vec<u8> {
        memory::read(&self.handle, address, length)
    }
}

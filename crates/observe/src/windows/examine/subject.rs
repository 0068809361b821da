//! The process that is examined, held open for reading, and what several checks read of it.

use std::cell::OnceCell;

use model::{Process, Text, Untested};
use windows_sys::Win32::System::Threading::{PROCESS_QUERY_INFORMATION, PROCESS_VM_READ};

use crate::windows::handle::{Handle, why_untested};
use crate::windows::memory::{self, Memory, Region};
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
    memory: OnceCell<Result<Memory, Untested>>,
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
            memory: OnceCell::new(),
        })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Memory of loaded files, and what else may run, in order. More than can be kept is left out: see
    /// [`Self::is_whole`].
    pub(super) fn regions(&self) -> Result<&[Region], Untested> {
        let memory = self.memory.get_or_init(|| memory::memory(&self.handle));
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
        if let Some(found) = memory::at(&self.handle, address) {
            return Ok(Some(found));
        }
        // Who has ended has no memory at all.
        let known = self.regions()?.first().map(|it| it.start);
        match known.and_then(|it| memory::at(&self.handle, it)) {
            Some(_) => Ok(None),
            None => Err(Untested::Ended),
        }
    }

    /// See [`memory::read`].
    pub(super) fn read(&self, address: u64, length: usize) -> Vec<u8> {
        memory::read(&self.handle, address, length)
    }
}

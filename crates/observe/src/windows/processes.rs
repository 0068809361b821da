//! Every process that runs, as the snapshot of the tool help library names them, and what each tells of
//! itself to whoever may ask.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::collections::HashMap;
use std::io;
use std::mem::size_of;

use model::{BootId, Parent, Process, ProcessId, Text, Timestamp};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};

use super::handle::Handle;
use super::process::{self, Told, text};
pub(super) use crate::traced::ticks;

/// So many processes are read.
const MOST_PROCESSES: usize = 100_000;
/// So many of those above a process are told.
const MOST_PARENTS: usize = 16;

/// One line of the snapshot.
struct Entry {
    pid: u32,
    parent: u32,
    name: Text,
}

/// The processes of one moment, and how many would not tell of themselves.
pub(super) struct Processes {
    pub(super) all: Vec<Process>,
    pub(super) silent: usize,
}

impl Processes {
    /// `known`: what was read before, by number; a run of a program is asked about itself once.
    ///
    /// Errors: the system gives no list.
    pub(super) fn read(boot: BootId, known: &mut HashMap<u32, Process>) -> io::Result<Self> {
        let entries = entries()?;
        let mut silent = 0;
        let mut all = Vec::with_capacity(entries.len());
        for entry in &entries {
            // The idle process, and what stands for the kernel: both have no file that could be asked for.
            let is_kernel = matches!(entry.pid, 0 | 4);
            let handle = process::open(entry.pid);
            if handle.is_none() && !is_kernel {
                silent += 1;
            }
            let started = handle.as_ref().and_then(process::started);
            let is_same = |it: &Process| it.started == started && it.name == entry.name;
            let process = known.remove(&entry.pid).filter(is_same).unwrap_or_else(|| {
                let told = handle.as_ref().map(|it| process::ask(it, entry.pid));
                one(entry, started, told.unwrap_or_default(), is_kernel, boot)
            });
            all.push(process);
        }
        let copies = all.iter().map(|it: &Process| (it.id.pid, it.clone()));
        *known = copies.collect();
        let parents: Vec<Vec<Parent>> = parents_of_all(&entries, &all);
        for (process, parents) in all.iter_mut().zip(parents) {
            process.parents = parents;
        }
        Ok(Self { all, silent })
    }

    pub(super) fn by_pid(&self) -> HashMap<u32, ProcessId> {
        let ids = self.all.iter().map(|it| (it.id.pid, it.id));
        ids.collect()
    }
}

fn one(
    entry: &Entry,
    started: Option<Timestamp>,
    told: Told,
    is_kernel: bool,
    boot: BootId,
) -> Process {
    let id = ProcessId {
        boot,
        pid: entry.pid,
        start_ticks: started.map_or(0, ticks),
    };
    Process {
        started,
        name: entry.name.clone(),
        path: told.path,
        path_state: told.path_state,
        file: told.file,
        command_line: told.command_line,
        command_line_truncated: told.command_line_truncated,
        user: told.user,
        kernel_thread: is_kernel,
        ..Process::unknown(id)
    }
}

/// What a process tells of itself while it runs, but who began it. `None`: it may not be asked, or has ended.
pub(super) fn met(boot: BootId, pid: u32, name: Text) -> Option<Process> {
    let handle = process::open(pid)?;
    let started = Some(process::started(&handle)?);
    let entry = Entry {
        pid,
        parent: 0,
        name,
    };
    Some(one(
        &entry,
        started,
        process::ask(&handle, pid),
        false,
        boot,
    ))
}

fn parents_of_all(entries: &[Entry], all: &[Process]) -> Vec<Vec<Parent>> {
    let places: HashMap<u32, usize> = entries
        .iter()
        .enumerate()
        .map(|(at, entry)| (entry.pid, at))
        .collect();
    let above = |at: usize| -> Option<usize> {
        let child = all.get(at)?;
        let parent = *places.get(&entries.get(at)?.parent)?;
        let process = all.get(parent)?;
        // Numbers are used again: who began after its child is not its parent.
        let is_younger = matches!(
            (process.started, child.started),
            (Some(parent), Some(child)) if parent > child
        );
        (parent != at && !is_younger).then_some(parent)
    };
    let chain = |first: usize| {
        let mut chain = Vec::new();
        let mut next = above(first);
        while let Some(at) = next.filter(|_| chain.len() < MOST_PARENTS) {
            let Some(process) = all.get(at).filter(|it| it.id.pid != 0) else {
                break;
            };
            chain.push(Parent {
                pid: process.id.pid,
                name: process.name.clone(),
                path: process.path.clone(),
            });
            next = above(at);
        }
        chain
    };
    (0..all.len()).map(chain).collect()
}

fn entries() -> io::Result<Vec<Entry>> {
    // SAFETY: no pointers are passed.
    let snapshot = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) };
    let snapshot = Handle::own(snapshot).ok_or_else(io::Error::last_os_error)?;
    let mut entry = PROCESSENTRY32W {
        dwSize: u32::try_from(size_of::<PROCESSENTRY32W>()).map_err(io::Error::other)?,
        ..PROCESSENTRY32W::default()
    };
    let mut entries = Vec::new();
    // SAFETY: the handle is open, and `entry` says how large it is and outlives the call.
    let mut is_there = unsafe { Process32FirstW(snapshot.raw(), &raw mut entry) } != 0;
    if !is_there {
        return Err(io::Error::last_os_error());
    }
    while is_there && entries.len() < MOST_PROCESSES {
        entries.push(Entry {
            pid: entry.th32ProcessID,
            parent: entry.th32ParentProcessID,
            name: text(&entry.szExeFile),
        });
        // SAFETY: as above.
        is_there = unsafe { Process32NextW(snapshot.raw(), &raw mut entry) } != 0;
    }
    Ok(entries)
}

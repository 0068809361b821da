//! The processes of a run, kept up with their events, also when they have ended.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use model::{BootId, FileIdentity, Parent, Process, ProcessId, Text, Timestamp};

use super::first::FirstLook;
use super::groups::Groups;
use crate::linux::helper::ProgramFile;
use crate::linux::users::Users;
use crate::parse::process_event::{Image, ProcessEvent};
use crate::parse::socket_event::EventOwner;
use crate::stamp::Stamp;

/// So many that have ended are kept: their connections may tell more of them.
const MOST_ENDED: usize = 16_384;
/// Longer rows of ancestors are cut.
const MOST_PARENTS: usize = 64;

/// All processes that run, and the last that have ended.
pub(super) struct ProcessTable {
    known: HashMap<ProcessId, Entry>,
    ended: VecDeque<ProcessId>,
    users: Users,
    groups: Groups,
    /// `None`: there are no processes.
    boot: Option<BootId>,
    first_look: FirstLook,
}

struct Entry {
    process: Arc<Process>,
    /// 0: not known.
    cgroup: u64,
}

impl ProcessTable {
    /// Begins with what they ran before the first event that is to be told.
    pub(super) fn of(processes: Vec<Process>, first_look: FirstLook) -> Self {
        let boot = processes.first().map(|process| process.id.boot);
        let known = processes.into_iter().map(|process| {
            let (id, process) = (process.id, Arc::new(process));
            (id, Entry { process, cgroup: 0 })
        });
        Self {
            known: known.collect(),
            ended: VecDeque::new(),
            users: Users::read(),
            groups: Groups::default(),
            boot,
            first_look,
        }
    }

    pub(super) fn get(&self, id: ProcessId) -> Option<&Arc<Process>> {
        self.known.get(&id).map(|entry| &entry.process)
    }

    /// The run of this boot with these numbers. `None`: there are no processes.
    pub(super) fn run(&self, pid: u32, start_ticks: u64) -> Option<ProcessId> {
        let boot = self.boot?;
        Some(ProcessId {
            boot,
            pid,
            start_ticks,
        })
    }

    /// A new process: all that it is, it has from its parent.
    pub(super) fn started(&mut self, stamp: &Stamp, event: &ProcessEvent) -> Arc<Process> {
        let id = stamp.process(event.pid, event.started);
        let parent = stamp.process(event.parent, event.parent_started);
        let seen = self.first_look.started(id);
        if let Some(seen) = seen.as_ref().filter(|seen| seen.path.is_some()) {
            return self.keep(Process::clone(seen), event.cgroup);
        }
        let mut process = self.blank(stamp, event, id);
        if let Some(entry) = self.known.get(&parent) {
            let above = &entry.process;
            process.path.clone_from(&above.path);
            process.path_state = above.path_state;
            process.file = above.file;
            process.sha256 = above.sha256;
            process.command_line.clone_from(&above.command_line);
            process.command_line_truncated = above.command_line_truncated;
            process.parents = line_of(above);
            process.kernel_thread = above.kernel_thread && above.path.is_none();
            if entry.cgroup == event.cgroup || entry.cgroup == 0 {
                process.container.clone_from(&above.container);
                process.unit.clone_from(&above.unit);
            }
        }
        self.keep(process, event.cgroup)
    }

    /// It runs another program now.
    pub(super) fn executed(
        &mut self,
        stamp: &Stamp,
        event: &ProcessEvent,
        image: &Image,
    ) -> Arc<Process> {
        let id = stamp.process(event.pid, event.started);
        let mut process = match self.get(id) {
            Some(known) => Process::clone(known),
            None => {
                let parent = stamp.process(event.parent, event.parent_started);
                let parents = self.get(parent).map(|above| line_of(above));
                Process {
                    parents: parents.unwrap_or_default(),
                    ..self.blank(stamp, event, id)
                }
            }
        };
        process.name = event.name.clone();
        process.path.clone_from(&image.path);
        process.path_state = image.path_state;
        process.file = image.file;
        process.sha256 = None;
        process.command_line.clone_from(&image.arguments);
        process.command_line_truncated = image.arguments_truncated;
        process.uid = Some(event.uid);
        process.user = self.users.name(event.uid);
        process.netns = event.netns.or(process.netns);
        process.kernel_thread = false;
        match self.groups.place(event.cgroup) {
            Some(place) => {
                process.container.clone_from(&place.container);
                process.unit.clone_from(&place.unit);
            }
            // In another group than before, and which one that is, is not known.
            None if self
                .known
                .get(&id)
                .is_some_and(|it| it.cgroup != event.cgroup) =>
            {
                process.container = None;
                process.unit = None;
            }
            None => {}
        }
        if let Some(seen) = self.first_look.executed(id, event.time, image) {
            complete(&mut process, &seen);
        }
        self.keep(process, event.cgroup)
    }

    /// `None`: nothing was known of it.
    pub(super) fn ended(&mut self, id: ProcessId, time: Timestamp) -> Option<Arc<Process>> {
        let entry = self.known.get_mut(&id)?;
        Arc::make_mut(&mut entry.process).ended = Some(time);
        let process = Arc::clone(&entry.process);
        self.is_over(id);
        Some(process)
    }

    /// A process that the events of sockets name, and of which those of processes told nothing:
    /// they were lost.
    pub(super) fn met(&mut self, stamp: &Stamp, id: ProcessId, owner: &EventOwner) -> Arc<Process> {
        let process = Process {
            name: Text::from(owner.name()),
            uid: Some(owner.uid),
            user: self.users.name(owner.uid),
            started: Some(stamp.started(id)),
            ..Process::unknown(id)
        };
        // Its end may never be told.
        self.is_over(id);
        self.keep(process, 0)
    }

    /// It may be forgotten when many others are.
    fn is_over(&mut self, id: ProcessId) {
        self.ended.push_back(id);
        if self.ended.len() > MOST_ENDED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// The hash of the file that a process runs. `None`: it is not known, or runs another by now.
    pub(super) fn hashed(
        &mut self,
        id: ProcessId,
        file: FileIdentity,
        sha256: [u8; 32],
    ) -> Option<Arc<Process>> {
        let entry = self.known.get_mut(&id)?;
        if entry.process.file != Some(file) {
            return None;
        }
        Arc::make_mut(&mut entry.process).sha256 = Some(sha256);
        Some(Arc::clone(&entry.process))
    }

    /// The program file of a process of which it was not told, or only which file. `None`: it is not
    /// known, or runs another by now.
    pub(super) fn runs(&mut self, id: ProcessId, program: &ProgramFile) -> Option<Arc<Process>> {
        let entry = self.known.get_mut(&id)?;
        let Process { path, file, .. } = entry.process.as_ref();
        // Some file systems show other numbers of devices than the kernel has for them.
        let is_other = file.is_some_and(|file| file.inode != program.file.inode);
        if path.is_some() || is_other {
            return None;
        }
        let process = Arc::make_mut(&mut entry.process);
        let (path, state) = program.path();
        process.path = Some(path);
        process.path_state = state;
        process.file.get_or_insert(program.file);
        Some(Arc::clone(&entry.process))
    }

    fn keep(&mut self, process: Process, cgroup: u64) -> Arc<Process> {
        let process = Arc::new(process);
        let entry = Entry {
            process: Arc::clone(&process),
            cgroup,
        };
        self.known.insert(process.id, entry);
        process
    }

    fn blank(&self, stamp: &Stamp, event: &ProcessEvent, id: ProcessId) -> Process {
        Process {
            name: event.name.clone(),
            uid: Some(event.uid),
            user: self.users.name(event.uid),
            netns: event.netns,
            started: Some(stamp.started(id)),
            ..Process::unknown(id)
        }
    }
}

/// Adds to a process what was read of it when it ran the same program.
fn complete(process: &mut Process, seen: &Process) {
    if process.name == Text::default() {
        process.name.clone_from(&seen.name);
    }
    if process.path.is_none() {
        process.path.clone_from(&seen.path);
        process.path_state = seen.path_state;
    }
    if process.command_line.is_none() {
        process.command_line.clone_from(&seen.command_line);
        process.command_line_truncated = seen.command_line_truncated;
    }
    process.file = process.file.or(seen.file);
    if process.parents.is_empty() {
        process.parents.clone_from(&seen.parents);
    }
    if process.container.is_none() && process.unit.is_none() {
        process.container.clone_from(&seen.container);
        process.unit.clone_from(&seen.unit);
    }
}

/// A process and all above it, as parents of another.
fn line_of(above: &Process) -> Vec<Parent> {
    let first = Parent {
        pid: above.id.pid,
        name: above.name.clone(),
        path: above.path.clone(),
    };
    let line = std::iter::once(first).chain(above.parents.iter().cloned());
    line.take(MOST_PARENTS).collect()
}

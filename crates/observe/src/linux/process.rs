//! What /proc tells of processes: who they are, what they run, from whom they come. Pids go in,
//! `model::Process` comes out.
//!
//! Anything here may vanish or be refused at any moment: that costs one fact or one process, and
//! what was refused is counted.

mod program;
mod read;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;

use model::{BootId, Gap, Parent, Process, ProcessId, Source, Text, Timestamp};
use rustix::io::Errno;

use self::read::{Facts, Reader};
use crate::parse::proc_pid::Stat;

/// Longer rows of ancestors are cut.
const MOST_PARENTS: usize = 64;

/// Reads processes once each and keeps what it read.
///
/// Start ticks are those that /proc shows to this process. In a time namespace
/// (time_namespaces(7)) they are shifted by its offset and do not match those of eBPF.
pub(crate) struct Processes {
    reader: Reader,
    known: HashMap<ProcessId, Entry>,
    /// The run last seen under a pid.
    latest: HashMap<u32, ProcessId>,
    /// Pids of which not even the start could be read.
    unread: HashMap<u32, Unread>,
    /// Our own start: what began before it was there all the time that we have been reading.
    began: u64,
}

struct Entry {
    process: Process,
    /// 0: none in this PID namespace.
    parent_pid: u32,
    parent: Above,
    /// See [`Stat::stack`].
    stack: u64,
    /// See [`Facts::settled`].
    settled: bool,
    unread: Option<Unread>,
}

/// The parent of a process.
#[derive(Clone, Copy)]
enum Above {
    NotAsked,
    /// `None`: it has none, or it is gone.
    Asked(Option<ProcessId>),
}

/// Why a process could not be read, or not all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unread {
    NoRight,
    /// Something is mounted over its folder in /proc.
    Covered,
    /// The kernel shows no path longer than a page.
    PathTooLong,
    Failed(Errno),
}

impl Processes {
    /// `boot_time` is the time of boot in UTC: the wall clock less CLOCK_BOOTTIME.
    ///
    /// Errors: there is no /proc, or it is not one.
    pub(crate) fn open(boot: BootId, boot_time: Timestamp) -> io::Result<Self> {
        let mut reader = Reader::open(boot, boot_time)?;
        let began = reader.own_start()?;
        Ok(Self {
            reader,
            known: HashMap::new(),
            latest: HashMap::new(),
            unread: HashMap::new(),
            began,
        })
    }

    /// All pids now in /proc, ascending.
    pub(crate) fn pids(&self) -> io::Result<Vec<u32>> {
        self.reader.pids()
    }

    /// The process that has this pid now, read anew only when it is another run or has started
    /// another program. Its ancestors are read with it. `None`: there is none, or it could not
    /// be read at all, and then it is counted.
    pub(crate) fn read(&mut self, pid: u32) -> Option<ProcessId> {
        let id = self.read_one(pid)?;
        self.read_ancestors(id);
        Some(id)
    }

    /// As [`Processes::read`], when it is still the run that started then; pids are reused.
    pub(crate) fn read_same(&mut self, pid: u32, start_ticks: u64) -> Option<ProcessId> {
        let id = self
            .read_one(pid)
            .filter(|id| id.start_ticks == start_ticks)?;
        self.read_ancestors(id);
        Some(id)
    }

    /// The process that has this pid now, by itself and not kept. `None`: there is none, or it
    /// could not be read.
    pub(crate) fn see(&mut self, pid: u32) -> Option<Process> {
        let seen = self.reader.see(pid).ok()?;
        let id = self.reader.id(pid, &seen.stat);
        Some(self.reader.facts(id, &seen).process)
    }

    /// What was read of it. `None`: it was not.
    #[cfg(test)]
    pub(crate) fn known(&self, id: ProcessId) -> Option<&Process> {
        self.known.get(&id).map(|entry| &entry.process)
    }

    /// All that was read until now, ancestors too.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Process> {
        self.known.values().map(|entry| &entry.process)
    }

    /// Names of the users with these ids, as far as they are listed here.
    pub(crate) fn users(&mut self, uids: impl Iterator<Item = u32>) -> HashMap<u32, Text> {
        uids.filter_map(|uid| Some((uid, self.reader.user(uid)?)))
            .collect()
    }

    /// Takes note of a process that another source saw, and that ended before it could be read.
    pub(crate) fn ended_meanwhile(&mut self, id: ProcessId, name: Text) {
        let process = Process {
            name,
            started: Some(self.reader.started(id.start_ticks)),
            ..Process::unknown(id)
        };
        self.known.entry(id).or_insert(Entry {
            process,
            parent_pid: 0,
            parent: Above::Asked(None),
            stack: 0,
            settled: true,
            unread: None,
        });
    }

    /// Whether /proc leaves out processes of other users (hidepid).
    pub(crate) fn conceals(&self) -> bool {
        self.reader.conceals_processes()
    }

    /// Everything read so far, ancestors too, by pid.
    pub(crate) fn into_processes(mut self) -> Vec<Process> {
        let ids: Vec<_> = self.known.keys().copied().collect();
        for id in ids {
            if self.known.get(&id).is_some_and(|entry| !entry.settled) {
                self.read_one(id.pid);
            }
            // An ancestor that nobody asked for by itself has none of its own parents yet.
            self.fill_parents(id);
        }
        let mut processes: Vec<_> = self
            .known
            .into_values()
            .map(|entry| entry.process)
            .collect();
        processes.sort_unstable_by_key(|process| (process.id.pid, process.id.start_ticks));
        processes
    }

    /// What could not be read so far.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        let (mut refused, mut covered, mut too_long, mut failed, mut error) = (0, 0, 0, 0, None);
        let of_known = self.known.values().filter_map(|entry| entry.unread);
        for unread in self.unread.values().copied().chain(of_known) {
            match unread {
                Unread::NoRight => refused += 1,
                Unread::Covered => covered += 1,
                Unread::PathTooLong => too_long += 1,
                Unread::Failed(errno) => {
                    failed += 1;
                    error = Some(errno);
                }
            }
        }
        let mut gaps = Vec::new();
        if refused > 0 {
            gaps.push(not_readable().counted(refused));
        }
        if covered > 0 {
            let gap = Gap::standing(
                "proc_covered",
                Source::Proc,
                "something is mounted over the folders of some processes in /proc; programs that \
                 hide do that",
                "who these processes are",
            );
            gaps.push(gap.counted(covered));
        }
        if too_long > 0 {
            let gap = Gap::standing(
                "path_too_long",
                Source::Proc,
                "the kernel shows no path of 4096 bytes or more",
                "the program paths of some processes",
            );
            gaps.push(gap.counted(too_long));
        }
        if let Some(error) = error {
            let why = format!("reading /proc failed: {}", io::Error::from(error));
            let gap = Gap::standing("processes_failed", Source::Proc, why, "some processes");
            gaps.push(gap.counted(failed));
        }
        if self.reader.conceals_processes() {
            gaps.push(Gap::standing(
                "hidepid",
                Source::Proc,
                "/proc is mounted with hidepid; root, or a member of the group in its option gid, \
                 sees all",
                "processes of other users, and that sockets are theirs",
            ));
        }
        gaps
    }

    /// One process, without its ancestors.
    fn read_one(&mut self, pid: u32) -> Option<ProcessId> {
        let seen = match self.reader.see(pid) {
            Ok(seen) => seen,
            Err(Errno::NOENT | Errno::SRCH) => return None,
            Err(errno) => {
                self.unread.insert(pid, Unread::from(errno));
                return None;
            }
        };
        let id = self.reader.id(pid, &seen.stat);
        let known = self.known.get(&id);
        if known.is_some_and(|known| known.runs_the_same(&seen.stat)) {
            return Some(id);
        }
        let Facts {
            process,
            unread,
            settled,
        } = self.reader.facts(id, &seen);
        let entry = Entry {
            process,
            // Who started it, also when that one has ended and it has been passed on since.
            parent_pid: known.map_or(seen.stat.parent, |known| known.parent_pid),
            parent: known.map_or(Above::NotAsked, |known| known.parent),
            stack: seen.stat.stack,
            settled,
            unread,
        };
        self.known.insert(id, entry);
        self.latest.insert(pid, id);
        self.unread.remove(&pid);
        Some(id)
    }

    fn read_ancestors(&mut self, id: ProcessId) {
        let mut child = id;
        for _ in 0..MOST_PARENTS {
            let parent = match self.known.get(&child).map(|entry| entry.parent) {
                None => break,
                Some(Above::Asked(parent)) => parent,
                Some(Above::NotAsked) => {
                    let parent = self.parent_of(child);
                    if let Some(entry) = self.known.get_mut(&child) {
                        entry.parent = Above::Asked(parent);
                    }
                    parent
                }
            };
            let Some(parent) = parent else { break };
            child = parent;
        }
        self.fill_parents(id);
    }

    fn parent_of(&mut self, child: ProcessId) -> Option<ProcessId> {
        let pid = self.known.get(&child)?.parent_pid;
        // A parent that came under this pid after we read its holder would be younger than a
        // child from before our own start, so that for these the holder need not be read again.
        let holder = self
            .latest
            .get(&pid)
            .copied()
            .filter(|_| child.start_ticks < self.began);
        let parent = match holder {
            Some(parent) => parent,
            None if pid == 0 => return None,
            None => self.read_one(pid)?,
        };
        // A younger one has only taken over the pid.
        (parent.start_ticks <= child.start_ticks).then_some(parent)
    }

    /// Writes the row of ancestors into a process, as far as they have been read.
    fn fill_parents(&mut self, id: ProcessId) {
        if self
            .known
            .get(&id)
            .is_none_or(|entry| !entry.process.parents.is_empty())
        {
            return;
        }
        let mut parents = Vec::<Parent>::new();
        let mut child = id;
        while parents.len() < MOST_PARENTS
            && let Some(Above::Asked(Some(above))) = self.known.get(&child).map(|it| it.parent)
            && above != id
            && !parents.iter().any(|parent| parent.pid == above.pid)
            && let Some(Entry { process, .. }) = self.known.get(&above)
        {
            parents.push(Parent {
                pid: above.pid,
                name: process.name.clone(),
                path: process.path.clone(),
            });
            child = above;
        }
        if let Some(entry) = self.known.get_mut(&id) {
            entry.process.parents = parents;
        }
    }
}

impl Entry {
    /// Whether it still runs the program that was read. Each exec moves the stack; the name tells
    /// where we may not see the stack. One that has ended shows less than was read.
    fn runs_the_same(&self, now: &Stat) -> bool {
        let same_stack = now.stack == self.stack || now.stack == 0;
        now.dead || (self.settled && same_stack && now.name == self.process.name)
    }
}

impl From<Errno> for Unread {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ACCESS | Errno::PERM => Self::NoRight,
            Errno::XDEV => Self::Covered,
            Errno::NAMETOOLONG => Self::PathTooLong,
            errno => Self::Failed(errno),
        }
    }
}

fn not_readable() -> Gap {
    let why = if rustix::process::geteuid().is_root() {
        "not even root may look into them here: CAP_SYS_PTRACE is missing, or a container or a \
         security module protects them"
    } else {
        "no right to look into processes of others; root, or CAP_SYS_PTRACE, has it"
    };
    Gap::standing(
        "processes_not_readable",
        Source::Proc,
        why,
        "their program path, network namespace and sockets, or all of them",
    )
}

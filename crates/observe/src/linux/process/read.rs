//! Reads one process: a directory below /proc, opened once, so that all facts are of the same run
//! even when its pid is given to another meanwhile.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use model::{BootId, NetworkNamespace, PathState, Process, ProcessId, Text, Timestamp};
use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC, RawDir, ResolveFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::path::DecInt;

use super::Unread;
use super::program::{self, program};
use crate::linux::users::Users;
use crate::parse::cgroup::place;
use crate::parse::proc_pid::{Stat, arguments, conceals_processes, namespace, stat};

const MOST_ARGUMENT_BYTES: usize = 32 * 1024;
const MOST_ARGUMENTS: usize = 1024;
/// Holds every file read here: up to 14 lines of at most 4096 bytes for `cgroup`.
const BUFFER: usize = 64 * 1024;
const DIRECTORY_BUFFER: usize = 32 * 1024;
const MOST_MOUNTINFO_BYTES: u64 = 16 * 1024 * 1024;
/// Threads tried for one that is still alive.
const MOST_THREADS: usize = 64;

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);

pub(super) struct Reader {
    proc: OwnedFd,
    buffer: Vec<u8>,
    users: Users,
    boot: BootId,
    boot_time: Timestamp,
}

/// A process that was there a moment ago.
pub(super) struct Seen {
    pub(super) directory: OwnedFd,
    pub(super) stat: Stat,
}

pub(super) struct Facts {
    /// Without parents.
    pub(super) process: Process,
    pub(super) unread: Option<Unread>,
    /// False: it was starting another program just then, and should be read again.
    pub(super) settled: bool,
}

impl Reader {
    pub(super) fn open(boot: BootId, boot_time: Timestamp) -> io::Result<Self> {
        let proc = rustix::fs::open("/proc", DIRECTORY, Mode::empty())?;
        if rustix::fs::fstatfs(&proc)?.f_type != PROC_SUPER_MAGIC {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "not a proc file system",
            ));
        }
        Ok(Self {
            proc,
            buffer: vec![0; BUFFER],
            users: Users::read(),
            boot,
            boot_time,
        })
    }

    /// When a process with these start ticks started.
    pub(super) fn started(&self, start_ticks: u64) -> Timestamp {
        started(self.boot_time, start_ticks)
    }

    /// `None`: not listed.
    pub(super) fn user(&mut self, uid: u32) -> Option<Text> {
        self.users.name(uid)
    }

    /// The start ticks of whocalls itself.
    pub(super) fn own_start(&mut self) -> io::Result<u64> {
        let file = read_file(&self.proc, c"self/stat", &mut self.buffer)?;
        Ok(stat(file).ok_or(io::ErrorKind::InvalidData)?.start_ticks)
    }

    pub(super) fn pids(&self) -> io::Result<Vec<u32>> {
        let mut pids = numbers_in(&self.proc, c".", usize::MAX)?;
        pids.sort_unstable();
        Ok(pids)
    }

    pub(super) fn id(&self, pid: u32, stat: &Stat) -> ProcessId {
        ProcessId {
            boot: self.boot,
            pid,
            start_ticks: stat.start_ticks,
        }
    }

    /// Errors: `NOENT` and `SRCH` say that there is no such process.
    pub(super) fn see(&mut self, pid: u32) -> Result<Seen, Errno> {
        let pid = DecInt::new(pid);
        let directory = open_uncovered(&self.proc, pid.as_c_str())?;
        let stat = stat(read_file(&directory, c"stat", &mut self.buffer)?).ok_or(Errno::INVAL)?;
        Ok(Seen { directory, stat })
    }

    pub(super) fn facts(&mut self, id: ProcessId, seen: &Seen) -> Facts {
        let Seen { directory, stat } = seen;
        let mut unread = None;
        // When the first thread alone has ended, the process lives on without showing its program
        // and its descriptors; its other threads show them.
        let survivor = (stat.dead && stat.threads > 1)
            .then(|| self.living_thread(seen))
            .flatten();
        let alive = survivor.as_ref().unwrap_or(directory);
        let (mut path, mut path_state) = (None, PathState::Unknown);
        let mut file = None;
        let (mut command_line, mut command_line_truncated) = (Some(Vec::new()), false);
        let mut settled = true;
        if !stat.kernel_thread && (!stat.dead || survivor.is_some()) {
            file = program::file(alive);
            match program(alive, &mut self.buffer) {
                Ok((text, state)) => (path, path_state) = (Some(text), state),
                Err(errno) => note(&mut unread, errno),
            }
            match command_line_of(alive, &mut self.buffer) {
                Ok((read, _)) if read.is_empty() && self.has_moved_on(alive, stat) => {
                    (command_line, settled) = (None, false);
                }
                Ok((read, cut)) => (command_line, command_line_truncated) = (Some(read), cut),
                Err(errno) => {
                    command_line = None;
                    note(&mut unread, errno);
                }
            }
        }
        let groups = read_file(directory, c"cgroup", &mut self.buffer).unwrap_or_default();
        let place = place(groups);
        // The directory belongs to the effective user, dumpable or not (fs/proc/base.c,
        // task_dump_owner): the same number as in `status`, for a fifth of the price.
        let uid = rustix::fs::fstat(directory)
            .ok()
            .map(|status| status.st_uid);
        let process = Process {
            id,
            started: Some(started(self.boot_time, id.start_ticks)),
            ended: None,
            name: stat.name.clone(),
            path,
            path_state,
            file,
            sha256: None,
            command_line,
            command_line_truncated,
            uid,
            user: uid.and_then(|uid| self.users.name(uid)),
            parents: Vec::new(),
            container: place.container,
            unit: place.unit,
            netns: network_namespace(alive, &mut self.buffer),
            kernel_thread: stat.kernel_thread,
            examined: None,
        };
        Facts {
            process,
            unread,
            settled,
        }
    }

    /// Whether a process is in an exec, or has been since `before`.
    fn has_moved_on(&mut self, directory: &OwnedFd, before: &Stat) -> bool {
        let now = read_file(directory, c"stat", &mut self.buffer)
            .ok()
            .and_then(stat);
        now.is_some_and(|now| {
            before.in_exec || now.in_exec || (now.stack != before.stack && !before.dead)
        })
    }

    /// Whether this mount of /proc hides other processes from us. The first process is always
    /// there, so that most often one look tells.
    pub(super) fn conceals_processes(&self) -> bool {
        rustix::fs::openat(&self.proc, c"1/stat", FILE, Mode::empty()).is_err()
            && mountinfo(&self.proc).is_ok_and(|file| conceals_processes(&file))
    }

    /// The directory of a thread that has not ended.
    fn living_thread(&mut self, seen: &Seen) -> Option<OwnedFd> {
        let tasks = rustix::fs::openat(&seen.directory, c"task", DIRECTORY, Mode::empty()).ok()?;
        let threads = numbers_in(&tasks, c".", MOST_THREADS).ok()?;
        threads.into_iter().find_map(|thread| {
            let thread = DecInt::new(thread);
            let directory =
                rustix::fs::openat(&tasks, thread.as_c_str(), DIRECTORY, Mode::empty()).ok()?;
            let stat = stat(read_file(&directory, c"stat", &mut self.buffer).ok()?)?;
            (!stat.dead).then_some(directory)
        })
    }
}

/// Keeps the first reason; that the process has ended meanwhile is none.
fn note(unread: &mut Option<Unread>, errno: Errno) {
    if !matches!(errno, Errno::NOENT | Errno::SRCH) {
        unread.get_or_insert(Unread::from(errno));
    }
}

fn command_line_of(directory: &OwnedFd, buffer: &mut [u8]) -> Result<(Vec<Text>, bool), Errno> {
    // One byte more tells whether there is more.
    let room = buffer.get_mut(..=MOST_ARGUMENT_BYTES).ok_or(Errno::INVAL)?;
    let file = read_file(directory, c"cmdline", room)?;
    let kept = file.get(..MOST_ARGUMENT_BYTES).unwrap_or(file);
    let (arguments, more) = arguments(kept, MOST_ARGUMENTS);
    Ok((arguments, more || kept.len() < file.len()))
}

fn network_namespace(directory: &OwnedFd, buffer: &mut [u8]) -> Option<NetworkNamespace> {
    let length = rustix::fs::readlinkat_raw(directory, c"ns/net", &mut *buffer).ok()?;
    namespace(buffer.get(..length)?).map(NetworkNamespace)
}

fn started(boot_time: Timestamp, start_ticks: u64) -> Timestamp {
    let since_boot = start_ticks.saturating_mul(ProcessId::NANOS_PER_TICK);
    let since_boot = i64::try_from(since_boot).unwrap_or(i64::MAX);
    Timestamp::from_unix_nanos(boot_time.unix_nanos().saturating_add(since_boot))
}

/// What fits into `buffer`.
fn read_file<'buffer>(
    directory: impl AsFd,
    name: &CStr,
    buffer: &'buffer mut [u8],
) -> Result<&'buffer [u8], Errno> {
    let file = rustix::fs::openat(directory, name, FILE, Mode::empty())?;
    // The kernel makes each of these files at the first read, as long as the room allows.
    let length = retry_on_intr(|| rustix::io::read(&file, &mut *buffer))?;
    Ok(buffer.get(..length).unwrap_or_default())
}

/// The names in a directory that are numbers, at most so many.
fn numbers_in(directory: impl AsFd, name: &CStr, most: usize) -> Result<Vec<u32>, Errno> {
    let flags = FILE | OFlags::DIRECTORY;
    let directory = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    let mut buffer = Vec::with_capacity(DIRECTORY_BUFFER);
    let mut entries = RawDir::new(&directory, buffer.spare_capacity_mut());
    let mut numbers = Vec::new();
    while let Some(entry) = entries.next()
        && numbers.len() < most
    {
        let name = entry?
            .file_name()
            .to_str()
            .ok()
            .and_then(|name| name.parse::<u32>().ok());
        numbers.extend(name);
    }
    Ok(numbers)
}

/// Opens the folder of a process. Error `XDEV`: something else is mounted there.
fn open_uncovered(proc: &OwnedFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let same_mount = ResolveFlags::NO_XDEV;
    match rustix::fs::openat2(proc, name, DIRECTORY, Mode::empty(), same_mount) {
        // Before Linux 5.6, or where a sandbox forbids it.
        Err(Errno::NOSYS | Errno::PERM) => rustix::fs::openat(proc, name, DIRECTORY, Mode::empty()),
        result => result,
    }
}

fn mountinfo(proc: &OwnedFd) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let file = rustix::fs::openat(proc, c"self/mountinfo", FILE, Mode::empty())?;
    let mut text = Vec::new();
    std::fs::File::from(file)
        .take(MOST_MOUNTINFO_BYTES)
        .read_to_end(&mut text)?;
    Ok(text)
}

//! The system calls that are still allowed (seccomp(2)). All others fail with EPERM: a list of what
//! is forbidden would have to be complete, and this one only makes something fail that a test finds.
//!
//! On no list: to start a program, to open a file for writing, to open a socket but for netlink, to
//! connect, to trace, to load a BPF program, to mount, to make memory executable.

use std::collections::BTreeMap;
use std::os::fd::RawFd;

use libc::c_long;
use rustix::fs::OFlags;
use seccompiler::{
    SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

use super::{NEW_FILE, SUBFOLDER};

/// What the process goes on doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// Reads events and BPF tables, folds, writes to what is open.
    Events,
    /// Reads /proc, and enters network namespaces.
    Polling,
    /// Answers questions about files of processes.
    Helper,
    /// Looks into other processes: their memory and their files.
    Examiner,
    /// Closes connections and ends processes, when asked to.
    Actions,
    /// Opens sockets for packets in network namespaces.
    Opener,
    /// Asks displays, each over its Unix socket.
    Seats,
    /// Makes new files in the folder that has this descriptor.
    Writer(RawFd),
    /// Makes new files and folders, and gives files other names.
    Folder,
}

/// What Rust and the C library need in every thread.
const ALWAYS: &[c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
];

/// Files and sockets that are open, and what tells of them.
const READING: &[c_long] = &[
    libc::SYS_bind,
    libc::SYS_fstat,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_lseek,
    libc::SYS_newfstatat,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_statx,
];

const OBSERVING: &[c_long] = &[
    // Who has no right to set the clock can only ask with it, and so with the newer one.
    libc::SYS_adjtimex,
    libc::SYS_capget,
    libc::SYS_clock_adjtime,
    // It returns ENOSYS all the same, see `install`.
    libc::SYS_clone3,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fdatasync,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getppid,
    libc::SYS_getrusage,
    libc::SYS_getuid,
    libc::SYS_ppoll,
    libc::SYS_readv,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_statfs,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Other calls for the same on the older architecture.
#[cfg(target_arch = "x86_64")]
const OLDER: &[c_long] = &[
    libc::SYS_access,
    libc::SYS_lstat,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_stat,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[c_long] = &[];

/// A call of which one argument, less the bits that do not matter, has to have one of these values.
struct Limited {
    call: c_long,
    argument: u8,
    bits: u64,
    allowed: &'static [u64],
}

const fn limited(call: c_long, argument: u8, bits: u64, allowed: &'static [u64]) -> Limited {
    Limited {
        call,
        argument,
        bits,
        allowed,
    }
}

const ALL_BITS: u64 = u32::MAX as u64;
/// Pointers are longer than other arguments.
const POINTER: u64 = u64::MAX;
/// O_ACCMODE, O_CREAT, O_TRUNC and the bit of O_TMPFILE that is not O_DIRECTORY: the same numbers
/// on all architectures that a filter is made for.
const WRITES: u64 = 0o3 | 0o100 | 0o1000 | 0o20_000_000;
const EXECUTABLE: u64 = 0x4;
const THREAD: u64 = 0x0001_0000;
/// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
const NAMESPACES: u64 = 0x7e02_0000;
const NEW_NETWORK: u64 = 0x4000_0000;
const NETLINK: u64 = 16;

const MEMORY: &[Limited] = &[
    limited(libc::SYS_mmap, 2, EXECUTABLE, &[0]),
    limited(libc::SYS_mprotect, 2, EXECUTABLE, &[0]),
];

const ALWAYS_LIMITED: &[Limited] = &[
    // F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC
    limited(libc::SYS_fcntl, 1, ALL_BITS, &[1, 2, 3, 4, 1030]),
    limited(libc::SYS_openat, 2, WRITES, &[0]),
    limited(libc::SYS_socket, 0, ALL_BITS, &[NETLINK]),
    #[cfg(target_arch = "x86_64")]
    limited(libc::SYS_open, 1, WRITES, &[0]),
];

const OBSERVING_LIMITED: &[Limited] = &[
    limited(libc::SYS_clone, 0, THREAD | NAMESPACES, &[THREAD]),
    // TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO: whether something is a terminal, and how wide. TCSETS,
    // TCSETSW, TCSETSF and the newer TCGETS2, TCSETS2, TCSETSW2, TCSETSF2: how it hands on keys.
    limited(
        libc::SYS_ioctl,
        1,
        ALL_BITS,
        &[
            0x5401,
            0x5413,
            0x541b,
            0x5421,
            0x5402,
            0x5403,
            0x5404,
            0x802c_542a,
            0x402c_542b,
            0x402c_542c,
            0x402c_542d,
        ],
    ),
    // PR_SET_NAME, PR_GET_NAME, PR_SET_VMA: names of threads and of memory.
    limited(libc::SYS_prctl, 0, ALL_BITS, &[15, 16, 0x5356_4d41]),
    // To ask for limits, not to set them.
    limited(libc::SYS_prlimit64, 2, POINTER, &[0]),
    // BPF_MAP_LOOKUP_ELEM, UPDATE_ELEM, DELETE_ELEM, GET_NEXT_KEY, OBJ_GET_INFO_BY_FD,
    // MAP_LOOKUP_BATCH, LINK_CREATE, ITER_CREATE: all of them on descriptors that we hold.
    limited(libc::SYS_bpf, 0, ALL_BITS, &[1, 2, 3, 4, 15, 24, 28, 33]),
];

/// What it copies for us into a file in memory.
const HELPING: &[c_long] = &[libc::SYS_memfd_create, libc::SYS_write];

/// Its way into network namespaces, and which signal tells it that nobody asks any more.
const HELPER_LIMITED: &[Limited] = &[
    ENTERING,
    // PR_SET_PDEATHSIG
    limited(libc::SYS_prctl, 0, ALL_BITS, &[1]),
];

/// Folders, memory of others, which rights it has, and a thread for what takes long. A filter cannot see
/// the arguments of openat2(2), so that it could write where everybody may: what lies at a path of
/// another process is only told by this call.
const EXAMINING: &[c_long] = &[
    libc::SYS_capget,
    libc::SYS_clone3,
    libc::SYS_fstatfs,
    libc::SYS_getdents64,
    libc::SYS_geteuid,
    libc::SYS_getpriority,
    libc::SYS_getuid,
    libc::SYS_getxattr,
    libc::SYS_openat2,
    libc::SYS_ppoll,
    libc::SYS_preadv,
    libc::SYS_process_vm_readv,
    libc::SYS_readv,
    libc::SYS_setpriority,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_statfs,
    libc::SYS_write,
    libc::SYS_writev,
];

const EXAMINING_LIMITED: &[Limited] = &[
    limited(libc::SYS_clone, 0, THREAD | NAMESPACES, &[THREAD]),
    // PAGEMAP_SCAN (linux/fs.h); FIONBIO.
    limited(libc::SYS_ioctl, 1, ALL_BITS, &[0xc060_6610, 0x5421]),
    // Whether somebody is there: no signal.
    limited(libc::SYS_kill, 1, ALL_BITS, &[0]),
    // As for all, and F_GET_SEALS.
    limited(libc::SYS_fcntl, 1, ALL_BITS, &[1, 2, 3, 4, 1030, 1034]),
    limited(libc::SYS_socket, 0, ALL_BITS, &[NETLINK]),
    // PR_SET_PDEATHSIG; names of threads and of memory.
    limited(libc::SYS_prctl, 0, ALL_BITS, &[1, 15, 16, 0x5356_4d41]),
    // To ask for limits, not to set them.
    limited(libc::SYS_prlimit64, 2, POINTER, &[0]),
];

/// Its socket, ways into network namespaces, and whether they lead there.
const OPENING: &[c_long] = &[
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_statx,
];

const OPENING_LIMITED: &[Limited] = &[
    ENTERING,
    limited(libc::SYS_openat, 2, WRITES, &[0]),
    #[cfg(target_arch = "x86_64")]
    limited(libc::SYS_open, 1, WRITES, &[0]),
    // AF_NETLINK and AF_PACKET.
    limited(libc::SYS_socket, 0, ALL_BITS, &[NETLINK, 17]),
    // PR_SET_PDEATHSIG
    limited(libc::SYS_prctl, 0, ALL_BITS, &[1]),
];

/// To list processes, to hold one open, to end it, and to wait until it has.
const ACTING: &[c_long] = &[
    libc::SYS_clone3,
    libc::SYS_getdents64,
    libc::SYS_pidfd_open,
    libc::SYS_ppoll,
];

/// SIGKILL and SIGTERM, and no others; a thread of its own for each foreign network namespace.
const ACTING_LIMITED: &[Limited] = &[
    limited(libc::SYS_pidfd_send_signal, 1, ALL_BITS, &[9, 15]),
    limited(libc::SYS_clone, 0, THREAD | NAMESPACES, &[THREAD]),
    ENTERING,
    // PR_SET_PDEATHSIG; names of threads and of memory.
    limited(libc::SYS_prctl, 0, ALL_BITS, &[1, 15, 16, 0x5356_4d41]),
];

/// Sockets of displays, and whether they have something to say.
const ASKING: &[c_long] = &[libc::SYS_connect, libc::SYS_ppoll];

/// AF_UNIX, and no other.
const ASKING_LIMITED: &[Limited] = &[
    limited(libc::SYS_socket, 0, ALL_BITS, &[1]),
    // PR_SET_PDEATHSIG
    limited(libc::SYS_prctl, 0, ALL_BITS, &[1]),
];

/// What goes over its socket, and into the file.
const WRITING: &[c_long] = &[
    libc::SYS_fsync,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_write,
];

/// What goes over its socket, and what tells of folders.
const FILING: &[c_long] = &[
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_mkdirat,
    libc::SYS_newfstatat,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
];

const FILING_LIMITED: &[Limited] = &[
    // None, and RENAME_NOREPLACE.
    limited(libc::SYS_renameat2, 4, ALL_BITS, &[0, 1]),
    // Not AT_REMOVEDIR.
    limited(libc::SYS_unlinkat, 2, ALL_BITS, &[0]),
];

const POLLING_LIMITED: &[Limited] = &[ENTERING];
const ENTERING: Limited = limited(libc::SYS_setns, 1, ALL_BITS, &[NEW_NETWORK]);

/// Forbids this thread, and those it will start, all but what the duty needs.
pub(super) fn install(duty: Duty) -> Result<(), String> {
    let architecture: TargetArch = std::env::consts::ARCH
        .try_into()
        .map_err(|_| "there is no list of them for this architecture".to_owned())?;
    // The C library starts threads with clone3(2), whose arguments a filter cannot see, and takes
    // clone(2) where the kernel does not know it. Of two filters the stricter counts.
    let unknown = SeccompAction::Errno(errno(libc::ENOSYS));
    let newer = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    apply(newer, SeccompAction::Allow, unknown, architecture)?;
    let forbidden = SeccompAction::Errno(errno(libc::EPERM));
    let rules = rules(duty).map_err(|error| error.to_string())?;
    apply(rules, forbidden, SeccompAction::Allow, architecture)
}

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

fn apply(
    rules: Rules,
    otherwise: SeccompAction,
    on_list: SeccompAction,
    architecture: TargetArch,
) -> Result<(), String> {
    let filter = SeccompFilter::new(rules, otherwise, on_list, architecture);
    let program = filter.and_then(seccompiler::BpfProgram::try_from);
    let program = program.map_err(|error| error.to_string())?;
    apply_filter(&program).map_err(|error| error.to_string())
}

fn rules(duty: Duty) -> Result<Rules, seccompiler::BackendError> {
    let (calls, in_part): (&[&[c_long]], &[&[Limited]]) = match duty {
        Duty::Events => (
            &[ALWAYS, READING, OBSERVING, OLDER],
            &[MEMORY, ALWAYS_LIMITED, OBSERVING_LIMITED],
        ),
        // Its arguments cannot be seen, so that it could write where everybody may: to tell a
        // deleted program from one that is called so takes this call.
        Duty::Polling => (
            &[ALWAYS, READING, OBSERVING, OLDER, &[libc::SYS_openat2]],
            &[MEMORY, ALWAYS_LIMITED, OBSERVING_LIMITED, POLLING_LIMITED],
        ),
        Duty::Helper => (
            &[ALWAYS, READING, OLDER, HELPING],
            &[MEMORY, ALWAYS_LIMITED, HELPER_LIMITED],
        ),
        Duty::Examiner => (
            &[ALWAYS, READING, OLDER, EXAMINING],
            &[MEMORY, ALWAYS_LIMITED, EXAMINING_LIMITED],
        ),
        Duty::Actions => (
            &[ALWAYS, READING, OLDER, ACTING],
            &[MEMORY, ALWAYS_LIMITED, ACTING_LIMITED],
        ),
        Duty::Seats => (
            &[ALWAYS, READING, OLDER, ASKING],
            &[MEMORY, ALWAYS_LIMITED, ASKING_LIMITED],
        ),
        Duty::Opener => (&[ALWAYS, OPENING], &[MEMORY, OPENING_LIMITED]),
        Duty::Writer(_) => (&[ALWAYS, WRITING], &[MEMORY]),
        Duty::Folder => (&[ALWAYS, FILING], &[MEMORY, FILING_LIMITED]),
    };
    let mut rules = Rules::new();
    for call in calls.iter().copied().flatten() {
        rules.insert(*call, Vec::new());
    }
    for call in in_part.iter().copied().flatten() {
        let allowed = call.allowed.iter().map(|value| rule(call, *value));
        rules.insert(call.call, allowed.collect::<Result<_, _>>()?);
    }
    // It may abort itself, and end no other process.
    let kill = limited(libc::SYS_tgkill, 0, ALL_BITS, &[]);
    let itself = rule(&kill, u64::from(std::process::id()))?;
    rules.insert(kill.call, vec![itself]);
    match duty {
        Duty::Writer(folder) => {
            rules.insert(libc::SYS_openat, vec![new_file(Some(folder))?]);
        }
        Duty::Folder => {
            rules.insert(libc::SYS_openat, vec![new_file(None)?, subfolder()?]);
        }
        // Whether somebody is there: no signal.
        Duty::Examiner => {
            let nothing = limited(libc::SYS_tgkill, 2, ALL_BITS, &[]);
            let nothing = rule(&nothing, 0)?;
            rules.entry(libc::SYS_tgkill).or_default().push(nothing);
        }
        Duty::Events
        | Duty::Polling
        | Duty::Helper
        | Duty::Actions
        | Duty::Opener
        | Duty::Seats => {}
    }
    Ok(rules)
}

/// To open what is not there yet, below this folder if one is given, and nothing else.
fn new_file(folder: Option<RawFd>) -> Result<SeccompRule, seccompiler::BackendError> {
    let mut conditions = vec![opened_as(NEW_FILE)?];
    if let Some(folder) = folder {
        let (argument, value) = (0, u64::from(folder.unsigned_abs()));
        let (length, equal) = (SeccompCmpArgLen::Dword, SeccompCmpOp::Eq);
        conditions.push(SeccompCondition::new(argument, length, equal, value)?);
    }
    SeccompRule::new(conditions)
}

/// To open a folder that is no link.
fn subfolder() -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![opened_as(SUBFOLDER)?])
}

fn opened_as(wanted: OFlags) -> Result<SeccompCondition, seccompiler::BackendError> {
    let flags = |flags: OFlags| u64::from(flags.bits());
    let matter = OFlags::EXCL | OFlags::NOFOLLOW | OFlags::PATH | OFlags::DIRECTORY;
    let bits = WRITES | flags(matter);
    let equal = SeccompCmpOp::MaskedEq(bits);
    SeccompCondition::new(2, SeccompCmpArgLen::Dword, equal, flags(wanted) & bits)
}

fn rule(limited: &Limited, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    let length = if limited.bits > ALL_BITS {
        SeccompCmpArgLen::Qword
    } else {
        SeccompCmpArgLen::Dword
    };
    let equal = SeccompCmpOp::MaskedEq(limited.bits);
    let condition = SeccompCondition::new(limited.argument, length, equal, value)?;
    SeccompRule::new(vec![condition])
}

fn errno(errno: i32) -> u32 {
    errno.unsigned_abs()
}

#[cfg(test)]
mod tests;

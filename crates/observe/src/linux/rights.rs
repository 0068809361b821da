//! Gives up rights (capabilities(7)) when all that needs them is open, and then most system calls
//! (seccomp(2)). What goes on takes apart what others wrote; should one of them find a flaw in that,
//! there is little to gain.
//!
//! Rights and filters belong to a thread, and a new thread has those of the one that starts it. So
//! this comes before any thread that stays.

mod filter;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::thread;

use model::{Gap, Source};
use rustix::fs::{Gid, OFlags, Uid};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, geteuid, getuid, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_keep_capabilities, set_no_new_privs,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use self::filter::Duty;
use super::bpf::BpfError;

/// The user and the group `nobody`.
const NOBODY: u32 = 65534;
/// From here to 2^31 no user, service or container has its number (systemd, UIDS-GIDS).
const FIRST_UNUSED: u32 = 0x7100_0000;

/// What a watch without events needs again and again: descriptors and namespaces of other
/// processes, and the news of sockets that go.
const POLLING: CapabilitySet = CapabilitySet::SYS_PTRACE
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::SYS_ADMIN)
    .union(CapabilitySet::NET_ADMIN);

/// What a watch without type information needs: the same for programs and byte counts, and older
/// kernels ask for CAP_BPF to read the tables of BPF programs.
const PLAIN: CapabilitySet = HELPER.union(CapabilitySet::BPF);

/// How a file is opened that is not there yet, and for nothing but writing.
pub(crate) const NEW_FILE: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// How a folder is opened that files are made in.
pub(crate) const SUBFOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// What the helper needs: files of other processes, and to enter their network namespaces.
const HELPER: CapabilitySet = CapabilitySet::SYS_PTRACE
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::SYS_ADMIN);

/// What it takes to open sockets for packets: to enter network namespaces, to which processes in them
/// lead, and to hear what is not for us.
const OPENER: CapabilitySet = CapabilitySet::SYS_PTRACE
    .union(CapabilitySet::SYS_ADMIN)
    .union(CapabilitySet::NET_RAW);

/// What the examiner needs: memory and files of other processes. The last is for their mapped files,
/// and takes the place of CAP_SYS_ADMIN.
const EXAMINER: CapabilitySet = CapabilitySet::SYS_PTRACE
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::CHECKPOINT_RESTORE);

/// What it takes to close connections and to end processes, of others and in network namespaces
/// other than ours, to which processes in them lead.
const ACTIONS: CapabilitySet = CapabilitySet::NET_ADMIN
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SYS_ADMIN)
    .union(CapabilitySet::SYS_PTRACE);

/// For a watch that has events: gives up every right. `trial` tries what will have to work without
/// them; it is called before on a thread that has none, and afterwards. Where the first fails,
/// as with older kernels, CAP_BPF is kept.
///
/// Gives what is to be said of it.
pub(crate) fn drop_all(mut trial: impl FnMut() -> Result<(), BpfError> + Send) -> Vec<Gap> {
    let refused = without_rights(&mut trial).err();
    let kept = match refused {
        Some(_) => CapabilitySet::BPF,
        None => CapabilitySet::empty(),
    };
    let mut gaps = give_up(kept, Duty::Events);
    gaps.extend(refused.map(|why| {
        let why = format!("this kernel asks for CAP_BPF to read the tables of BPF programs: {why}");
        rights_kept(why)
    }));
    gaps.extend(trial().err().map(|error| {
        Gap::standing(
            "counts_not_readable",
            Source::Ebpf,
            format!("BPF tables cannot be read any more: {error}"),
            "what open connections have sent and received, and after a loss of events the \
             connections that were lost",
        )
    }));
    gaps
}

/// For a watch without events: keeps what it needs to look again. Gives what is to be said of it.
pub(crate) fn keep_for_polling() -> Vec<Gap> {
    keep(
        POLLING,
        "every look reads /proc and enters network namespaces",
    )
}

/// For a watch with events and without type information, which has to read the rest elsewhere.
pub(crate) fn keep_for_plain() -> Vec<Gap> {
    keep(
        PLAIN,
        "programs are read from /proc, and byte counts in network namespaces",
    )
}

fn keep(wanted: CapabilitySet, why: &str) -> Vec<Gap> {
    let present = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.permitted);
    let kept = present & wanted;
    let mut gaps = give_up(kept, Duty::Polling);
    if !kept.is_empty() {
        let names: Vec<_> = kept
            .iter_names()
            .map(|(name, _)| format!("CAP_{name}"))
            .collect();
        gaps.push(rights_kept(format!("{why}, with {}", names.join(", "))));
    }
    gaps
}

/// For the helper.
///
/// Errors: it has more rights than it should; then it must not answer.
pub(crate) fn keep_for_helper() -> io::Result<()> {
    let present = capabilities(None)?.permitted;
    match give_up(present & HELPER, Duty::Helper).into_iter().next() {
        None => Ok(()),
        Some(gap) => Err(io::Error::other(gap.why)),
    }
}

/// For the process that opens sockets for packets.
///
/// Errors: it has more rights than it should; then it must not answer.
pub(crate) fn keep_for_opener() -> io::Result<()> {
    let present = capabilities(None)?.permitted;
    match give_up(present & OPENER, Duty::Opener).into_iter().next() {
        None => Ok(()),
        Some(gap) => Err(io::Error::other(gap.why)),
    }
}

/// For the process that looks into others.
///
/// Errors: it has more rights than it should; then it must not answer.
pub(crate) fn keep_for_examiner() -> io::Result<()> {
    let present = capabilities(None)?.permitted;
    // Kernels before 5.9 do not know it, and not everybody gives it.
    let wanted = if present.contains(CapabilitySet::CHECKPOINT_RESTORE) {
        EXAMINER
    } else {
        EXAMINER.union(CapabilitySet::SYS_ADMIN)
    };
    match give_up(present & wanted, Duty::Examiner).into_iter().next() {
        None => Ok(()),
        Some(gap) => Err(io::Error::other(gap.why)),
    }
}

/// For the process that asks displays.
///
/// Errors: it has more rights than it should; then it must not ask.
pub(crate) fn drop_for_seats() -> io::Result<()> {
    match give_up(CapabilitySet::empty(), Duty::Seats)
        .into_iter()
        .next()
    {
        None => Ok(()),
        Some(gap) => Err(io::Error::other(gap.why)),
    }
}

/// For the process that closes connections and ends processes.
///
/// Errors: it has more rights than it should; then it must not answer.
pub(crate) fn keep_for_actions() -> io::Result<()> {
    let present = capabilities(None)?.permitted;
    match give_up(present & ACTIONS, Duty::Actions).into_iter().next() {
        None => Ok(()),
        Some(gap) => Err(io::Error::other(gap.why)),
    }
}

/// For the process that saves files: keeps no right, and where it can it shuts itself into the
/// folder (chroot(2)). With `user`, a user and a group, root becomes that one.
///
/// Errors: it has more rights than it should; then it must not write.
pub(crate) fn drop_for_writer(folder: BorrowedFd<'_>, user: Option<(u32, u32)>) -> io::Result<()> {
    shut_in(folder, user, Duty::Writer(folder.as_raw_fd()))
}

/// The same for the process that makes the files of a case.
///
/// Errors: as [`drop_for_writer`].
pub(crate) fn drop_for_folder(folder: BorrowedFd<'_>, user: Option<(u32, u32)>) -> io::Result<()> {
    shut_in(folder, user, Duty::Folder)
}

fn shut_in(folder: BorrowedFd<'_>, user: Option<(u32, u32)>, duty: Duty) -> io::Result<()> {
    nobody_else().map_err(io::Error::other)?;
    set_no_new_privs(true)?;
    let sets = capabilities(None)?;
    if !sets.permitted.is_empty() {
        let may = |right| sets.effective.contains(right);
        if may(CapabilitySet::SETPCAP) {
            empty_bounding_set()?;
        }
        clear_ambient_capability_set()?;
        if may(CapabilitySet::SYS_CHROOT) {
            rustix::process::fchdir(folder)?;
            rustix::process::chroot(c".")?;
        }
        if let Some((user, group)) = user.filter(|_| geteuid().is_root()) {
            become_user(Uid::from_raw(user), Gid::from_raw(group), false)?;
        }
        set_only(CapabilitySet::empty())?;
    }
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    filter::install(duty).map_err(io::Error::other)
}

/// Replaces, in a look that came after [`drop_all`], the gaps that are there only since then.
pub(crate) fn explain(gaps: &mut Vec<Gap>) {
    const OF_RIGHTS: [&str; 3] = [
        "no_rights",
        "processes_not_readable",
        "namespace_not_entered",
    ];
    let before = gaps.len();
    gaps.retain(|gap| !OF_RIGHTS.contains(&gap.id.as_str()));
    if gaps.len() < before {
        gaps.push(Gap::standing(
            "rights_given_up",
            Source::Proc,
            "whocalls gave up its rights once it was attached, and then had to look again, since \
             events were lost",
            "program files of processes that started among the lost events, and sockets of other \
             network namespaces that no process holds",
        ));
    }
}

fn rights_kept(why: String) -> Gap {
    let missed = "nothing; but a flaw in whocalls would give these rights away";
    Gap::standing("rights_kept", Source::Proc, why, missed)
}

/// Tries something on a thread that has no rights.
fn without_rights(trial: &mut (impl FnMut() -> Result<(), BpfError> + Send)) -> Result<(), String> {
    let tried = thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, || {
            let none = CapabilitySet::empty();
            set_only(none).map_err(|error| error.to_string())?;
            trial().map_err(|error| error.to_string())
        });
        thread.map(thread::ScopedJoinHandle::join)
    });
    match tried {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err("the trial of it panicked".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Gives up all but `kept`, and all system calls but those of the duty. Gives what failed.
fn give_up(kept: CapabilitySet, duty: Duty) -> Vec<Gap> {
    let mut failed = Vec::new();
    let mut done = |what: &str, result: Result<(), String>| {
        failed.extend(result.err().map(|why| format!("{what}: {why}")));
    };
    done("to do it in time", nobody_else());
    done("never to gain rights", text(set_no_new_privs(true)));
    let sets = capabilities(None);
    let is_root = getuid().is_root() || geteuid().is_root();
    if is_root || sets.is_ok_and(|sets| !sets.permitted.is_empty()) {
        let may_bound = sets.is_ok_and(|sets| sets.effective.contains(CapabilitySet::SETPCAP));
        if may_bound {
            done("to bound the rights", text(empty_bounding_set()));
        }
        let cleared = text(clear_ambient_capability_set());
        done("to clear the rights to hand on", cleared);
        if is_root {
            done(
                "to become a user without rights",
                text(become_new_user(!kept.is_empty())),
            );
        }
        done("to drop the rights", text(set_only(kept)));
        let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        done("to close itself to others", text(hidden));
    }
    done("to filter system calls", filter::install(duty));
    let gap = |failed: Vec<String>| {
        let why = format!("whocalls could not give up rights: {}", failed.join("; "));
        let missed = "nothing; but it runs with more rights than it needs";
        Gap::standing("rights_not_given_up", Source::Proc, why, missed)
    };
    (!failed.is_empty())
        .then(|| gap(failed))
        .into_iter()
        .collect()
}

fn text(result: Result<(), Errno>) -> Result<(), String> {
    result.map_err(|errno| errno.to_string())
}

/// Another thread would keep its rights.
fn nobody_else() -> Result<(), String> {
    let threads = std::fs::read_dir("/proc/self/task").map_err(|error| error.to_string())?;
    match threads.count() {
        0 | 1 => Ok(()),
        more => Err(format!("{more} threads run already")),
    }
}

fn empty_bounding_set() -> Result<(), Errno> {
    for bit in 0..u64::BITS {
        let right = CapabilitySet::from_bits_retain(1 << bit);
        match remove_capability_from_bounding_set(right) {
            // There are not so many.
            Ok(()) | Err(Errno::INVAL) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// A user of its own: whoever is the same user may stop and end a process, and many a service is
/// `nobody`. That one only where a user namespace has no such numbers.
fn become_new_user(with_rights: bool) -> Result<(), Errno> {
    let become_number =
        |number| become_user(Uid::from_raw(number), Gid::from_raw(number), with_rights);
    // Pids have 22 bits at most (PID_MAX_LIMIT, include/linux/threads.h).
    match become_number(FIRST_UNUSED + std::process::id()) {
        Err(Errno::INVAL) => become_number(NOBODY),
        other => other,
    }
}

/// Groups first: an ordinary user may not change them.
fn become_user(user: Uid, group: Gid, with_rights: bool) -> Result<(), Errno> {
    set_keep_capabilities(with_rights)?;
    set_thread_groups(&[])?;
    set_thread_res_gid(group, group, group)?;
    set_thread_res_uid(user, user, user)
}

fn set_only(kept: CapabilitySet) -> Result<(), Errno> {
    let sets = CapabilitySets {
        effective: kept,
        permitted: kept,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rights belong to a thread; the other threads of this process keep theirs.
    fn on_a_thread<T: Send + 'static>(work: fn() -> T) -> T {
        let result = thread::spawn(work).join().unwrap();
        set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
        result
    }

    fn has(rights: CapabilitySet) -> bool {
        let sets = capabilities(None).unwrap();
        sets.effective == rights && sets.permitted == rights && sets.inheritable.is_empty()
    }

    fn ids(gaps: &[Gap]) -> Vec<&str> {
        gaps.iter().map(|gap| gap.id.as_str()).collect()
    }

    /// As a kernel before 5.19 has it, where BPF is not for everyone.
    fn of_an_old_kernel() -> Result<(), BpfError> {
        let may = capabilities(None)
            .unwrap()
            .effective
            .contains(CapabilitySet::BPF);
        may.then_some(()).ok_or(BpfError::NoRights)
    }

    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn is_root(test: &str) -> bool {
        let is_root = geteuid().is_root();
        if !is_root {
            eprintln!("skipped: {test}: it needs root");
        }
        is_root
    }

    #[test]
    fn nothing_is_kept_where_nothing_is_needed() {
        on_a_thread(|| {
            let gaps = drop_all(|| Ok(()));
            // In a test, unlike in the program, there are other threads.
            assert_eq!(ids(&gaps), ["rights_not_given_up"]);
            assert!(
                gaps[0].why.contains("threads run already"),
                "{}",
                gaps[0].why
            );
            assert!(!gaps[0].why.contains(';'), "{}", gaps[0].why);
            assert!(has(CapabilitySet::empty()));
        });
    }

    #[test]
    fn an_old_kernel_leaves_us_one_right() {
        if !is_root("an_old_kernel_leaves_us_one_right") {
            return;
        }
        on_a_thread(|| {
            let gaps = drop_all(of_an_old_kernel);
            assert_eq!(ids(&gaps), ["rights_not_given_up", "rights_kept"]);
            assert!(gaps[1].why.contains("CAP_BPF"), "{}", gaps[1].why);
            assert!(has(CapabilitySet::BPF));
        });
    }

    #[test]
    fn that_a_kernel_refuses_after_all_is_said() {
        on_a_thread(|| {
            let gaps = drop_all(|| Err(BpfError::NoRights));
            let ids = ids(&gaps);
            assert_eq!(ids[1..], ["rights_kept", "counts_not_readable"]);
        });
    }

    #[test]
    fn what_is_missed_for_want_of_rights_is_explained() {
        let gap = |id| Gap::standing(id, Source::Proc, "why", "missed");
        let check = |before: &[&'static str], after: &[&str]| {
            let mut gaps: Vec<_> = before.iter().map(|id| gap(id)).collect();
            explain(&mut gaps);
            assert_eq!(ids(&gaps), after);
        };
        check(&["no_rights", "hidepid"], &["hidepid", "rights_given_up"]);
        check(&["hidepid"], &["hidepid"]);
    }
}

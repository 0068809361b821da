//! Who sent a signal (sigaction(2): `SA_SIGINFO`). What the handler does is safe at any moment: it
//! stores numbers, once.

use std::fs::File;
use std::io::{self, Read};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};

use model::ProcessId;
use rustix::time::{ClockId, clock_gettime};

use super::users::Users;
use crate::parse::proc_pid::{arguments, stat};
use crate::signals::{Asked, Program, Sender};

const MOST_ARGUMENTS: usize = 16;
/// Of a file in /proc, in bytes.
const MOST_BYTES: u64 = 4096;

/// Somebody is the first.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// 0: none yet. It is stored last.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
static CODE: AtomicI32 = AtomicI32::new(0);
static PID: AtomicI32 = AtomicI32::new(0);
static UID: AtomicU32 = AtomicU32::new(0);
static BOOT_NS: AtomicU64 = AtomicU64::new(0);

extern "C" fn note(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    if TAKEN.swap(true, Ordering::AcqRel) {
        return;
    }
    let (code, pid, uid) = sender(info);
    CODE.store(code, Ordering::Relaxed);
    PID.store(pid, Ordering::Relaxed);
    UID.store(uid, Ordering::Relaxed);
    let up = clock_gettime(ClockId::Boottime);
    let up = up.tv_sec.unsigned_abs() * 1_000_000_000 + up.tv_nsec.unsigned_abs();
    BOOT_NS.store(up, Ordering::Relaxed);
    SIGNAL.store(signal, Ordering::Release);
}

#[expect(unsafe_code, reason = "the kernel hands over a pointer to a union")]
fn sender(info: *const libc::siginfo_t) -> (i32, i32, u32) {
    // SAFETY: the kernel hands a handler with SA_SIGINFO a pointer to one that outlives the call,
    // and whoever handed it on to us has it from there.
    let Some(info) = (unsafe { info.as_ref() }) else {
        return (libc::SI_KERNEL, 0, 0);
    };
    // SAFETY: the signals listened for come from kill(2) and the like or from the kernel, which
    // sets this part of the union then, and clears all of it before.
    let pid = unsafe { info.si_pid() };
    // SAFETY: as above.
    let uid = unsafe { info.si_uid() };
    (info.si_code, pid, uid)
}

pub(crate) fn note_senders(signals: &[i32]) -> io::Result<()> {
    signals.iter().try_for_each(|signal| listen(*signal))
}

#[expect(
    unsafe_code,
    reason = "the standard library has no way to handle a signal"
)]
fn listen(signal: i32) -> io::Result<()> {
    // SAFETY: it is numbers, of all of which 0 is a value: no flags, no signal blocked.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = note as *const () as libc::sighandler_t;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
    // SAFETY: the action outlives the call, and `note` is of the form that SA_SIGINFO asks for and
    // calls nothing but what may be called in a handler (signal-safety(7)).
    match unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// SIGTERM asks it.
pub(crate) fn listen_for_stop(_process: ProcessId) -> io::Result<()> {
    Ok(())
}

pub(crate) fn first() -> Option<Asked> {
    let signal = SIGNAL.load(Ordering::Acquire);
    (signal != 0).then(|| {
        let boot_ns = BOOT_NS.load(Ordering::Relaxed);
        let code = CODE.load(Ordering::Relaxed);
        let by = if code == libc::SI_KERNEL {
            Sender::Kernel
        } else {
            process(
                PID.load(Ordering::Relaxed),
                UID.load(Ordering::Relaxed),
                // Other codes come from rt_sigqueueinfo(2), and whoever calls it fills in the rest.
                code == libc::SI_USER || code == libc::SI_TKILL,
                boot_ns,
            )
        };
        Asked {
            signal,
            boot_ns,
            by,
        }
    })
}

fn process(pid: i32, uid: u32, is_certain: bool, boot_ns: u64) -> Sender {
    let pid = u32::try_from(pid).ok().filter(|pid| *pid != 0);
    Sender::Process {
        pid,
        uid,
        user: Users::read().name(uid),
        is_certain,
        program: pid.and_then(|pid| program(pid, boot_ns)),
    }
}

/// `None`: it has ended, or another one has its number.
fn program(pid: u32, boot_ns: u64) -> Option<Program> {
    let stat = stat(&read(pid, "stat")?)?;
    (stat.start_ticks.saturating_mul(ProcessId::NANOS_PER_TICK) <= boot_ns).then_some(())?;
    // Of who has ended and was not fetched yet there are none.
    let command_line = read(pid, "cmdline").unwrap_or_default();
    Some(Program {
        name: stat.name,
        arguments: arguments(&command_line, MOST_ARGUMENTS).0,
    })
}

fn read(pid: u32, name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(format!("/proc/{pid}/{name}")).ok()?;
    file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, getuid, kill_process};

    use super::*;

    /// One test: there is one first signal for each process.
    #[test]
    fn the_first_sender_is_told() {
        assert_eq!(first(), None);
        note_senders(&[libc::SIGUSR1, libc::SIGUSR2]).unwrap();
        assert_eq!(first(), None);
        kill_process(getpid(), Signal::USR1).unwrap();
        while first().is_none() {
            std::thread::yield_now();
        }
        kill_process(getpid(), Signal::USR2).unwrap();
        let asked = first().unwrap();
        assert_eq!(asked.signal, libc::SIGUSR1);
        let Sender::Process {
            pid,
            uid,
            is_certain,
            program,
            ..
        } = asked.by
        else {
            panic!("{asked:?}");
        };
        assert_eq!(
            (pid, uid, is_certain),
            (Some(std::process::id()), getuid().as_raw(), true)
        );
        let own = std::env::args_os().next().unwrap();
        let program = program.unwrap();
        assert_eq!(
            program.arguments.first().unwrap().lossy(),
            own.to_string_lossy()
        );
        // Whoever began later has only the same number.
        assert!(super::program(std::process::id(), 1).is_none());
        assert!(super::program(u32::MAX, u64::MAX).is_none());
    }

    #[test]
    fn no_such_signal_is_an_error() {
        assert!(note_senders(&[4000]).is_err());
    }
}

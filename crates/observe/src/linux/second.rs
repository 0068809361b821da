//! Our own file, started again as a process that does one thing apart from us, with other rights. It
//! has a socket to us as its standard input, nothing else that is ours, and ends when we do.

use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair, sockopt};
use rustix::thread::set_name;

/// Whether our own file, started again, would do that thing: another program that uses this crate
/// would start itself over and over.
static IS_ABLE: AtomicBool = AtomicBool::new(false);

/// Those that this process has started.
static STARTED: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// To be called before anything else. `Some`: this process was started with this argument, which is
/// not for people and different for each thing; `work` is done, and it is to end with this code.
pub(crate) fn helped(mark: &str, work: fn() -> io::Result<()>) -> Option<ExitCode> {
    IS_ABLE.store(true, Ordering::Relaxed);
    if env::args_os()
        .nth(1)
        .is_none_or(|argument| argument != mark)
    {
        return None;
    }
    // There is nobody to tell why: that it ended is what is heard.
    Some(if work().is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Starts it, by a thread that does not end before us. `prepare` may change the command; it begins
/// without environment, in the folder we are in. Gives our end of the socket.
///
/// Errors: our own file cannot be started, or its main function never asked [`helped`].
pub(crate) fn start(
    mark: &str,
    prepare: impl FnOnce(&mut Command),
) -> io::Result<(OwnedFd, Child)> {
    if !IS_ABLE.load(Ordering::Relaxed) {
        return Err(io::Error::other(
            "this program did not ask first whether it is to help",
        ));
    }
    let (here, there) = pair()?;
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0(own_name())
        .arg(mark)
        .env_clear()
        .stdin(Stdio::from(there))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C is for us to hear.
        .process_group(0);
    prepare(&mut command);
    let child = command.spawn()?;
    started().push(child.id());
    Ok((here, child))
}

/// Both ends of such a socket.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    Ok(socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        flags,
        None,
    )?)
}

/// For the one that was started: makes sure that a socket is its standard input, and closes
/// whatever else whoever started whocalls may have left us.
pub(crate) fn make_alone() -> io::Result<()> {
    let stdin = io::stdin();
    let socket = stdin.as_fd();
    let asked_over = (
        sockopt::socket_domain(socket)?,
        sockopt::socket_type(socket)?,
    );
    if asked_over != (AddressFamily::UNIX, SocketType::SEQPACKET) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    close_all_but_standard()
}

/// What our own file was called as it was started: a copy under another name has that one in all its
/// processes.
pub(crate) fn own_name() -> OsString {
    let called = env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name();
    name.unwrap_or(OsStr::new("whocalls")).to_owned()
}

/// For the one that was started: says in the list of processes what it does, in one word. It would be
/// called after the link that it was started by.
pub(crate) fn be_called(work: &str) {
    /// `TASK_COMM_LEN`, include/linux/sched.h, without the zero at its end.
    const LONGEST: usize = 15;
    let own = own_name();
    let room = LONGEST.saturating_sub(work.len() + 1);
    let kept = own.as_bytes().get(..room).unwrap_or(own.as_bytes());
    if let Ok(name) = CString::new([kept, b"-", work.as_bytes()].concat()) {
        // It goes on under any name.
        let _ = set_name(&name);
    }
}

/// For the one that was started: has no ear for requests to end. It ends with its socket.
pub(crate) fn end_only_with_its_socket() {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
        ignore(signal);
    }
}

#[expect(
    unsafe_code,
    reason = "the standard library has no way to ignore a signal"
)]
fn ignore(signal: libc::c_int) {
    // SAFETY: a number of a signal and SIG_IGN; no function of ours is ever called for it.
    let before = unsafe { libc::signal(signal, libc::SIG_IGN) };
    // What it was before does not matter; that it fails for these signals cannot be.
    let _ = before;
}

/// Whether this process has started it.
pub(crate) fn is_ours(pid: u32) -> bool {
    started().contains(&pid)
}

/// Whether this process has no other children than those that it has started so.
pub(crate) fn has_no_other_child() -> bool {
    let us = std::process::id();
    // Orphans that come to us are children of the first thread, too.
    let children = fs::read_to_string(format!("/proc/self/task/{us}/children"));
    let started = started();
    let is_one = |pid: &str| pid.parse().is_ok_and(|pid| started.contains(&pid));
    children.is_ok_and(|children| children.split_ascii_whitespace().all(is_one))
}

fn started() -> std::sync::MutexGuard<'static, Vec<u32>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn close_all_but_standard() -> io::Result<()> {
    let entries = fs::read_dir("/proc/self/fd")?.flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let inherited: Vec<RawFd> = numbers.filter(|number| *number > 2).collect();
    for number in inherited {
        close(number);
    }
    Ok(())
}

#[expect(unsafe_code, reason = "no owner is known of what was inherited")]
fn close(number: RawFd) {
    // SAFETY: this process has just begun and has opened nothing itself that is still open, so
    // nothing in it believes to own this descriptor.
    let closed = unsafe { libc::close(number) };
    // The list that named it was open too, and is no more: that one fails.
    let _ = closed;
}

//! Closes a connection, ends a process. Each makes sure, as the last thing before it acts, that it
//! acts on the one that was meant: the kernel compares the cookie of the socket, and a signal goes
//! to a process that is held open while its start is read.

mod apart;
mod wire;

use std::fs;
use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::namespaces::Namespaces;
use super::{clock, second, sock_diag};
use crate::actions::{ActionError, ConnectionTarget, Done, How, Outcome, ProcessTarget};
use crate::parse::proc_pid::{Stat, stat};

pub(crate) use self::apart::{Actions, helped};

/// A program that puts its things in order takes about so long.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn close_connection(target: &ConnectionTarget) -> Result<Done, ActionError> {
    let namespaces = Namespaces::find(&pids()).map_err(failed)?;
    match namespaces.inside(target.netns, || close_here(target)) {
        Ok(done) => done,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(ActionError::NoRightToEnter)
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        Err(_) if namespaces.hidden_processes.is_empty() => Err(ActionError::NamespaceGone),
        Err(_) => Err(ActionError::NoRightToEnter),
    }
}

/// In the network namespace of this thread.
fn close_here(target: &ConnectionTarget) -> Result<Done, ActionError> {
    let mut netlink = sock_diag::open().map_err(failed)?;
    let found = sock_diag::connection(&mut netlink, target.cookie).map_err(failed)?;
    let entry = found
        .filter(|entry| {
            (entry.socket.local, entry.socket.remote) == (target.local, Some(target.remote))
        })
        .ok_or(ActionError::ConnectionGone)?;
    let closed = sock_diag::destroy(&mut netlink, &entry);
    let at = clock::now();
    let outcome = Outcome::Closed;
    closed.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::NOENT | Errno::STALE) => ActionError::ConnectionGone,
        Some(Errno::PERM | Errno::ACCESS) => ActionError::NoRightToClose,
        Some(Errno::OPNOTSUPP) => ActionError::KernelCannotClose,
        _ => failed(error),
    })?;
    Ok(Done { at, outcome })
}

pub(crate) fn stop_recording(target: ProcessTarget) -> Result<Done, ActionError> {
    end_process(target, How::Asked)
}

pub(crate) fn end_process(target: ProcessTarget, how: How) -> Result<Done, ActionError> {
    end(target, how, PATIENCE)
}

fn end(target: ProcessTarget, how: How, patience: Duration) -> Result<Done, ActionError> {
    if target.pid == 1 {
        return Err(ActionError::FirstProcess);
    }
    if target.pid == std::process::id() || second::is_ours(target.pid) {
        return Err(ActionError::Ourselves);
    }
    let process = open(target.pid)?;
    // Whoever has the number after it was opened is another run, and began later.
    let stat = read(target.pid).filter(|stat| stat.start_ticks == target.start_ticks);
    let stat = stat.ok_or(ActionError::ProcessGone)?;
    if stat.kernel_thread {
        return Err(ActionError::KernelThread);
    }
    if has_ended(&process, Duration::ZERO)? {
        return Err(ActionError::ProcessGone);
    }
    let signal = match how {
        How::Asked => Signal::TERM,
        How::Hard => Signal::KILL,
    };
    pidfd_send_signal(&process, signal).map_err(|errno| match errno {
        Errno::SRCH => ActionError::ProcessGone,
        Errno::PERM | Errno::ACCESS => ActionError::NoRightToEnd,
        Errno::NOSYS => ActionError::KernelCannotEnd,
        errno => failed(errno.into()),
    })?;
    let at = clock::now();
    // The signal is out: whether it can be seen what became of it changes nothing in that.
    let outcome = match has_ended(&process, patience) {
        Ok(true) => Outcome::Ended,
        Ok(false) | Err(_) => Outcome::StillRuns,
    };
    Ok(Done { at, outcome })
}

fn open(pid: u32) -> Result<OwnedFd, ActionError> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(ActionError::ProcessGone)?;
    pidfd_open(pid, PidfdFlags::empty()).map_err(|errno| match errno {
        // The second is said of a thread that is not the first of its process; later kernels have
        // ENOENT.
        Errno::SRCH | Errno::INVAL | Errno::NOENT => ActionError::ProcessGone,
        Errno::NOSYS => ActionError::KernelCannotEnd,
        errno => failed(errno.into()),
    })
}

fn read(pid: u32) -> Option<Stat> {
    stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Waits at most so long; what has ended and was not fetched by its parent has ended.
fn has_ended(process: &OwnedFd, patience: Duration) -> Result<bool, ActionError> {
    let patience = Timespec::try_from(patience).map_err(|_| ActionError::Failed(0))?;
    let mut ends = [PollFd::new(process, PollFlags::IN)];
    let count = retry_on_intr(|| poll(&mut ends, Some(&patience)));
    Ok(count.map_err(|errno| failed(errno.into()))? > 0)
}

/// All that now run. None where there is no /proc.
fn pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.collect()
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn failed(error: io::Error) -> ActionError {
    ActionError::Failed(error.raw_os_error().unwrap_or(Errno::IO.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::process::{Child, Command};

    use model::{Endpoint, NetworkNamespace};
    use rustix::net::sockopt::socket_cookie;

    fn asleep() -> (Child, ProcessTarget) {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        let target = of(child.id());
        (child, target)
    }

    fn of(pid: u32) -> ProcessTarget {
        let start_ticks = read(pid).unwrap().start_ticks;
        ProcessTarget { pid, start_ticks }
    }

    #[test]
    fn ends_the_run_that_was_meant_and_no_other() {
        let (mut child, target) = asleep();
        let other = ProcessTarget {
            start_ticks: target.start_ticks + 1,
            ..target
        };
        assert_eq!(end_process(other, How::Hard), Err(ActionError::ProcessGone));
        assert!(child.try_wait().unwrap().is_none());
        let done = end_process(target, How::Asked).unwrap();
        assert_eq!(done.outcome, Outcome::Ended);
        // It has ended and was not fetched.
        let again = end_process(target, How::Asked);
        assert_eq!(again, Err(ActionError::ProcessGone));
        child.wait().unwrap();
        let again = end_process(target, How::Hard);
        assert_eq!(again, Err(ActionError::ProcessGone));
    }

    #[test]
    fn one_that_does_not_hear_is_ended_hard() {
        let mut child = Command::new("sh")
            .args(["-c", "trap '' TERM; echo; while :; do sleep 0.1; done"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0];
        io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut said).unwrap();
        let target = of(child.id());
        let done = end(target, How::Asked, Duration::from_millis(300)).unwrap();
        assert_eq!(done.outcome, Outcome::StillRuns);
        let done = end_process(target, How::Hard).unwrap();
        assert_eq!(done.outcome, Outcome::Ended);
        child.wait().unwrap();
    }

    #[test]
    fn some_are_never_ended() {
        let check = |pid, expected| {
            // Where it cannot be read nothing is ended either.
            let start_ticks = read(pid).map_or(0, |stat| stat.start_ticks);
            let ended = end_process(ProcessTarget { pid, start_ticks }, How::Hard);
            assert_eq!(ended, Err(expected), "{pid}");
        };
        check(1, ActionError::FirstProcess);
        check(std::process::id(), ActionError::Ourselves);
        check(0, ActionError::ProcessGone);
        check(0x7fff_fff0, ActionError::ProcessGone);
        check(u32::MAX, ActionError::ProcessGone);
        let is_kernel = |pid: &u32| read(*pid).is_some_and(|stat| stat.kernel_thread);
        if let Some(pid) = pids().into_iter().find(is_kernel) {
            check(pid, ActionError::KernelThread);
        }
    }

    /// Two connections that differ in nothing but a port, and both sides of each.
    #[expect(
        clippy::disallowed_methods,
        reason = "a connection of the test to itself"
    )]
    fn connections() -> (TcpListener, [(TcpStream, TcpStream); 2]) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let call = || {
            let calling = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            (calling, listener.accept().unwrap().0)
        };
        let both = [call(), call()];
        (listener, both)
    }

    fn target(stream: &TcpStream) -> ConnectionTarget {
        let own = rustix::fs::stat("/proc/self/ns/net").unwrap().st_ino;
        let end = |address: std::net::SocketAddr| Endpoint::new(address.ip(), address.port());
        ConnectionTarget {
            netns: NetworkNamespace(u32::try_from(own).unwrap()),
            local: end(stream.local_addr().unwrap()),
            remote: end(stream.peer_addr().unwrap()),
            cookie: socket_cookie(stream).unwrap(),
        }
    }

    fn is_open(stream: &TcpStream) -> bool {
        stream.set_nonblocking(true).unwrap();
        let peeked = stream.peek(&mut [0]);
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    #[test]
    fn closes_one_of_two_and_only_with_its_cookie() {
        let (listener, [(calling, accepted), (other, _other_accepted)]) = connections();
        let meant = target(&calling);
        let reused = ConnectionTarget {
            cookie: target(&other).cookie,
            ..meant
        };
        assert_eq!(close_connection(&reused), Err(ActionError::ConnectionGone));
        let waiting = ConnectionTarget {
            cookie: socket_cookie(&listener).unwrap(),
            ..meant
        };
        assert_eq!(close_connection(&waiting), Err(ActionError::ConnectionGone));
        assert!(is_open(&calling) && is_open(&other) && is_open(&accepted));
        match close_connection(&meant) {
            Ok(done) => assert_eq!(done.outcome, Outcome::Closed),
            Err(error) => {
                let limits = [ActionError::NoRightToClose, ActionError::KernelCannotClose];
                assert!(limits.contains(&error), "{error}");
                assert!(is_open(&calling));
                return;
            }
        }
        assert!(!is_open(&calling) && !is_open(&accepted) && is_open(&other));
        assert_eq!(close_connection(&meant), Err(ActionError::ConnectionGone));
    }

    #[test]
    fn a_namespace_that_is_not_there_is_not_entered() {
        let (_listener, [(calling, _accepted), _other]) = connections();
        let elsewhere = ConnectionTarget {
            netns: NetworkNamespace(7),
            ..target(&calling)
        };
        let closed = close_connection(&elsewhere);
        let expected = [ActionError::NamespaceGone, ActionError::NoRightToEnter];
        assert!(closed.is_err_and(|error| expected.contains(&error)));
        assert!(is_open(&calling));
    }
}

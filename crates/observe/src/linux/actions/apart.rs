//! A process of its own that keeps the rights to act when whocalls gives up its own. It is there
//! only when actions are allowed, answers two requests, and takes nothing apart that comes from
//! outside.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, ExitCode};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use super::wire::{ANSWER, Answer, REQUEST, Request, answer_bytes, parse_answer};
use super::{close_connection, end_process};
use crate::actions::{ActionError, ConnectionTarget, Done, How, ProcessTarget};
use crate::linux::{rights, second};

/// The argument by which our own file knows that it is to act. Not for people.
const MARK: &str = "--close-and-end";
/// To look through a hundred thousand connections takes less.
const PATIENCE: Duration = Duration::from_secs(20);

/// The way to it.
pub(crate) struct Actions {
    /// `None`: it has ended, or did not answer in time; a later answer would be taken for another.
    socket: Option<OwnedFd>,
    child: Child,
}

impl Actions {
    /// Starts it. To be called while there are rights, by a thread that does not end before us.
    ///
    /// Errors: as [`second::start`].
    pub(crate) fn start() -> io::Result<Self> {
        let (socket, child) = second::start(MARK, |command| {
            command.current_dir("/");
        })?;
        Self::over(socket, child)
    }

    fn over(socket: OwnedFd, child: Child) -> io::Result<Self> {
        for timeout in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(&socket, timeout, Some(PATIENCE))?;
        }
        let socket = Some(socket);
        Ok(Self { socket, child })
    }

    pub(crate) fn close(&mut self, target: &ConnectionTarget) -> Result<Done, ActionError> {
        self.ask(Request::Close(*target))
    }

    pub(crate) fn end(&mut self, target: ProcessTarget, how: How) -> Result<Done, ActionError> {
        // It knows itself and us, and not the others that we have started.
        if second::is_ours(target.pid) {
            return Err(ActionError::Ourselves);
        }
        self.ask(Request::End(target, how))
    }

    fn ask(&mut self, request: Request) -> Answer {
        let socket = self.socket.as_ref().ok_or(ActionError::NobodyToDoIt)?;
        let why = match exchange(socket.as_fd(), request) {
            Ok(answer) => return answer,
            Err(Errno::AGAIN) => ActionError::Unanswered,
            Err(_) => ActionError::NobodyToDoIt,
        };
        self.socket = None;
        Err(why)
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        self.socket = None;
        // It may not have ended yet; then it is left to whoever waits for what we leave.
        let _ = self.child.try_wait();
    }
}

/// Errors: of the socket; or what came was no answer.
fn exchange(socket: BorrowedFd<'_>, request: Request) -> Result<Answer, Errno> {
    loop {
        match send(socket, &request.bytes(), SendFlags::NOSIGNAL) {
            Ok(_) => break,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    // One byte more tells whether it was longer.
    let mut bytes = [0; ANSWER + 1];
    let (length, _) = rustix::io::retry_on_intr(|| recv(socket, &mut bytes, RecvFlags::empty()))?;
    parse_answer(bytes.get(..length).unwrap_or_default()).ok_or(Errno::BADMSG)
}

/// To be called before anything else. `Some`: this process was started to act, its work is over,
/// and it is to end with this code.
pub(crate) fn helped() -> Option<ExitCode> {
    second::helped(MARK, help)
}

/// Errors: nobody asks, it cannot give up rights, or what was asked is no request.
fn help() -> io::Result<()> {
    second::make_alone()?;
    second::be_called("acts");
    let asks = getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    rights::keep_for_actions()?;
    // The end of the socket says the same, but not in the middle of an answer.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    answer_all(io::stdin().as_fd(), asks)
}

/// `asks` is the process that does; it is not ended.
fn answer_all(socket: BorrowedFd<'_>, asks: Option<u32>) -> io::Result<()> {
    while let Some(request) = receive(socket)? {
        let answer = match request {
            Request::End(target, _) if Some(target.pid) == asks => Err(ActionError::Ourselves),
            Request::Close(target) => close_connection(&target),
            Request::End(target, how) => end_process(target, how),
        };
        let bytes = answer_bytes(&answer);
        rustix::io::retry_on_intr(|| send(socket, &bytes, SendFlags::NOSIGNAL))?;
    }
    Ok(())
}

/// Waits for a request. `None`: there will be no more.
///
/// Errors: what came is none.
fn receive(socket: BorrowedFd<'_>) -> io::Result<Option<Request>> {
    let mut bytes = [0; REQUEST + 1];
    let (length, _) = rustix::io::retry_on_intr(|| recv(socket, &mut bytes, RecvFlags::empty()))?;
    if length == 0 {
        return Ok(None);
    }
    let request = Request::parse(bytes.get(..length).unwrap_or_default());
    request
        .map(Some)
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::thread;

    use crate::actions::Outcome;
    use crate::parse::proc_pid::stat;

    /// One that answers on a thread, with the rights of this test.
    fn start() -> Actions {
        let (here, there) = second::pair().unwrap();
        thread::spawn(move || answer_all(there.as_fd(), Some(std::process::id())));
        Actions::over(here, ended()).unwrap()
    }

    fn ended() -> Child {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        child
    }

    fn run_of(pid: u32) -> ProcessTarget {
        let text = std::fs::read(format!("/proc/{pid}/stat")).unwrap();
        let start_ticks = stat(&text).unwrap().start_ticks;
        ProcessTarget { pid, start_ticks }
    }

    #[test]
    fn it_ends_what_it_is_asked_to() {
        let mut actions = start();
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let target = run_of(child.id());
        let other = ProcessTarget {
            start_ticks: target.start_ticks + 1,
            ..target
        };
        let refused = actions.end(other, How::Asked);
        assert_eq!(refused, Err(ActionError::ProcessGone));
        let done = actions.end(target, How::Asked).unwrap();
        assert_eq!(done.outcome, Outcome::Ended);
        child.wait().unwrap();
        let us = run_of(std::process::id());
        assert_eq!(actions.end(us, How::Hard), Err(ActionError::Ourselves));
    }

    #[test]
    fn that_it_has_ended_is_said() {
        let (here, there) = second::pair().unwrap();
        let mut actions = Actions::over(here, ended()).unwrap();
        drop(there);
        let target = run_of(1);
        let gone = Err(ActionError::NobodyToDoIt);
        assert_eq!(actions.end(target, How::Asked), gone);
        assert_eq!(actions.end(target, How::Asked), gone);
    }

    #[test]
    fn what_is_no_request_ends_it_and_no_answer_is_none() {
        let (here, there) = second::pair().unwrap();
        send(&here, b"?", SendFlags::empty()).unwrap();
        assert!(answer_all(there.as_fd(), None).is_err());

        send(&there, b"?", SendFlags::empty()).unwrap();
        let mut actions = Actions::over(here, ended()).unwrap();
        let gone = Err(ActionError::NobodyToDoIt);
        assert_eq!(actions.end(run_of(1), How::Asked), gone);
    }
}

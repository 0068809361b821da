//! A second process that keeps the rights which the first one gives up, and answers a closed list
//! of questions about files of other processes. It takes nothing apart that comes from outside.
//!
//! It is our own file, started again with a socket as its standard input, and ends with the process
//! that started it.

mod answering;
mod file;
mod programs;
mod wire;

pub(crate) use self::programs::hash_programs;

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

use model::{Gap, NetworkNamespace, Source};
use rustix::io::Errno;
use rustix::net::SendFlags;

pub(crate) use self::answering::helped;
pub(crate) use self::file::{maps, open};
pub(crate) use self::wire::{ProgramFile, Request, Why};
use super::second;

/// The argument by which our own file knows that it is to help. Not for people.
const MARK: &str = "--answer-about-processes";
/// So many questions may wait.
const MOST_WAITING: usize = 1024;
/// A file on a disk is read in less; one that somebody lets us wait for, for ever, is not.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the helper found out. It goes with its question.
#[derive(Debug)]
pub(crate) enum Answer {
    /// SHA-256 of the program file.
    Hash(Request, Result<[u8; 32], Why>),
    Program(Request, Result<ProgramFile, Why>),
    /// What a copy is made of, open for reading.
    Open(Request, Result<OwnedFd, Why>),
    /// A socket for netlink's `SOCK_DIAG` inside the network namespace of the process.
    Namespace(Request, Result<(NetworkNamespace, OwnedFd), Why>),
}

/// The way to the helper.
pub(crate) struct Helper {
    /// `None`: it has ended.
    socket: Option<OwnedFd>,
    child: Child,
    unsent: VecDeque<Request>,
    /// Answers come in the order of questions.
    unanswered: VecDeque<Request>,
    /// When it began with the first of them.
    begun: Instant,
    ended: Option<Gap>,
}

impl Helper {
    /// Starts it. To be called while there are rights, by a thread that does not end before us.
    ///
    /// Errors: as [`second::start`].
    pub(crate) fn start() -> io::Result<Self> {
        let (socket, child) = second::start(MARK, |command| {
            command.current_dir("/");
        })?;
        Ok(Self::over(socket, child))
    }

    fn over(socket: OwnedFd, child: Child) -> Self {
        Self {
            socket: Some(socket),
            child,
            unsent: VecDeque::new(),
            unanswered: VecDeque::new(),
            begun: Instant::now(),
            ended: None,
        }
    }

    /// Asks, without waiting. False: too many questions wait, or it has ended.
    pub(crate) fn ask(&mut self, request: Request) -> bool {
        let waiting = self.unsent.len() + self.unanswered.len();
        if self.socket.is_none() || waiting >= MOST_WAITING {
            return false;
        }
        self.unsent.push_back(request);
        self.send();
        self.socket.is_some()
    }

    /// Appends what it has answered, without waiting.
    pub(crate) fn answers(&mut self, answers: &mut Vec<Answer>) {
        // With nothing asked there is nothing to be heard.
        while let (Some(socket), Some(asked)) = (&self.socket, self.unanswered.front()) {
            match wire::receive_answer(socket.as_fd(), asked) {
                Ok(Some(answer)) => {
                    self.unanswered.pop_front();
                    self.begun = Instant::now();
                    answers.push(answer);
                }
                Ok(None) if self.has_waited_too_long() => {
                    self.end("it did not answer: a file system made it wait");
                }
                Ok(None) => break,
                Err(error) => self.end(&error.to_string()),
            }
        }
        self.send();
    }

    /// Whether it answers no more.
    pub(crate) fn has_ended(&self) -> bool {
        self.socket.is_none()
    }

    /// What is therefore missed, told once when it has ended.
    pub(crate) fn ended(&mut self) -> Option<Gap> {
        // With nothing asked nobody reads from it.
        if let Some(socket) = &self.socket
            && self.unanswered.is_empty()
            && wire::is_closed(socket.as_fd())
        {
            self.end("nobody asked it to");
        }
        self.ended.take()
    }

    fn has_waited_too_long(&self) -> bool {
        self.begun.elapsed() > PATIENCE
    }

    fn send(&mut self) {
        while let (Some(socket), Some(request)) = (&self.socket, self.unsent.front()) {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match rustix::net::send(socket, &request.bytes(), flags) {
                Ok(_) => {
                    if self.unanswered.is_empty() {
                        self.begun = Instant::now();
                    }
                    self.unanswered.extend(self.unsent.pop_front());
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(errno) => self.end(&errno.to_string()),
            }
        }
    }

    /// The helper reads the end of the socket, and ends, should it not have done so.
    fn end(&mut self, why: &str) {
        self.socket = None;
        let unanswered = self.unsent.len() + self.unanswered.len();
        self.unsent.clear();
        self.unanswered.clear();
        let gap = without_helper(&format!("the process that kept rights has ended: {why}"));
        self.ended = Some(if unanswered > 0 {
            gap.counted(unanswered)
        } else {
            gap
        });
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.socket = None;
        // It may not have ended yet; then it is left to whoever waits for what we leave.
        let _ = self.child.try_wait();
    }
}

/// What is missed without it.
pub(crate) fn without_helper(why: &str) -> Gap {
    Gap::standing(
        "helper_ended",
        Source::Proc,
        why,
        "hashes of program files, program files of processes whose start was not seen, and network \
         namespaces that appear later",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::thread;

    use model::FileIdentity;
    use rustix::net::AddressFamily;

    use crate::parse::proc_pid::stat;

    /// A helper that answers on a thread, with the rights of this test.
    fn start() -> Helper {
        let (mut helper, there) = with_nobody();
        thread::spawn(move || {
            let home = rustix::fs::open(
                "/proc/self/ns/net",
                rustix::fs::OFlags::RDONLY,
                rustix::fs::Mode::empty(),
            );
            answering::answer_all(there.as_fd(), &home.unwrap())
        });
        helper.child.wait().unwrap();
        helper
    }

    /// One that does not answer, and the end of the socket that it would read.
    fn with_nobody() -> (Helper, OwnedFd) {
        let (here, there) = second::pair().unwrap();
        let child = Command::new("true").spawn().unwrap();
        (Helper::over(here, child), there)
    }

    fn answers(helper: &mut Helper, count: usize) -> Vec<Answer> {
        let start = Instant::now();
        let mut answers = Vec::new();
        while answers.len() < count {
            helper.answers(&mut answers);
            assert!(helper.ended().is_none());
            assert!(start.elapsed() < Duration::from_secs(60), "{answers:?}");
            thread::sleep(Duration::from_millis(1));
        }
        answers
    }

    /// What is told when it has ended. A program that another test starts just now may hold the
    /// other side open for a moment.
    fn end_of(helper: &mut Helper) -> Gap {
        let start = Instant::now();
        loop {
            helper.answers(&mut Vec::new());
            if let Some(gap) = helper.ended() {
                return gap;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "it never ends");
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn own() -> (u32, u64) {
        let text = std::fs::read("/proc/self/stat").unwrap();
        (std::process::id(), stat(&text).unwrap().start_ticks)
    }

    #[test]
    fn questions_are_answered_in_their_order() {
        let (pid, start_ticks) = own();
        let program = Request::Program { pid, start_ticks };
        let other = Request::Program {
            pid,
            start_ticks: start_ticks + 1,
        };
        let mut helper = start();
        // More than a socket holds.
        for _ in 0..MOST_WAITING / 2 {
            assert!(helper.ask(program));
            assert!(helper.ask(other));
        }
        for pair in answers(&mut helper, MOST_WAITING).chunks(2) {
            let [
                Answer::Program(first, Ok(file)),
                Answer::Program(next, Err(Why::Gone)),
            ] = pair
            else {
                panic!("{pair:?}");
            };
            assert_eq!((*first, *next), (program, other));
            assert!(file.link.lossy().contains("observe"), "{file:?}");
        }
        let file = FileIdentity {
            device: 1,
            inode: 1,
        };
        let hash = Request::Hash {
            pid,
            start_ticks,
            file,
        };
        assert!(helper.ask(hash));
        let answer = answers(&mut helper, 1).remove(0);
        assert!(
            matches!(answer, Answer::Hash(request, Err(Why::OtherFile)) if request == hash),
            "{answer:?}"
        );
    }

    #[test]
    fn a_socket_comes_from_another_namespace() {
        let mut helper = start();
        let request = Request::Namespace {
            pid: std::process::id(),
        };
        assert!(helper.ask(request));
        let answer = answers(&mut helper, 1).remove(0);
        let Answer::Namespace(asked, found) = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(asked, request);
        match found {
            Ok((number, socket)) => {
                let own = rustix::fs::stat("/proc/self/ns/net").unwrap().st_ino;
                assert_eq!(u64::from(number.0), own);
                let domain = rustix::net::sockopt::socket_domain(socket).unwrap();
                assert_eq!(domain, AddressFamily::NETLINK);
            }
            // Only root may enter a namespace, even the own one.
            Err(why) => assert_eq!(why, Why::Failed(Errno::PERM)),
        }
    }

    #[test]
    fn that_it_ended_is_told_once() {
        let (mut helper, there) = with_nobody();
        assert!(helper.ended().is_none());
        let request = Request::Namespace { pid: 1 };
        assert!(helper.ask(request));
        assert!(helper.ended().is_none());
        drop(there);
        let gap = end_of(&mut helper);
        assert_eq!((gap.id.as_str(), gap.count), ("helper_ended", Some(1)));
        assert!(!helper.ask(request));
        assert!(helper.ended().is_none());

        let (mut helper, there) = with_nobody();
        drop(there);
        assert_eq!(end_of(&mut helper).count, None);
    }

    #[test]
    fn what_is_no_answer_ends_it() {
        for packet in [&b"?"[..], &[0; 40], &[9; 8]] {
            let (mut helper, there) = with_nobody();
            assert!(helper.ask(Request::Namespace { pid: 1 }));
            rustix::net::send(&there, packet, SendFlags::empty()).unwrap();
            let mut answers = Vec::new();
            helper.answers(&mut answers);
            assert!(answers.is_empty(), "{answers:?}");
            assert!(helper.ended().is_some(), "{packet:?}");
        }
    }

    #[test]
    fn no_more_is_asked_than_can_wait() {
        let (mut helper, _there) = with_nobody();
        let request = Request::Namespace { pid: 1 };
        let asked = (0..2 * MOST_WAITING)
            .filter(|_| helper.ask(request))
            .count();
        assert_eq!(asked, MOST_WAITING);
    }
}

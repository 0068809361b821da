//! A process of its own that looks into other processes and keeps the rights which that takes. It says
//! what it found; what that means decide others, elsewhere. It has no network, writes nothing, and ends
//! with the process that started it.
//!
//! Dear questions wait for each other, on a thread of their own; cheap ones never wait for them.

mod answering;
mod examined;
mod processes;
mod wire;

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

use model::{Examined, Gap, Source, Text, Untested};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::SendFlags;

pub(crate) use self::answering::helped;
pub(crate) use self::processes::{all, examine};
use super::second;
use crate::Depth;
use crate::linux::examine::Ran;

/// The argument by which our own file knows that it is to look. Not for people.
const MARK: &str = "--look-into-processes";
/// So many questions may wait.
pub(crate) const MOST_WAITING: usize = 256;
/// Hashing the largest file takes less. A file system that lets us wait for ever does not.
const PATIENCE: Duration = Duration::from_secs(120);

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) pid: u32,
    pub(crate) start_ticks: u64,
    pub(crate) depth: Depth,
    /// Which of its programs is meant: comes back with the answer.
    pub(crate) program: u32,
}

/// What the examiner says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Examined {
        request: Request,
        /// CPU time.
        spent: Duration,
        /// Errors: `Ended`: there is no such run any more.
        found: Result<Examined, Untested>,
    },
    /// Of a process that nobody has asked about: it hides.
    Unasked(Unasked),
    /// All numbers that processes may have were tried once.
    Swept,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unasked {
    pub(crate) pid: u32,
    /// `None`: its folder in /proc cannot be read, and the same for what follows.
    pub(crate) start_ticks: Option<u64>,
    pub(crate) name: Option<Text>,
    pub(crate) path: Option<Text>,
    pub(crate) uid: Option<u32>,
    pub(crate) examined: Examined,
}

/// The way to the examiner.
pub(crate) struct Examiner {
    /// `None`: it has ended.
    socket: Option<OwnedFd>,
    child: Child,
    unsent: VecDeque<(Request, Option<Ran>)>,
    /// Answers of each depth come in the order of questions.
    cheap: VecDeque<Request>,
    whole: VecDeque<Request>,
    /// When something was last heard, or the first of these was asked.
    heard: Instant,
    ended: Option<Gap>,
}

impl Examiner {
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
            cheap: VecDeque::new(),
            whole: VecDeque::new(),
            heard: Instant::now(),
            ended: None,
        }
    }

    fn waiting(&self) -> usize {
        self.unsent.len() + self.cheap.len() + self.whole.len()
    }

    /// Asks, without waiting. False: too many questions wait, or it has ended.
    pub(crate) fn ask(&mut self, request: Request) -> bool {
        self.ask_of(request, None)
    }

    /// The same of a process that may have ended, as far as its program file is still there.
    pub(crate) fn ask_of(&mut self, request: Request, ran: Option<Ran>) -> bool {
        if self.socket.is_none() || self.waiting() >= MOST_WAITING {
            return false;
        }
        if self.waiting() == 0 {
            self.heard = Instant::now();
        }
        self.unsent.push_back((request, ran));
        self.send();
        self.socket.is_some()
    }

    /// Appends what it has answered, without waiting.
    pub(crate) fn answers(&mut self, answers: &mut Vec<Answer>) {
        while let Some(socket) = &self.socket {
            match wire::receive_answer(socket.as_fd()) {
                Ok(Some(answer)) if self.is_expected(&answer) => {
                    self.heard = Instant::now();
                    answers.push(answer);
                }
                Ok(Some(_)) => self.end("it answered what nobody asked"),
                Ok(None) if self.waiting() > 0 && self.heard.elapsed() > PATIENCE => {
                    self.end("it did not answer: a file system made it wait");
                }
                Ok(None) => break,
                Err(error) => self.end(&error.to_string()),
            }
        }
        self.send();
    }

    /// Waits at most so long for the next answer.
    pub(crate) fn wait(&self, most: Duration) {
        let (Some(socket), Ok(most)) = (&self.socket, Timespec::try_from(most)) else {
            return;
        };
        // Whoever asks looks anyway.
        let _ = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&most));
    }

    /// Whether it answers no more.
    pub(crate) fn has_ended(&self) -> bool {
        self.socket.is_none()
    }

    /// What is therefore missed, told once when it has ended.
    pub(crate) fn ended(&mut self) -> Option<Gap> {
        self.ended.take()
    }

    /// Takes the question away that this answers. False: there is none.
    fn is_expected(&mut self, answer: &Answer) -> bool {
        let Answer::Examined { request, .. } = answer else {
            return true;
        };
        let asked = match request.depth {
            Depth::Cheap => &mut self.cheap,
            Depth::Whole => &mut self.whole,
        };
        asked.pop_front().as_ref() == Some(request)
    }

    fn send(&mut self) {
        while let (Some(socket), Some((request, ran))) = (&self.socket, self.unsent.front()) {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            let packet = wire::question(*request, ran.as_ref());
            match rustix::net::send(socket, &packet, flags) {
                Ok(_) => {
                    let asked = match request.depth {
                        Depth::Cheap => &mut self.cheap,
                        Depth::Whole => &mut self.whole,
                    };
                    asked.extend(self.unsent.pop_front().map(|it| it.0));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(errno) => self.end(&errno.to_string()),
            }
        }
    }

    /// The examiner reads the end of the socket, and ends, should it not have done so.
    fn end(&mut self, why: &str) {
        let unanswered = self.waiting();
        self.socket = None;
        self.unsent.clear();
        self.cheap.clear();
        self.whole.clear();
        let gap = without_examiner(&format!(
            "the process that looks into others has ended: {why}"
        ));
        self.ended = Some(if unanswered > 0 {
            gap.counted(unanswered)
        } else {
            gap
        });
    }
}

impl Drop for Examiner {
    fn drop(&mut self) {
        self.socket = None;
        // It may not have ended yet; then it is left to whoever waits for what we leave.
        let _ = self.child.try_wait();
    }
}

/// What is missed without it.
pub(crate) fn without_examiner(why: &str) -> Gap {
    Gap::standing(
        "examiner_ended",
        Source::Proc,
        why,
        "what looking into processes would find from now on: changed code, code outside of files, \
         packages, processes that hide",
    )
}

#[cfg(test)]
mod tests;

//! The examiner itself: makes itself small, then answers until nobody asks any more, and looks
//! by itself for processes that hide.

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use model::{Examined, Untested};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, nice, set_parent_process_death_signal};
use rustix::time::{ClockId, clock_gettime};

use super::wire::{receive_request, send_answer};
use super::{Answer, MARK, Request, Unasked};
use crate::Depth;
use crate::linux::displays::{Display, displays};
use crate::linux::examine::{self, Kept, Machine, Ran, Subject, Sweep};
use crate::linux::seats::Seats;
use crate::linux::{rights, second};

/// Whoever waits for a line on the screen comes first.
const NICER: i32 = 10;
/// What is dear comes last of all.
const NICEST: i32 = 19;

/// To be called before anything else. `Some`: this process was started to look into others, its work
/// is over, and it is to end with this code.
pub(crate) fn helped() -> Option<ExitCode> {
    second::helped(MARK, look)
}

/// Errors: nobody asks, it cannot give up rights, or what was asked is no question.
fn look() -> io::Result<()> {
    second::make_alone()?;
    second::be_called("exam");
    let machine = Machine::new();
    let has_x = displays().iter().any(|it| matches!(it, Display::X(_)));
    // Without it nobody is said to have no window.
    let seats = has_x.then(|| Seats::start().ok()).flatten();
    let machine = match seats {
        Some(seats) => machine.asking(seats),
        None => machine,
    };
    // Without it the others wait a little longer.
    let _ = nice(NICER);
    rights::keep_for_examiner()?;
    // The end of the socket says the same, but not in the middle of an answer.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    answer_all(io::stdin().as_fd(), machine)
}

pub(super) fn answer_all(socket: BorrowedFd<'_>, machine: Machine) -> io::Result<()> {
    let machine = Arc::new(machine);
    let (dear, questions) = mpsc::channel();
    let (out, of_all) = (socket.try_clone_to_owned()?, Arc::clone(&machine));
    thread::Builder::new()
        .name("dear".to_owned())
        .spawn(move || answer_dear(&out, of_all, &questions))?;
    let mut kept = Kept::of(Arc::clone(&machine));
    let mut rounds = Rounds::begin(&machine);
    loop {
        let news = wait(socket, rounds.mounts.as_ref(), rounds.rests())?;
        if news.of_mounts {
            machine.mounts_have_changed();
            rounds.look_for_coverings = true;
        }
        if news.of_socket {
            // Whoever asked for many does not wait until they are all answered.
            let Some((request, ran)) = receive_request(socket)? else {
                return Ok(());
            };
            match request.depth {
                Depth::Cheap => {
                    let answer = answer(request, ran.as_ref(), &mut kept);
                    if is_ended(&answer) {
                        rounds.suspect(request.pid, &machine);
                    }
                    send_answer(socket, &answer)?;
                }
                Depth::Whole => drop(dear.send((request, ran))),
            }
        }
        for answer in rounds.step(&mut kept) {
            send_answer(socket, &answer)?;
        }
    }
}

type Question = (Request, Option<Ran>);

fn answer_dear(socket: &OwnedFd, machine: Arc<Machine>, questions: &Receiver<Question>) {
    let mut kept = Kept::of(machine);
    // Without it the others wait a little longer.
    let _ = nice(NICEST - NICER);
    while let Ok((request, ran)) = questions.recv() {
        let answer = answer(request, ran.as_ref(), &mut kept);
        if send_answer(socket.as_fd(), &answer).is_err() {
            return;
        }
    }
}

struct News {
    of_socket: bool,
    of_mounts: bool,
}

fn wait(socket: BorrowedFd<'_>, mounts: Option<&OwnedFd>, most: Duration) -> io::Result<News> {
    let mut ends = vec![PollFd::from_borrowed_fd(socket, PollFlags::IN)];
    // proc_pid_mountinfo(5): that something has changed is told so.
    ends.extend(mounts.map(|mounts| PollFd::new(mounts, PollFlags::PRI)));
    let most = Timespec::try_from(most).map_err(io::Error::other)?;
    match poll(&mut ends, Some(&most)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let has_news = |at: usize| ends.get(at).is_some_and(|end| !end.revents().is_empty());
    Ok(News {
        of_socket: has_news(0),
        of_mounts: has_news(1),
    })
}

fn is_ended(answer: &Answer) -> bool {
    let Answer::Examined { found, .. } = answer else {
        return false;
    };
    *found == Err(Untested::Ended)
}

fn answer(request: Request, ran: Option<&Ran>, kept: &mut Kept) -> Answer {
    let before = cpu_time();
    let Request {
        pid,
        start_ticks,
        depth,
        ..
    } = request;
    let machine = Arc::clone(&kept.machine);
    let found = match Subject::open_in(machine.proc(), pid, start_ticks) {
        Ok(subject) => looked(&subject, depth, kept).map(|found| {
            // It may have ended meanwhile.
            let left = || left(ran, kept)?.package;
            Examined {
                package: found.package.clone().or_else(left),
                ..found
            }
        }),
        Err(Untested::Ended) => left(ran, kept).ok_or(Untested::Ended),
        Err(why) => Ok(examine::untestable(pid, depth, why, kept)),
    };
    Answer::Examined {
        request,
        spent: cpu_time().saturating_sub(before),
        found,
    }
}

/// One process that makes us stumble does not keep others from being looked into.
fn looked(subject: &Subject, depth: Depth, kept: &mut Kept) -> Result<Examined, Untested> {
    guarded(kept, |kept| examine::examine(subject, depth, kept))
}

/// What can be told of one that has ended.
fn left(ran: Option<&Ran>, kept: &mut Kept) -> Option<Examined> {
    guarded(kept, |kept| examine::of_ended(ran?, kept)).ok()?
}

fn guarded<T>(kept: &mut Kept, look: impl FnOnce(&mut Kept) -> T) -> Result<T, Untested> {
    catch_unwind(AssertUnwindSafe(|| look(kept))).map_err(|_| {
        // It may be half changed.
        *kept = Kept::of(Arc::clone(&kept.machine));
        Untested::Unreadable
    })
}

/// Of this thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// What is looked for without being asked: who is not listed, and what is mounted over others.
struct Rounds {
    sweep: Sweep,
    /// `None`: it cannot be told that something was mounted.
    mounts: Option<OwnedFd>,
    look_for_coverings: bool,
    told_covered: HashSet<u32>,
    has_swept: bool,
}

impl Rounds {
    fn begin(machine: &Machine) -> Self {
        Self {
            sweep: Sweep::new(Instant::now()),
            mounts: machine.open_mountinfo().ok(),
            look_for_coverings: true,
            told_covered: HashSet::new(),
            has_swept: false,
        }
    }

    fn rests(&self) -> Duration {
        if self.look_for_coverings {
            Duration::ZERO
        } else {
            self.sweep.rests(Instant::now())
        }
    }

    fn suspect(&mut self, pid: u32, machine: &Machine) {
        self.sweep.suspect(pid, machine, Instant::now());
    }

    fn step(&mut self, kept: &mut Kept) -> Vec<Answer> {
        let mut answers = Vec::new();
        if std::mem::take(&mut self.look_for_coverings) {
            let coverings = kept.machine.coverings().unwrap_or_default();
            let covered: HashSet<u32> = coverings.iter().map(|it| it.pid).collect();
            self.told_covered.retain(|pid| covered.contains(pid));
            for pid in covered {
                if self.told_covered.insert(pid) {
                    answers.push(Answer::Unasked(unasked(pid, kept)));
                }
            }
        }
        let machine = Arc::clone(&kept.machine);
        if self.sweep.rests(Instant::now()).is_zero() {
            for pid in self.sweep.step(machine.as_ref(), Instant::now()) {
                machine.hides(pid);
                answers.push(Answer::Unasked(unasked(pid, kept)));
            }
        }
        if !self.has_swept && self.sweep.is_round_over() {
            self.has_swept = true;
            answers.push(Answer::Swept);
        }
        answers
    }
}

/// What can be told of a process that hides, as far as it can be read.
fn unasked(pid: u32, kept: &mut Kept) -> Unasked {
    let machine = Arc::clone(&kept.machine);
    let subject = Subject::find(machine.proc(), pid);
    let looked = subject
        .as_ref()
        .map_err(|why| *why)
        .and_then(|subject| looked(subject, Depth::Cheap, kept));
    let examined = looked.unwrap_or_else(|why| examine::untestable(pid, Depth::Cheap, why, kept));
    let subject = subject.as_ref().ok();
    let program = subject.and_then(|it| it.program().ok());
    Unasked {
        pid,
        start_ticks: subject.map(|it| it.stat().start_ticks),
        name: subject.map(|it| it.stat().name.clone()),
        path: program.map(|it| it.link.clone()),
        uid: subject
            .and_then(|it| it.seen(c".").ok())
            .map(|seen| seen.stx_uid),
        examined,
    }
}

//! What looking into processes finds, as events: the examiner is asked about whoever is there, begins
//! a program or uses the network, and what is new in its answers is told.

mod schedule;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Detail, EventKind, Examined, Gap, Observed, Process, ProcessId, Source, Untested};

use self::schedule::{Question, Run, Schedule};
use crate::Depth;
use crate::linux::examiner::{Answer, Examiner, Request, Unasked, all, without_examiner};
use crate::stamp::Stamp;

pub(super) struct Examinations {
    /// `None`: it could not be started, or has ended.
    examiner: Option<Examiner>,
    schedule: Schedule,
    /// What was found before, of those that use the network now.
    ready: Vec<(ProcessId, Examined)>,
    has_looked: bool,
    is_left_out_told: bool,
}

impl Examinations {
    /// Goes on with what was started while there were rights; gives what is missed where it was not.
    pub(super) fn of(started: io::Result<Examiner>) -> (Self, Option<Gap>) {
        let (examiner, gap) = match started {
            Ok(examiner) => (Some(examiner), None),
            Err(error) => (None, Some(without_examiner(&error.to_string()))),
        };
        let examinations = Self {
            examiner,
            schedule: Schedule::new(Instant::now()),
            ready: Vec::new(),
            has_looked: false,
            is_left_out_told: false,
        };
        (examinations, gap)
    }

    /// Takes note of who is there and of what they do.
    pub(super) fn note(&mut self, seen: &[Observed]) {
        if self.examiner.is_none() {
            return;
        }
        let now = Instant::now();
        let mut last = None;
        for observed in seen {
            match observed {
                Observed::Look(look) => {
                    for process in &look.processes {
                        if self.has_looked {
                            self.schedule.is_there(process, now);
                        } else {
                            self.schedule.was_there(process);
                        }
                    }
                    self.has_looked = true;
                    for holder in look.sockets.iter().flat_map(|socket| &socket.holders) {
                        self.talks(holder.process, now);
                    }
                }
                Observed::Process(process) => {
                    self.schedule.meet(process);
                }
                Observed::Event(event) => {
                    let Some(id) = event.process else { continue };
                    if event.kind == EventKind::ProcessExec {
                        self.schedule.began_program(id, now);
                    } else if event.kind == EventKind::ProcessEnded {
                        self.schedule.ended(id);
                    } else if event.socket.is_some() && last.replace(id) != Some(id) {
                        // Long rows of events are of one process.
                        self.talks(id, now);
                    }
                }
                Observed::Counts(_) | Observed::Gap(_) => {}
            }
        }
    }

    fn talks(&mut self, id: ProcessId, now: Instant) {
        self.schedule.talks_near(id, now);
        let held = self.schedule.talks(id);
        self.ready.extend(held.map(|held| (id, held)));
    }

    /// Asks what is due, and tells what has come. `until`: all until then has been told, in
    /// nanoseconds since boot.
    pub(super) fn exchange(&mut self, until: u64, stamp: &mut Stamp, seen: &mut Vec<Observed>) {
        let Some(examiner) = &mut self.examiner else {
            return;
        };
        let now = Instant::now();
        for (id, held) in self.ready.drain(..) {
            let run = self.schedule.run(id);
            if let Some(news) = run.and_then(|run| news(run, held, now)) {
                tell(id, news, until, stamp, seen);
            }
        }
        while let Some(question) = self.schedule.next(now) {
            let is_whole = question.depth == Depth::Whole;
            let ran = self.schedule.ran(question.id).filter(|_| is_whole);
            if !examiner.ask_of(request(question), ran) {
                break;
            }
        }
        let mut answers = Vec::new();
        examiner.answers(&mut answers);
        for answer in answers {
            match answer {
                Answer::Examined {
                    request,
                    spent,
                    found,
                } => self.take(request, spent, found, until, stamp, seen),
                Answer::Unasked(unasked) => self.introduce(unasked, until, stamp, seen),
                Answer::Swept => {}
            }
        }
    }

    /// What could not be found out, and whether anything is from now on.
    pub(super) fn gaps(&mut self, seen: &mut Vec<Observed>) {
        let ended = self.examiner.as_mut().and_then(Examiner::ended);
        if let Some(gap) = ended {
            self.examiner = None;
            self.schedule.give_up(Instant::now());
            seen.push(Observed::Gap(gap));
        }
        let left_out = self.schedule.lately_left_out();
        if left_out > 0 && !std::mem::replace(&mut self.is_left_out_told, true) {
            seen.push(Observed::Gap(left_out_of_all().counted(left_out)));
        }
    }

    fn take(
        &mut self,
        request: Request,
        spent: Duration,
        found: Result<Examined, Untested>,
        until: u64,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) {
        let id = ProcessId {
            boot: stamp.boot,
            pid: request.pid,
            start_ticks: request.start_ticks,
        };
        let question = Question {
            id,
            depth: request.depth,
            program: request.program,
        };
        let now = Instant::now();
        let is_there = found != Err(Untested::Ended);
        let run = self.schedule.answered(question, spent, is_there, now);
        let found = match found {
            Ok(found) => Some(found),
            Err(Untested::Ended) => None,
            Err(why) => Some(all(request.depth, why)),
        };
        let news = run
            .zip(found)
            .and_then(|(run, found)| news(run, found, now));
        if let Some(news) = news {
            tell(id, news, until, stamp, seen);
        }
        self.schedule.is_told(id);
    }

    /// A process that hides from whoever lists them.
    fn introduce(
        &mut self,
        unasked: Unasked,
        until: u64,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) {
        let id = match unasked.start_ticks {
            Some(start_ticks) => Some(ProcessId {
                boot: stamp.boot,
                pid: unasked.pid,
                start_ticks,
            }),
            None => self.schedule.last_with(unasked.pid),
        };
        // When it began is not known.
        let id = id.unwrap_or(ProcessId {
            boot: stamp.boot,
            pid: unasked.pid,
            start_ticks: 0,
        });
        let started = unasked.start_ticks.map(|_| stamp.started(id));
        let examined = unasked.examined.clone();
        let process = Process {
            started,
            examined: None,
            ..unasked.process(id)
        };
        if self.schedule.meet(&process) {
            seen.push(Observed::Process(Arc::new(process)));
        }
        let run = self.schedule.run(id);
        let news = run.and_then(|run| news(run, examined, Instant::now()));
        if let Some(news) = news {
            tell(id, news, until, stamp, seen);
        }
    }
}

fn request(question: Question) -> Request {
    Request {
        pid: question.id.pid,
        start_ticks: question.id.start_ticks,
        depth: question.depth,
        program: question.program,
    }
}

fn tell(
    id: ProcessId,
    examined: Arc<Examined>,
    until: u64,
    stamp: &mut Stamp,
    seen: &mut Vec<Observed>,
) {
    let mut event = stamp.event(until, EventKind::ProcessExamined);
    event.source = Source::Proc;
    event.process = Some(id);
    event.detail = Detail::Examined(examined);
    stamp.tell(event, seen);
}

/// What is to be told of a run. `None`: nothing that is new.
fn news(run: &mut Run, found: Examined, now: Instant) -> Option<Arc<Examined>> {
    // Most programs do what they are for, and end. It is told when they use the network.
    if run.is_of_no_interest() && !found.has_found() {
        run.held = Some(found);
        return None;
    }
    run.held = None;
    run.told.news(found, now)
}

fn left_out_of_all() -> Gap {
    Gap::standing(
        "examinations_left_out",
        Source::Proc,
        "programs began faster than their processes could be looked into with the CPU time that \
         whocalls allows itself",
        "what looking into some processes would have found",
    )
}

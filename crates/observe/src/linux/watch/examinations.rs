//! What looking into processes finds, as events: the examiner is asked about whoever is there, begins
//! a program or uses the network, and what is new in its answers is told.

mod schedule;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{
    Check, Checked, Detail, EventKind, Examined, Gap, Observed, Outcome, PackageState, Process,
    ProcessId, Sign, Source, Text, Untested,
};

use self::schedule::{Question, Run, Schedule};
use crate::Depth;
use crate::linux::examiner::{Answer, Examiner, Request, Unasked, all, without_examiner};
use crate::stamp::Stamp;

/// Where the same was found, and only its place in memory or its size is another, that is told no
/// more often.
const SAME_EACH: Duration = Duration::from_secs(60);

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
    if run.is_of_no_interest() && !has_found(&found) {
        run.held = Some(found);
        return None;
    }
    run.held = None;
    let found = match &run.told {
        None => found,
        Some((before, at)) => {
            let found = completed(found, before);
            let is_same = *before.as_ref() == found;
            let is_alike = || looks_like(before) == looks_like(&found);
            if is_same || (now.saturating_duration_since(*at) < SAME_EACH && is_alike()) {
                return None;
            }
            found
        }
    };
    let found = Arc::new(found);
    run.told = Some((Arc::clone(&found), now));
    Some(found)
}

fn has_found(examined: &Examined) -> bool {
    let mut made = examined.checks.iter();
    made.any(|made| matches!(made.outcome, Outcome::Found { .. }))
}

/// With what was found before and was not looked for this time, or could not be as it was just ending.
fn completed(mut found: Examined, before: &Examined) -> Examined {
    for Checked { check, outcome } in &before.checks {
        let now = found.outcome(*check);
        if now.is_none_or(|now| *now == Outcome::NotTestable(Untested::Ended)) {
            found.put(*check, outcome.clone());
        }
    }
    found.package = found.package.or_else(|| before.package.clone());
    found.display = found.display.or(before.display);
    found
}

type Alike<'a> = (
    Vec<(Check, &'static str, Option<Untested>, BTreeSet<Of<'a>>)>,
    Option<PackageState>,
    Option<model::Display>,
);
type Of<'a> = (Sign, Option<&'a [u8]>, Option<&'a [u8]>, Option<u32>);

/// What was found, but for where in memory, and how much.
fn looks_like(examined: &Examined) -> Alike<'_> {
    let checks = examined.checks.iter().map(|made| {
        let traces = match &made.outcome {
            Outcome::Found { traces, .. } => traces.as_slice(),
            Outcome::NothingFound | Outcome::NotTestable(_) => &[],
        };
        let why = match &made.outcome {
            Outcome::NotTestable(why) => Some(*why),
            Outcome::NothingFound | Outcome::Found { .. } => None,
        };
        let of = traces.iter().map(|trace| {
            let path = trace.path.as_ref().map(Text::bytes);
            let name = trace.name.as_ref().map(Text::bytes);
            (trace.sign, path, name, trace.pid)
        });
        (made.check, made.outcome.word(), why, of.collect())
    });
    let state = examined.package.as_ref().map(|package| package.state);
    (checks.collect(), state, examined.display)
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

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Sign, Trace};

    fn found(checks: &[(Check, Outcome)]) -> Examined {
        let mut examined = Examined::default();
        for (check, outcome) in checks {
            examined.put(*check, outcome.clone());
        }
        examined
    }

    fn executable(address: u64) -> Outcome {
        Outcome::of(vec![Trace {
            address: Some(address),
            ..Trace::new(Sign::Executable)
        }])
    }

    #[test]
    fn only_what_is_new_is_told() {
        let begun = Instant::now();
        let mut run = Run::default();
        let mut check = |seconds, checks: &[(Check, Outcome)], expected: Option<&[_]>| {
            let now = begun + Duration::from_secs(seconds);
            let news = news(&mut run, found(checks), now);
            assert_eq!(news.as_deref(), expected.map(found).as_ref(), "{seconds}");
        };
        let nothing = || Outcome::NothingFound;
        let traced = (Check::Traced, nothing());
        let memory = |address| (Check::ExecutableMemory, executable(address));
        let package = (Check::Package, nothing());
        let first = [traced.clone(), memory(1)];
        check(0, &first, Some(&first));
        check(2, &first, None);
        // A whole one adds to it; a cheap one takes nothing away.
        let whole = [traced.clone(), memory(1), package.clone()];
        check(3, &whole, Some(&whole));
        check(4, &first, None);
        // Memory of the same kind comes and goes.
        check(5, &[traced.clone(), memory(2)], None);
        let later = [traced.clone(), memory(2), package.clone()];
        check(70, &[traced.clone(), memory(2)], Some(&later));
        // Another kind of trace does not wait.
        let gone = [traced, (Check::ExecutableMemory, nothing()), package];
        check(71, &gone[..2], Some(&gone));
        // It is just ending.
        let ended = (Check::Traced, Outcome::NotTestable(Untested::Ended));
        check(72, &[ended], None);
    }
}

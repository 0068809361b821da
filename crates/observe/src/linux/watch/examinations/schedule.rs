//! Who is looked into, and when: all that run, once, cheaply and then wholly; whoever begins a program,
//! at once and again when it has settled; whoever uses the network, again and again, and shells beside and
//! below it now and then: what it hears may be handed to them. All of it within limits of CPU time, as the
//! examiner measures it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use model::{Examined, FileIdentity, PathState, Process, ProcessId};

use crate::Depth;
use crate::linux::examine::Ran;
use crate::news::Told;
use crate::parse::script::{file_name, runs_others};

/// Whoever uses the network is looked into so often, where the CPU time allows it.
const EACH: Duration = Duration::from_secs(2);
/// Shells near it no more often.
const NEAR_EACH: Duration = Duration::from_secs(10);
/// So many of them.
const MOST_NEAR: usize = 16;
/// A program that has just begun still maps its libraries.
const SETTLED: Duration = Duration::from_secs(1);
/// So many cheap questions may wait for their answer.
const MOST_OUT: usize = 64;
/// The same, of those that were asked before.
const MOST_AGAIN: usize = 4;
/// So many that have begun a program may wait to be asked about.
const MOST_FRESH: usize = 4_096;
/// So many processes are kept.
const MOST_RUNS: usize = 16_384;
/// No more may wait when one ends: it is not asked about then.
const MOST_LEFT: usize = 1_024;
/// Longer paths of programs are not kept.
const LONGEST_PATH: usize = 512;
/// Whole ones take one part of the time, and leave so many parts.
const REST: u32 = 3;

/// What is known of one run.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// How many programs it began since we watch.
    program: u32,
    file: Option<FileIdentity>,
    /// `None`: not known, or no file that could be found again.
    ran: Option<Ran>,
    /// The number of the process that started it. `None`: not known.
    parent: Option<u32>,
    talks: bool,
    /// A cheap question that waits for its answer.
    out: Option<Why>,
    /// To be asked when that one is answered.
    next: Option<Why>,
    /// It stands in `first` or `fresh`.
    waits: bool,
    /// It stands in `again`.
    is_in_turn: bool,
    wants_whole: bool,
    asked: Option<Instant>,
    is_whole_out: bool,
    /// It stands in `whole`.
    waits_for_whole: bool,
    /// It was not looked into since its program has settled.
    is_new: bool,
    /// It has ended, or nobody finds it.
    is_over: bool,
    pub(super) told: Told,
    /// Nothing, that is, which was found while it began: told when it uses the network.
    pub(super) held: Option<Examined>,
}

impl Run {
    /// Whether its program file is to be asked about also when it has ended: others that come and go may
    /// run the same.
    fn is_left(&self) -> bool {
        self.talks && self.ran.is_some()
    }

    /// Whether nobody waits for what was found: it has only just begun a program.
    pub(super) fn is_of_no_interest(&self) -> bool {
        self.is_new && !self.talks
    }
}

/// Why it is asked about: out of which allowance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// It was there before us.
    First,
    /// It has just begun a program.
    New,
    /// It had time to map its libraries, or begins to use the network.
    Settled,
    Again,
}

/// One question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) id: ProcessId,
    pub(super) depth: Depth,
    pub(super) program: u32,
}

#[derive(Debug)]
pub(super) struct Schedule {
    runs: HashMap<ProcessId, Run>,
    /// Shells and interpreters, by the number of the process that started them.
    shells: HashMap<u32, BTreeSet<ProcessId>>,
    /// In the order in which they were met; also those that are over.
    met: VecDeque<ProcessId>,
    first: VecDeque<ProcessId>,
    fresh: VecDeque<(ProcessId, u32, Why)>,
    /// When each has settled.
    settling: VecDeque<(Instant, ProcessId, u32)>,
    /// Those that use the network, the one that was not asked about for longest first.
    again: VecDeque<ProcessId>,
    whole: VecDeque<ProcessId>,
    out: usize,
    again_out: usize,
    whole_out: usize,
    for_fresh: Allowance,
    for_again: Allowance,
    /// When the next whole one may begin.
    whole_from: Instant,
    /// Those that were not asked about for want of room or time.
    left_out: usize,
}

impl Schedule {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            runs: HashMap::new(),
            shells: HashMap::new(),
            met: VecDeque::new(),
            first: VecDeque::new(),
            fresh: VecDeque::new(),
            settling: VecDeque::new(),
            again: VecDeque::new(),
            whole: VecDeque::new(),
            out: 0,
            again_out: 0,
            whole_out: 0,
            for_fresh: Allowance::new(10, Duration::from_millis(500), now),
            for_again: Allowance::new(100, Duration::from_millis(50), now),
            whole_from: now,
            left_out: 0,
        }
    }

    /// A process of the first look.
    pub(super) fn was_there(&mut self, process: &Process) {
        if self.meet(process) {
            self.first.push_back(process.id);
            if let Some(run) = self.runs.get_mut(&process.id) {
                run.waits = true;
            }
        }
    }

    /// A process that a later look shows.
    pub(super) fn is_there(&mut self, process: &Process, now: Instant) {
        let file = process.file;
        let before = self.runs.get(&process.id).map(|run| run.file);
        if self.meet(process) {
            self.begin(process.id, now);
        } else if before.is_some_and(|before| before.is_some() && file.is_some() && before != file)
        {
            // Where nobody tells that it has.
            self.began_program(process.id, now);
        }
        if let Some(run) = self.runs.get_mut(&process.id) {
            run.file = file.or(run.file);
        }
    }

    /// Takes note of a process. True: it was not known.
    pub(super) fn meet(&mut self, process: &Process) -> bool {
        let id = process.id;
        // The kernel's own have no memory that could be looked into.
        if process.kernel_thread || process.ended.is_some() {
            return false;
        }
        if let Some(run) = self.runs.get_mut(&id) {
            let known = run.ran.take();
            // Of one that is just ending, less can be read.
            let is_same = |known: &Ran| process.file.is_none_or(|file| file == known.file);
            run.ran = ran(process).or_else(|| known.filter(is_same));
            self.place(process);
            return false;
        }
        if self.runs.len() >= MOST_RUNS {
            self.let_one_go();
        }
        if self.met.len() >= 2 * MOST_RUNS {
            self.met.retain(|id| self.runs.contains_key(id));
        }
        let run = Run {
            file: process.file,
            ran: ran(process),
            ..Run::default()
        };
        self.runs.insert(id, run);
        self.met.push_back(id);
        self.place(process);
        true
    }

    /// Takes note of who started it, and whether it is a shell by now.
    fn place(&mut self, process: &Process) {
        let Some(run) = self.runs.get_mut(&process.id) else {
            return;
        };
        let before = run.parent;
        run.parent = process.parents.first().map(|it| it.pid).or(before);
        let parent = run.parent;
        if let Some(before) = before {
            self.no_shell(process.id, before);
        }
        let path = process.path.as_ref().unwrap_or(&process.name);
        if let Some(parent) = parent.filter(|_| runs_others(file_name(path.bytes()))) {
            self.shells.entry(parent).or_default().insert(process.id);
        }
    }

    fn no_shell(&mut self, id: ProcessId, parent: u32) {
        if let Some(of_parent) = self.shells.get_mut(&parent) {
            of_parent.remove(&id);
            if of_parent.is_empty() {
                self.shells.remove(&parent);
            }
        }
    }

    fn remove(&mut self, id: ProcessId) -> Option<Run> {
        let run = self.runs.remove(&id)?;
        if let Some(parent) = run.parent {
            self.no_shell(id, parent);
        }
        Some(run)
    }

    pub(super) fn began_program(&mut self, id: ProcessId, now: Instant) {
        let Some(run) = self.runs.get_mut(&id) else {
            return;
        };
        run.program = run.program.wrapping_add(1);
        run.wants_whole = false;
        run.told = Told::default();
        run.held = None;
        self.begin(id, now);
    }

    fn begin(&mut self, id: ProcessId, now: Instant) {
        self.want(id, Why::New);
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        if self.settling.len() < MOST_FRESH {
            self.settling.push_back((now + SETTLED, id, run.program));
        } else {
            self.left_out += 1;
        }
    }

    /// It uses the network. Gives what is to be told of it now.
    pub(super) fn talks(&mut self, id: ProcessId) -> Option<Examined> {
        let run = self.runs.get_mut(&id)?;
        let held = run.held.take();
        if std::mem::replace(&mut run.talks, true) {
            return held;
        }
        // It may not live for long.
        if !std::mem::replace(&mut run.wants_whole, true) {
            run.waits_for_whole = true;
            self.whole.push_front(id);
        }
        if run.asked.is_none() {
            if !run.waits {
                self.want(id, Why::Settled);
            }
        } else if run.out.is_none() {
            run.is_in_turn = true;
            self.again.push_back(id);
        }
        held
    }

    pub(super) fn ended(&mut self, id: ProcessId) {
        let Some(run) = self.runs.get_mut(&id) else {
            return;
        };
        run.is_over = true;
        let has_room = self.whole.len() < MOST_LEFT;
        let is_done = !(run.waits_for_whole && run.is_left() && has_room);
        if run.out.is_none() && !run.is_whole_out && is_done {
            self.remove(id);
        }
    }

    /// It uses the network: shells that it has started, or that were started beside it, are asked about in
    /// their turn. To be called before [`Schedule::talks`].
    pub(super) fn talks_near(&mut self, id: ProcessId, now: Instant) {
        let run = self.runs.get(&id);
        let parent = run.and_then(|run| run.parent);
        // They were asked about when nobody had a connection yet.
        let is_first = run.is_some_and(|run| !run.talks);
        let places = parent.into_iter().chain([id.pid]);
        let near = places.filter_map(|place| self.shells.get(&place));
        let near = near.flatten().filter(|it| **it != id).take(MOST_NEAR);
        for id in near {
            let Some(run) = self.runs.get_mut(id) else {
                continue;
            };
            let is_due =
                |asked: Instant| is_first || now.saturating_duration_since(asked) >= NEAR_EACH;
            if run.talks || run.is_in_turn || run.is_over || !run.asked.is_some_and(is_due) {
                continue;
            }
            run.is_in_turn = true;
            self.again.push_back(*id);
        }
    }

    fn want(&mut self, id: ProcessId, why: Why) {
        let Some(run) = self.runs.get_mut(&id) else {
            return;
        };
        if self.fresh.len() >= MOST_FRESH {
            self.left_out += 1;
            return;
        }
        run.waits = true;
        if run.talks {
            self.fresh.push_front((id, run.program, why));
        } else {
            self.fresh.push_back((id, run.program, why));
        }
    }

    /// What is to be asked now. `None`: nothing more for the time being.
    pub(super) fn next(&mut self, now: Instant) -> Option<Question> {
        self.for_fresh.goes_on(now);
        self.for_again.goes_on(now);
        self.settle(now);
        self.next_cheap(now).or_else(|| self.next_whole(now))
    }

    fn settle(&mut self, now: Instant) {
        while let Some((due, id, program)) = self.settling.front().copied()
            && due <= now
        {
            self.settling.pop_front();
            if self.runs.get(&id).is_some_and(|run| run.program == program) {
                self.want(id, Why::Settled);
            }
        }
    }

    fn next_cheap(&mut self, now: Instant) -> Option<Question> {
        while self.out < MOST_OUT {
            let (id, why) = if let Some(id) = self.first.pop_front() {
                (id, Why::First)
            } else if self.for_fresh.is_left()
                && let Some((id, program, why)) = self.fresh.pop_front()
            {
                if self.runs.get(&id).is_none_or(|run| run.program != program) {
                    continue;
                }
                (id, why)
            } else {
                (self.next_in_turn(now)?, Why::Again)
            };
            if let Some(question) = self.ask(id, why, now) {
                return Some(question);
            }
        }
        None
    }

    fn next_in_turn(&mut self, now: Instant) -> Option<ProcessId> {
        if !self.for_again.is_left() || self.again_out >= MOST_AGAIN {
            return None;
        }
        while let Some(id) = self.again.front().copied() {
            let run = self.runs.get_mut(&id);
            let is_due = |asked: Instant| now.saturating_duration_since(asked) >= EACH;
            if run
                .as_ref()
                .is_some_and(|run| !run.asked.is_none_or(is_due))
            {
                return None;
            }
            self.again.pop_front();
            if let Some(run) = run.filter(|run| !run.is_over) {
                run.is_in_turn = false;
                return Some(id);
            }
        }
        None
    }

    /// `None`: it has ended, or is asked about already.
    fn ask(&mut self, id: ProcessId, why: Why, now: Instant) -> Option<Question> {
        let run = self.runs.get_mut(&id).filter(|run| !run.is_over)?;
        if run.out.is_some() {
            run.next = Some(why);
            return None;
        }
        run.waits = false;
        run.out = Some(why);
        run.asked = Some(now);
        self.out += 1;
        self.again_out += usize::from(why == Why::Again);
        Some(Question {
            id,
            depth: Depth::Cheap,
            program: run.program,
        })
    }

    fn next_whole(&mut self, now: Instant) -> Option<Question> {
        if self.whole_out > 0 || now < self.whole_from || !self.first.is_empty() {
            return None;
        }
        loop {
            let id = self.whole.pop_front()?;
            let Some(run) = self.runs.get_mut(&id) else {
                continue;
            };
            run.waits_for_whole = false;
            if !run.is_over || run.is_left() {
                run.is_whole_out = true;
                self.whole_out += 1;
                return Some(Question {
                    id,
                    depth: Depth::Whole,
                    program: run.program,
                });
            }
        }
    }

    /// An answer has come. Gives the run, when what was found is of the program that it runs now.
    pub(super) fn answered(
        &mut self,
        question: Question,
        spent: Duration,
        is_there: bool,
        now: Instant,
    ) -> Option<&mut Run> {
        let id = question.id;
        match question.depth {
            Depth::Cheap => self.out = self.out.saturating_sub(1),
            Depth::Whole => {
                self.whole_out = self.whole_out.saturating_sub(1);
                self.whole_from = now + spent.saturating_mul(REST);
            }
        }
        let run = self.runs.get_mut(&id)?;
        let is_of_now = run.program == question.program;
        let mut next = None;
        match question.depth {
            Depth::Whole => {
                run.is_whole_out = false;
                run.is_new = false;
            }
            Depth::Cheap => {
                let why = run.out.take();
                run.is_new = why == Some(Why::New);
                match why {
                    Some(Why::First) | None => {}
                    Some(Why::New | Why::Settled) => self.for_fresh.charge(spent),
                    Some(Why::Again) => {
                        self.again_out = self.again_out.saturating_sub(1);
                        self.for_again.charge(spent);
                    }
                }
                next = run.next.take();
                if is_of_now && why != Some(Why::New) && !run.wants_whole {
                    run.wants_whole = true;
                    run.waits_for_whole = true;
                    self.whole.push_back(id);
                }
                if run.talks && !std::mem::replace(&mut run.is_in_turn, true) {
                    self.again.push_back(id);
                }
            }
        }
        run.is_over |= !is_there;
        if let Some(why) = next {
            self.want(id, why);
        }
        self.runs.get_mut(&id).filter(|_| is_of_now)
    }

    /// Of one that is over, nothing more is expected.
    pub(super) fn is_told(&mut self, id: ProcessId) {
        if let Some(run) = self.runs.get(&id)
            && run.is_over
            && run.out.is_none()
            && !run.is_whole_out
            && !(run.waits_for_whole && run.is_left())
        {
            self.remove(id);
        }
    }

    /// The last that was met with this number. `None`: nobody was.
    pub(super) fn last_with(&self, pid: u32) -> Option<ProcessId> {
        let with_it = self.runs.keys().filter(|id| id.pid == pid);
        with_it.max_by_key(|id| id.start_ticks).copied()
    }

    pub(super) fn run(&mut self, id: ProcessId) -> Option<&mut Run> {
        self.runs.get_mut(&id)
    }

    /// What its file is known by, should it have ended. `None`: that is not known.
    pub(super) fn ran(&self, id: ProcessId) -> Option<Ran> {
        self.runs.get(&id)?.ran.clone()
    }

    /// How many were left out since this was last asked.
    pub(super) fn lately_left_out(&mut self) -> usize {
        std::mem::take(&mut self.left_out)
    }

    /// Nobody answers any more.
    pub(super) fn give_up(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    fn let_one_go(&mut self) {
        for _ in 0..self.met.len() {
            let Some(id) = self.met.pop_front() else {
                return;
            };
            let is_out = |run: &Run| run.out.is_some() || run.is_whole_out;
            if self.runs.get(&id).is_some_and(is_out) {
                self.met.push_back(id);
            } else if let Some(run) = self.remove(id) {
                self.left_out += usize::from(!run.is_over);
                return;
            }
        }
    }
}

fn ran(process: &Process) -> Option<Ran> {
    let path = process.path.clone()?;
    let is_there = process.path_state == PathState::Present;
    let is_kept = is_there && path.bytes().len() <= LONGEST_PATH;
    is_kept.then_some(Ran {
        file: process.file?,
        started: process.started?,
        path,
    })
}

/// So much CPU time may be spent: it comes at a steady pace.
#[derive(Debug)]
struct Allowance {
    /// One part in so many of the time.
    part: u32,
    most: Duration,
    left: Duration,
    /// What was spent before it was there.
    owed: Duration,
    at: Instant,
}

impl Allowance {
    fn new(part: u32, most: Duration, now: Instant) -> Self {
        Self {
            part,
            most,
            left: most,
            owed: Duration::ZERO,
            at: now,
        }
    }

    fn goes_on(&mut self, now: Instant) {
        let came = now.saturating_duration_since(self.at) / self.part;
        self.at = self.at.max(now);
        let paid = came.min(self.owed);
        self.owed -= paid;
        self.left = self.most.min(self.left + (came - paid));
    }

    fn is_left(&self) -> bool {
        self.owed.is_zero() && !self.left.is_zero()
    }

    fn charge(&mut self, spent: Duration) {
        let paid = spent.min(self.left);
        self.left -= paid;
        self.owed += spent - paid;
    }
}

#[cfg(test)]
mod tests;

//! The processes of a look, all of them, by an examiner that is started for this alone.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{BootId, Examined, Outcome, Process, ProcessId, Timestamp, Untested};

use super::{Answer, Examiner, Request, Unasked};
use crate::Depth;
use crate::linux::examine::checks;

/// So many questions of one depth may wait.
const MOST_ASKED: usize = 64;
const STEP: Duration = Duration::from_millis(100);

/// See [`crate::examine`].
pub(crate) fn examine(processes: &mut Vec<Process>, depth: Depth, until: Instant) -> usize {
    if processes.is_empty() {
        return 0;
    }
    let mut asking = Asking::of(processes, depth);
    if let Ok(examiner) = Examiner::start() {
        asking.go_on(examiner, until);
    }
    asking.tell(processes, depth)
}

pub(super) struct Asking {
    to_ask: VecDeque<Request>,
    /// Later than all that is cheap.
    whole: VecDeque<Request>,
    found: HashMap<(u32, u64), Found>,
    unasked: Vec<Unasked>,
    waiting: usize,
    has_swept: bool,
    /// Nobody waits for it where only what is cheap is wanted.
    waits_for_sweep: bool,
}

#[derive(Default)]
struct Found {
    examined: Option<Examined>,
    is_finished: bool,
}

impl Asking {
    pub(super) fn of(processes: &[Process], depth: Depth) -> Self {
        let ask = |depth| {
            let ids = processes.iter().map(|process| process.id);
            ids.map(move |id| Request {
                pid: id.pid,
                start_ticks: id.start_ticks,
                depth,
                program: 0,
            })
        };
        let is_whole = depth == Depth::Whole;
        Self {
            to_ask: ask(Depth::Cheap).collect(),
            whole: ask(Depth::Whole).filter(|_| is_whole).collect(),
            found: HashMap::new(),
            unasked: Vec::new(),
            waiting: 0,
            has_swept: false,
            waits_for_sweep: is_whole,
        }
    }

    pub(super) fn go_on(&mut self, mut examiner: Examiner, until: Instant) {
        let mut answers = Vec::new();
        loop {
            while self.waiting < MOST_ASKED
                && let Some(request) = self.next()
            {
                self.waiting += 1;
                if !examiner.ask(request) {
                    return;
                }
            }
            let is_over = self.waiting == 0 && (self.has_swept || !self.waits_for_sweep);
            let left = until.saturating_duration_since(Instant::now());
            if is_over || left.is_zero() || examiner.has_ended() {
                return;
            }
            examiner.wait(left.min(STEP));
            examiner.answers(&mut answers);
            for answer in answers.drain(..) {
                self.take(answer);
            }
        }
    }

    fn next(&mut self) -> Option<Request> {
        self.to_ask.pop_front().or_else(|| self.whole.pop_front())
    }

    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Examined { request, found, .. } => {
                self.waiting = self.waiting.saturating_sub(1);
                let key = (request.pid, request.start_ticks);
                let known = self.found.entry(key).or_default();
                known.is_finished = request.depth == Depth::Whole || !self.waits_for_sweep;
                // Of one that has ended since, what was seen before stands.
                let found = match found {
                    Err(_) if known.examined.is_some() => return,
                    Err(why) => all(Depth::Whole, why),
                    Ok(found) => found,
                };
                known.examined = Some(found);
            }
            Answer::Unasked(unasked) => self.unasked.push(unasked),
            Answer::Swept => self.has_swept = true,
        }
    }

    /// Gives how many are left.
    pub(super) fn tell(mut self, processes: &mut Vec<Process>, depth: Depth) -> usize {
        let boot = processes.first().map(|process| process.id.boot);
        let mut left = 0;
        for process in processes.iter_mut() {
            let key = (process.id.pid, process.id.start_ticks);
            let found = self.found.remove(&key).unwrap_or_default();
            left += usize::from(!found.is_finished);
            let mut examined = found.examined.unwrap_or_default();
            let wanted: Vec<_> = checks(depth).collect();
            for check in checks(Depth::Whole) {
                if examined.outcome(check).is_none() {
                    let why = match wanted.contains(&check) {
                        true => Untested::NotFinished,
                        false => Untested::NotAsked,
                    };
                    examined.put(check, Outcome::NotTestable(why));
                }
            }
            process.examined = Some(Arc::new(examined));
        }
        if let Some(boot) = boot {
            add(self.unasked, boot, processes);
        }
        left
    }
}

/// Processes that nobody has listed.
fn add(unasked: Vec<Unasked>, boot: BootId, processes: &mut Vec<Process>) {
    let listed: HashSet<_> = processes.iter().map(|process| process.id).collect();
    // As the others have it.
    let boot_time = processes.iter().find_map(|process| {
        let since = process
            .id
            .start_ticks
            .saturating_mul(ProcessId::NANOS_PER_TICK);
        let started = process.started?.unix_nanos();
        Some(started.saturating_sub(i64::try_from(since).ok()?))
    });
    for unasked in unasked {
        let id = ProcessId {
            boot,
            pid: unasked.pid,
            start_ticks: unasked.start_ticks.unwrap_or_default(),
        };
        let same_pid = processes.iter_mut().find(|it| it.id.pid == id.pid);
        match same_pid.filter(|it| it.id == id || unasked.start_ticks.is_none()) {
            Some(known) => known.examined = Some(Arc::new(unasked.examined)),
            None if listed.contains(&id) => {}
            None => {
                let started = unasked.start_ticks.and(boot_time).map(|boot_time| {
                    let since = id.start_ticks.saturating_mul(ProcessId::NANOS_PER_TICK);
                    let since = i64::try_from(since).unwrap_or(i64::MAX);
                    Timestamp::from_unix_nanos(boot_time.saturating_add(since))
                });
                processes.push(Process {
                    started,
                    ..unasked.process(id)
                });
            }
        }
    }
    processes.sort_by_key(|process| (process.id.pid, process.id.start_ticks));
}

impl Unasked {
    /// All that is known of it. `id`: its own, or the best there is.
    pub(crate) fn process(self, id: ProcessId) -> Process {
        Process {
            name: self.name.unwrap_or_default(),
            path: self.path,
            uid: self.uid,
            examined: Some(Arc::new(self.examined)),
            ..Process::unknown(id)
        }
    }
}

/// That none of these checks can be made.
pub(crate) fn all(depth: Depth, why: Untested) -> Examined {
    let mut examined = Examined::default();
    for check in checks(depth) {
        examined.put(check, Outcome::NotTestable(why));
    }
    examined
}

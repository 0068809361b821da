//! Which processes run, by looks and by the events between them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use model::{
    BootId, Detail, EventKind, Gap, Look, Observed, Parent, Process, ProcessId, Source, Text,
    Timestamp,
};

use crate::parse::etw_kernel_process::Told;
use crate::stamp::Stamp;

/// So many of those above a process are told.
const MOST_PARENTS: usize = 16;
/// So many that have ended are remembered: a look that was begun before still shows them.
const MOST_ENDED: usize = 8_192;
/// One that ends may stand in the list of Windows for a moment, in nanoseconds.
const FADES: u64 = 2_000_000_000;

/// Those that run, by number.
#[derive(Debug)]
pub(crate) struct Processes {
    boot: BootId,
    running: HashMap<u32, Arc<Process>>,
    /// In the order in which events told of it, and when it was, in nanoseconds since boot.
    ended: VecDeque<(ProcessId, u64)>,
    is_contradiction_told: bool,
    /// The last look did not show them.
    missing: HashSet<ProcessId>,
}

/// Of the wall clock, as Windows keeps the start of a process by it: it never changes for the same one.
pub(crate) fn ticks(started: Timestamp) -> u64 {
    let nanos = u64::try_from(started.unix_nanos()).unwrap_or_default();
    nanos / ProcessId::NANOS_PER_TICK
}

impl Processes {
    pub(crate) fn of(look: &Look) -> Self {
        let processes = look.processes.iter();
        Self {
            boot: look.host.boot,
            running: processes
                .map(|it| (it.id.pid, Arc::new(it.clone())))
                .collect(),
            ended: VecDeque::new(),
            is_contradiction_told: false,
            missing: HashSet::new(),
        }
    }

    /// `None`: it has ended.
    #[cfg(windows)]
    pub(crate) fn running(&self, id: ProcessId) -> Option<&Arc<Process>> {
        self.running.get(&id.pid).filter(|it| it.id == id)
    }

    pub(super) fn id(&self, pid: u32) -> Option<ProcessId> {
        // The idle process stands for nobody.
        let process = self.running.get(&pid).filter(|_| pid != 0);
        process.map(|process| process.id)
    }

    pub(super) fn pids(&self) -> HashMap<ProcessId, u32> {
        self.running.iter().map(|(pid, it)| (it.id, *pid)).collect()
    }

    /// Gives processes of a look that would not tell when they began what is known of them: it is the same
    /// one when it has the same number and name, and nobody has told of its end.
    pub(crate) fn recognise(&self, look: &mut Look) {
        let mut known = HashMap::new();
        for process in look.processes.iter_mut().filter(|it| it.started.is_none()) {
            let running = self.running.get(&process.id.pid).filter(|running| {
                let (one, other) = (running.name.bytes(), process.name.bytes());
                running.started.is_some() && one.eq_ignore_ascii_case(other)
            });
            if let Some(running) = running {
                known.insert(process.id, running.id);
                *process = Process {
                    parents: std::mem::take(&mut process.parents),
                    ..(**running).clone()
                };
            }
        }
        let holders = look.sockets.iter_mut().flat_map(|it| &mut it.holders);
        for holder in holders {
            if let Some(id) = known.get(&holder.process) {
                holder.process = *id;
            }
        }
    }

    /// Tells who has come and who has gone since the last look, as far as no event told of it. `sure`: who
    /// is not in the look has ended; otherwise an event may still come that tells how, and it is waited for
    /// the next look. When the look was begun and was over is told in nanoseconds since boot. Who is in a
    /// look that was begun after its end was told has not ended: whoever may write events can forge them.
    pub(crate) fn look(
        &mut self,
        (began, time): (u64, u64),
        look: &Look,
        sure: bool,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) {
        let there: HashSet<ProcessId> = look.processes.iter().map(|it| it.id).collect();
        let ids = self.running.values().map(|it| it.id);
        let absent: HashSet<ProcessId> = ids.filter(|id| !there.contains(id)).collect();
        let before = std::mem::take(&mut self.missing);
        let mut gone: Vec<_> = absent
            .iter()
            .filter(|id| sure || before.contains(id))
            .copied()
            .collect();
        gone.sort_unstable();
        self.missing = absent;
        for id in gone {
            if let Some(process) = self.running.remove(&id.pid) {
                tell_end(time, &process, look.taken, None, None, stamp, seen);
            }
        }
        for process in &look.processes {
            let is_known = self
                .running
                .get(&process.id.pid)
                .is_some_and(|known| known.id == process.id);
            if is_known {
                continue;
            }
            if let Some(ended) = self.ended(process.id) {
                if began <= ended.saturating_add(FADES) {
                    continue;
                }
                self.ended.retain(|(id, _)| *id != process.id);
                if !std::mem::replace(&mut self.is_contradiction_told, true) {
                    seen.push(Observed::Gap(contradicted(stamp.time(ended))));
                }
            }
            self.start(time, process.clone(), None, stamp, seen);
        }
    }

    /// When it ended, as an event told.
    fn ended(&self, id: ProcessId) -> Option<u64> {
        let told = self.ended.iter().find(|(ended, _)| *ended == id);
        told.map(|(_, time)| *time)
    }

    /// Tells what an event says.
    pub(super) fn told(
        &mut self,
        time: u64,
        told: Told,
        facts: Option<Box<Process>>,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) {
        match told {
            Told::Start {
                pid,
                started,
                parent,
                image,
            } => {
                let id = self.process(pid, started);
                let is_known = self.running.get(&pid).is_some_and(|it| it.id == id);
                if is_known || self.ended(id).is_some() {
                    return;
                }
                let facts = facts.filter(|it| it.id == id);
                let mut process = facts.map_or_else(|| Process::unknown(id), |it| *it);
                process.started = process.started.or(started);
                if process.name.is_empty() {
                    process.name = last_part(&image);
                }
                let is_file = image.bytes().contains(&b'\\');
                process.path = process.path.or(Some(image).filter(|_| is_file));
                process.parents = self.parents(parent, started);
                self.start(time, process, Some(Source::Etw), stamp, seen);
            }
            // A status has room for the codes that programs choose; those of Windows (0xc0000005 ...) are
            // larger, and it says nothing of them.
            Told::Stop { pid, started, code } => {
                let id = self.process(pid, started);
                if self.running.get(&pid).is_none_or(|it| it.id != id) {
                    return;
                }
                if self.ended.len() >= MOST_ENDED {
                    self.ended.pop_front();
                }
                self.ended.push_back((id, time));
                if let Some(process) = self.running.remove(&pid) {
                    let ended = stamp.time(time);
                    let status = u8::try_from(code).ok().map(|code| i32::from(code) << 8);
                    let source = Some(Source::Etw);
                    tell_end(time, &process, ended, status, source, stamp, seen);
                }
            }
        }
    }

    fn process(&self, pid: u32, started: Option<Timestamp>) -> ProcessId {
        ProcessId {
            boot: self.boot,
            pid,
            start_ticks: started.map_or(0, ticks),
        }
    }

    fn start(
        &mut self,
        time: u64,
        process: Process,
        source: Option<Source>,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) {
        let id = process.id;
        let process = Arc::new(process);
        // Its end was not told.
        if let Some(former) = self.running.insert(id.pid, Arc::clone(&process)) {
            tell_end(time, &former, stamp.time(time), None, source, stamp, seen);
        }
        let mut event = stamp.event(time, EventKind::ProcessStarted);
        event.source = source.unwrap_or(event.source);
        event.process = Some(id);
        seen.push(Observed::Process(process));
        stamp.tell(event, seen);
    }

    /// Nearest first. Numbers are used again: who began after its child is not its parent.
    fn parents(&self, pid: u32, started: Option<Timestamp>) -> Vec<Parent> {
        let parent = self.running.get(&pid).filter(|parent| {
            let is_younger =
                matches!((parent.started, started), (Some(parent), Some(child)) if parent > child);
            pid != 0 && !is_younger
        });
        let Some(parent) = parent else {
            return Vec::new();
        };
        let nearest = Parent {
            pid,
            name: parent.name.clone(),
            path: parent.path.clone(),
        };
        let above = parent.parents.iter().cloned();
        std::iter::once(nearest)
            .chain(above)
            .take(MOST_PARENTS)
            .collect()
    }
}

fn tell_end(
    time: u64,
    process: &Process,
    ended: Timestamp,
    status: Option<i32>,
    source: Option<Source>,
    stamp: &mut Stamp,
    seen: &mut Vec<Observed>,
) {
    let mut event = stamp.event(time, EventKind::ProcessEnded);
    event.source = source.unwrap_or(event.source);
    event.process = Some(process.id);
    event.detail = Detail::Exit { status };
    seen.push(Observed::Process(Arc::new(Process {
        ended: Some(ended),
        ..process.clone()
    })));
    stamp.tell(event, seen);
}

fn contradicted(since: Timestamp) -> Gap {
    Gap {
        since: Some(since),
        ..Gap::standing(
            "end_contradicted",
            Source::Etw,
            "event tracing (ETW) said that a process ended, and it runs: its events may be forged",
            "what this process did until it was seen again; it is told anew. This is said once",
        )
    }
}

fn last_part(image: &Text) -> Text {
    let last = image.bytes().rsplit(|byte| *byte == b'\\').next();
    Text::from(last.unwrap_or_default())
}

//! Watches by looking again and again. What begins and ends between two looks is not seen, and that is
//! said; so it looks often while something changes, and less often when nothing does.

mod examinations;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use model::{
    Detail, EventKind, Gap, Host, Look, Observed, Process, ProcessId, Source, State, Tier,
    Timestamp,
};

use self::examinations::Examinations;
use super::host::boot_nanos;
use super::{Observer, Packets, actions, now};
use crate::stamp::Stamp;
use crate::{Error, LookOptions, ProgramCopy, Totals, WatchOptions};

const TICK: Duration = Duration::from_secs(1);
/// Between two looks, at least.
const SHORTEST: Duration = Duration::from_millis(100);
/// And at most.
const LONGEST: Duration = Duration::from_secs(1);
/// Counts of bytes alone are told so often.
const COUNTS: Duration = Duration::from_secs(5);
/// What was found is told after at most so long.
const LONGEST_STEP: Duration = Duration::from_millis(200);
/// A look may take this part of the time, of one processor.
const SHARE: u32 = 30;
/// Processes come with each look, sockets or not.
const WHOLE: LookOptions = LookOptions {
    every_process: true,
    remembered: false,
};

pub(crate) struct Watch {
    observer: Observer,
    stamp: Stamp,
    /// The first look, and what this run cannot see at all.
    first: Vec<Observed>,
    running: HashMap<u32, Arc<Process>>,
    sockets: BTreeSet<(u64, State)>,
    examinations: Examinations,
    looked: Instant,
    /// Sent and received over all sockets that are counted, and when that was told.
    counted: (u64, Instant),
    pause: Duration,
    ticked: Instant,
    until: u64,
    may_act: bool,
}

impl Watch {
    pub(crate) fn start(options: WatchOptions) -> Result<Self, Error> {
        let mut observer = Observer::open(true)?;
        observer.count_bytes();
        let since_boot = i64::try_from(boot_nanos()).unwrap_or_default();
        let boot_time = now().unix_nanos().saturating_sub(since_boot);
        let mut look = observer.look(WHOLE)?;
        let gaps = std::mem::take(&mut look.gaps);
        let processes = look.processes.iter();
        let running = processes
            .map(|it| (it.id.pid, Arc::new(it.clone())))
            .collect();
        let mut watch = Self {
            examinations: Examinations::start(&look, &running),
            observer,
            stamp: Stamp {
                boot_time: Timestamp::from_unix_nanos(boot_time),
                source: Source::IpHelper,
                seq: 0,
            },
            first: Vec::new(),
            running,
            sockets: sockets_of(&look),
            looked: Instant::now(),
            counted: (0, Instant::now()),
            pause: SHORTEST,
            ticked: Instant::now(),
            until: boot_nanos(),
            may_act: options.allow_actions,
        };
        watch.first.push(Observed::Look(Box::new(look)));
        watch.first.extend(gaps.into_iter().map(Observed::Gap));
        watch.first.push(Observed::Gap(between_looks()));
        if options.packets.is_some() {
            watch.first.push(Observed::Gap(without_packets()));
        }
        Ok(watch)
    }

    pub(crate) fn host(&self) -> &Host {
        &self.observer.host
    }

    pub(crate) fn tier(&self) -> Tier {
        Tier::Polling
    }

    pub(crate) fn actions(&mut self) -> Option<actions::Actions> {
        self.may_act.then_some(actions::Actions)
    }

    pub(crate) fn packets(&mut self) -> Option<Packets> {
        None
    }

    pub(crate) fn until(&self) -> u64 {
        self.until
    }

    pub(crate) fn next(&mut self, wait: Duration, seen: &mut Vec<Observed>) -> Result<(), Error> {
        if !self.first.is_empty() {
            seen.append(&mut self.first);
            return Ok(());
        }
        let start = Instant::now();
        loop {
            if self.looked.elapsed() >= self.pause {
                self.look(seen)?;
            }
            self.examinations.tell(self.until, &mut self.stamp, seen);
            if self.ticked.elapsed() >= TICK {
                // A program that was stopped for long does not make up for every second.
                self.ticked = Instant::now();
                let tick = self.stamp.event(self.until, EventKind::Tick);
                self.stamp.tell(tick, seen);
            }
            let left = wait.saturating_sub(start.elapsed());
            if !seen.is_empty() || left.is_zero() {
                return Ok(());
            }
            let until_look = self.pause.saturating_sub(self.looked.elapsed());
            let until_tick = TICK.saturating_sub(self.ticked.elapsed());
            thread::sleep(left.min(until_look).min(until_tick).min(LONGEST_STEP));
        }
    }

    pub(crate) fn refresh(&mut self, seen: &mut Vec<Observed>) -> Result<(), Error> {
        let look = self.take(seen)?;
        seen.push(Observed::Look(Box::new(look)));
        Ok(())
    }

    pub(crate) fn want_program(&mut self, _process: ProcessId) -> bool {
        false
    }

    pub(crate) fn programs(&mut self) -> Vec<ProgramCopy> {
        Vec::new()
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            events: self.stamp.seq,
            lost: 0,
        }
    }

    /// Looks, and tells what is not as it was.
    fn look(&mut self, seen: &mut Vec<Observed>) -> Result<(), Error> {
        let (began, before) = (Instant::now(), seen.len());
        let known = std::mem::take(&mut self.sockets);
        let look = self.take(seen)?;
        let counted = counted_by(&look);
        let is_counted = counted != self.counted.0 && self.counted.1.elapsed() >= COUNTS;
        if self.sockets != known || is_counted {
            self.counted = (counted, Instant::now());
            seen.push(Observed::Look(Box::new(look)));
        }
        let has_changed = seen.len() > before;
        let least = began.elapsed().saturating_mul(SHARE).max(SHORTEST);
        self.pause = if has_changed {
            least
        } else {
            self.pause
                .saturating_mul(2)
                .clamp(least, LONGEST.max(least))
        };
        Ok(())
    }

    fn take(&mut self, seen: &mut Vec<Observed>) -> Result<Look, Error> {
        let mut look = self.observer.look(WHOLE)?;
        self.looked = Instant::now();
        self.until = boot_nanos();
        // They were told at the beginning.
        look.gaps.clear();
        self.sockets = sockets_of(&look);
        self.tell_processes(&look, seen);
        self.examinations.talk(&look);
        Ok(look)
    }

    fn tell_processes(&mut self, look: &Look, seen: &mut Vec<Observed>) {
        let there: HashSet<ProcessId> = look.processes.iter().map(|it| it.id).collect();
        let mut gone: Vec<_> = self
            .running
            .extract_if(|_, process| !there.contains(&process.id))
            .map(|(_, process)| process)
            .collect();
        gone.sort_by_key(|process| process.id);
        for process in gone {
            self.examinations.ended(process.id);
            let mut ended = (*process).clone();
            ended.ended = Some(look.taken);
            self.tell(EventKind::ProcessEnded, ended, seen);
        }
        for process in &look.processes {
            if !self.running.contains_key(&process.id.pid) {
                let started = Arc::new(process.clone());
                self.examinations.began(&started);
                self.running.insert(process.id.pid, started);
                self.tell(EventKind::ProcessStarted, process.clone(), seen);
            }
        }
    }

    fn tell(&mut self, kind: EventKind, process: Process, seen: &mut Vec<Observed>) {
        let mut event = self.stamp.event(self.until, kind);
        event.process = Some(process.id);
        if kind == EventKind::ProcessEnded {
            event.detail = Detail::Exit { status: None };
        }
        seen.push(Observed::Process(Arc::new(process)));
        self.stamp.tell(event, seen);
    }
}

fn sockets_of(look: &Look) -> BTreeSet<(u64, State)> {
    let sockets = look.sockets.iter();
    sockets
        .filter_map(|socket| Some((socket.key.cookie?, socket.state)))
        .collect()
}

fn counted_by(look: &Look) -> u64 {
    let bytes = look
        .sockets
        .iter()
        .flat_map(|it| [it.bytes_sent, it.bytes_received]);
    bytes.flatten().fold(0, u64::wrapping_add)
}

/// What looking again and again cannot see.
pub(super) fn between_looks() -> Gap {
    Gap::standing(
        "polling",
        Source::IpHelper,
        "this build does not use event tracing (ETW); it looks every 0.1 to 1 second",
        "connections, attempts and programs that come and go between two looks, and to whom UDP goes",
    )
}

fn without_packets() -> Gap {
    Gap::standing(
        "no_packets",
        Source::IpHelper,
        "this build captures no packets on Windows yet",
        "what was said: packets, names and sizes",
    )
}

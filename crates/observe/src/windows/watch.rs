//! Watches by event tracing, where that may be used, and by looking again and again. Without events, what
//! begins and ends between two looks is not seen, and that is said; so it looks often while something
//! changes, and less often when nothing does.

mod copies;
mod examinations;

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use model::{EventKind, Gap, Host, Look, Observed, Process, ProcessId, Source, Tier, Timestamp};

use self::copies::Copies;
use self::examinations::Examinations;
use super::host::boot_nanos;
use super::tracing::{self, Session, Tracing, untraced};
use super::{Observer, Packets, actions, now};
use crate::stamp::Stamp;
use crate::traced::{Processes, Rows, rows};
use crate::{Error, LookOptions, ProgramCopy, Totals, WatchOptions};

const TICK: Duration = Duration::from_secs(1);
/// Between two looks, at least.
const SHORTEST: Duration = Duration::from_millis(100);
/// And at most.
const LONGEST: Duration = Duration::from_secs(1);
/// Counts of bytes alone are told so often.
const COUNTS: Duration = Duration::from_secs(5);
/// A look may take this part of the time, of one processor.
const SHARE: u32 = 30;
/// How often it is asked what event tracing has told.
const STEP: Duration = Duration::from_millis(100);
/// The same while packets wait to be passed on.
const PACKET_STEP: Duration = Duration::from_millis(20);
/// What has happened may still be on its way to us for so long.
const ON_THE_WAY: Duration = Duration::from_millis(200);
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
    processes: Processes,
    /// `None`: it cannot be used.
    tracing: Option<Tracing>,
    sockets: Rows,
    examinations: Examinations,
    copies: Copies,
    looked: Instant,
    /// Sent and received over all sockets that are counted, and when that was told.
    counted: (u64, Instant),
    pause: Duration,
    ticked: Instant,
    until: u64,
    may_act: bool,
    has_packets: bool,
    /// `None`: there are none, or they were handed out.
    packets: Option<Packets>,
}

impl Watch {
    pub(crate) fn start(options: WatchOptions) -> Result<Self, Error> {
        let mut observer = Observer::open(true)?;
        observer.count_bytes();
        let since_boot = i64::try_from(boot_nanos()).unwrap_or_default();
        let boot_time = now().unix_nanos().saturating_sub(since_boot);
        let boot_time = Timestamp::from_unix_nanos(boot_time);
        // Before the look, so that nothing falls between it and the events.
        let session = if options.polling {
            Err("it was asked for looking again and again".to_owned())
        } else {
            Session::start().map_err(|why| why.to_string())
        };
        let mut look = observer.look(WHOLE)?;
        let gaps = std::mem::take(&mut look.gaps);
        let sockets = rows(&look);
        let (mut tracing, why) = match session {
            Ok(session) => (Some(Tracing::begin(session, boot_time, &mut look)), None),
            Err(why) => (None, Some(why)),
        };
        if tracing.is_some() {
            look.tier = Tier::Full;
        }
        let processes = Processes::of(&look);
        let running: HashMap<_, _> = look
            .processes
            .iter()
            .map(|it| (it.id.pid, Arc::new(it.clone())))
            .collect();
        let examinations = Examinations::start(&look, &running);
        let mut first = vec![Observed::Look(Box::new(look))];
        first.extend(gaps.into_iter().map(Observed::Gap));
        let missed = tracing.as_mut().map(Tracing::gaps).unwrap_or_default();
        first.extend(missed.into_iter().map(Observed::Gap));
        if let Some(why) = why {
            first.push(Observed::Gap(untraced(why)));
            first.push(Observed::Gap(between_looks()));
        }
        let packets = options.packets.and_then(|options| {
            let (packets, gaps) = Packets::begin(options);
            first.extend(gaps.into_iter().map(Observed::Gap));
            packets
        });
        Ok(Self {
            observer,
            stamp: Stamp {
                boot_time,
                source: Source::IpHelper,
                seq: 0,
            },
            first,
            processes,
            tracing,
            sockets,
            examinations,
            copies: Copies::default(),
            looked: Instant::now(),
            counted: (0, Instant::now()),
            pause: SHORTEST,
            ticked: Instant::now(),
            until: boot_nanos(),
            may_act: options.allow_actions,
            has_packets: packets.is_some(),
            packets,
        })
    }

    pub(crate) fn host(&self) -> &Host {
        &self.observer.host
    }

    pub(crate) fn tier(&self) -> Tier {
        let is_traced = self.tracing.as_ref().is_some_and(|it| !it.has_ended());
        if is_traced { Tier::Full } else { Tier::Polling }
    }

    pub(crate) fn actions(&mut self) -> Option<actions::Actions> {
        self.may_act.then_some(actions::Actions)
    }

    pub(crate) fn packets(&mut self) -> Option<Packets> {
        self.packets.take()
    }

    pub(crate) fn until(&self) -> u64 {
        self.until
    }

    pub(crate) fn delay(&self) -> Duration {
        if self.tracing.is_some() {
            tracing::HOLD.saturating_add(ON_THE_WAY)
        } else {
            ON_THE_WAY
        }
    }

    pub(crate) fn next(&mut self, wait: Duration, seen: &mut Vec<Observed>) -> Result<(), Error> {
        if !self.first.is_empty() {
            seen.append(&mut self.first);
            return Ok(());
        }
        let start = Instant::now();
        loop {
            let before = seen.len();
            let is_told = self.hear(seen);
            if self.looked.elapsed() >= self.pause && !is_told {
                self.look(seen)?;
            }
            self.note_processes(seen.get(before..).unwrap_or_default());
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
            let until_look = if is_told { LONGEST } else { until_look };
            let until_tick = TICK.saturating_sub(self.ticked.elapsed());
            let step = if self.has_packets { PACKET_STEP } else { STEP };
            thread::sleep(left.min(until_look).min(until_tick).min(step));
            if self.has_packets {
                let before = seen.len();
                self.hear(seen);
                self.note_processes(seen.get(before..).unwrap_or_default());
                return Ok(());
            }
        }
    }

    pub(crate) fn refresh(&mut self, seen: &mut Vec<Observed>) -> Result<(), Error> {
        if let Some(tracing) = &mut self.tracing {
            tracing.counts(&self.stamp, self.until, seen);
            return Ok(());
        }
        let before = seen.len();
        let look = self.take(seen)?;
        self.note_processes(seen.get(before..).unwrap_or_default());
        seen.push(Observed::Look(Box::new(look)));
        Ok(())
    }

    /// Who has begun is to be looked into, who has ended no more.
    fn note_processes(&mut self, news: &[Observed]) {
        let mut told: Option<&Arc<Process>> = None;
        for one in news {
            match one {
                Observed::Process(process) => told = Some(process),
                Observed::Event(event) => match (event.kind, event.process) {
                    (EventKind::ProcessStarted, Some(id)) => {
                        if let Some(process) = told.filter(|it| it.id == id) {
                            self.examinations.began(process);
                        }
                    }
                    (EventKind::ProcessEnded, Some(id)) => self.examinations.ended(id),
                    _ => {}
                },
                _ => {}
            }
        }
    }

    pub(crate) fn want_program(&mut self, process: ProcessId) -> bool {
        let running = self.processes.running(process);
        self.copies.want(process, running)
    }

    pub(crate) fn programs(&mut self) -> Vec<ProgramCopy> {
        self.copies.take()
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            events: self.stamp.seq,
            lost: self.tracing.as_ref().map_or(0, Tracing::lost),
        }
    }

    /// Takes what event tracing has told. True: a look still waits for its turn.
    fn hear(&mut self, seen: &mut Vec<Observed>) -> bool {
        let Some(tracing) = &mut self.tracing else {
            return false;
        };
        let until = tracing.next(&mut self.processes, &mut self.stamp, seen);
        self.until = self.until.max(until);
        tracing.has_look()
    }

    /// Looks, and tells what is not as it was.
    fn look(&mut self, seen: &mut Vec<Observed>) -> Result<(), Error> {
        let (began, before) = (Instant::now(), seen.len());
        let tier = self.tier();
        if let Some(tracing) = &mut self.tracing {
            let (start, time) = (boot_nanos(), now());
            let mut look = self.observer.look(WHOLE)?;
            look.gaps.clear();
            // What has happened since it was begun may be in it, or not.
            look.taken = time;
            look.tier = tier;
            self.examinations.talk(&look);
            self.looked = Instant::now();
            tracing.put(start, boot_nanos(), look);
            let least = began.elapsed().saturating_mul(SHARE);
            let often = tracing.has_ended();
            self.pause = least.max(if often { SHORTEST } else { LONGEST });
            return Ok(());
        }
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
        let began = boot_nanos();
        let mut look = self.observer.look(WHOLE)?;
        self.looked = Instant::now();
        self.until = boot_nanos();
        // They were told at the beginning.
        look.gaps.clear();
        self.sockets = rows(&look);
        self.examinations.talk(&look);
        let (processes, stamp) = (&mut self.processes, &mut self.stamp);
        processes.recognise(&mut look);
        processes.look((began, self.until), &look, true, stamp, seen);
        Ok(look)
    }
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
        "without event tracing (ETW), whocalls looks every 0.1 to 1 second",
        "connections, attempts and programs that come and go between two looks, and to whom UDP goes",
    )
}

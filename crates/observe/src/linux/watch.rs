//! Watching: what happens, while it happens.

mod copies;
mod examinations;
mod first;
mod frames;
mod greetings;
mod groups;
mod idle;
mod links;
mod live;
mod polling;
mod processes;
mod programs;
mod resolvers;
mod sockets;

use std::thread;
use std::time::{Duration, Instant};

use model::{
    Detail, EventKind, Gap, Host, Observed, ProcessId, Source, Tier, Timestamp, WhyUnknown,
};

use self::copies::Copies;
use self::examinations::Examinations;
use self::first::Early;
use self::idle::Idling;
use self::live::Live;
use self::polling::Polling;
use super::actions::Actions;
use super::bpf::BpfError;
use super::events::boot_nanos;
use super::examiner::Examiner;
use super::helper::{Helper, without_helper};
use super::packets::{Announcer, Packets};
use super::process::Processes;
use super::{Observer, capabilities, clock, rights};
use crate::stamp::Stamp;
use crate::{Error, LookOptions, ProgramCopy, Totals, WatchOptions};

const TICK: Duration = Duration::from_secs(1);
/// How often the rings are looked into.
const STEP: Duration = Duration::from_millis(20);
/// The same, when nothing has happened the last time.
const QUIET_STEP: Duration = Duration::from_millis(40);
const POLLING_STEP: Duration = Duration::from_millis(100);
/// What has happened may still be on its way to us for so long.
const ON_THE_WAY: Duration = Duration::from_millis(200);
/// What stands open is looked at again when a loss is over, and not more often than this.
const MENDED_EACH: Duration = Duration::from_secs(5);
/// A smaller change of the wall clock is the slow steering of a time service.
const CLOCK_STEP: i64 = 200_000_000;
/// Sleep that is shorter is none.
const SLEPT: i64 = 100_000_000;

/// Sees what happens: by events of the kernel, else by looking again and again.
pub(crate) struct Watch {
    observer: Observer,
    tier: Tier,
    stamp: Stamp,
    driver: Driver,
    /// Without events, where there is no helper.
    copies: Copies,
    /// `None`: it could not be started, or there is nothing to help with.
    helper: Option<Helper>,
    examinations: Examinations,
    idling: Idling,
    /// `None`: they are not allowed, could not be started, or were handed out.
    actions: Option<Actions>,
    /// `None`: they were not asked for, or were handed out.
    packets: Option<Packets>,
    /// Tells the packets of network namespaces that appear.
    announcer: Option<Announcer>,
    ticked: Instant,
    clocks: clock::Clocks,
    mending: Mending,
    /// Something was lost since the last tick.
    has_lost: bool,
    /// All until then has been told, in nanoseconds since boot.
    until: u64,
    /// The first look, and what this run cannot see at all.
    first: Vec<Observed>,
}

/// What tells between looks.
enum Driver {
    /// The events of the kernel: all that happens.
    Live(Box<Live>),
    /// What it tells besides, over netlink: part of it.
    Polling(Box<Polling>),
}

impl Watch {
    pub(crate) fn start(options: WatchOptions) -> Result<Self, Error> {
        let mut observer = Observer::open(options.polling)?;
        let clocks = clock::Clocks::now();
        let stamp = Stamp {
            boot: observer.host.boot,
            boot_time: observer.boot_time,
            boot_time_shift: observer.boot_time_shift,
            source: Source::Ebpf,
            seq: 0,
        };
        let mut helper = (!options.polling && capabilities::may_use_bpf()).then(Helper::start);
        let examiner = Examiner::start();
        let idling = Idling::begin();
        let actions = options.allow_actions.then(Actions::start);
        let (boot, boot_time) = (observer.host.boot, observer.boot_time);
        let mut early = None;
        let attached = if options.polling {
            Err(None)
        } else if capabilities::may_use_bpf() {
            let mut processes_told = || early = Early::read(boot, boot_time).ok();
            Live::attach(observer.nested, &mut processes_told).map_err(Some)
        } else {
            Err(Some(BpfError::NoRights))
        };
        let mut early = early.filter(|_| attached.as_ref().is_ok_and(Live::tells_processes));
        // After the events, which tell whose packets they are.
        let pids = match &early {
            Some(early) => early.pids(),
            None => Processes::open(boot, boot_time)
                .and_then(|processes| processes.pids())
                .unwrap_or_default(),
        };
        let mut packets = options.packets;
        let captured = packets
            .take_if(|_| attached.is_ok())
            .map(|options| Packets::begin(options, &pids));
        let mut polling_gaps = Vec::new();
        // What root would be told is missing for want of rights, and not for want of a source.
        let no_owner = match &attached {
            Err(Some(BpfError::NoRights)) => WhyUnknown::NoRights,
            Ok(_) | Err(_) => WhyUnknown::NotInSource,
        };
        let polling = attached
            .is_err()
            .then(|| Polling::begin(no_owner, &mut polling_gaps));
        // Every process: what comes later is told by events.
        let whole = LookOptions {
            every_process: true,
            remembered: false,
        };
        let read = early.as_mut().and_then(|early| {
            early.look_began = boot_nanos();
            early.reader.take()
        });
        let mut look = match read {
            Some(read) => observer.look_after(read, whole)?,
            None => observer.look(whole)?,
        };
        let begun = attached.and_then(|mut live| {
            let begun = live.begin(&look, early.as_ref(), &stamp);
            Ok((live, begun.map_err(Some)?))
        });
        if early.is_some() && begun.is_err() {
            // Nobody tells the ends of those that were read before.
            look = observer.look(whole)?;
        }
        // What follows holds for the whole run, whatever later looks find.
        let gaps_of_look = look.gaps.len();
        // Without events, what a process ran before the look is not known.
        let captured = captured.or_else(|| packets.map(|options| Packets::begin(options, &pids)));
        let mut driver = match begun {
            Ok((live, gaps)) => {
                look.gaps.extend(gaps);
                if live.is_plain() {
                    look.tier = Tier::NoBtf;
                }
                Driver::Live(Box::new(live))
            }
            Err(why) => {
                look.tier = Tier::Polling;
                look.gaps.push(match why {
                    Some(why) => no_events(&why),
                    None => no_events(&"polling was asked for"),
                });
                let mut polling =
                    polling.unwrap_or_else(|| Polling::begin(no_owner, &mut polling_gaps));
                look.gaps.append(&mut polling_gaps);
                polling.looked(&look);
                Driver::Polling(Box::new(polling))
            }
        };
        look.gaps.extend(capabilities::gaps());
        let (packets, announcer) = match captured {
            Some((packets, announcer, gaps)) => {
                look.gaps.extend(gaps);
                (Some(packets), Some(announcer))
            }
            None => (None, None),
        };
        look.gaps.extend(match &mut driver {
            Driver::Live(live) if live.is_plain() => rights::keep_for_plain(),
            Driver::Live(live) => rights::drop_all(|| live.trial()),
            Driver::Polling(_) => {
                helper = None;
                rights::keep_for_polling()
            }
        });
        let helper = helper.and_then(|started| {
            let no_helper = |error| look.gaps.push(without_helper(&format!("{error}")));
            started.map_err(no_helper).ok()
        });
        let actions = actions.and_then(|started| {
            let no_actions = |error| look.gaps.push(without_actions(&error));
            started.map_err(no_actions).ok()
        });
        let (mut examinations, without_examiner) = Examinations::of(examiner);
        look.gaps.extend(without_examiner);
        let tier = look.tier;
        let gaps_of_run = look.gaps.split_off(gaps_of_look.min(look.gaps.len()));
        let mut first = vec![Observed::Look(Box::new(look))];
        examinations.note(&first);
        first.extend(gaps_of_run.into_iter().map(Observed::Gap));
        Ok(Self {
            observer,
            tier,
            stamp,
            driver,
            copies: Copies::default(),
            helper,
            examinations,
            idling,
            actions,
            packets,
            announcer,
            ticked: Instant::now(),
            clocks,
            mending: Mending::default(),
            has_lost: false,
            until: 0,
            first,
        })
    }

    pub(crate) fn host(&self) -> &Host {
        &self.observer.host
    }

    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }

    pub(crate) fn actions(&mut self) -> Option<Actions> {
        self.actions.take()
    }

    pub(crate) fn packets(&mut self) -> Option<Packets> {
        self.packets.take()
    }

    pub(crate) fn delay(&self) -> Duration {
        ON_THE_WAY
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
        let mut has_waited = false;
        loop {
            let before = seen.len();
            let step = match &mut self.driver {
                Driver::Live(live) => {
                    self.until = live.next(&mut self.stamp, seen);
                    let is_quiet = seen.len() == before && !live.is_plain();
                    if let Some(helper) = &mut self.helper {
                        live.ask(helper, seen);
                    }
                    if is_quiet && self.announcer.is_none() {
                        QUIET_STEP
                    } else {
                        STEP
                    }
                }
                Driver::Polling(polling) => {
                    let (boot, boot_time) = (self.observer.host.boot, self.observer.boot_time);
                    let read = || Processes::open(boot, boot_time);
                    polling.next(&mut self.stamp, read, seen);
                    self.until = boot_nanos();
                    POLLING_STEP
                }
            };
            self.examine(before, seen);
            if self.ticked.elapsed() >= TICK {
                let before = seen.len();
                self.tick(seen)?;
                self.examinations
                    .note(seen.get(before..).unwrap_or_default());
            }
            if let Some(announcer) = &mut self.announcer {
                announcer.note(seen);
            }
            let left = wait.saturating_sub(start.elapsed());
            // Packets wait to hear until when all has been told, even when it was nothing.
            let is_awaited = self.announcer.is_some() && has_waited;
            if !seen.is_empty() || left.is_zero() || is_awaited {
                return Ok(());
            }
            has_waited = true;
            let until_tick = TICK.saturating_sub(self.ticked.elapsed());
            thread::sleep(left.min(until_tick).min(step));
        }
    }

    /// Has looked into whoever `seen` tells of from there on.
    fn examine(&mut self, from: usize, seen: &mut Vec<Observed>) {
        self.examinations.note(seen.get(from..).unwrap_or_default());
        self.examinations
            .exchange(self.until, &mut self.stamp, seen);
    }

    pub(crate) fn refresh(&mut self, seen: &mut Vec<Observed>) -> Result<(), Error> {
        let before = seen.len();
        match &mut self.driver {
            Driver::Live(live) => {
                live.counts(&mut self.stamp, seen);
                // No tick may follow.
                self.has_lost |= live.has_lost(&self.stamp, seen);
            }
            Driver::Polling(polling) => {
                let look = self.observer.look(LookOptions::default())?;
                // What ended meanwhile tells more than what the look has left of it.
                let (boot, boot_time) = (self.observer.host.boot, self.observer.boot_time);
                let read = || Processes::open(boot, boot_time);
                polling.next(&mut self.stamp, read, seen);
                polling.looked(&look);
                seen.push(Observed::Look(Box::new(look)));
                if let Some(announcer) = &mut self.announcer {
                    announcer.note(seen);
                }
            }
        }
        self.examine(before, seen);
        Ok(())
    }

    pub(crate) fn want_program(&mut self, process: ProcessId) -> bool {
        self.copies().want(process)
    }

    pub(crate) fn programs(&mut self) -> Vec<ProgramCopy> {
        match (&mut self.driver, &mut self.helper) {
            (Driver::Live(live), Some(helper)) if !helper.has_ended() => {
                live.ask(helper, &mut Vec::new());
            }
            // What has the rights to it is us.
            (Driver::Polling(_), _) => self.copies.open(),
            (Driver::Live(live), _) => live.copies().give_up(),
        }
        self.copies().take()
    }

    fn copies(&mut self) -> &mut Copies {
        match &mut self.driver {
            Driver::Live(live) => live.copies(),
            Driver::Polling(_) => &mut self.copies,
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            events: self.stamp.seq,
            lost: match &self.driver {
                Driver::Live(live) => live.lost(),
                Driver::Polling(polling) => polling.lost(),
            },
        }
    }

    fn tick(&mut self, seen: &mut Vec<Observed>) -> Result<(), Error> {
        // A program that was stopped for long does not make up for every second.
        self.ticked = Instant::now();
        let clocks = clock::Clocks::now();
        for (kind, by) in happened(&self.clocks, &clocks) {
            // What they were compared with is over.
            self.clocks = clocks;
            let mut event = self.stamp.event(self.until, kind);
            event.detail = Detail::Clock { step_ns: by };
            let time = event.time;
            self.stamp.tell(event, seen);
            seen.extend((kind == EventKind::Resumed).then(|| Observed::Gap(slept(time, by))));
        }
        // Events of the last moment are still to come, and a tick is one of the row.
        let tick = self.stamp.event(self.until, EventKind::Tick);
        self.stamp.tell(tick, seen);
        if let Some(idle) = self.idling.tick() {
            let mut event = self.stamp.event(self.until, EventKind::Idle);
            event.source = Source::Proc;
            event.detail = Detail::Idle(idle);
            self.stamp.tell(event, seen);
        }
        let ended = self.helper.as_mut().and_then(Helper::ended);
        seen.extend(ended.map(Observed::Gap));
        self.examinations.gaps(seen);
        let Driver::Live(live) = &mut self.driver else {
            return Ok(());
        };
        live.find_resolvers();
        live.check_links(&self.stamp, seen);
        live.not_found_out(seen);
        let has_lost = live.has_lost(&self.stamp, seen) | std::mem::take(&mut self.has_lost);
        if self.mending.is_due(has_lost, Instant::now()) {
            // What stands open can be seen again; what came and went is gone.
            let Ok(mut look) = self.observer.look(LookOptions::default()) else {
                return Ok(());
            };
            live.complete(&mut look);
            if !live.is_plain() {
                rights::explain(&mut look.gaps);
            }
            seen.push(Observed::Look(Box::new(look)));
        }
        Ok(())
    }
}

/// What has happened to the clocks from one moment to another, and how much of it, in nanoseconds.
fn happened(
    before: &clock::Clocks,
    now: &clock::Clocks,
) -> impl Iterator<Item = (EventKind, i64)> + use<> {
    let all = [
        (EventKind::Resumed, now.slept_since(before), SLEPT),
        (EventKind::ClockStep, now.stepped_since(before), CLOCK_STEP),
    ];
    let told = all.into_iter().filter(|(_, by, least)| by.abs() >= *least);
    told.map(|(kind, by, _)| (kind, by))
}

/// The computer slept for so many nanoseconds, until then.
fn slept(until: Timestamp, nanos: i64) -> Gap {
    let since = until.unix_nanos().saturating_sub(nanos);
    Gap {
        since: Some(Timestamp::from_unix_nanos(since)),
        until: Some(until),
        ..Gap::standing(
            "slept",
            Source::Proc,
            "the computer slept",
            "nothing that this computer did; others may have called it meanwhile",
        )
    }
}

/// When to look again, after events were lost.
#[derive(Debug, Default)]
struct Mending {
    /// Since when something has been lost that no look has mended.
    lost: Option<Instant>,
    looked: Option<Instant>,
}

impl Mending {
    /// `has_lost`: something has been lost since this was last asked.
    fn is_due(&mut self, has_lost: bool, now: Instant) -> bool {
        if has_lost {
            self.lost.get_or_insert(now);
        }
        let Some(lost) = self.lost else {
            return false;
        };
        let rested = |since: Instant| now.saturating_duration_since(since) >= MENDED_EACH;
        let due = (!has_lost || rested(lost)) && self.looked.is_none_or(rested);
        if due {
            self.lost = None;
            self.looked = Some(now);
        }
        due
    }
}

fn without_actions(error: &std::io::Error) -> Gap {
    Gap::standing(
        "no_actions",
        Source::Proc,
        format!("the process that keeps the rights to act cannot be started: {error}"),
        "nothing; but no connection can be closed and no process ended from here",
    )
}

pub(super) fn no_events(why: &dyn std::fmt::Display) -> Gap {
    Gap::standing(
        "no_events",
        Source::Ebpf,
        why.to_string(),
        "connections that open and close between two looks, attempts that fail at once, UDP \
         without a connection, and processes that ended meanwhile",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn at(wall: i64, boot: i64, monotonic: i64) -> clock::Clocks {
        clock::Clocks {
            wall,
            boot,
            monotonic,
        }
    }

    #[test]
    fn clocks_tell_sleep_from_setting() {
        let check = |now: clock::Clocks, expected: &[(EventKind, i64)]| {
            let before = at(1_000 * SECOND, 100 * SECOND, 50 * SECOND);
            let happened: Vec<_> = happened(&before, &now).collect();
            assert_eq!(happened, expected, "{now:?}");
        };
        let later = |wall, boot, monotonic| {
            at(
                1_000 * SECOND + wall,
                100 * SECOND + boot,
                50 * SECOND + monotonic,
            )
        };
        check(later(SECOND, SECOND, SECOND), &[]);
        // Steered by a time service.
        check(later(SECOND + CLOCK_STEP - 1, SECOND, SECOND), &[]);
        let slept = (EventKind::Resumed, 3_600 * SECOND);
        check(later(3_601 * SECOND, 3_601 * SECOND, SECOND), &[slept]);
        let set = (EventKind::ClockStep, 60 * SECOND);
        check(later(61 * SECOND, SECOND, SECOND), &[set]);
        let set_back = (EventKind::ClockStep, -2 * SECOND);
        check(later(-SECOND, SECOND, SECOND), &[set_back]);
        // Set when it woke up.
        let all = [slept, set];
        check(later(3_661 * SECOND, 3_601 * SECOND, SECOND), &all);
    }

    #[test]
    fn a_loss_is_mended_when_it_is_over() {
        let start = Instant::now();
        // In each second: lost (x) or not; looked (!) or not.
        let check = |lost: &str, looked: &str| {
            let mut mending = Mending::default();
            let look = |(second, lost): (usize, char)| {
                let now = start + Duration::from_secs(second.try_into().unwrap());
                let due = mending.is_due(lost == 'x', now);
                if due { '!' } else { '.' }
            };
            let found: String = lost.chars().enumerate().map(look).collect();
            assert_eq!(found, looked, "{lost}");
        };
        check("......", "......");
        check(".x....", "..!...");
        check("xx....", "..!...");
        // It lasts.
        check("xxxxxxxxxxxxxxx....", ".....!.....!....!..");
        // It comes and goes.
        check("x.x.x.x.x.x.....", ".!.....!....!...");
    }
}

//! Watching: what happens, while it happens.

mod groups;
mod hashes;
mod links;
mod live;
mod polling;
mod processes;
mod resolvers;
mod sockets;
mod stamp;

use std::thread;
use std::time::{Duration, Instant};

use model::{Detail, EventKind, Gap, Host, Observed, Source, Tier};

use self::live::Live;
use self::polling::Polling;
use self::stamp::Stamp;
use super::bpf::BpfError;
use super::events::boot_nanos;
use super::helper::{Helper, without_helper};
use super::process::Processes;
use super::{Observer, capabilities, clock, rights};
use crate::{Error, LookOptions, Totals, WatchOptions};

const TICK: Duration = Duration::from_secs(1);
/// How often the rings are looked into.
const STEP: Duration = Duration::from_millis(20);
const POLLING_STEP: Duration = Duration::from_millis(100);
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
    /// `None`: it could not be started, or there is nothing to help with.
    helper: Option<Helper>,
    ticked: Instant,
    clocks: clock::Clocks,
    first: Option<Observed>,
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
        let attached = if options.polling {
            Err(None)
        } else if capabilities::may_use_bpf() {
            Live::attach(observer.nested).map_err(Some)
        } else {
            Err(Some(BpfError::NoRights))
        };
        // Every process: what comes later is told by events.
        let mut look = observer.look(LookOptions {
            every_process: true,
            remembered: false,
        })?;
        let begun = attached.and_then(|mut live| {
            let gaps = live.begin(&look).map_err(Some)?;
            Ok((live, gaps))
        });
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
                let mut polling = Polling::begin(&mut look.gaps);
                polling.looked(&look);
                Driver::Polling(Box::new(polling))
            }
        };
        look.gaps.extend(capabilities::gaps());
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
        let tier = look.tier;
        Ok(Self {
            observer,
            tier,
            stamp,
            driver,
            helper,
            ticked: Instant::now(),
            clocks,
            first: Some(Observed::Look(Box::new(look))),
        })
    }

    pub(crate) fn host(&self) -> &Host {
        &self.observer.host
    }

    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }

    pub(crate) fn next(&mut self, wait: Duration, seen: &mut Vec<Observed>) -> Result<(), Error> {
        if let Some(first) = self.first.take() {
            seen.push(first);
            return Ok(());
        }
        let start = Instant::now();
        loop {
            let step = match &mut self.driver {
                Driver::Live(live) => {
                    live.next(&mut self.stamp, seen);
                    if let Some(helper) = &mut self.helper {
                        live.hash(helper, seen);
                    }
                    STEP
                }
                Driver::Polling(polling) => {
                    let (boot, boot_time) = (self.observer.host.boot, self.observer.boot_time);
                    let read = || Processes::open(boot, boot_time);
                    polling.next(&mut self.stamp, read, seen);
                    POLLING_STEP
                }
            };
            if self.ticked.elapsed() >= TICK {
                self.tick(seen)?;
            }
            let left = wait.saturating_sub(start.elapsed());
            if !seen.is_empty() || left.is_zero() {
                return Ok(());
            }
            let until_tick = TICK.saturating_sub(self.ticked.elapsed());
            thread::sleep(left.min(until_tick).min(step));
        }
    }

    pub(crate) fn refresh(&mut self, seen: &mut Vec<Observed>) -> Result<(), Error> {
        match &mut self.driver {
            Driver::Live(live) => live.counts(&mut self.stamp, seen),
            Driver::Polling(polling) => {
                let look = self.observer.look(LookOptions::default())?;
                polling.looked(&look);
                seen.push(Observed::Look(Box::new(look)));
            }
        }
        Ok(())
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
        let now = boot_nanos();
        let clocks = clock::Clocks::now();
        let slept = clocks.slept_since(&self.clocks);
        let stepped = clocks.stepped_since(&self.clocks);
        for (by, least, kind) in [
            (slept, SLEPT, EventKind::Resumed),
            (stepped, CLOCK_STEP, EventKind::ClockStep),
        ] {
            if by.abs() >= least {
                let mut event = self.stamp.event(now, kind);
                event.detail = Detail::Clock { step_ns: by };
                self.stamp.tell(event, seen);
            }
        }
        if slept.abs() >= SLEPT || stepped.abs() >= CLOCK_STEP {
            self.clocks = clocks;
        }
        let tick = self.stamp.event(now, EventKind::Tick);
        self.stamp.tell(tick, seen);
        let ended = self.helper.as_mut().and_then(Helper::ended);
        seen.extend(ended.map(Observed::Gap));
        let Driver::Live(live) = &mut self.driver else {
            return Ok(());
        };
        live.find_resolvers();
        live.check_links(&self.stamp, seen);
        if live.has_lost(&self.stamp, seen) {
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

pub(super) fn no_events(why: &dyn std::fmt::Display) -> Gap {
    Gap::standing(
        "no_events",
        Source::Ebpf,
        why.to_string(),
        "connections that open and close between two looks, attempts that fail at once, UDP \
         without a connection, and processes that ended meanwhile",
    )
}

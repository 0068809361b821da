//! Event tracing (ETW): what happens, while it happens. A session of our own goes in; events and looks
//! come out in one order. What the events mean is in `crate::traced`.
//!
//! Windows hands its buffers on once a second. So everything waits for a little longer than that, and a
//! look waits for the events that were before it.

mod session;

use std::time::{Duration, Instant};

use model::{BootId, Gap, Look, Observed, Source, Text, Timestamp};

use self::session::Losses;
pub(super) use self::session::Session;
use super::examine::files::as_written;
use super::host::boot_nanos;
use super::version::version;
use super::watch::between_looks;
use super::{now, processes};
use crate::parse::etw_kernel_process as kernel_process;
use crate::stamp::Stamp;
use crate::traced::{Anchors, Held, Order, Processes, Told, attempts_untold};

/// Events are held back for so long.
pub(super) const HOLD: Duration = Duration::from_millis(1_300);
/// So often Windows is asked for what it has in its buffers.
const FLUSHED_EACH: Duration = Duration::from_millis(100);
const LOSSES_EACH: Duration = Duration::from_secs(1);

pub(super) struct Tracing {
    session: Session,
    anchors: Anchors,
    boot: BootId,
    order: Order,
    flushed: Instant,
    asked: Instant,
    /// Until then nothing was lost.
    whole: u64,
    losses: Losses,
    left_out: u64,
    has_ended: bool,
}

impl Tracing {
    /// From the first look on. The session has to be there before it.
    pub(super) fn begin(session: Session, boot_time: Timestamp, look: &mut Look) -> Self {
        Self {
            session,
            anchors: Anchors::new(boot_time),
            boot: look.host.boot,
            order: Order::begin(boot_nanos(), look),
            flushed: Instant::now(),
            asked: Instant::now(),
            whole: boot_nanos(),
            losses: Losses::default(),
            left_out: 0,
            has_ended: false,
        }
    }

    /// What it does not tell at all.
    pub(super) fn gaps(&mut self) -> Vec<Gap> {
        let mut gaps = vec![attempts_untold()];
        gaps.append(&mut self.session.gaps);
        let is_old = version().is_some_and(|it| matches!(&*it.os, "Windows 7" | "Windows 8"));
        if is_old {
            gaps.push(Gap::standing(
                "no_tracing",
                Source::Etw,
                "event tracing (ETW) tells no names before Windows 8.1",
                "which names were asked for",
            ));
        }
        gaps
    }

    /// Whether a look waits. Another one need not be taken.
    pub(super) fn has_look(&self) -> bool {
        self.order.has_look()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Takes a look that was begun and was over at these times.
    pub(super) fn put(&mut self, began: u64, over: u64, look: Look) {
        self.order.put(began, over, look);
    }

    /// Tells all that happened until a moment ago; gives that moment.
    pub(super) fn next(
        &mut self,
        processes: &mut Processes,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) -> u64 {
        if self.flushed.elapsed() >= FLUSHED_EACH {
            self.flushed = Instant::now();
            self.session.flush();
        }
        self.take();
        let hold = u64::try_from(HOLD.as_nanos()).unwrap_or(u64::MAX);
        let until = boot_nanos().saturating_sub(hold);
        let sure = self.has_ended;
        self.order.tell_until(until, sure, processes, stamp, seen);
        if self.asked.elapsed() >= LOSSES_EACH {
            self.asked = Instant::now();
            self.anchors.set(now(), boot_nanos());
            self.tell_losses(stamp, seen);
        }
        until
    }

    /// What has gone over connections, and what was lost, since this was last asked.
    pub(super) fn counts(&mut self, stamp: &Stamp, until: u64, seen: &mut Vec<Observed>) {
        self.tell_losses(stamp, seen);
        let counts = self.order.traced.counts(until, stamp);
        if !counts.is_empty() {
            seen.push(Observed::Counts(counts));
        }
    }

    /// Events that were lost so far.
    pub(super) fn lost(&self) -> u64 {
        let Losses { events, unread, .. } = self.losses;
        events.saturating_add(unread).saturating_add(self.left_out)
    }

    /// Takes what the session has handed on.
    fn take(&mut self) {
        while self.order.has_room()
            && let Some(raw) = self.session.take()
        {
            match raw.held(&self.anchors, boot_nanos()) {
                Ok(held) => self.order.hold(met(held, self.boot)),
                Err(time) => self.order.traced.not_understood(time),
            }
        }
    }

    fn tell_losses(&mut self, stamp: &Stamp, seen: &mut Vec<Observed>) {
        let now = boot_nanos();
        let before = self.whole;
        let since = |gap: Gap, count| {
            Observed::Gap(Gap {
                since: Some(stamp.time(before)),
                until: Some(stamp.time(now)),
                count: Some(count),
                ..gap
            })
        };
        let losses = self.session.losses().unwrap_or(self.losses);
        let left_out = self.order.traced.left_out();
        let Losses {
            events,
            buffers,
            unread,
        } = self.losses;
        let all = [
            (
                losses.events.saturating_sub(events),
                "Windows had no room for events of its tracing",
            ),
            (
                losses.buffers.saturating_sub(buffers),
                "Windows let go of buffers with events of its tracing, each of which has many; the \
                 number is that of the buffers",
            ),
            (
                losses.unread.saturating_sub(unread),
                "events came faster than they could be taken",
            ),
            (
                left_out.saturating_sub(self.left_out),
                "more connections were open than are followed",
            ),
        ];
        for (count, why) in all.into_iter().filter(|(count, _)| *count > 0) {
            let missed = "connections, processes, names and bytes of that time";
            let gap = Gap::standing("events_lost", Source::Etw, why, missed);
            seen.push(since(gap, count));
        }
        (self.losses, self.left_out, self.whole) = (losses, left_out, now);
        let gaps = self.order.traced.gaps(now, stamp);
        seen.extend(gaps.into_iter().map(Observed::Gap));
        if !self.has_ended && self.session.has_ended() {
            self.has_ended = true;
            let ended = Gap {
                since: Some(stamp.time(before)),
                ..untraced("somebody has ended the session of event tracing (ETW)")
            };
            seen.push(Observed::Gap(ended));
            seen.push(Observed::Gap(Gap {
                since: Some(stamp.time(before)),
                ..between_looks()
            }));
        }
    }
}

/// Asks a process that has begun for what it tells of itself, as long as it runs.
fn met(mut held: Held, boot: BootId) -> Held {
    if let Told::Process(kernel_process::Told::Start { pid, image, .. }) = &mut held.told {
        if let Some(path) = as_written(&image.lossy()) {
            *image = Text::from(path);
        }
        let name = image.bytes().rsplit(|byte| *byte == b'\\').next();
        let name = Text::from(name.unwrap_or_default());
        held.facts = processes::met(boot, *pid, name).map(Box::new);
    }
    held
}

/// Why nothing is told while it happens.
pub(super) fn untraced(why: impl Into<String>) -> Gap {
    Gap::standing(
        "no_tracing",
        Source::Etw,
        why,
        "connections and programs that last for less than the time between two looks, to whom UDP \
         goes, names that are asked for, and bytes",
    )
}

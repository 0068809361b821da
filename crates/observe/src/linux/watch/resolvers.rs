//! Names that are asked without a packet: the resolver of this computer is asked over a Unix
//! socket (systemd-resolved by varlink, nscd). The kernel tells who asked and when; what was asked
//! only systemd-resolved tells, and only to root.

use std::collections::VecDeque;
use std::path::Path;

use model::{Detail, EventKind, Gap, NameSeen, NameSource, Observed, ProcessId, Source, Text};

use crate::linux::resolver_monitor::{AskedName, ResolverMonitor};
use crate::parse::socket_event::SocketEvent;
use crate::stamp::Stamp;

/// Where resolvers are asked.
const FILES: [&str; 3] = [
    "/run/systemd/resolve/io.systemd.Resolve",
    "/run/nscd/socket",
    "/var/run/nscd/socket",
];
/// What is sent on one socket within this time is one question.
const ONE_QUESTION: u64 = 20_000_000;
/// A question may wait so long for its answer, and only then its name is told.
const ANSWERED_WITHIN: u64 = 30_000_000_000;
const MORE_WITHIN: u64 = 1_000_000_000;
const MOST_WAITING: usize = 1_024;

/// Puts together who asked and what was asked.
pub(super) struct Resolvers {
    monitor: Option<ResolverMonitor>,
    /// Questions whose names are not known yet, oldest first.
    waiting: VecDeque<Question>,
    names: Vec<AskedName>,
    gap_told: bool,
    /// Names whose question was seen in a packet, oldest first.
    in_packets: VecDeque<Text>,
}

struct Question {
    time: u64,
    socket: u64,
    process: Option<ProcessId>,
    /// When its first name was told; more may follow at once (A and AAAA).
    answered: Option<u64>,
}

impl Resolvers {
    pub(super) fn open() -> Self {
        Self {
            // That there is none, or that it tells us nothing, is said when something is asked.
            monitor: ResolverMonitor::open().ok().flatten(),
            waiting: VecDeque::new(),
            names: Vec::new(),
            gap_told: false,
            in_packets: VecDeque::new(),
        }
    }

    /// The sockets to be watched: device (the kernel's own number) and inode of each.
    pub(super) fn files() -> Vec<(u32, u64)> {
        let mut found = Vec::new();
        for file in FILES.map(Path::new) {
            if let Ok(status) = rustix::fs::stat(file) {
                let device = status.st_dev;
                let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
                let this = (major << 20 | minor, status.st_ino);
                if !found.contains(&this) {
                    found.push(this);
                }
            }
        }
        found
    }

    /// A process sent something to a resolver.
    pub(super) fn asked(
        &mut self,
        told: &SocketEvent,
        process: Option<ProcessId>,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) {
        let last = self
            .waiting
            .iter()
            .rev()
            .find(|it| it.socket == told.cookie);
        if last.is_some_and(|last| told.time.saturating_sub(last.time) < ONE_QUESTION) {
            return;
        }
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Question {
            time: told.time,
            socket: told.cookie,
            process,
            answered: None,
        });
        let mut event = stamp.event(told.time, EventKind::NameSeen);
        event.process = process;
        event.thread = told.owner.map(|owner| owner.thread);
        event.netns = told.netns;
        event.detail = name(None, None);
        stamp.tell(event, seen);
        if self.monitor.is_none() && !self.gap_told {
            self.gap_told = true;
            seen.push(Observed::Gap(Gap {
                since: Some(stamp.time(told.time)),
                ..Gap::standing(
                    "name_not_visible",
                    Source::Ebpf,
                    "a name was asked of the resolver of this computer over a Unix socket, and \
                     the resolver does not tell which one (systemd-resolved from version 252 \
                     tells root)",
                    "which names were asked that way; who asked and when is there",
                )
            }));
        }
    }

    /// A question for this name was seen in a packet: the resolver tells of it too.
    pub(super) fn seen_in_packet(&mut self, name: &Text) {
        if self.monitor.is_some() {
            if self.in_packets.len() >= MOST_WAITING {
                self.in_packets.pop_front();
            }
            self.in_packets.push_back(name.clone());
        }
    }

    /// What the resolver says it was asked. `now` in nanoseconds since boot.
    pub(super) fn read(&mut self, now: u64, stamp: &mut Stamp, seen: &mut Vec<Observed>) {
        let Some(monitor) = &mut self.monitor else {
            self.forget(now);
            return;
        };
        if let Err(error) = monitor.read(&mut self.names) {
            self.monitor = None;
            self.gap_told = true;
            seen.push(Observed::Gap(Gap {
                since: Some(stamp.time(now)),
                ..Gap::standing(
                    "name_not_visible",
                    Source::Ebpf,
                    format!(
                        "systemd-resolved tells no longer what it is asked: it has ended or was \
                         started again, and we have given up the right to ask it again ({error})"
                    ),
                    "which names are asked over its Unix socket from now on; who asks and when is \
                     there; start whocalls again",
                )
            }));
        }
        for asked in std::mem::take(&mut self.names) {
            // Who asked in a packet has been told with it.
            if let Some(place) = self.in_packets.iter().position(|name| *name == asked.name) {
                self.in_packets.remove(place);
                continue;
            }
            let mut event = stamp.event(now, EventKind::NameSeen);
            // With several that wait, whose name it is would be a guess.
            if let [question] = self.waiting.make_contiguous() {
                event.process = question.process;
                question.answered.get_or_insert(now);
            }
            event.detail = name(Some(asked.name), Some(asked.kind));
            stamp.tell(event, seen);
        }
        self.forget(now);
    }

    fn forget(&mut self, now: u64) {
        self.waiting.retain(|question| {
            let answered = question.answered.map(|it| now.saturating_sub(it));
            let over = answered.is_some_and(|since| since > MORE_WITHIN);
            !over && now.saturating_sub(question.time) <= ANSWERED_WITHIN
        });
    }
}

fn name(name: Option<Text>, question: Option<u16>) -> Detail {
    Detail::Name(NameSeen {
        name,
        source: NameSource::Resolver,
        question,
        answer: None,
        greeting: None,
    })
}

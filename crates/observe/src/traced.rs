//! From what event tracing of Windows tells to what a watch hands on. Events go in, in the order of time,
//! and looks between them; events of processes, connections and names come out, and the looks with the
//! same socket under the same number. No calls of the system: who does these is `windows::tracing`.
//!
//! Windows gives a connection no number that both its tables and its events tell. So it is known by its
//! two ends, for as long as it lasts: whoever tells of it first gives it its number.

mod anchors;
mod datagrams;
mod order;
mod processes;
mod streams;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use model::{
    Counts, Detail, Endpoint, Event, EventKind, Gap, Look, NameSeen, NameSource, Observed, Process,
    ProcessId, Protocol, SocketKey, Source, Timestamp, WhyUnknown,
};
use sha2::{Digest, Sha256};

pub(crate) use self::anchors::Anchors;
use self::datagrams::Datagrams;
pub(crate) use self::order::{Order, Rows, rows};
pub(crate) use self::processes::{Processes, ticks};
use self::streams::Streams;
use crate::parse::{etw_dns_client as dns, etw_kernel_network as network, etw_kernel_process};
use crate::stamp::Stamp;

/// Attempts that failed are told of together, so often.
const FAILED_EACH: u64 = 60_000_000_000;

/// An event of a tracing session, copied out of its buffers.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) provider: u128,
    pub(crate) id: u16,
    pub(crate) version: u8,
    /// In whose process it was written down.
    pub(crate) pid: u32,
    pub(crate) thread: u32,
    pub(crate) time: Timestamp,
    pub(crate) payload: Vec<u8>,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Network(network::Told),
    Process(etw_kernel_process::Told),
    Name(dns::Told),
}

/// What is asked of the system: which providers, and which of their events.
pub(crate) const PROVIDERS: [(u128, u64); 3] = [
    (etw_kernel_process::PROVIDER, etw_kernel_process::KEYWORDS),
    (network::PROVIDER, network::KEYWORDS),
    // All of them: its events have no keyword but that of their channel.
    (dns::PROVIDER, 0),
];

/// Whether anything is to be done with such an event. The others are many.
pub(crate) fn is_wanted(provider: u128, id: u16) -> bool {
    match provider {
        network::PROVIDER => true,
        etw_kernel_process::PROVIDER => {
            matches!(id, etw_kernel_process::START | etw_kernel_process::STOP)
        }
        dns::PROVIDER => matches!(id, dns::QUESTION | dns::ANSWER),
        _ => false,
    }
}

impl Raw {
    /// `None`: it is not understood.
    fn told(&self) -> Option<Told> {
        let Self {
            id,
            version,
            ref payload,
            ..
        } = *self;
        match self.provider {
            network::PROVIDER => network::told(id, version, payload).map(Told::Network),
            etw_kernel_process::PROVIDER => {
                etw_kernel_process::told(id, version, payload).map(Told::Process)
            }
            dns::PROVIDER => dns::told(id, version, payload).map(Told::Name),
            _ => None,
        }
    }

    /// `now`: when it came, in nanoseconds since boot. Errors: it is not understood; gives when it was.
    pub(crate) fn held(&self, anchors: &Anchors, now: u64) -> Result<Held, u64> {
        let time = anchors.since_boot(self.time, now);
        Ok(Held {
            time,
            pid: self.pid,
            thread: self.thread,
            told: self.told().ok_or(time)?,
            facts: None,
        })
    }
}

/// An event that waits until all that was before it has come.
#[derive(Debug)]
pub(crate) struct Held {
    /// Nanoseconds since boot, suspend included.
    pub(crate) time: u64,
    pub(crate) pid: u32,
    pub(crate) thread: u32,
    pub(crate) told: Told,
    /// Of a start: what the process told of itself when it was asked at once. `None`: it had ended.
    pub(crate) facts: Option<Box<Process>>,
}

/// What is to be remembered between two events.
#[derive(Debug)]
pub(crate) struct Traced {
    streams: Streams,
    datagrams: Datagrams,
    failed: Tally,
    not_understood: Tally,
}

/// Something that is counted, and told of from time to time.
#[derive(Debug, Default)]
struct Tally {
    count: u64,
    /// When the first of them was.
    since: u64,
    told: Option<u64>,
}

impl Traced {
    fn begin(look: &mut Look) -> Self {
        let mut traced = Self {
            streams: Streams::default(),
            datagrams: Datagrams::default(),
            failed: Tally::default(),
            not_understood: Tally::default(),
        };
        let pids = HashMap::new();
        traced.streams.name(0, look, &pids);
        traced.datagrams.name(0, look);
        traced
    }

    /// Takes note of an event that is of no version known here.
    pub(crate) fn not_understood(&mut self, time: u64) {
        self.not_understood.add(time);
    }

    /// Tells what an event means.
    fn tell(
        &mut self,
        held: Held,
        processes: &mut Processes,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) {
        let (time, thread) = (held.time, held.thread);
        match held.told {
            Told::Process(told) => {
                processes.told(time, told, held.facts, stamp, seen);
            }
            Told::Name(told) => {
                let event = name_seen(time, thread, processes.id(held.pid), told, stamp);
                if let Some(event) = event {
                    stamp.tell(event, seen);
                }
            }
            Told::Network(network::Told::Failed { .. }) => self.failed.add(time),
            Told::Network(network::Told::Deed {
                deed,
                is_udp,
                pid,
                size,
                local,
                remote,
            }) => {
                let done = Done {
                    time,
                    deed,
                    pid,
                    process: processes.id(pid),
                    size: u64::from(size),
                    local,
                    remote,
                };
                if is_udp {
                    self.datagrams.tell(&done, stamp, seen);
                } else {
                    self.streams.tell(&done, stamp, seen);
                }
            }
        }
    }

    /// Gives the sockets of a look the numbers that their events have, and tells of what is over. `began`:
    /// when the look was begun, in nanoseconds since boot; all events up to its end have been told. True:
    /// something is missing in it that has to be known.
    fn look(
        &mut self,
        began: u64,
        look: &mut Look,
        processes: &Processes,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) -> bool {
        let pids = processes.pids();
        let streams = self.streams.name(began, look, &pids);
        let datagrams = self.datagrams.name(began, look);
        let any = !streams.missing.is_empty() || !datagrams.is_empty();
        let last = streams.missing.iter().map(|it| it.counts(stamp, began));
        let last: Vec<_> = last
            .chain(datagrams.iter().map(|it| it.counts(stamp, began)))
            .collect();
        if !last.is_empty() {
            seen.push(Observed::Counts(last));
        }
        for over in streams.over {
            let event = over.closed(stamp);
            stamp.tell(event, seen);
        }
        any
    }

    /// What connections have counted since this was last asked.
    pub(crate) fn counts(&mut self, now: u64, stamp: &Stamp) -> Vec<Counts> {
        let streams = self.streams.changed();
        let datagrams = self.datagrams.changed();
        let all = streams.into_iter().chain(datagrams);
        all.map(|it| it.counts(stamp, now)).collect()
    }

    /// How many events were lost here since the beginning: there was no room to follow them.
    pub(crate) fn left_out(&self) -> u64 {
        self.streams
            .left_out
            .saturating_add(self.datagrams.left_out)
    }

    /// What could not be told, since this was last asked.
    pub(crate) fn gaps(&mut self, now: u64, stamp: &Stamp) -> Vec<Gap> {
        let failed = self
            .failed
            .take(now, FAILED_EACH)
            .map(|(since, count)| Gap {
                since: Some(stamp.time(since)),
                until: Some(stamp.time(now)),
                count: Some(count),
                ..attempts_untold()
            });
        let other = self.not_understood.take(now, 0).map(|(since, count)| Gap {
            since: Some(stamp.time(since)),
            until: Some(stamp.time(now)),
            count: Some(count),
            ..Gap::standing(
                "events_lost",
                Source::Etw,
                "event tracing told something in a form that this build does not know",
                "connections and processes of that time",
            )
        });
        failed.into_iter().chain(other).collect()
    }
}

/// What the events of Windows do not tell.
pub(crate) fn attempts_untold() -> Gap {
    Gap::standing(
        "attempts_untold",
        Source::Etw,
        "event tracing (ETW) tells of an attempt that fails at once only that it did",
        "whose attempts these were, and to where: those that find no network or no way to the \
         other side, and those that are forbidden",
    )
}

impl Tally {
    fn add(&mut self, time: u64) {
        if self.count == 0 {
            self.since = time;
        }
        self.count += 1;
    }

    /// When the first was, and how many were. `None`: none, or it is too early to tell again.
    fn take(&mut self, now: u64, each: u64) -> Option<(u64, u64)> {
        let is_early = self
            .told
            .is_some_and(|told| now < told.saturating_add(each));
        if self.count == 0 || is_early {
            return None;
        }
        self.told = Some(now);
        Some((self.since, std::mem::take(&mut self.count)))
    }
}

/// What a process did with a connection.
#[derive(Clone, Copy, Debug)]
struct Done {
    time: u64,
    deed: network::Deed,
    /// 0: it is not told.
    pid: u32,
    /// `None`: nothing is known of a process with this number.
    process: Option<ProcessId>,
    size: u64,
    local: Endpoint,
    remote: Endpoint,
}

impl Done {
    fn event(&self, kind: EventKind, protocol: Protocol, cookie: u64, stamp: &Stamp) -> Event {
        let mut event = stamp.event(self.time, kind);
        event.source = Source::Etw;
        event.process = self.process;
        event.socket = Some(key(cookie));
        event.protocol = Some(protocol);
        event.local = Some(self.local);
        event.remote = Some(self.remote);
        if self.pid == 0 {
            let why = WhyUnknown::NotInSource;
            event.detail = Detail::NoProcess { why };
        }
        event
    }
}

/// What has gone over a connection.
#[derive(Clone, Copy, Debug)]
struct Sum {
    cookie: u64,
    /// `None`: the socket has one connection only.
    remote: Option<Endpoint>,
    /// Sent and received.
    bytes: [u64; 2],
    /// `None`: what is counted are no packets.
    packets: Option<[u64; 2]>,
}

impl Sum {
    fn counts(&self, stamp: &Stamp, time: u64) -> Counts {
        let [bytes_sent, bytes_received] = self.bytes.map(Some);
        let [packets_sent, packets_received] = self.packets.map_or([None, None], |it| it.map(Some));
        Counts {
            time: stamp.time(time),
            socket: key(self.cookie),
            remote: self.remote,
            bytes_sent,
            bytes_received,
            packets_sent,
            packets_received,
        }
    }
}

fn key(cookie: u64) -> SocketKey {
    SocketKey {
        inode: None,
        cookie: Some(cookie),
    }
}

/// The number of a socket that an event told of first.
fn cookie(protocol: Protocol, done: &Done) -> u64 {
    let mut hash = Sha256::new();
    hash.update(b"event tracing");
    hash.update(protocol.word());
    for Endpoint { ip, port } in [done.local, done.remote] {
        hash.update(ip.map(|ip| ip.to_string()).unwrap_or_default());
        hash.update(port.unwrap_or_default().to_be_bytes());
    }
    hash.update(done.pid.to_be_bytes());
    hash.update(done.time.to_be_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    let first = hash.first_chunk().copied().unwrap_or_default();
    // The two that stand for none and for any.
    u64::from_be_bytes(first).clamp(1, u64::MAX - 1)
}

/// `None`: nothing was asked and nothing answered.
fn name_seen(
    time: u64,
    thread: u32,
    process: Option<ProcessId>,
    told: dns::Told,
    stamp: &Stamp,
) -> Option<Event> {
    let answer = match told.what {
        dns::What::Asked => None,
        dns::What::Answered(answer) => Some(Box::new(answer)),
        dns::What::Failed => return None,
    };
    let mut event = stamp.event(time, EventKind::NameSeen);
    event.source = Source::Etw;
    event.process = process;
    event.thread = Some(thread).filter(|thread| *thread != 0);
    event.detail = Detail::Name(NameSeen {
        name: Some(told.name),
        source: NameSource::Resolver,
        question: told.question,
        answer,
        greeting: None,
    });
    Some(event)
}

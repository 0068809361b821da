//! The packets of every network namespace, from rings that the kernel fills. Those that exist are
//! opened while there are rights; those that appear later by a process that keeps the right to.

mod arrivals;
mod capture;
mod interfaces;
mod memory;
mod opener;
mod ring;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use model::{Gap, NetworkNamespace, Source};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

pub(crate) use self::arrivals::Announcer;
use self::arrivals::{Arrival, CHANGED, Mounts, Settled};
use self::capture::Capture;
pub(crate) use self::opener::helped;
use self::opener::{Opener, Sockets};
use self::ring::BLOCK_BYTES;
use super::clock;
use super::events::boot_nanos;
use super::namespaces::Namespaces;
use crate::Error;
use crate::packets::{Captured, Depth, PacketOptions, RingCounts};

const TICK: Duration = Duration::from_secs(1);
/// How long a closed block is waited for that has to be older to be handed on.
const STEP: Duration = Duration::from_millis(5);
/// So often it is looked whether a network namespace has appeared.
const LOOK: Duration = Duration::from_millis(50);
/// The fewest blocks that a ring can do with: one is filled while another is read.
const FEWEST: usize = 8;
/// The most that one network namespace gets that is not ours.
const MOST: usize = 256;
/// So many blocks of each ring are handed on at once.
const MOST_AT_ONCE: usize = 32;
/// A namespace that nobody seems to be in is let go of when nothing has passed in it for so long:
/// as long as we hold it, it does not end.
const QUIET: Duration = Duration::from_secs(10);
const INHABITED_EACH: Duration = Duration::from_secs(5);
/// So often it is tried to get into a namespace.
const MOST_ATTEMPTS: u32 = 8;
/// So many namespaces are remembered that could not be entered, or have gone.
const MOST_REMEMBERED: usize = 4_096;

/// Namespaces that have gone when so many had before that their counts are not kept.
#[derive(Debug, Default)]
struct Others {
    /// What their rings had no room for.
    dropped: u64,
    /// So many of them were not told of yet.
    untold: u64,
}

/// See [`crate::packets::Packets`].
pub(crate) struct Packets {
    depth: Depth,
    captures: Vec<Inhabited>,
    /// The one whose turn it is to be first.
    first: usize,
    /// Blocks that no ring has taken.
    left: usize,
    gone: Vec<RingCounts>,
    others_gone: Others,
    /// To be told.
    gaps: Vec<Gap>,
    opener: Option<Opener>,
    arrivals: Receiver<Arrival>,
    settled: Settled,
    mounts: Mounts,
    refused: HashMap<NetworkNamespace, Refused>,
    /// For those there was no memory, and that was told.
    over_budget: HashSet<NetworkNamespace>,
    ticked: Instant,
    checked: Instant,
    room: Vec<u8>,
}

/// A capture, and how it is known that its namespace is not only ours.
struct Inhabited {
    capture: Capture,
    /// `None`: it is ours, or a mount keeps it, or nobody is known.
    pid: Option<u32>,
}

/// A namespace that could not be entered so far.
struct Refused {
    times: u32,
    first: Instant,
    why: String,
    told: bool,
}

impl Packets {
    /// Opens a ring in every network namespace there is. To be called while there are rights, by a
    /// thread that does not end before us. Gives also who has to hear what is observed, and what
    /// cannot be captured.
    pub(crate) fn begin(options: PacketOptions, pids: &[u32]) -> (Self, Announcer, Vec<Gap>) {
        let settled = Settled::default();
        let (announcer, arrivals) = arrivals::channel(settled.clone());
        let block = u64::try_from(BLOCK_BYTES).unwrap_or(u64::MAX);
        let (ring_bytes, less) = memory::granted(options.ring_bytes);
        let blocks = usize::try_from(ring_bytes / block).unwrap_or(usize::MAX);
        let mut packets = Self {
            depth: options.depth,
            captures: Vec::new(),
            first: 0,
            left: blocks.max(FEWEST),
            gone: Vec::new(),
            others_gone: Others::default(),
            gaps: less.into_iter().collect(),
            opener: None,
            arrivals,
            settled,
            // Before the namespaces are looked for, so that none comes in between.
            mounts: Mounts::open(),
            refused: HashMap::new(),
            over_budget: HashSet::new(),
            ticked: Instant::now(),
            checked: Instant::now(),
            room: Vec::new(),
        };
        packets.open_all(pids);
        let gaps = std::mem::take(&mut packets.gaps);
        (packets, announcer, gaps)
    }

    fn open_all(&mut self, pids: &[u32]) {
        let namespaces = match Namespaces::find(pids) {
            Ok(namespaces) => namespaces,
            Err(error) => return self.gaps.push(no_packets(&error)),
        };
        let own = namespaces.own();
        let ours = (self.left / 2).max(FEWEST);
        let begun = Sockets::open()
            .and_then(|sockets| Capture::begin(own, sockets, ours, self.depth))
            .map(|capture| self.keep(capture, None));
        if let Err(error) = begun {
            return self.gaps.push(no_packets(&error));
        }
        match Opener::start() {
            Ok(opener) => self.opener = Some(opener),
            Err(error) => self.gaps.push(without_opener(&error)),
        }
        let others: Vec<_> = namespaces
            .all()
            .into_iter()
            .filter(|netns| *netns != own)
            .collect();
        // Half of the rest is for those that appear later.
        let share = (self.left / 2 / others.len().max(1)).clamp(FEWEST, MOST);
        for netns in others {
            let pid = namespaces.doors(netns).iter().find_map(|path| pid_of(path));
            let opened = namespaces.inside(netns, Sockets::open).flatten();
            match opened {
                Ok(sockets) => {
                    self.capture(netns, sockets, share, pid);
                }
                // What has gone meanwhile is no loss.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    self.settled.add(netns);
                    self.gaps.push(not_captured(netns, &error));
                }
            }
        }
    }

    pub(crate) fn next(
        &mut self,
        wait: Duration,
        until: u64,
        taken: &mut dyn FnMut(Captured<'_>),
    ) -> Result<usize, Error> {
        let start = Instant::now();
        loop {
            self.welcome();
            if self.ticked.elapsed() >= TICK {
                self.tick();
            }
            for gap in self.gaps.drain(..) {
                taken(Captured::Gap(gap));
            }
            let count = self.drain(until, taken);
            let left = wait.saturating_sub(start.elapsed());
            if count > 0 || left.is_zero() {
                return Ok(count);
            }
            // These would be ready at once. Whoever called has to know a later time, or to let go.
            if self.captures.iter().any(|one| one.capture.is_ready()) {
                thread::sleep(left.min(STEP));
                return Ok(0);
            }
            self.wait(left.min(LOOK))?;
        }
    }

    pub(crate) fn is_scarce(&mut self) -> bool {
        let mut captures = self.captures.iter_mut();
        captures.any(|one| one.capture.is_scarce())
    }

    pub(crate) fn counts(&mut self) -> Vec<RingCounts> {
        let now = self.captures.iter_mut().map(|one| one.capture.counts());
        self.gone.iter().copied().chain(now).collect()
    }

    /// What was dropped in namespaces whose counts are not kept.
    pub(crate) fn dropped_in_others(&self) -> u64 {
        self.others_gone.dropped
    }

    /// Hands on what has come of age: of each namespace a block, then of each the next, but no more than
    /// a part of what a large ring holds, so that whoever called can look after everything else.
    fn drain(&mut self, until: u64, taken: &mut dyn FnMut(Captured<'_>)) -> usize {
        let now = boot_nanos();
        for one in &mut self.captures {
            one.capture.note_closed(now);
        }
        let first = self.first.checked_rem(self.captures.len()).unwrap_or(0);
        self.first = first + 1;
        let mut count = 0;
        for _ in 0..MOST_AT_ONCE {
            let mut any = false;
            let (behind, before) = self.captures.split_at_mut(first);
            for one in before.iter_mut().chain(behind) {
                if let Some(packets) = one.capture.take(until, &mut self.room, taken) {
                    count += packets;
                    any = true;
                }
            }
            if !any {
                break;
            }
        }
        count
    }

    /// Until a block is closed or a mount changes, at most so long.
    fn wait(&mut self, left: Duration) -> Result<(), Error> {
        let timeout = Timespec::try_from(left).ok();
        let rings = self
            .captures
            .iter()
            .map(|one| PollFd::from_borrowed_fd(one.capture.fd(), PollFlags::IN));
        let mounts = self.mounts.fd();
        let mounts = mounts.map(|mounts| PollFd::from_borrowed_fd(mounts, CHANGED));
        let mut polled: Vec<_> = rings.chain(mounts).collect();
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => {
                return Err(Error::Read {
                    what: "whether there are packets",
                    source: errno.into(),
                });
            }
        }
        let rings = polled.get(..self.captures.len()).unwrap_or_default();
        let mounts = polled.get(self.captures.len());
        let has_changed = mounts.is_some_and(|polled| polled.revents().contains(CHANGED));
        // An error on a ring stays until it is asked for, and would make us wait no more.
        let with_error = |polled: &PollFd<'_>| polled.revents().contains(PollFlags::ERR);
        let has_error = rings.iter().any(with_error);
        if has_changed {
            self.mounts.changed();
        }
        if has_error {
            for one in &self.captures {
                let _ = rustix::net::sockopt::socket_error(one.capture.fd());
            }
            thread::sleep(left.min(STEP));
        }
        Ok(())
    }

    /// Begins to capture where somebody has come.
    fn welcome(&mut self) {
        while let Ok(Arrival { netns, pid }) = self.arrivals.try_recv() {
            self.enter(netns, Some(pid), |opener| opener.by_process(pid, netns));
        }
        if !self.mounts.refresh() {
            return;
        }
        let mounted = self.mounts.all();
        let mounted: Vec<_> = mounted
            .filter(|(netns, _)| !self.settled.contains(*netns))
            .map(|(netns, path)| (netns, path.clone()))
            .collect();
        for (netns, path) in mounted {
            self.enter(netns, None, |opener| {
                let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let door = rustix::fs::open(&path, flags, Mode::empty())?;
                opener.by_descriptor(std::os::fd::AsFd::as_fd(&door), netns)
            });
        }
    }

    fn enter(
        &mut self,
        netns: NetworkNamespace,
        pid: Option<u32>,
        open: impl FnOnce(&mut Opener) -> io::Result<Sockets>,
    ) {
        // Where not even our own can be captured, that has been said.
        if self.settled.contains(netns) || self.captures.is_empty() {
            return;
        }
        let Some(opener) = &mut self.opener else {
            self.settled.add(netns);
            let gone = io::Error::other("nobody is left who has the right to");
            return self.gaps.push(not_captured(netns, &gone));
        };
        let opened = open(opener);
        if opener.has_ended() {
            self.opener = None;
            self.gaps.push(without_opener(&Errno::PIPE.into()));
        }
        match opened {
            Ok(sockets) => {
                self.refused.remove(&netns);
                let share = (self.left / 8).clamp(FEWEST, MOST);
                if self.capture(netns, sockets, share, pid) {
                    self.gaps.push(late(netns));
                }
            }
            Err(error) => self.refuse(netns, &error),
        }
    }

    /// Begins to capture with these sockets, if there is memory for it. False: it does not.
    fn capture(
        &mut self,
        netns: NetworkNamespace,
        sockets: Sockets,
        blocks: usize,
        pid: Option<u32>,
    ) -> bool {
        if self.left < FEWEST {
            self.settled.add(netns);
            if self.over_budget.len() >= MOST_REMEMBERED {
                self.over_budget.clear();
            }
            if self.over_budget.insert(netns) {
                self.gaps.push(over_budget(netns));
            }
            return false;
        }
        match Capture::begin(netns, sockets, blocks.min(self.left), self.depth) {
            Ok(capture) => {
                self.keep(capture, pid);
                true
            }
            Err(error) => {
                self.settled.add(netns);
                self.gaps.push(not_captured(netns, &error));
                false
            }
        }
    }

    fn keep(&mut self, capture: Capture, pid: Option<u32>) {
        self.left = self.left.saturating_sub(capture.blocks());
        self.settled.add(capture.netns());
        self.over_budget.remove(&capture.netns());
        self.captures.push(Inhabited { capture, pid });
    }

    fn refuse(&mut self, netns: NetworkNamespace, why: &io::Error) {
        if self.refused.len() >= MOST_REMEMBERED {
            let untold = self.refused.drain().filter(|(_, refused)| !refused.told);
            let untold = untold.map(|(netns, refused)| not_captured(netns, &refused.why));
            self.gaps.extend(untold);
        }
        let refused = self.refused.entry(netns).or_insert_with(|| Refused {
            times: 0,
            first: Instant::now(),
            why: String::new(),
            told: false,
        });
        refused.times += 1;
        refused.why = why.to_string();
        if refused.times >= MOST_ATTEMPTS {
            self.settled.add(netns);
        }
    }

    fn tick(&mut self) {
        self.ticked = Instant::now();
        let lost = self
            .captures
            .iter_mut()
            .filter_map(|one| one.capture.lost());
        self.gaps.extend(lost);
        let untold = std::mem::take(&mut self.others_gone.untold);
        self.gaps.extend((untold > 0).then(|| not_counted(untold)));
        // By then another process has led there, if there is one.
        for (netns, refused) in &mut self.refused {
            if !refused.told && refused.first.elapsed() >= TICK {
                refused.told = true;
                self.gaps.push(not_captured(*netns, &refused.why));
            }
        }
        if self.checked.elapsed() >= INHABITED_EACH {
            self.checked = Instant::now();
            self.let_go();
        }
    }

    /// Lets go of namespaces that only our own sockets still keep.
    fn let_go(&mut self) {
        let Some(opener) = &mut self.opener else {
            return;
        };
        let mut pids = None;
        let mounts = &self.mounts;
        // The first is ours.
        let others = self.captures.iter_mut().enumerate().skip(1);
        let empty: Vec<usize> = others
            .filter_map(|(place, one)| {
                let netns = one.capture.netns();
                let is_kept = !one.capture.is_quiet(QUIET) || mounts.contains(netns);
                if is_kept || one.pid.is_some_and(|pid| opener.is_inside(pid, netns)) {
                    return None;
                }
                let pids = pids.get_or_insert_with(all_pids);
                one.pid = pids
                    .iter()
                    .copied()
                    .find(|pid| opener.is_inside(*pid, netns));
                (one.pid.is_none() && !opener.has_ended()).then_some(place)
            })
            .collect();
        for place in empty.into_iter().rev() {
            self.remove(place);
        }
    }

    /// Of a network namespace that has gone. Numbers of namespaces are used again.
    fn keep_counts(&mut self, counts: RingCounts) {
        let mut gone = self.gone.iter_mut();
        if let Some(same) = gone.find(|it| it.netns == counts.netns) {
            same.received += counts.received;
            same.dropped += counts.dropped;
            same.freezes += counts.freezes;
        } else if self.gone.len() < MOST_REMEMBERED {
            self.gone.push(counts);
        } else {
            self.others_gone.dropped += counts.dropped;
            self.others_gone.untold += 1;
        }
    }

    /// Ends a capture. Its memory is for others, first for those that there was none for.
    fn remove(&mut self, place: usize) {
        let mut one = self.captures.remove(place);
        let netns = one.capture.netns();
        self.left += one.capture.blocks();
        self.gaps.extend(one.capture.lost());
        self.keep_counts(one.capture.counts());
        // Its number may be given to another one.
        self.settled.remove(netns);
        for netns in &self.over_budget {
            self.settled.remove(*netns);
        }
        // Those that are mounted are looked for again; of others their events tell.
        self.mounts.changed();
    }
}

/// `/proc/PID/ns/net`
fn pid_of(door: &Path) -> Option<u32> {
    let below = door.strip_prefix("/proc").ok()?;
    below.iter().next()?.to_str()?.parse().ok()
}

fn all_pids() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn no_packets(error: &io::Error) -> Gap {
    let why = if error.kind() == io::ErrorKind::PermissionDenied {
        "no right to capture packets (CAP_NET_RAW); root has it: sudo whocalls".to_owned()
    } else {
        format!("packets cannot be captured: {error}")
    };
    Gap::standing("no_packets", Source::Capture, why, "every packet")
}

fn not_captured(netns: NetworkNamespace, why: &impl std::fmt::Display) -> Gap {
    Gap::standing(
        "namespace_not_captured",
        Source::Capture,
        format!("packets cannot be captured in a network namespace: {why}"),
        format!("packets of network namespace {}", netns.0),
    )
}

/// `namespaces`: so many.
fn not_counted(namespaces: u64) -> Gap {
    Gap {
        count: Some(namespaces),
        ..Gap::standing(
            "packets_not_counted",
            Source::Capture,
            format!("more than {MOST_REMEMBERED} network namespaces have come and gone"),
            "how many packets passed in each of the others; their packets are there",
        )
    }
}

fn without_opener(error: &io::Error) -> Gap {
    Gap::standing(
        "packets_no_opener",
        Source::Capture,
        format!(
            "the process that keeps the right to capture packets has ended, or cannot be started: {error}"
        ),
        "packets of network namespaces that appear later",
    )
}

fn over_budget(netns: NetworkNamespace) -> Gap {
    Gap::standing(
        "ring_budget",
        Source::Capture,
        "the memory for packets is taken by other network namespaces; a larger ring holds more",
        format!("packets of network namespace {}", netns.0),
    )
}

fn late(netns: NetworkNamespace) -> Gap {
    Gap {
        until: Some(clock::now()),
        ..Gap::standing(
            "namespace_captured_late",
            Source::Capture,
            "a network namespace appeared, and packets are captured in it since it was noticed",
            format!("its first packets, in network namespace {}", netns.0),
        )
    }
}

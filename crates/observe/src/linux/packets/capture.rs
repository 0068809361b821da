//! The packets of one network namespace: its ring, its interfaces, and what was counted.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Gap, InterfaceKey, NetworkNamespace, Packet, Source, Timestamp};

use super::interfaces::Interfaces;
use super::opener::Sockets;
use super::ring::{BLOCK_BYTES, Ring};
use crate::linux::clock::{self, Clocks};
use crate::packets::{Captured, Depth, Lender, Memory, RingCounts};
use crate::parse::packet;
use crate::parse::packet_block::{ARPHRD_LOOPBACK, Frame, frames};

const SECOND: i64 = 1_000_000_000;
/// A smaller ring would soon be full when a block of it is lent for long: the kernel fills the blocks
/// in their order, and leaves none out.
pub(super) const FEWEST_TO_LEND: usize = 256;

pub(super) struct Capture {
    netns: NetworkNamespace,
    ring: Ring,
    interfaces: Interfaces,
    /// The oldest block that we have not given back.
    oldest: usize,
    /// Of so many before it some may be lent; none of those before them is.
    behind: usize,
    /// From the oldest on, when we found each closed, in nanoseconds since boot.
    closed: VecDeque<u64>,
    counts: RingCounts,
    /// When it was last told what was dropped, and how much that was.
    told: Timestamp,
    told_dropped: u64,
    /// When a packet last came.
    busy: Instant,
    broken_told: bool,
}

impl Capture {
    /// From here on nothing is missed.
    pub(super) fn begin(
        netns: NetworkNamespace,
        sockets: Sockets,
        blocks: usize,
        depth: Depth,
    ) -> io::Result<Self> {
        Ok(Self {
            netns,
            interfaces: Interfaces::new(netns, sockets.routes)?,
            ring: Ring::new(sockets.packets, blocks, depth)?,
            oldest: 0,
            behind: 0,
            closed: VecDeque::new(),
            counts: RingCounts {
                netns,
                received: 0,
                dropped: 0,
                freezes: 0,
            },
            told: clock::now(),
            told_dropped: 0,
            busy: Instant::now(),
            broken_told: false,
        })
    }

    pub(super) fn netns(&self) -> NetworkNamespace {
        self.netns
    }

    /// How much memory it took.
    pub(super) fn blocks(&self) -> usize {
        self.ring.blocks()
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.ring.as_fd()
    }

    /// Takes note of the blocks that are closed by now.
    pub(super) fn note_closed(&mut self, now: u64) {
        let blocks = self.ring.blocks();
        while self.closed.len() < blocks {
            let newest = (self.oldest + self.closed.len()) % blocks;
            if !self.ring.is_closed(newest) {
                break;
            }
            self.closed.push_back(now);
        }
    }

    /// Whether something closed waits for its time.
    pub(super) fn holds(&self) -> bool {
        !self.closed.is_empty()
    }

    /// Whether waiting for it with [`Capture::fd`] would end at once: the kernel calls it readable as
    /// long as the block before the one that it fills is not given back.
    pub(super) fn is_ready(&self) -> bool {
        let blocks = self.ring.blocks();
        self.holds() || self.ring.is_taken((self.oldest + blocks - 1) % blocks)
    }

    /// Whether nothing waits, and nothing has come for so long.
    pub(super) fn is_quiet(&self, since: Duration) -> bool {
        !self.holds() && self.busy.elapsed() >= since
    }

    /// Whether so much is lent that no more will be, before some of it comes back.
    pub(super) fn is_scarce(&mut self) -> bool {
        self.ring.blocks() >= FEWEST_TO_LEND && self.lent() >= self.ring.blocks() / 4
    }

    /// How many blocks there are from the first that is lent to the last that we had. Those between
    /// may have been given back; the kernel comes to them only after the first.
    fn lent(&mut self) -> usize {
        let blocks = self.ring.blocks();
        while self.behind > 0
            && !self
                .ring
                .is_taken((self.oldest + blocks - self.behind) % blocks)
        {
            self.behind -= 1;
        }
        self.behind
    }

    /// Hands on the oldest block, if it was closed before `until`, and gives it back, at once or
    /// when nobody has bytes of it any more. `None`: it was not; else how many packets these were.
    pub(super) fn take(
        &mut self,
        until: u64,
        room: &mut Vec<u8>,
        taken: &mut dyn FnMut(Captured<'_>),
    ) -> Option<usize> {
        let closed = *self.closed.front().filter(|closed| **closed <= until)?;
        self.busy = Instant::now();
        self.interfaces
            .refresh(&mut |interface| taken(Captured::Interface(interface)));
        let (count, broken) = self.hand_on(closed, room, taken);
        self.closed.pop_front();
        self.oldest = (self.oldest + 1) % self.ring.blocks();
        self.behind = (self.behind + 1).min(self.ring.blocks());
        if broken && !self.broken_told {
            self.broken_told = true;
            taken(Captured::Gap(broken_block(self.netns)));
        }
        Some(count)
    }

    /// The packets of the oldest block, and whether some of it made no sense.
    fn hand_on(
        &mut self,
        closed: u64,
        room: &mut Vec<u8>,
        taken: &mut dyn FnMut(Captured<'_>),
    ) -> (usize, bool) {
        let clocks = Clocks::now();
        let since_boot = clocks.wall.saturating_sub(clocks.boot);
        let Some(block) = self.ring.take(self.oldest) else {
            return (0, true);
        };
        let block: Arc<Memory> = Arc::new(block);
        let lends = self.ring.blocks() >= FEWEST_TO_LEND && !self.is_scarce();
        let lender = Lender::new(lends.then_some(&block));
        let mut count = 0;
        let mut told = None;
        for frame in frames((*block).as_ref()) {
            let Ok(frame) = frame else {
                return (count, true);
            };
            // Long rows of packets are of one interface.
            let about = (frame.interface, frame.link());
            if told != Some(about) {
                let (index, link) = about;
                self.interfaces.ensure(index, link, &mut |interface| {
                    taken(Captured::Interface(interface));
                });
                told = Some(about);
            }
            let packet = packet(self.netns, &frame, since_boot, closed, room);
            taken(Captured::Packet(&packet, lender));
            count += 1;
        }
        (count, false)
    }

    /// What the kernel has counted so far.
    pub(super) fn counts(&mut self) -> RingCounts {
        self.count();
        self.counts
    }

    /// What was dropped since this was last asked, if anything.
    pub(super) fn lost(&mut self) -> Option<Gap> {
        self.count();
        let before = std::mem::replace(&mut self.told_dropped, self.counts.dropped);
        let count = self.counts.dropped.saturating_sub(before);
        let until = clock::now();
        let since = std::mem::replace(&mut self.told, until);
        (count > 0).then(|| lost(self.netns, since, until, count))
    }

    fn count(&mut self) {
        if let Ok(new) = self.ring.statistics() {
            self.counts.received += u64::from(new.received);
            self.counts.dropped += u64::from(new.dropped);
            self.counts.freezes += u64::from(new.freezes);
        }
    }
}

fn packet<'a>(
    netns: NetworkNamespace,
    frame: &Frame<'a>,
    since_boot: i64,
    closed: u64,
    room: &'a mut Vec<u8>,
) -> Packet<'a> {
    let time = i64::from(frame.seconds) * SECOND + i64::from(frame.nanos);
    let boot_ns = u64::try_from(time.saturating_sub(since_boot)).unwrap_or(0);
    let link = frame.link();
    let (bytes, length) = frame.whole(room);
    Packet {
        time: Timestamp::from_unix_nanos(time),
        // It came before its block was closed, even when the wall clock was set since.
        boot_ns: boot_ns.min(closed),
        interface: InterfaceKey {
            netns: Some(netns),
            index: frame.interface,
        },
        link,
        way: frame.way,
        loopback: frame.kind == ARPHRD_LOOPBACK,
        length,
        bytes,
        ends: packet::ends(link, bytes),
    }
}

fn lost(netns: NetworkNamespace, since: Timestamp, until: Timestamp, count: u64) -> Gap {
    Gap {
        since: Some(since),
        until: Some(until),
        count: Some(count),
        ..Gap::standing(
            "packets_lost",
            Source::Capture,
            "packets came faster than they could be taken; a larger ring holds more",
            format!("packets of network namespace {}", netns.0),
        )
    }
}

fn broken_block(netns: NetworkNamespace) -> Gap {
    let kibibytes = BLOCK_BYTES >> 10;
    Gap::standing(
        "packets_unreadable",
        Source::Capture,
        "what stands in the ring of packets is not what the kernel should write",
        format!(
            "packets of network namespace {}, up to {kibibytes} KiB at a time",
            netns.0
        ),
    )
}

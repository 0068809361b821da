//! The packets of this computer, as its network namespaces see them pass. Rings that the kernel
//! fills go in; packets come out, each with its interface and what its headers say.

use std::time::Duration;

use model::{Gap, Interface, LinkType, NetworkNamespace, Packet, PacketEnds};

use crate::{Error, platform};

/// What the headers of a packet say of its two ends. `None`: no IP, or cut too short to say.
pub fn ends(link: LinkType, bytes: &[u8]) -> Option<PacketEnds> {
    crate::parse::packet::ends(link, bytes)
}

/// What to capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketOptions {
    pub depth: Depth,
    /// How much memory all rings may take together.
    pub ring_bytes: u64,
}

/// How much of each packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    Full,
    /// The first 128 bytes.
    Headers,
}

/// What comes out of the rings.
#[derive(Clone, Debug)]
pub enum Captured<'a> {
    /// Before the first packet that passed it, and again when it has changed.
    Interface(&'a Interface),
    Packet(&'a Packet<'a>),
    Gap(Gap),
}

/// What the kernel counted in one network namespace, since its ring was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingCounts {
    pub netns: NetworkNamespace,
    /// What passed, with what was dropped.
    pub received: u64,
    /// What the ring had no room for.
    pub dropped: u64,
    /// How often the ring was full.
    pub freezes: u64,
}

/// The rings of all network namespaces. For a thread of its own.
pub struct Packets(pub(crate) platform::Packets);

impl Packets {
    /// Waits at most so long for packets, and hands on those that were captured before `until`, in
    /// nanoseconds since boot: what [`crate::Watch::until`] told. Gives how many packets these were.
    /// Within one network namespace they come in their order.
    ///
    /// Errors: the kernel no longer tells whether there are any.
    pub fn next(
        &mut self,
        wait: Duration,
        until: u64,
        taken: &mut dyn FnMut(Captured<'_>),
    ) -> Result<usize, Error> {
        self.0.next(wait, until, taken)
    }

    /// By network namespace; those that have gone are still there.
    pub fn counts(&mut self) -> Vec<RingCounts> {
        self.0.counts()
    }
}

//! The packets of this computer, as its network namespaces see them pass. Rings that the kernel
//! fills go in; packets come out, each with its interface and what its headers say.

#[cfg(any(windows, test))]
pub(crate) mod listened;
#[cfg(any(windows, test))]
pub(crate) mod queue;
#[cfg(any(windows, test))]
pub(crate) mod way;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use model::{Gap, Interface, LinkType, NetworkNamespace, Packet, PacketEnds};

use crate::{Error, platform};

/// What the headers of a packet say of its two ends. `None`: no IP, or cut too short to say.
pub fn ends(link: LinkType, bytes: &[u8]) -> Option<PacketEnds> {
    crate::parse::packet::ends(link, bytes)
}

/// How many bytes a datagram of UDP carries, also where fewer are there. `None`: it is none, or a later part
/// of one.
pub fn datagram(link: LinkType, bytes: &[u8]) -> Option<u32> {
    crate::parse::packet::datagram(link, bytes)
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
    /// With a way to have its bytes for longer than this is handed on.
    Packet(&'a Packet<'a>, Lender<'a>),
    Gap(Gap),
}

/// A piece of memory that packets were captured into.
pub type Memory = dyn AsRef<[u8]> + Send + Sync;

/// Lends the memory that a packet was captured into; `None`: it does not.
#[derive(Clone, Copy)]
pub struct Lender<'a>(Option<&'a Arc<Memory>>);

impl<'a> Lender<'a> {
    pub fn new(memory: Option<&'a Arc<Memory>>) -> Self {
        Self(memory)
    }

    /// Keeps bytes of the packet where they are. `None`: they have to be copied.
    pub fn lend(&self, bytes: &[u8]) -> Option<Lent> {
        let memory = self.0?;
        let whole = (**memory).as_ref();
        // What does not lie in there begins before it or ends behind it.
        let start = bytes.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
        let place = start..start.checked_add(bytes.len())?;
        whole.get(place.clone())?;
        let memory = Arc::clone(memory);
        Some(Lent { memory, place })
    }
}

impl fmt::Debug for Lender<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Lender")
            .field(&self.0.is_some())
            .finish()
    }
}

/// Bytes that stay in the memory that they were captured into, which is not filled anew as long as
/// there is one of these. For other threads too.
pub struct Lent {
    memory: Arc<Memory>,
    place: Range<usize>,
}

impl Lent {
    pub fn bytes(&self) -> &[u8] {
        let whole = (*self.memory).as_ref();
        whole.get(self.place.clone()).unwrap_or_default()
    }
}

impl fmt::Debug for Lent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Lent").field(&self.place).finish()
    }
}

/// What the kernel counted in one network namespace, since its ring was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingCounts {
    /// 0: there are no namespaces on this platform.
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

    /// Whether so much is lent that the rings get full sooner. Nothing more is lent then; whoever has
    /// some should copy it and let go of it.
    pub fn is_scarce(&mut self) -> bool {
        self.0.is_scarce()
    }

    /// By network namespace; those that have gone are still there.
    pub fn counts(&mut self) -> Vec<RingCounts> {
        self.0.counts()
    }

    /// What was dropped in namespaces that are not among them: very many have come and gone.
    pub fn dropped_in_others(&self) -> u64 {
        self.0.dropped_in_others()
    }
}

//! A ring of events (BPF_MAP_TYPE_RINGBUF). A writer first takes its place in the ring, then says what
//! the time is, and then what happened. What stands behind one that is not ready, because its
//! processor does something else or because another computer's turn it is on that processor, is not
//! to be had until it is. An empty hand does not mean an empty ring.

use aya::maps::{MapData, RingBuf};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use super::Told;

pub(super) struct Ring {
    events: RingBuf<MapData>,
    /// All until then has been taken, in nanoseconds since boot.
    until: u64,
}

impl Ring {
    pub(super) fn of(events: RingBuf<MapData>) -> Self {
        Self { events, until: 0 }
    }

    /// Takes what there is: not much more than `most`, and more only when it is older than `newest`.
    pub(super) fn take(
        &mut self,
        most: usize,
        newest: u64,
        read: impl Fn(&[u8]) -> Option<Told>,
        told: &mut Vec<Told>,
    ) {
        let mut taken = 0;
        while taken < most || self.until < newest {
            let Some(bytes) = self.events.next() else {
                return;
            };
            taken += 1;
            if let Some(event) = read(&bytes) {
                self.until = self.until.max(event.time());
                told.push(event);
            }
        }
    }

    /// Whether there is more in it, and until when all has been taken. `began`: since before the last
    /// time that something was taken.
    pub(super) fn more(&mut self, began: u64) -> Option<u64> {
        let mut ring = [PollFd::new(&self.events, PollFlags::IN)];
        // Whoever cannot ask has only what was taken to go by.
        let ready = poll(&mut ring, Some(&Timespec::default())).unwrap_or(0);
        if ready > 0 {
            return Some(self.until);
        }
        self.until = self.until.max(began);
        None
    }
}

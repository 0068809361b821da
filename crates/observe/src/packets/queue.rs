//! Packets that threads of our own have fetched, and that wait to be handed on, within a limit of memory.

use std::collections::VecDeque;
use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use model::Timestamp;

use super::listened::Place;
use super::{Depth, PacketOptions};
use crate::platform::now;

/// The longest packet of IPv4.
const LONGEST: usize = 65_535;
/// Of each packet, when only headers are wanted.
const HEADERS: usize = 128;
/// `WSAEMSGSIZE` of Windows.
const TOO_LONG: i32 = 10_040;
/// What a packet takes besides its bytes.
const BESIDES: u64 = 96;
/// A reader that cannot be told anything looks again after this.
const STEP: Duration = Duration::from_millis(20);

pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    more: Condvar,
    kept_bytes: usize,
    most_bytes: u64,
    /// Nanoseconds since boot. The wall clock may be set meanwhile.
    clock: fn() -> u64,
    is_over: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    packets: VecDeque<Kept>,
    bytes: u64,
    received: u64,
    dropped: u64,
    /// Where nothing is fetched any more, and why.
    ended: Vec<(Place, String)>,
}

pub(crate) struct Kept {
    pub(crate) time: Timestamp,
    pub(crate) boot_ns: u64,
    pub(crate) interface: u32,
    /// How long it was; `bytes` may be fewer.
    pub(crate) length: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Kept {
    fn room(&self) -> u64 {
        let bytes = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        bytes.saturating_add(BESIDES)
    }
}

impl Queue {
    pub(crate) fn new(options: PacketOptions, clock: fn() -> u64) -> Self {
        Self {
            waiting: Mutex::default(),
            more: Condvar::new(),
            kept_bytes: match options.depth {
                Depth::Full => LONGEST,
                Depth::Headers => HEADERS,
            },
            most_bytes: options.ring_bytes,
            clock,
            is_over: AtomicBool::new(false),
        }
    }

    /// Begins to fetch what comes to a socket, until nobody wants it any more: from this one (`stop`), or
    /// from all.
    ///
    /// Errors: there is no thread to be had.
    pub(crate) fn fill(
        queue: &Arc<Self>,
        socket: UdpSocket,
        place: Place,
        stop: Arc<AtomicBool>,
    ) -> io::Result<()> {
        let queue = Arc::clone(queue);
        let thread = thread::Builder::new().name("packets of one".to_owned());
        thread.spawn(move || {
            let mut room = vec![0; LONGEST];
            let is_wanted =
                || !queue.is_over.load(Ordering::Relaxed) && !stop.load(Ordering::Relaxed);
            while is_wanted() {
                match socket.recv(&mut room) {
                    // Another one has it as well.
                    Ok(_) if !is_wanted() => return,
                    Ok(length) => queue.put(place, room.get(..length).unwrap_or_default()),
                    Err(error) if is_nothing(&error) => {}
                    // Longer than a packet of IPv4 can be: a part of it says nothing.
                    Err(error) if error.raw_os_error() == Some(TOO_LONG) => queue.lose(),
                    Err(error) => {
                        queue.lock().ended.push((place, error.to_string()));
                        return;
                    }
                }
            }
        })?;
        Ok(())
    }

    /// Waits for packets that came before `until`, and takes at most so many.
    pub(crate) fn take(&self, wait: Duration, until: u64, most: usize) -> Vec<Kept> {
        let ripe = |waiting: &mut Waiting| {
            let is_ripe = |kept: &Kept| kept.boot_ns < until;
            let count = waiting
                .packets
                .iter()
                .take(most)
                .take_while(|it| is_ripe(it));
            let count = count.count();
            let taken: Vec<_> = waiting.packets.drain(..count).collect();
            let room: u64 = taken.iter().map(Kept::room).sum();
            waiting.bytes = waiting.bytes.saturating_sub(room);
            taken
        };
        let mut waiting = self.lock();
        let taken = ripe(&mut waiting);
        if !taken.is_empty() || wait.is_zero() {
            return taken;
        }
        // What is too young stays so until whoever called knows a later time.
        let wait = wait.min(STEP);
        let waited = self.more.wait_timeout(waiting, wait);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        ripe(&mut waiting)
    }

    /// Nobody wants any more.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// How many came, and how many of them there was no room for.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let waiting = self.lock();
        (waiting.received, waiting.dropped)
    }

    /// Where nothing is fetched any more, and why, since this was last asked.
    pub(crate) fn ended(&self) -> Vec<(Place, String)> {
        std::mem::take(&mut self.lock().ended)
    }

    fn lose(&self) {
        let mut waiting = self.lock();
        waiting.received += 1;
        waiting.dropped += 1;
    }

    fn put(&self, place: Place, bytes: &[u8]) {
        let kept = Kept {
            time: now(),
            boot_ns: (self.clock)(),
            interface: place.0,
            length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            bytes: bytes.iter().take(self.kept_bytes).copied().collect(),
        };
        let mut waiting = self.lock();
        waiting.received += 1;
        let bytes = waiting.bytes.saturating_add(kept.room());
        if bytes > self.most_bytes {
            waiting.dropped += 1;
            return;
        }
        waiting.bytes = bytes;
        waiting.packets.push_back(kept);
        drop(waiting);
        self.more.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing came within the time that is waited.
fn is_nothing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn queue(depth: Depth, ring_bytes: u64) -> Queue {
        Queue::new(PacketOptions { depth, ring_bytes }, || 7)
    }

    fn place(interface: u32) -> Place {
        (interface, Ipv4Addr::LOCALHOST)
    }

    fn all(queue: &Queue) -> Vec<Kept> {
        queue.take(Duration::ZERO, u64::MAX, usize::MAX)
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let queue = queue(Depth::Full, 3 * (BESIDES + 100));
        for _ in 0..5 {
            queue.put(place(1), &[7; 100]);
        }
        assert_eq!(queue.counts(), (5, 2));
        assert_eq!(all(&queue).len(), 3);
        // What was handed on makes room.
        queue.put(place(1), &[7; 300]);
        assert_eq!((queue.counts(), all(&queue).len()), ((6, 2), 1));
    }

    #[test]
    fn of_headers_the_first_bytes_are_kept_and_the_length_is_told() {
        let queue = queue(Depth::Headers, 10_000);
        queue.put(place(4), &[7; 1500]);
        let kept = all(&queue);
        let [kept] = &kept[..] else {
            panic!("{}", kept.len());
        };
        assert_eq!(
            (kept.bytes.len(), kept.length, kept.interface),
            (HEADERS, 1500, 4)
        );
    }

    #[test]
    fn the_time_since_boot_is_that_of_its_own_clock() {
        // Whatever the wall clock is set to.
        let queue = queue(Depth::Full, 10_000);
        queue.put(place(1), &[7; 10]);
        assert!(queue.take(Duration::ZERO, 7, usize::MAX).is_empty());
        assert_eq!(queue.take(Duration::ZERO, 8, usize::MAX)[0].boot_ns, 7);
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "it goes from this computer to itself"
    )]
    fn a_thread_that_is_replaced_fetches_no_more() {
        let here = (Ipv4Addr::LOCALHOST, 0);
        let (to, from) = (
            UdpSocket::bind(here).unwrap(),
            UdpSocket::bind(here).unwrap(),
        );
        let address = to.local_addr().unwrap();
        to.set_read_timeout(Some(Duration::from_millis(10)))
            .unwrap();
        let queue = Arc::new(queue(Depth::Full, 10_000));
        let stop = Arc::new(AtomicBool::new(true));
        Queue::fill(&queue, to, place(3), stop).unwrap();
        from.send_to(b"hello", address).unwrap();
        for _ in 0..500 {
            if Arc::strong_count(&queue) == 1 {
                assert_eq!(queue.counts(), (0, 0));
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the thread goes on");
    }

    #[test]
    fn who_is_too_young_waits() {
        let queue = queue(Depth::Full, 10_000);
        queue.put(place(1), &[7; 10]);
        assert!(queue.take(Duration::ZERO, 1, usize::MAX).is_empty());
        queue.put(place(1), &[8; 10]);
        assert_eq!(queue.take(Duration::ZERO, u64::MAX, 1)[0].bytes, [7; 10]);
        assert_eq!(all(&queue)[0].bytes, [8; 10]);
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "it goes from this computer to itself"
    )]
    fn a_thread_fetches_what_comes_until_it_is_over() {
        let here = (Ipv4Addr::LOCALHOST, 0);
        let (to, from) = (
            UdpSocket::bind(here).unwrap(),
            UdpSocket::bind(here).unwrap(),
        );
        let address = to.local_addr().unwrap();
        to.set_read_timeout(Some(Duration::from_millis(10)))
            .unwrap();
        let queue = Arc::new(queue(Depth::Full, 10_000));
        Queue::fill(&queue, to, place(3), Arc::default()).unwrap();
        from.send_to(b"hello", address).unwrap();
        let mut taken = Vec::new();
        for _ in 0..500 {
            taken.extend(queue.take(Duration::from_secs(1), u64::MAX, 9));
            if !taken.is_empty() {
                break;
            }
        }
        assert_eq!(taken[0].bytes, b"hello");
        assert!(taken[0].time <= now() && queue.ended().is_empty());
        queue.end();
        // The thread lets go of it.
        for _ in 0..500 {
            if Arc::strong_count(&queue) == 1 {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the thread goes on");
    }
}

//! Packets in network namespaces of these tests.
#![expect(
    clippy::disallowed_methods,
    reason = "it never leaves a namespace of its own"
)]

use super::capture::FEWEST_TO_LEND;
use super::ring::{Block, Ring};
use super::*;
use crate::packets::Lent;
use crate::parse::packet_block::frames;
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::process::Command;

use model::{InterfaceKey, LinkType, Part, Protocol, Way};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// What is left of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    protocol: Option<Protocol>,
    ports: Option<(Option<u16>, Option<u16>)>,
    part: Option<Part>,
    way: Way,
    loopback: bool,
    length: u32,
    boot_ns: u64,
    interface: InterfaceKey,
}

/// A network namespace with a loopback, removed at the end.
struct Place(String);

impl Place {
    /// `None` where it cannot be had; then that has been said.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn new(test: &str) -> Option<Self> {
        let name = format!("whocalls-{test}-{}", std::process::id());
        let added = Command::new("ip").args(["netns", "add", &name]).status();
        if !added.is_ok_and(|status| status.success()) {
            eprintln!("skipped: {test}: no network namespaces here");
            return None;
        }
        let place = Self(name);
        let up = ["-n", &place.0, "link", "set", "lo", "up"];
        assert!(Command::new("ip").args(up).status().unwrap().success());
        Some(place)
    }

    fn door(&self) -> std::fs::File {
        std::fs::File::open(format!("/run/netns/{}", self.0)).unwrap()
    }

    fn netns(&self) -> NetworkNamespace {
        let number = rustix::fs::fstat(self.door()).unwrap().st_ino;
        NetworkNamespace(number.try_into().unwrap())
    }

    /// Works inside, on a thread of its own.
    fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                let network = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(self.door().as_fd(), network).unwrap();
                work()
            });
            inside.join().unwrap()
        })
    }

    fn capture(&self, depth: Depth) -> Capture {
        self.large_capture(FEWEST, depth)
    }

    fn large_capture(&self, blocks: usize, depth: Depth) -> Capture {
        let sockets = self.inside(|| Sockets::open().unwrap());
        Capture::begin(self.netns(), sockets, blocks, depth).unwrap()
    }

    /// So many datagrams of 50,000 bytes, each of one number.
    fn send(&self, numbers: std::ops::Range<u8>) {
        self.inside(|| {
            let here = UdpSocket::bind("127.0.0.1:1000").unwrap();
            let _there = UdpSocket::bind("127.0.0.1:9").unwrap();
            for number in numbers {
                here.send_to(&[number; 50_000], "127.0.0.1:9").unwrap();
            }
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// All that comes until nothing has come for a while.
fn all(capture: &mut Capture) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut room = Vec::new();
    let mut told = Vec::new();
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_millis(200) {
        capture.note_closed(boot_nanos());
        let taken = capture.take(u64::MAX, &mut room, &mut |captured| match captured {
            Captured::Interface(interface) => told.push(interface.key),
            Captured::Packet(packet, _) => {
                assert!(told.contains(&packet.interface));
                assert!(packet.bytes.len() <= usize::try_from(packet.length).unwrap());
                seen.push(Seen {
                    protocol: packet.ends.map(|ends| ends.protocol),
                    ports: packet.ends.map(|it| (it.source.port, it.destination.port)),
                    part: packet.ends.map(|ends| ends.part),
                    way: packet.way,
                    loopback: packet.loopback,
                    length: packet.length,
                    boot_ns: packet.boot_ns,
                    interface: packet.interface,
                });
            }
            Captured::Gap(gap) => panic!("{gap:?}"),
        });
        if taken.is_some() {
            last = Instant::now();
        }
        thread::sleep(Duration::from_millis(5));
    }
    seen
}

#[test]
fn a_packet_over_loopback_is_seen_once() {
    let Some(place) = Place::new("once") else {
        return;
    };
    let mut capture = place.capture(Depth::Full);
    let before = boot_nanos();
    place.inside(|| {
        let there = UdpSocket::bind("127.0.0.1:9").unwrap();
        let here = UdpSocket::bind("127.0.0.1:1000").unwrap();
        for _ in 0..100 {
            here.send_to(&[7; 50], "127.0.0.1:9").unwrap();
            there.recv(&mut [0; 50]).unwrap();
        }
    });
    let seen = all(&mut capture);
    assert_eq!(seen.len(), 100);
    for packet in &seen {
        assert_eq!(packet.protocol, Some(Protocol::Udp));
        assert_eq!(packet.ports, Some((Some(1000), Some(9))));
        assert_eq!((packet.way, packet.loopback), (Way::Out, true));
        assert_eq!(packet.length, 14 + 20 + 8 + 50);
        assert!((before..boot_nanos()).contains(&packet.boot_ns));
    }
    let counts = capture.counts();
    assert_eq!((counts.received, counts.dropped), (100, 0));
    assert!(capture.lost().is_none());
}

#[test]
fn fragments_and_long_packets_are_whole_or_cut_as_asked() {
    let Some(place) = Place::new("depth") else {
        return;
    };
    let up = ["-n", &place.0, "link", "set", "lo", "mtu", "1500"];
    assert!(Command::new("ip").args(up).status().unwrap().success());
    for depth in [Depth::Full, Depth::Headers] {
        let mut capture = place.capture(depth);
        place.inside(|| {
            let here = UdpSocket::bind("127.0.0.1:1000").unwrap();
            let _there = UdpSocket::bind("127.0.0.1:9").unwrap();
            here.send_to(&[7; 4_000], "127.0.0.1:9").unwrap();
            let listener = TcpListener::bind("127.0.0.1:80").unwrap();
            let _stream = TcpStream::connect("127.0.0.1:80").unwrap();
            listener.accept().unwrap();
        });
        let seen = all(&mut capture);
        let udp = seen.iter().filter(|it| it.protocol == Some(Protocol::Udp));
        let parts: Vec<_> = udp.map(|it| it.part.unwrap()).collect();
        let [Part::First(number), Part::Later(second), Part::Later(third)] = parts[..] else {
            panic!("{parts:?}");
        };
        assert!(number == second && number == third);
        let tcp = seen.iter().filter(|it| it.protocol == Some(Protocol::Tcp));
        assert!(tcp.count() >= 3);
        let bytes: u32 = seen
            .iter()
            .filter(|it| it.part != Some(Part::Whole))
            .map(|it| it.length)
            .sum();
        assert_eq!(bytes, 4_008 + 3 * 34);
    }
}

#[test]
fn a_block_waits_for_its_time() {
    let Some(place) = Place::new("waits") else {
        return;
    };
    let mut capture = place.capture(Depth::Full);
    place.inside(|| {
        let here = UdpSocket::bind("127.0.0.1:1000").unwrap();
        here.send_to(&[7; 50], "127.0.0.1:1000").unwrap();
    });
    let start = Instant::now();
    while !capture.holds() {
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "it is never closed"
        );
        thread::sleep(Duration::from_millis(5));
        capture.note_closed(boot_nanos());
    }
    let mut room = Vec::new();
    let before = boot_nanos() - 10_000_000_000;
    let nothing = capture.take(before, &mut room, &mut |_| panic!("too early"));
    assert_eq!(nothing, None);
    assert_eq!(all(&mut capture).len(), 1);
    assert!(!capture.holds());
}

#[test]
fn what_a_full_ring_drops_is_counted_and_told() {
    let Some(place) = Place::new("full") else {
        return;
    };
    let mut capture = place.capture(Depth::Full);
    place.inside(|| {
        let here = UdpSocket::bind("127.0.0.1:1000").unwrap();
        for _ in 0..200 {
            here.send_to(&[7; 50_000], "127.0.0.1:9").unwrap();
        }
    });
    let gap = capture.lost().unwrap();
    assert_eq!(gap.id, "packets_lost");
    let kept = u64::try_from(all(&mut capture).len()).unwrap();
    let counts = capture.counts();
    assert_eq!(gap.count, Some(counts.dropped));
    assert!(counts.dropped > 50 && counts.freezes > 0, "{counts:?}");
    assert_eq!(kept + counts.dropped, counts.received);
}

/// The content of so many datagrams, lent where that is possible.
fn lend(capture: &mut Capture, datagrams: usize) -> Vec<Option<Lent>> {
    let (mut lent, mut room) = (Vec::new(), Vec::new());
    let start = Instant::now();
    while lent.len() < datagrams {
        assert!(start.elapsed() < Duration::from_secs(20), "nothing comes");
        capture.note_closed(boot_nanos());
        let more = capture.take(u64::MAX, &mut room, &mut |captured| {
            if let Captured::Packet(packet, lender) = captured
                && let Some(content) = packet.bytes.get(14 + 20 + 8..)
                && content.len() == 50_000
            {
                lent.push(lender.lend(content));
            }
        });
        if more.is_none() {
            thread::sleep(Duration::from_millis(5));
        }
    }
    lent
}

fn are(lent: &[Option<Lent>], numbers: std::ops::Range<u8>) -> bool {
    lent.len() == numbers.len()
        && lent.iter().zip(numbers).all(|(lent, number)| {
            let bytes = lent.as_ref().unwrap().bytes();
            bytes.len() == 50_000 && bytes.iter().all(|byte| *byte == number)
        })
}

#[test]
fn lent_bytes_stay_while_others_come_and_when_the_ring_is_gone() {
    let Some(place) = Place::new("lent") else {
        return;
    };
    let mut capture = place.large_capture(FEWEST_TO_LEND, Depth::Full);
    assert_eq!(capture.blocks(), FEWEST_TO_LEND);
    place.send(0..5);
    let kept = lend(&mut capture, 5);
    // Five fit into a block; the timer may close it with fewer.
    for _ in 0..3 {
        place.send(5..205);
        assert_eq!(lend(&mut capture, 200).len(), 200);
    }
    assert!(are(&kept, 0..5));
    assert_eq!(capture.counts().dropped, 0);
    drop(capture);
    assert!(are(&kept, 0..5));
}

#[test]
fn a_ring_lends_a_quarter_and_then_has_to_be_copied() {
    let Some(place) = Place::new("quarter") else {
        return;
    };
    let mut capture = place.large_capture(FEWEST_TO_LEND, Depth::Full);
    let quarter = FEWEST_TO_LEND / 4;
    let mut kept = Vec::new();
    while !capture.is_scarce() {
        place.send(0..5);
        kept.extend(lend(&mut capture, 5).into_iter().flatten());
    }
    // One to five of them to a block.
    assert!((quarter..=5 * quarter).contains(&kept.len()));
    place.send(0..5);
    assert!(lend(&mut capture, 5).iter().all(Option::is_none));
    // The oldest are what the kernel comes to first.
    kept.drain(..kept.len() / 2);
    assert!(!capture.is_scarce());
    place.send(7..12);
    assert!(are(&lend(&mut capture, 5), 7..12));
    assert_eq!(capture.counts().dropped, 0);
}

#[test]
fn what_one_namespace_gives_back_is_for_one_that_got_nothing() {
    let options = PacketOptions {
        depth: Depth::Full,
        ring_bytes: 0,
    };
    let (mut packets, ..) = Packets::begin(options, &[]);
    let (Some(first), Some(second)) = (Place::new("gives"), Place::new("gets")) else {
        return;
    };
    // Others may be on this computer.
    packets.left = FEWEST;
    packets.gaps.clear();
    let begin = |packets: &mut Packets, place: &Place| {
        let sockets = place.inside(|| Sockets::open().unwrap());
        packets.capture(place.netns(), sockets, FEWEST, None)
    };
    assert!(begin(&mut packets, &first));
    for _ in 0..2 {
        assert!(!begin(&mut packets, &second));
    }
    let told: Vec<_> = packets.gaps.iter().map(|gap| gap.id.as_str()).collect();
    assert_eq!(told, ["ring_budget"]);
    assert!(packets.settled.contains(second.netns()));
    packets.mounts.refresh();
    packets.remove(packets.captures.len() - 1);
    assert_eq!(packets.left, FEWEST);
    assert!(!packets.settled.contains(first.netns()));
    // So it is told again that somebody is in it, and that it is mounted.
    assert!(!packets.settled.contains(second.netns()));
    assert!(packets.mounts.refresh());
    assert!(begin(&mut packets, &second));
    assert!(packets.settled.contains(second.netns()));
    assert!(!packets.over_budget.contains(&second.netns()));
}

#[test]
fn of_namespaces_beyond_a_bound_it_is_told_that_their_counts_are_not_kept() {
    let options = PacketOptions {
        depth: Depth::Full,
        ring_bytes: 0,
    };
    let (mut packets, ..) = Packets::begin(options, &[]);
    let most = u32::try_from(MOST_REMEMBERED).unwrap();
    for number in 0..most + 3 {
        packets.keep_counts(RingCounts {
            netns: NetworkNamespace(number),
            received: 10,
            dropped: 2,
            freezes: 0,
        });
    }
    // Numbers of namespaces are used again.
    packets.keep_counts(RingCounts {
        netns: NetworkNamespace(1),
        received: 1,
        dropped: 1,
        freezes: 0,
    });
    assert_eq!(packets.gone.len(), MOST_REMEMBERED);
    assert_eq!((packets.gone[1].received, packets.gone[1].dropped), (11, 3));
    assert_eq!(packets.dropped_in_others(), 6);
    for expected in [Some(Some(3)), None] {
        packets.gaps.clear();
        packets.tick();
        let mut told = packets.gaps.iter();
        let told = told.find(|gap| gap.id == "packets_not_counted");
        assert_eq!(told.map(|gap| gap.count), expected);
    }
}

#[test]
fn nobody_waits_with_a_ring_that_would_be_ready_at_once() {
    let Some(place) = Place::new("ready") else {
        return;
    };
    let mut capture = place.large_capture(FEWEST_TO_LEND, Depth::Full);
    let check = |capture: &Capture, expected: bool| {
        let mut polled = [PollFd::from_borrowed_fd(capture.fd(), PollFlags::IN)];
        let ready = poll(&mut polled, Some(&Timespec::default())).unwrap();
        assert_eq!((ready > 0, capture.is_ready()), (expected, expected));
    };
    check(&capture, false);
    place.send(0..1);
    let kept = lend(&mut capture, 1);
    check(&capture, true);
    drop(kept);
    check(&capture, false);
}

#[test]
fn a_small_ring_lends_nothing() {
    let Some(place) = Place::new("small") else {
        return;
    };
    let mut capture = place.capture(Depth::Full);
    place.send(0..5);
    assert!(lend(&mut capture, 5).iter().all(Option::is_none));
    assert!(!capture.is_scarce());
}

#[test]
fn a_ring_that_is_lent_as_a_whole_loses_nothing_of_it_and_goes_on_after() {
    let Some(place) = Place::new("whole") else {
        return;
    };
    let sockets = place.inside(|| Sockets::open().unwrap());
    let mut ring = Ring::new(sockets.packets, FEWEST, Depth::Full).unwrap();
    let take = |ring: &mut Ring, block: usize| {
        let start = Instant::now();
        loop {
            if let Some(block) = ring.take(block) {
                return block;
            }
            assert!(start.elapsed() < Duration::from_secs(5), "no block comes");
            thread::sleep(Duration::from_millis(5));
        }
    };
    let numbers = |block: &Block| {
        let frames = frames(block.as_ref()).map(|frame| {
            let mut room = Vec::new();
            let (bytes, length) = frame.unwrap().whole(&mut room);
            assert_eq!(length, 50_042);
            let content = &bytes[42..];
            assert!(content.iter().all(|byte| *byte == content[0]));
            content[0]
        });
        frames.collect::<Vec<_>>()
    };
    // Five fit into a block; the timer may close it with fewer, and then not all of them fit.
    place.send(0..40);
    let all: Vec<_> = (0..FEWEST).map(|block| take(&mut ring, block)).collect();
    place.send(100..120);
    assert!(!(0..FEWEST).any(|block| ring.is_closed(block)));
    let counts = ring.statistics().unwrap();
    assert!(counts.dropped >= 20);
    let kept: Vec<_> = all.iter().flat_map(numbers).collect();
    assert_eq!(
        u32::try_from(kept.len()).unwrap(),
        counts.received - counts.dropped
    );
    assert!(kept.into_iter().zip(0..40).all(|(kept, sent)| kept == sent));
    drop(all);
    place.send(200..205);
    assert_eq!(numbers(&take(&mut ring, 0))[0], 200);
}

#[test]
fn interfaces_are_told_before_their_packets_and_when_they_change() {
    let Some(place) = Place::new("interfaces") else {
        return;
    };
    let mut capture = place.capture(Depth::Full);
    let send = || {
        place.inside(|| {
            let here = UdpSocket::bind("127.0.0.1:1000").unwrap();
            here.send_to(&[7; 50], "127.0.0.1:1000").unwrap();
        });
    };
    let told = |capture: &mut Capture| {
        let (mut told, mut room) = (Vec::new(), Vec::new());
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < Duration::from_secs(5), "no packet comes");
            capture.note_closed(boot_nanos());
            let taken = capture.take(u64::MAX, &mut room, &mut |captured| {
                if let Captured::Interface(interface) = captured {
                    told.push(interface.clone());
                }
            });
            if taken.is_some() {
                return told;
            }
            thread::sleep(Duration::from_millis(5));
        }
    };
    send();
    let first = told(&mut capture);
    let loopback = first.iter().find(|it| it.key.index == 1).unwrap();
    assert_eq!(
        (loopback.name.lossy().as_ref(), loopback.link),
        ("lo", LinkType::ETHERNET)
    );
    assert!(
        loopback
            .addresses
            .contains(&(IpAddr::from([127, 0, 0, 1]), 8))
    );
    send();
    assert!(told(&mut capture).is_empty());
    let add = ["-n", &place.0, "addr", "add", "192.0.2.7/24", "dev", "lo"];
    assert!(Command::new("ip").args(add).status().unwrap().success());
    send();
    let again = told(&mut capture);
    assert!(
        again[0]
            .addresses
            .contains(&(IpAddr::from([192, 0, 2, 7]), 24))
    );
}

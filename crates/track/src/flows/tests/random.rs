//! Whatever is told, in whatever order: nothing panics, and no process is named that nothing gave.
//! And what truly happens on two ends that many use one after the other: nobody else is named.

use std::net::IpAddr;

use model::{
    Detail, Endpoint, Event, EventKind, NetworkNamespace, Observed, PacketEnds, PacketOwner, Part,
    Protocol, SocketKey, Source, TcpSegment, Timestamp,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::script::{packet, process, words};
use crate::flows::Flows;

/// What a source may tell, all of it from a small world so that things meet.
#[derive(Clone, Debug)]
struct Told {
    kind: usize,
    time: u64,
    cookie: u64,
    tcp: bool,
    pid: Option<u32>,
    netns: u32,
    local: Option<(u8, u16)>,
    remote: Option<(u8, u16)>,
}

#[derive(Clone, Debug)]
struct Asked {
    time: u64,
    way: usize,
    tcp: bool,
    netns: u32,
    source: (u8, u16),
    destination: (u8, u16),
    flags: u8,
    part: u8,
    /// Of TCP: the first byte that it carries, and how many, if that is said.
    bytes: (u32, Option<u32>),
}

const KINDS: [EventKind; 9] = [
    EventKind::Attempt,
    EventKind::FirstPacket,
    EventKind::Opened,
    EventKind::Accepted,
    EventKind::Listening,
    EventKind::OwnerChanged,
    EventKind::Closed,
    EventKind::ProcessEnded,
    EventKind::Tick,
];
const WAYS: [&str; 5] = ["out", "in", "many", "lo", "other"];

fn side() -> impl Strategy<Value = (u8, u16)> {
    (0_u8..3, 0_u16..3)
}

fn told() -> impl Strategy<Value = Told> {
    let what = (0..KINDS.len(), 0_u64..40_000_000, 0_u64..6, any::<bool>());
    let whose = (of(1_u32..4), 1_u32..3, of(side()), of(side()));
    (what, whose).prop_map(
        |((kind, time, cookie, tcp), (pid, netns, local, remote))| Told {
            kind,
            time,
            cookie,
            tcp,
            pid,
            netns,
            local,
            remote,
        },
    )
}

fn asked() -> impl Strategy<Value = Asked> {
    let what = (0_u64..40_000_000, 0..WAYS.len(), any::<bool>(), 1_u32..3);
    let ends = (
        side(),
        side(),
        any::<u8>(),
        0_u8..3,
        any::<(u32, Option<u32>)>(),
    );
    (what, ends).prop_map(
        |((time, way, tcp, netns), (source, destination, flags, part, bytes))| Asked {
            time,
            way,
            tcp,
            netns,
            source,
            destination,
            flags,
            part,
            bytes,
        },
    )
}

/// Address 0 and port 0 are none.
fn endpoint((ip, port): (u8, u16)) -> Endpoint {
    let ip = if ip == 0 {
        IpAddr::from([0, 0, 0, 0])
    } else {
        IpAddr::from([192, 0, 2, ip])
    };
    Endpoint::new(ip, port)
}

fn protocol(tcp: bool) -> Protocol {
    if tcp { Protocol::Tcp } else { Protocol::Udp }
}

fn event(told: &Told) -> Event {
    Event {
        seq: 0,
        time: Timestamp::from_unix_nanos(i64::try_from(told.time).unwrap()),
        boot_ns: told.time,
        source: Source::Ebpf,
        kind: KINDS[told.kind],
        process: told.pid.map(|pid| process(&pid.to_string())),
        thread: None,
        netns: Some(NetworkNamespace(told.netns)),
        socket: Some(SocketKey {
            inode: None,
            cookie: Some(told.cookie),
        }),
        protocol: Some(protocol(told.tcp)),
        local: told.local.map(endpoint),
        remote: told.remote.map(endpoint),
        error: None,
        bytes_sent: None,
        bytes_received: None,
        packets_sent: None,
        packets_received: None,
        detail: Detail::Nothing,
    }
}

fn owner(flows: &mut Flows, asked: &Asked) -> PacketOwner {
    let ends = PacketEnds {
        protocol: protocol(asked.tcp),
        source: endpoint(asked.source),
        destination: endpoint(asked.destination),
        part: match asked.part {
            1 => Part::First(1),
            _ => Part::Whole,
        },
        tcp: asked.tcp.then_some(TcpSegment {
            flags: asked.flags,
            sequence: asked.bytes.0,
            carries: asked.bytes.1,
        }),
        about: None,
    };
    flows.owner(&packet(
        asked.time,
        WAYS[asked.way],
        asked.netns,
        Some(ends),
    ))
}

/// Whether something gave this process a socket that has to do with the packet's local port.
fn is_given(told: &[Told], asked: &Asked, pid: u32) -> bool {
    let out = matches!(WAYS[asked.way], "out" | "lo");
    let (local, remote) = if out {
        (asked.source, asked.destination)
    } else {
        (asked.destination, asked.source)
    };
    let sockets = told.iter().filter(|it| it.pid == Some(pid));
    let mut cookies = sockets.map(|it| it.cookie);
    cookies.any(|cookie| {
        let mut same = told.iter().filter(|it| it.cookie == cookie);
        same.any(|it| {
            let here = it.netns == asked.netns && it.local.is_some_and(|it| it.1 == local.1);
            let both = it.local == Some(local) && it.remote == Some(remote);
            here && (both || KINDS[it.kind] == EventKind::Listening)
        })
    })
}

/// One after the other uses the same two ends.
#[derive(Clone, Debug)]
struct Use {
    pid: u32,
    /// Nanoseconds from the end of the one before, and how long it goes on.
    after: u64,
    lasts: u64,
    /// An answer that comes so long after its end, if nobody has begun by then.
    late: u64,
}

fn one_use() -> impl Strategy<Value = Use> {
    (
        1_u32..5,
        1_u64..4_000_000,
        200_000_u64..5_000_000,
        0_u64..4_000_000,
    )
        .prop_map(|(pid, after, lasts, late)| Use {
            pid,
            after,
            lasts,
            late,
        })
}

/// Somebody writes to a connection that several have.
#[derive(Clone, Debug)]
struct Write {
    pid: u32,
    bytes: u32,
    /// Nanoseconds from the end of the call before to the packets, and from there to the end of this
    /// one.
    after: u64,
    takes: u64,
    /// Whether it is told where in the stream.
    numbered: bool,
}

fn one_write() -> impl Strategy<Value = Write> {
    let what = (1_u32..4, 1_u32..3_000, prop::bool::weighted(0.9));
    let when = (1_u64..3_000_000, 0_u64..1_900_000);
    (what, when).prop_map(|((pid, bytes, numbered), (after, takes))| Write {
        pid,
        bytes,
        after,
        takes,
        numbered,
    })
}

proptest! {
    #[test]
    fn no_process_is_named_that_nothing_gave(
        told in vec(told(), 0..60),
        asked in vec(asked(), 0..40),
        in_order in any::<bool>(),
    ) {
        let mut told = told;
        if in_order {
            told.sort_by_key(|it| it.time);
        }
        let mut flows = Flows::default();
        for it in &told {
            flows.apply(&Observed::Event(event(it)));
        }
        for it in &asked {
            match owner(&mut flows, it) {
                PacketOwner::Known { process, .. } => {
                    prop_assert!(is_given(&told, it, process.pid), "{it:?} {process}");
                }
                PacketOwner::Unknown(why) => prop_assert!(words().contains(&why.word())),
            }
            flows.forget(it.time * 10_000);
        }
    }

    #[test]
    fn who_wrote_is_named_or_nobody(
        writes in vec(one_write(), 1..30),
        begins: u32,
    ) {
        let (here, there) = ((1, 1), (2, 2));
        let mut flows = Flows::default();
        let told = |kind, time, pid, detail| {
            let told = Told {
                kind: KINDS.iter().position(|known| *known == kind).unwrap(),
                time,
                cookie: 1,
                tcp: true,
                pid: Some(pid),
                netns: 1,
                local: Some(here),
                remote: Some(there),
            };
            Observed::Event(Event { detail, ..event(&told) })
        };
        flows.apply(&told(EventKind::FirstPacket, 1, 1, Detail::Nothing));
        let (mut time, mut owner, mut number) = (1_000_000, 1, begins);
        let (mut packets, mut all_numbered, mut changes) = (Vec::new(), true, 0);
        for it in &writes {
            time += it.after;
            let from = number;
            let mut left = it.bytes;
            while left > 0 {
                let bytes = left.min(1_000);
                packets.push((time, number, bytes, it.pid));
                number = number.wrapping_add(bytes);
                left -= bytes;
            }
            time += it.takes;
            if it.pid != owner {
                let detail = if it.numbered { Detail::Wrote { from } } else { Detail::Nothing };
                flows.apply(&told(EventKind::OwnerChanged, time, it.pid, detail));
                owner = it.pid;
                changes += 1;
                all_numbered &= it.numbered;
            }
        }
        for (time, sequence, bytes, pid) in packets {
            let asked = Asked {
                time,
                way: 0,
                tcp: true,
                netns: 1,
                source: here,
                destination: there,
                flags: 24,
                part: 0,
                bytes: (sequence, Some(bytes)),
            };
            match self::owner(&mut flows, &asked) {
                PacketOwner::Known { process, .. } => prop_assert_eq!(process.pid, pid),
                PacketOwner::Unknown(why) => {
                    prop_assert_eq!(why.word(), "several");
                    prop_assert!(!all_numbered || changes >= 16);
                }
            }
        }
    }

    #[test]
    fn nobody_else_is_named(uses in vec(one_use(), 1..12), tcp in any::<bool>()) {
        let (here, there) = ((1, 1), (2, 2));
        let mut flows = Flows::default();
        let mut packets = Vec::new();
        let mut time = 1_000_000;
        for (number, it) in (1..).zip(&uses) {
            let begins = time + it.after;
            let ends = begins + it.lasts;
            let told = |kind, time| Told {
                kind: KINDS.iter().position(|known| *known == kind).unwrap(),
                time,
                cookie: number,
                tcp,
                pid: Some(it.pid),
                netns: 1,
                local: Some(here),
                remote: (tcp || kind != EventKind::Closed).then_some(there),
            };
            flows.apply(&Observed::Event(event(&told(EventKind::FirstPacket, begins))));
            flows.apply(&Observed::Event(event(&told(EventKind::Closed, ends))));
            let sent = |time, flags| (time, 0, flags, it.pid);
            let came = |time, flags| (time, 1, flags, it.pid);
            packets.push(sent(begins + 10_000, 2));
            packets.push(came(begins + 50_000, 18));
            packets.push(sent(begins + it.lasts / 2, 24));
            packets.push(came(ends - 1, 17));
            let next = uses.get(usize::try_from(number).unwrap());
            if tcp && next.is_none_or(|next| it.late < next.after) {
                packets.push(came(ends + it.late, 17));
                packets.push(sent(ends + it.late, 16));
            }
            time = ends;
        }
        packets.sort_by_key(|(time, ..)| *time);
        for (time, way, flags, pid) in packets {
            let (source, destination) = if way == 0 { (here, there) } else { (there, here) };
            let asked = Asked { time, way, tcp, netns: 1, source, destination, flags, part: 0, bytes: (0, None) };
            match owner(&mut flows, &asked) {
                PacketOwner::Known { process, .. } => prop_assert_eq!(process.pid, pid),
                PacketOwner::Unknown(why) => prop_assert!(false, "{} {:?}", why.word(), asked),
            }
        }
    }
}

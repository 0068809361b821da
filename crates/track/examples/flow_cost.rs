//! What it costs to find out whose a packet is: `cargo run --release -p track --example flow_cost`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring program for people"
)]

use std::net::IpAddr;

use model::{
    BootId, Detail, Endpoint, Event, EventKind, InterfaceKey, LinkType, NetworkNamespace, Observed,
    Packet, PacketEnds, PacketOwner, Part, ProcessId, Protocol, SocketKey, Source, TcpSegment,
    Timestamp, Way,
};
use track::flows::Flows;

const ASKED: u32 = 5_000_000;

fn main() {
    for flows in [1_000, 100_000, 390_000, 1_000_000] {
        measure(flows);
    }
}

fn measure(count: u32) {
    let mut flows = Flows::default();
    let began = cpu_ns();
    for number in 0..count {
        flows.apply(&Observed::Event(event(number)));
    }
    let told = (cpu_ns() - began) / u64::from(count);
    let kept = count.min(300_000);
    let mut known = 0_u32;
    let began = cpu_ns();
    let mut number = 1_u32;
    for _ in 0..ASKED {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let packet = packet(count - 1 - (number >> 8) % kept, Way::In);
        known += u32::from(matches!(flows.owner(&packet), PacketOwner::Known { .. }));
    }
    let asked = (cpu_ns() - began) / u64::from(ASKED);
    let began = cpu_ns();
    for _ in 0..ASKED {
        flows.owner(&packet(count - 1, Way::Out));
    }
    let same = (cpu_ns() - began) / u64::from(ASKED);
    println!(
        "{count} flows: {told} ns an event, {asked} ns a packet of any, {same} ns of the same one, {known} known, {} let go",
        flows.let_go()
    );
}

/// CPU time of this thread: others may be at work, too.
fn cpu_ns() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    told.split(' ').next().unwrap().parse().unwrap()
}

fn ends(number: u32) -> (Endpoint, Endpoint) {
    let port = u16::try_from(number % 60_000).unwrap() + 1_024;
    let [.., high, low] = (number / 60_000).to_be_bytes();
    let local = Endpoint::new(IpAddr::from([192, 0, 2, 7]), port);
    (local, Endpoint::new(IpAddr::from([203, 0, high, low]), 443))
}

fn event(number: u32) -> Event {
    let (local, remote) = ends(number);
    Event {
        seq: number.into(),
        time: Timestamp::from_unix_nanos(number.into()),
        boot_ns: number.into(),
        source: Source::Ebpf,
        kind: EventKind::FirstPacket,
        process: Some(ProcessId {
            boot: BootId([1; 16]),
            pid: number % 5_000,
            start_ticks: 1,
        }),
        thread: None,
        netns: Some(NetworkNamespace(1)),
        socket: Some(SocketKey {
            inode: None,
            cookie: Some(number.into()),
        }),
        protocol: Some(Protocol::Tcp),
        local: Some(local),
        remote: Some(remote),
        error: None,
        bytes_sent: None,
        bytes_received: None,
        packets_sent: None,
        packets_received: None,
        detail: Detail::Nothing,
    }
}

fn packet(number: u32, way: Way) -> Packet<'static> {
    let (local, remote) = ends(number);
    let (source, destination) = if way == Way::Out {
        (local, remote)
    } else {
        (remote, local)
    };
    Packet {
        time: Timestamp::from_unix_nanos(10_000_000),
        boot_ns: 10_000_000,
        interface: InterfaceKey {
            netns: Some(NetworkNamespace(1)),
            index: 2,
        },
        link: LinkType::ETHERNET,
        way,
        loopback: false,
        length: 60,
        bytes: &[],
        ends: Some(PacketEnds {
            protocol: Protocol::Tcp,
            source,
            destination,
            part: Part::Whole,
            tcp: Some(TcpSegment {
                flags: 16,
                sequence: 0,
                carries: Some(0),
            }),
            about: None,
        }),
    }
}

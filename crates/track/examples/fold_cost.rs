//! What it costs to fold events into connections, and how much memory that takes.
//!
//! `cargo run --release -p track --example fold_cost [EVENTS]` plays 1,000 connections a second:
//! each is asked for, sends its first packet, opens and closes on one end, is accepted and closes
//! on the other. First one long-lived program makes them all, then each belongs to a process that
//! starts and ends with it. A view is taken each second, as a screen would. Without a number it
//! plays a million events of each kind. Whatever else runs on the computer makes the times longer;
//! the shortest of several runs is the one to keep.

use std::hint::black_box;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{
    BootId, Detail, Endpoint, Event, EventKind, Host, NetworkNamespace, Observed, PathState,
    Process, ProcessId, Protocol, SocketKey, Source, Text, Tier, Timestamp,
};
use track::{Limits, Tracker};

const BOOT: BootId = BootId([7; 16]);
const CONNECTIONS_A_SECOND: u64 = 1000;
const BATCHES_A_SECOND: u64 = 50;
const SECOND_NS: u64 = 1_000_000_000;
const SERVER: u32 = 1;
const LONG_LIVED: u32 = 2;

/// Who makes the connections.
#[derive(Clone, Copy)]
enum Callers {
    One,
    /// Each makes one.
    Many,
}

fn main() -> io::Result<()> {
    let wanted = std::env::args().nth(1);
    let events = wanted.and_then(|it| it.parse().ok()).unwrap_or(1_000_000);
    let mut out = io::stdout().lock();
    writeln!(out, "one long-lived program")?;
    play(Callers::One, events / (CONNECTIONS_A_SECOND * 6), &mut out)?;
    writeln!(out, "a process for each connection")?;
    play(Callers::Many, events / (CONNECTIONS_A_SECOND * 8), &mut out)
}

fn play(callers: Callers, seconds: u64, out: &mut impl Write) -> io::Result<()> {
    let host = Host {
        name: Text::from("here"),
        boot: BOOT,
    };
    let mut tracker = Tracker::new(host, Tier::Full, Limits::default());
    for pid in [SERVER, LONG_LIVED] {
        tracker.apply(Observed::Process(process(pid, 0)), &mut |_, _, _| {});
    }
    let (mut folding, mut viewing) = (Duration::ZERO, Duration::ZERO);
    let (mut events, mut told) = (0_u64, 0_u64);
    let mut view = tracker.snapshot();
    for second in 0..seconds {
        for batch in 0..BATCHES_A_SECOND {
            let seen = batch_of_events(callers, second * BATCHES_A_SECOND + batch);
            let is_event = |it: &&Observed| matches!(it, Observed::Event(_));
            events += u64::try_from(seen.iter().filter(is_event).count()).unwrap_or(0);
            let start = Instant::now();
            for observed in seen {
                tracker.apply(observed, &mut |_, _, connection| {
                    told += 1;
                    black_box(connection);
                });
            }
            folding += start.elapsed();
        }
        let start = Instant::now();
        view = tracker.snapshot();
        viewing += start.elapsed();
        if (second + 1).is_power_of_two() || second + 1 == seconds {
            writeln!(
                out,
                "{events:>10} events  {:>5} ns each  {:>5} us a view  {:>7} KiB",
                nanos(folding) / events,
                nanos(viewing) / (second + 1) / 1000,
                resident_kib(),
            )?;
        }
    }
    let of_a_core = nanos(folding + viewing) / seconds.max(1) / 100_000;
    writeln!(
        out,
        "{}.{:02} % of a core; {told} changes; kept: {} connections, {} processes, {} pairs; {:?}",
        of_a_core / 100,
        of_a_core % 100,
        view.connections.len(),
        view.processes.len(),
        view.pairs.len(),
        tracker.let_go(),
    )
}

/// What a reader hands on at once, with a tick at the end.
fn batch_of_events(callers: Callers, batch: u64) -> Vec<Observed> {
    const CONNECTIONS: u64 = CONNECTIONS_A_SECOND / BATCHES_A_SECOND;
    let mut seen = Vec::new();
    for number in batch * CONNECTIONS..(batch + 1) * CONNECTIONS {
        let start = number * (SECOND_NS / CONNECTIONS_A_SECOND);
        one_connection(callers, number, start, &mut seen);
    }
    let end = (batch + 1) * (SECOND_NS / BATCHES_A_SECOND);
    seen.push(Observed::Event(event(EventKind::Tick, end)));
    seen
}

fn one_connection(callers: Callers, number: u64, start: u64, seen: &mut Vec<Observed>) {
    let port = u16::try_from(20_000 + number % 40_000).unwrap_or(0);
    let client = Endpoint::new(IpAddr::from([127, 0, 0, 1]), port);
    let octet = u8::try_from(number % 100).unwrap_or(0);
    let server = Endpoint::new(IpAddr::from([127, 0, 1, octet]), 443);
    let pid = 100 + u32::try_from(number % 4_000_000).unwrap_or(0);
    let (id, served_by) = match callers {
        Callers::One => (process_id(LONG_LIVED, 0), process_id(SERVER, 0)),
        Callers::Many => (process_id(pid, ticks(start)), process_id(SERVER, 0)),
    };
    let caller = |kind, at: u64| Event {
        process: Some(id),
        socket: Some(socket(2 * number + 1)),
        local: Some(client),
        remote: Some(server),
        ..event(kind, start + at)
    };
    let called = |kind, at: u64| Event {
        process: Some(served_by),
        socket: Some(socket(2 * number + 2)),
        local: Some(server),
        remote: Some(client),
        ..event(kind, start + at)
    };
    let counted = |event| Event {
        bytes_sent: Some(512),
        bytes_received: Some(2048),
        ..event
    };
    let about = |kind, at: u64| Event {
        process: Some(id),
        protocol: None,
        ..event(kind, start + at)
    };
    let attempt = Event {
        local: None,
        ..caller(EventKind::Attempt, 1000)
    };
    if let Callers::Many = callers {
        seen.push(Observed::Process(process(pid, ticks(start))));
        seen.push(Observed::Event(about(EventKind::ProcessExec, 0)));
    }
    seen.extend(
        [
            attempt,
            caller(EventKind::FirstPacket, 2000),
            caller(EventKind::Opened, 50_000),
            called(EventKind::Accepted, 50_000),
            counted(caller(EventKind::Closed, 800_000)),
            counted(called(EventKind::Closed, 850_000)),
        ]
        .map(Observed::Event),
    );
    if let Callers::Many = callers {
        let ended = Process {
            ended: Some(time(start + 900_000)),
            ..Arc::unwrap_or_clone(process(pid, ticks(start)))
        };
        seen.push(Observed::Process(Arc::new(ended)));
        seen.push(Observed::Event(about(EventKind::ProcessEnded, 900_000)));
    }
}

fn event(kind: EventKind, boot_ns: u64) -> Event {
    Event {
        seq: 0,
        time: time(boot_ns),
        boot_ns,
        source: Source::Ebpf,
        kind,
        process: None,
        thread: None,
        netns: Some(NetworkNamespace(4_026_531_840)),
        socket: None,
        protocol: Some(Protocol::Tcp),
        local: None,
        remote: None,
        error: None,
        bytes_sent: None,
        bytes_received: None,
        packets_sent: None,
        packets_received: None,
        detail: Detail::Nothing,
    }
}

fn process(pid: u32, start_ticks: u64) -> Arc<Process> {
    Arc::new(Process {
        id: process_id(pid, start_ticks),
        started: Some(time(start_ticks * (SECOND_NS / 100))),
        ended: None,
        name: Text::from("caller"),
        path: Some(Text::from("/usr/lib/somewhere/caller")),
        path_state: PathState::Present,
        file: None,
        sha256: None,
        command_line: Some(vec![Text::from("caller"), Text::from("--once")]),
        command_line_truncated: false,
        uid: Some(1000),
        user: Some(Text::from("lena")),
        parents: Vec::new(),
        container: None,
        unit: None,
        netns: Some(NetworkNamespace(4_026_531_840)),
        kernel_thread: false,
        examined: None,
    })
}

fn process_id(pid: u32, start_ticks: u64) -> ProcessId {
    ProcessId {
        boot: BOOT,
        pid,
        start_ticks,
    }
}

fn ticks(boot_ns: u64) -> u64 {
    boot_ns / (SECOND_NS / 100)
}

fn socket(cookie: u64) -> SocketKey {
    SocketKey {
        inode: None,
        cookie: Some(cookie),
    }
}

fn time(boot_ns: u64) -> Timestamp {
    const BOOTED: i64 = 1_795_000_000_000_000_000;
    Timestamp::from_unix_nanos(BOOTED.saturating_add_unsigned(boot_ns))
}

/// How much memory the process has, as the kernel says; 0 where it does not.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|it| it.parse().ok()).unwrap_or(0)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

//! What it costs to read a case of a million connections and to fold it again:
//!
//!     cargo run --release -p record --example case_cost -- [CONNECTIONS] [SEGMENTS]
//!
//! A day of 200 programs; each connection is asked for, leaves, comes about and ends, as the full
//! tier tells it, with its process before it where that is a new one. Prints what writing, reading,
//! folding and both at once take, and the memory at the end.

use std::fs;
use std::io::{self, BufReader, Cursor, Write as _};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{
    BootId, Detail, Endpoint, Event, EventKind, FileIdentity, Host, NetworkNamespace, Observed,
    Parent, PathState, Process, ProcessId, Protocol, SocketKey, Source, Text, Tier, Timestamp,
};
use record::lines::{Encoder, Line, Lines, Read, Replay, Segment};
use track::{Limits, Tracker};

const BOOT: BootId = BootId([0xf2; 16]);
const BEGAN: i64 = 1_795_300_000_000_000_000;
const PROGRAMS: u64 = 200;
const DAY_NS: u64 = 86_400_000_000_000;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: u64| {
        let given = arguments.next().and_then(|it| it.parse().ok());
        given.unwrap_or(usual)
    };
    let (connections, segments) = (number(1_000_000), number(4));

    let begun = Instant::now();
    let written = write(connections, segments);
    let bytes: usize = written.iter().map(Vec::len).sum();
    let seen: usize = written.iter().map(|it| lines(it)).sum();
    tell(&mut out, "written", begun.elapsed(), seen, bytes)?;

    let begun = Instant::now();
    let read: usize = written
        .iter()
        .map(|it| Lines::new(it.as_slice()).count())
        .sum();
    tell(&mut out, "read", begun.elapsed(), read, bytes)?;

    let open = |bytes: Vec<u8>| -> Segment {
        Box::new(|| {
            Ok(Box::new(BufReader::with_capacity(
                1 << 20,
                Cursor::new(bytes),
            )))
        })
    };
    let before = resident();
    let begun = Instant::now();
    let mut tracker = Tracker::new(host(), Tier::Full, Limits::CASE);
    let mut folding = Duration::ZERO;
    for read in Replay::of(written.into_iter().map(open).collect())? {
        let Read::Lines { lines, .. } = read else {
            continue;
        };
        let folds = Instant::now();
        for line in lines {
            if let Line::Observed(observed) = line {
                tracker.apply(observed, &mut |_, _, _| {});
            }
        }
        folding += folds.elapsed();
    }
    tell(&mut out, "read and folded", begun.elapsed(), seen, bytes)?;
    writeln!(
        out,
        "  of that, folding took {:.2} s",
        folding.as_secs_f64()
    )?;
    let begun = Instant::now();
    let view = tracker.snapshot();
    let closed = view.connections.iter().filter(|it| it.closed.is_some());
    writeln!(
        out,
        "{} connections, {} of them over; {} pairs; let go {:?}; a view of all took {:.3} s",
        view.connections.len(),
        closed.count(),
        view.pairs.len(),
        tracker.let_go(),
        begun.elapsed().as_secs_f64(),
    )?;
    writeln!(
        out,
        "memory: {} MB with the lines, {} MB before, {} MB at most",
        resident(),
        before,
        status("VmHWM"),
    )?;
    Ok(())
}

fn tell(
    out: &mut impl io::Write,
    what: &str,
    took: Duration,
    lines: usize,
    bytes: usize,
) -> io::Result<()> {
    let seconds = took.as_secs_f64();
    writeln!(
        out,
        "{what}: {lines} lines, {} MB in {seconds:.2} s: {:.0} lines a second, {:.0} MB a second, {:.0} bytes a line",
        bytes / 1_000_000,
        lines as f64 / seconds,
        bytes as f64 / seconds / 1e6,
        bytes as f64 / lines as f64,
    )
}

fn lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// MB of this process in memory, as `/proc` says.
fn resident() -> u64 {
    status("VmRSS")
}

fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    number.unwrap_or(0) / 1024
}

fn host() -> Host {
    Host {
        name: Text::from("lena-laptop"),
        boot: BOOT,
    }
}

/// All segments, each in memory.
fn write(connections: u64, segments: u64) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new();
    let mut day = Day::default();
    let each = connections.div_ceil(segments);
    let segment = |number: u64| {
        let mut out = Vec::new();
        let number_of_segment = u32::try_from(number + 1).unwrap_or(u32::MAX);
        let taken = Timestamp::from_unix_nanos(BEGAN);
        encoder.start(&host(), taken, Tier::Full, number_of_segment, &mut out);
        for connection in number * each..((number + 1) * each).min(connections) {
            day.connection(connection, DAY_NS / connections, &mut |observed| {
                encoder.observed(observed, &mut out);
            });
        }
        out
    };
    (0..segments).map(segment).collect()
}

/// What has been told of.
#[derive(Default)]
struct Day {
    seq: u64,
    second: u64,
}

impl Day {
    /// A connection from its beginning to its end, the one before still on its way.
    fn connection(&mut self, number: u64, pause_ns: u64, tell: &mut dyn FnMut(&Observed)) {
        let at = number * pause_ns + 5_000_000_000;
        while self.second * 1_000_000_000 < at {
            let tick = self.event(EventKind::Tick, self.second * 1_000_000_000);
            self.second += 1;
            tell(&Observed::Event(tick));
        }
        let program = number % PROGRAMS;
        // Each program is started anew a hundred times a day.
        let run = number * 100 / 1_000_000_u64.max(number + 1);
        let process = ProcessId {
            boot: BOOT,
            pid: u32::try_from(1000 + program + run * PROGRAMS).unwrap_or(0),
            start_ticks: 500 + run * 86_400,
        };
        if number % 10_000 < PROGRAMS {
            tell(&Observed::Process(Arc::new(self.process(process, program))));
        }
        let [.., second, third, last] = (number % 5_000).to_be_bytes();
        let remote = Ipv4Addr::new(203, second, third, last);
        let remote = Endpoint::new(remote.into(), 443);
        let port = u16::try_from(32_768 + number % 28_000).unwrap_or(0);
        let local = Endpoint::new(Ipv4Addr::new(192, 0, 2, 7).into(), port);
        let of_socket = |event: Event| Event {
            process: Some(process),
            thread: Some(process.pid),
            netns: Some(NetworkNamespace(4_026_531_840)),
            socket: Some(SocketKey {
                inode: None,
                cookie: Some(20_000_000 + number),
            }),
            protocol: Some(Protocol::Tcp),
            remote: Some(remote),
            ..event
        };
        let attempt = of_socket(self.event(EventKind::Attempt, at));
        tell(&Observed::Event(attempt));
        for (kind, after) in [
            (EventKind::FirstPacket, 40_000),
            (EventKind::Opened, 9_000_000),
        ] {
            let event = of_socket(self.event(kind, at + after));
            tell(&Observed::Event(Event {
                local: Some(local),
                ..event
            }));
        }
        let closed = of_socket(self.event(EventKind::Closed, at + 60_000_000));
        tell(&Observed::Event(Event {
            thread: None,
            local: Some(local),
            bytes_sent: Some(512 + number % 4_096),
            bytes_received: Some(20_480 + number % 65_536),
            packets_sent: Some(12),
            packets_received: Some(20),
            ..closed
        }));
    }

    fn event(&mut self, kind: EventKind, boot_ns: u64) -> Event {
        self.seq += 1;
        let since = i64::try_from(boot_ns).unwrap_or(0);
        Event {
            seq: self.seq,
            time: Timestamp::from_unix_nanos(BEGAN + since),
            boot_ns,
            source: Source::Ebpf,
            kind,
            process: None,
            thread: None,
            netns: None,
            socket: None,
            protocol: None,
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

    fn process(&self, id: ProcessId, program: u64) -> Process {
        let path = Text::from(format!("/usr/lib/program-{program}/bin/program-{program}"));
        let shell = Parent {
            pid: 1,
            name: Text::from("systemd"),
            path: Some(Text::from("/usr/lib/systemd/systemd")),
        };
        Process {
            id,
            started: Timestamp::from_unix_nanos(BEGAN),
            ended: None,
            name: Text::from(format!("program-{program}")),
            path: Some(path.clone()),
            path_state: PathState::Present,
            file: Some(FileIdentity {
                device: 65_024,
                inode: 10_200_000 + program,
            }),
            sha256: Some([7; 32]),
            command_line: Some(vec![path, Text::from("--quiet")]),
            command_line_truncated: false,
            uid: Some(1000),
            user: Some(Text::from("lena")),
            parents: vec![shell.clone(), shell],
            container: None,
            unit: Some(Text::from("session-3.scope")),
            netns: Some(NetworkNamespace(4_026_531_840)),
            kernel_thread: false,
        }
    }
}

//! What it costs to read a case of a million connections and to fold it again:
//!
//!     cargo run --release -p record --example case_cost -- [CONNECTIONS] [SEGMENTS]
//!
//! Prints what writing, reading, folding and both at once take, and the memory at the end.

#[path = "common/day.rs"]
mod day;

use std::fs;
use std::io::{self, BufReader, Cursor, Write as _};
use std::time::{Duration, Instant};

use model::{Tier, Timestamp};
use record::lines::{Encoder, Line, Lines, Read, Replay, Segment};
use track::{Limits, Tracker};

use self::day::{BEGAN, DAY_NS, Day, host};

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

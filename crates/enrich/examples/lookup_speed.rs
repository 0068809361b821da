//! How long one question takes when many are asked, and what the opened tables take of memory:
//! `bench/lookup.sh` runs it.

#![expect(clippy::print_stdout, reason = "a measurement says what it measured")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use enrich::tables::Tables;

const QUESTIONS: u32 = 2_000_000;
const ROUNDS: usize = 9;
const SOME: usize = 5_000;

fn main() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut bytes = || next().to_be_bytes();
    let v4: Vec<IpAddr> = (0..QUESTIONS)
        .map(|_| {
            let [a, b, c, d, ..] = bytes();
            Ipv4Addr::new(a % 223 + 1, b, c, d).into()
        })
        .collect();
    let v6: Vec<IpAddr> = (0..QUESTIONS)
        .map(|_| {
            let [a, b, c, d, e, f, ..] = bytes();
            let number =
                u128::from_be_bytes([0x2a, a & 15, b, c, d, e, f, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
            Ipv6Addr::from_bits(number).into()
        })
        .collect();
    // What a screen or a case asks: some thousand addresses, each again and again.
    let again: Vec<IpAddr> = v4
        .iter()
        .copied()
        .take(SOME)
        .cycle()
        .take(v4.len())
        .collect();
    let before = memory_kib();
    let start = Instant::now();
    let tables = Tables::embedded();
    println!(
        "open the directory  {:>8.1} us",
        start.elapsed().as_secs_f64() * 1e6
    );
    let start = Instant::now();
    std::hint::black_box(tables.address(Ipv4Addr::new(216, 6, 0, 28).into()));
    println!(
        "first question      {:>8.1} us",
        start.elapsed().as_secs_f64() * 1e6
    );
    let start = Instant::now();
    let whole = tables.check().is_ok();
    let all = start.elapsed().as_secs_f64() * 1e3;
    println!("open every block    {all:>8.1} ms, whole: {whole}");
    // Every part of the tables, once.
    for upper in 0..1_u32 << 16 {
        std::hint::black_box(tables.find(Ipv4Addr::from_bits(upper << 16).into()));
    }
    for upper in 0x20_0000..0x40_0000_u128 {
        std::hint::black_box(tables.find(Ipv6Addr::from_bits(upper << 104).into()));
    }
    let after = memory_kib();
    println!(
        "memory              {:>8.1} MB more than before; with what was read of the file of the \
         program {:.1} MB",
        (after.0 - before.0) / 1024.0,
        (after.1 - before.1) / 1024.0
    );
    for (name, all) in [
        ("IPv4, of all addresses at random", &v4),
        ("IPv6, of all addresses at random", &v6),
        ("IPv4, 5,000 addresses again and again", &again),
    ] {
        let mut rounds = [0.0; ROUNDS];
        let mut known = 0_u32;
        for round in &mut rounds {
            let before = processor_ns();
            known = 0;
            for ip in all {
                let found = std::hint::black_box(tables.find(*ip));
                known += u32::from(found.announced_by.is_some());
            }
            *round = (processor_ns() - before) / f64::from(QUESTIONS);
        }
        rounds.sort_by(f64::total_cmp);
        let [least, .., most] = rounds;
        let median = rounds.get(ROUNDS / 2).copied().unwrap_or(most);
        println!(
            "{name}: {median:.0} ns of processor time a question, median of {ROUNDS} rounds \
             ({least:.0} to {most:.0}); {known} of {QUESTIONS} announced"
        );
    }
    println!("for comparison, a byte of so many, where the one before says:");
    for size in [1_usize << 20, 4 << 20, 16 << 20] {
        println!("{:>4} MiB: {:.0} ns", size >> 20, a_byte_of(size));
    }
}

/// How long it takes to read a byte when the one before says where it is: what memory costs on this
/// computer just now.
fn a_byte_of(size: usize) -> f64 {
    const READS: u32 = 1_000_000;
    let bytes: Vec<u8> = (0_u8..251).cycle().take(size).collect();
    let before = processor_ns();
    let mut place = 1_u64;
    for number in 0..READS {
        place = (place + u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let at = usize::try_from(place).unwrap_or(0) % size;
        place += bytes.get(at).copied().map_or(0, u64::from);
    }
    std::hint::black_box(place);
    (processor_ns() - before) / f64::from(READS)
}

/// What this process holds of memory: its own, and all with what it reads of its file (`RssAnon`
/// and `VmRSS` of proc(5)).
fn memory_kib() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|it| it.parse().ok()).unwrap_or(0.0)
    };
    (of("RssAnon:"), of("VmRSS:"))
}

/// How long this process has run on a processor so far (`schedstat`, proc(5)): others that run
/// beside it do not count, but for the caches that they take.
fn processor_ns() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|it| it.parse().ok()).unwrap_or(0.0)
}

//! What it costs to take packets from the kernel's rings and their headers apart: captures for so
//! many seconds (10), with so many MiB of ring (256), in every network namespace, and tells how much
//! passed each interface, what was lost, and the CPU time of the capturing thread for each packet.
//! Needs root.
#![expect(clippy::print_stdout, reason = "its result")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use model::{Gap, InterfaceKey, Observed};
use observe::packets::{Captured, Depth, PacketOptions, Packets};
use observe::{Watch, WatchOptions};
use rustix::time::{ClockId, clock_gettime};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Said at the end: the event reader has told everything by now.
const END: u64 = u64::MAX;

fn main() -> ExitCode {
    observe::helped().unwrap_or_else(|| match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    })
}

fn run() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let time = Duration::from_secs(number(10)?);
    let ring_bytes = number(256)? << 20;
    let mut watch = Watch::start(WatchOptions {
        packets: Some(PacketOptions {
            depth: Depth::Full,
            ring_bytes,
        }),
        ..WatchOptions::default()
    })?;
    let packets = watch.packets().ok_or("no packets")?;
    let until = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&until);
    let start = Instant::now();
    let taking = thread::spawn(move || take(packets, &told));
    println!("ready");
    let mut seen = Vec::new();
    while start.elapsed() < time {
        watch.next(Duration::from_millis(100), &mut seen)?;
        for observed in seen.drain(..) {
            match observed {
                Observed::Look(look) => look.gaps.iter().for_each(say),
                Observed::Gap(gap) => say(&gap),
                Observed::Event(_) | Observed::Process(_) | Observed::Counts(_) => {}
            }
        }
        until.store(watch.until(), Ordering::Release);
    }
    until.store(END, Ordering::Release);
    taking.join().map_err(|_| "the thread panicked")?
}

fn take(mut packets: Packets, until: &AtomicU64) -> Result<(), Failure> {
    let mut interfaces = BTreeMap::<InterfaceKey, (String, u64, u64)>::new();
    let (mut all, mut with_ends) = (0_u64, 0_u64);
    loop {
        let until = until.load(Ordering::Acquire);
        let mut taken = |captured: Captured<'_>| match captured {
            Captured::Packet(packet, _) => {
                all += 1;
                with_ends += u64::from(packet.ends.is_some());
                let (_, count, bytes) = interfaces.entry(packet.interface).or_default();
                *count += 1;
                *bytes += u64::from(packet.length);
            }
            Captured::Interface(interface) => {
                let known = interfaces.entry(interface.key).or_default();
                known.0 = format!("{} {:?}", interface.name.lossy(), interface.addresses);
            }
            Captured::Gap(gap) => say(&gap),
        };
        let count = packets.next(Duration::from_millis(100), until, &mut taken)?;
        if until == END && count == 0 {
            break;
        }
    }
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    let spent = spent.tv_sec.unsigned_abs() * 1_000_000_000 + spent.tv_nsec.unsigned_abs();
    for (key, (name, count, bytes)) in interfaces {
        let netns = key.netns.map_or(0, |netns| netns.0);
        println!(
            "interface {netns}/{} {name} packets {count} bytes {bytes}",
            key.index
        );
    }
    for counts in packets.counts() {
        println!("{counts:?}");
    }
    println!(
        "packets {all} with_ends {with_ends} cpu_ms {} ns_per_packet {}",
        spent / 1_000_000,
        spent / all.max(1)
    );
    Ok(())
}

fn say(gap: &Gap) {
    println!(
        "gap {} {:?}: {}; {}",
        gap.id, gap.count, gap.why, gap.missed
    );
}

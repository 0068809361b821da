//! What it costs to take events from the kernel: waits so many seconds without reading, while
//! something else makes connections, then reads all that has gathered and tells the CPU time for
//! each event. Needs root. Called by bench/reader.sh.
#![expect(clippy::print_stdout, reason = "its result")]

use std::thread;
use std::time::Duration;

use model::Observed;
use observe::{Watch, WatchOptions};
use rustix::time::{ClockId, clock_gettime};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds = std::env::args().nth(1).unwrap_or_else(|| "5".to_owned());
    let mut watch = Watch::start(WatchOptions::default())?;
    let mut seen = Vec::new();
    // The first look.
    watch.next(Duration::ZERO, &mut seen)?;
    println!("ready, tier {}", watch.tier().word());
    thread::sleep(Duration::from_secs(seconds.parse()?));
    let (start, mut events) = (cpu_nanos(), 0_u64);
    loop {
        seen.clear();
        watch.next(Duration::from_millis(30), &mut seen)?;
        let is_event = |it: &&Observed| matches!(it, Observed::Event(_));
        let new = seen.iter().filter(is_event).count();
        events += u64::try_from(new)?;
        if new < 2 {
            break;
        }
    }
    let spent = cpu_nanos() - start;
    println!(
        "events {events} cpu_ms {} ns_per_event {} lost {}",
        spent / 1_000_000,
        spent / events.max(1),
        watch.totals().lost
    );
    Ok(())
}

fn cpu_nanos() -> u64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec.unsigned_abs() * 1_000_000_000 + spent.tv_nsec.unsigned_abs()
}

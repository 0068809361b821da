//! What it costs to import a file: CPU time, bytes a second, and what came out of it.
//!
//! `import_cost FILE...`

#![expect(clippy::print_stdout, reason = "its answer")]

use std::path::Path;
use std::time::Instant;

use model::Imported;
use observe::import::{Import, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let before = cpu_seconds()?;
        let began = Instant::now();
        let mut import = Import::open(Path::new(&path), Options::default())?;
        let (mut seen, mut counts) = (Vec::new(), [0_u64; 5]);
        let mut goes_on = true;
        while goes_on {
            goes_on = import.next(&mut seen)?;
            for imported in seen.drain(..) {
                let place = match imported {
                    Imported::Connection(_) => 0,
                    Imported::Name(_) => 1,
                    Imported::Process(_) => 2,
                    Imported::Device(_) => 3,
                    Imported::Gap(_) | Imported::Span(..) | Imported::Look(_) => 4,
                };
                if let Some(count) = counts.get_mut(place) {
                    *count += 1;
                }
            }
        }
        let cpu = cpu_seconds()? - before;
        let (_, bytes) = import.progress();
        let megabytes = u32::try_from(bytes / 1_000_000)?;
        let [connections, names, processes, devices, gaps] = counts;
        println!(
            "{path}: {}, {connections} connections, {names} names, {processes} processes, \
             {devices} devices, {gaps} gaps, {} skipped",
            import.kind(),
            import.skipped().count,
        );
        println!(
            "  {cpu:.2} s of CPU in {:.2} s: {:.0} MB/s",
            began.elapsed().as_secs_f64(),
            f64::from(megabytes) / cpu
        );
    }
    Ok(())
}

/// Of this process, all threads, in user and kernel (proc(5), `schedstat`).
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanos = stat.split(' ').next().unwrap_or_default();
    Ok(nanos.parse::<f64>()? / 1e9)
}

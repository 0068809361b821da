//! This computer as it is now, with all its processes looked into and judged: for `check` and `diff`.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use model::{Findings, Process, Snapshot, Unchecked};
use observe::{Depth, LookOptions, Observer};

use super::{data, known};

/// Looks, and looks into processes for so long at most. What is not finished then is said to be.
///
/// Errors: the computer shows nothing of itself.
pub(super) fn judged(polling: bool, wait: Duration) -> Result<Snapshot> {
    let until = Instant::now() + wait;
    let mut observer = Observer::open(polling)?;
    let options = LookOptions {
        every_process: true,
        remembered: false,
    };
    let mut look = observer.look(options)?;
    let left = look_into(&mut look.processes, until);
    let mut snapshot = known::judged(track::with_pairs(track::snapshot(look)));
    snapshot.addresses = data::addresses();
    if left > 0 {
        let findings = snapshot.findings;
        let all = findings.iter().map(Arc::clone).collect();
        let mut unchecked = findings.unchecked().to_vec();
        unchecked.push(Unchecked::NotFinished);
        let ordinary = Arc::clone(findings.all_ordinary());
        snapshot.findings =
            Findings::new(findings.revision(), all, unchecked).with_ordinary(ordinary);
    }
    Ok(snapshot)
}

/// Looks into all processes and hashes their programs, until it is time to stop. Gives how much is left
/// then.
fn look_into(processes: &mut Vec<Process>, until: Instant) -> usize {
    let mut hashed = processes.clone();
    // Another process looks, so that neither waits for the other.
    let (unhashed, unexamined) = thread::scope(|scope| {
        let hashing = scope.spawn(|| observe::hash_programs(&mut hashed, until));
        let unexamined = observe::examine(processes, Depth::Whole, until);
        (hashing.join().unwrap_or(1), unexamined)
    });
    let hashes: HashMap<_, _> = hashed.into_iter().map(|it| (it.id, it.sha256)).collect();
    for process in processes {
        process.sha256 = hashes.get(&process.id).copied().flatten();
    }
    unhashed + unexamined
}

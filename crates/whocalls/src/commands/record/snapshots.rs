//! What there is when a recording begins, and when it ends.

use anyhow::Result;
use model::{Connection, Process, Snapshot, System};
use observe::{LookOptions, Observer};
use record::case::Case;
use show::json::Listing;

/// Everything that one look shows, with what the computer remembers of before.
///
/// Errors: the computer shows nothing of itself.
pub(super) fn first(polling: bool) -> Result<Snapshot> {
    let mut observer = Observer::open(polling)?;
    let look = observer.look(LookOptions {
        every_process: true,
        remembered: true,
    })?;
    Ok(track::snapshot(look))
}

/// Adds what there was at the beginning to the case.
///
/// Errors: of the case.
pub(super) fn add_first(case: &Case, first: &Snapshot, system: &System) -> Result<()> {
    let now = observe::now();
    let system = record::system::document(system);
    case.add(now, "snapshots/first-system.json", &mut system.as_slice())?;
    let first = document(first);
    case.add(now, "snapshots/first.json", &mut first.as_slice())?;
    Ok(())
}

/// All that is known, as `list --json` writes it.
pub(super) fn document(snapshot: &Snapshot) -> Vec<u8> {
    let connections: Vec<&Connection> = snapshot.connections.iter().collect();
    let mut processes: Vec<&Process> = snapshot.processes.values().map(AsRef::as_ref).collect();
    processes.sort_unstable_by_key(|process| process.id);
    let listing = Listing {
        snapshot,
        connections: &connections,
        processes: &processes,
        counts: None,
        remembered: Some(&snapshot.remembered),
    };
    let mut document = Vec::new();
    // Memory can always be written to.
    let _ = show::json::document(listing, &mut document);
    document
}

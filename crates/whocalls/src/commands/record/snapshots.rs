//! What there is when a recording begins, and when it ends.

use anyhow::Result;
use model::{Connection, Gap, Process, Snapshot, Source, System};
use observe::{LookOptions, Observer};
use record::case::Case;
use show::json::{Extent, Listing};

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

/// What there is at the end. `let_go`: so many connections are not in the snapshot any more. Those that
/// were closed first are left out until it has no more bytes than `most`.
pub(super) fn last(snapshot: &Snapshot, let_go: u64, most: Option<u64>) -> Vec<u8> {
    let mut connections: Vec<&Connection> = snapshot.connections.iter().collect();
    let all = connections.len();
    loop {
        let lacks = let_go + (all - connections.len()) as u64;
        let document = if lacks == 0 {
            document_of(snapshot, &connections)
        } else {
            let mut snapshot = snapshot.clone();
            snapshot
                .gaps
                .push(without(lacks, observe::source(snapshot.tier)));
            document_of(&snapshot, &connections)
        };
        let mut closed: Vec<_> = connections.iter().filter_map(|it| it.closed).collect();
        let is_small = most.is_none_or(|most| document.len() as u64 <= most);
        if is_small || closed.is_empty() {
            return document;
        }
        // The half that was closed first.
        let middle = closed.len() / 2;
        let (_, middle, _) = closed.select_nth_unstable(middle);
        let middle = *middle;
        connections.retain(|it| it.closed.is_none_or(|closed| closed > middle));
    }
}

/// What a snapshot of the end lacks.
fn without(connections: u64, source: Source) -> Gap {
    Gap {
        count: Some(connections),
        ..Gap::standing(
            "connections_let_go",
            source,
            "while it records, whocalls keeps a limited number of connections in mind, and what it \
             writes of them at the end takes at most a quarter of --max-size",
            "in this document: connections that ended before the others; the events of the case tell of them",
        )
    }
}

/// All that is known, as `list --json` writes it.
pub(super) fn document(snapshot: &Snapshot) -> Vec<u8> {
    let connections: Vec<&Connection> = snapshot.connections.iter().collect();
    document_of(snapshot, &connections)
}

fn document_of(snapshot: &Snapshot, connections: &[&Connection]) -> Vec<u8> {
    let mut processes: Vec<&Process> = snapshot.processes.values().map(AsRef::as_ref).collect();
    processes.sort_unstable_by_key(|process| process.id);
    let listing = Listing {
        snapshot,
        connections,
        processes: &processes,
        counts: None,
        remembered: Some(&snapshot.remembered),
        extent: Some(Extent {
            waiting_left_out: 0,
            others_left_out: snapshot.connections.len() - connections.len(),
            every_process: true,
        }),
    };
    let mut document = Vec::new();
    // Memory can always be written to.
    let _ = show::json::document(listing, &mut document);
    document
}

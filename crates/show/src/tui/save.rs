//! What the person has chosen, as the bytes of a file.

use std::io;

use model::{Connection, Direction, Process, Snapshot};

use crate::csv;
use crate::json::{self, Extent, Listing};

/// How the name of a file says what it is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Json,
}

impl Format {
    pub(super) fn of(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

fn extent(snapshot: &Snapshot, connections: &[&Connection]) -> Extent {
    let waits = |it: &Connection| it.direction == Direction::Listening;
    let all = snapshot.connections.iter().filter(|it| waits(it)).count();
    let listed = connections.iter().filter(|it| waits(it)).count();
    let left_out = snapshot.connections.len().saturating_sub(connections.len());
    let waiting_left_out = all.saturating_sub(listed);
    Extent {
        waiting_left_out,
        others_left_out: left_out.saturating_sub(waiting_left_out),
        every_process: false,
    }
}

pub(super) fn bytes(
    format: Format,
    snapshot: &Snapshot,
    connections: &[&Connection],
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match format {
        Format::Csv => csv::connections(snapshot, connections, &mut bytes)?,
        Format::Json => {
            let owners = connections.iter().filter_map(|it| snapshot.owner_of(it));
            let mut owners: Vec<&Process> = owners.collect();
            owners.sort_by_key(|it| it.id);
            owners.dedup_by_key(|it| it.id);
            let listing = Listing {
                snapshot,
                connections,
                processes: &owners,
                counts: None,
                remembered: None,
                extent: Some(extent(snapshot, connections)),
            };
            json::document(listing, &mut bytes)?;
        }
    }
    Ok(bytes)
}

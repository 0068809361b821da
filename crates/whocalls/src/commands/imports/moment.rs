//! What captures and logs tell of one moment.

use std::collections::HashSet;
use std::sync::Arc;

use model::{Connection, ConnectionId, Snapshot, State, Timestamp};

/// What stood open at one moment. Connections of which the source does not tell when they began stood
/// all the time.
pub(in super::super) fn at(snapshot: Snapshot, at: Timestamp) -> Snapshot {
    let connections = snapshot.connections.iter();
    Snapshot {
        connections: connections.filter_map(|it| stood(it, at)).collect(),
        taken: at,
        ..snapshot
    }
}

/// The same, of a case: its recording told of this moment, its imports of all of their time.
pub(in super::super) fn at_in_case(
    snapshot: Snapshot,
    imported: &HashSet<ConnectionId>,
    at: Timestamp,
) -> Snapshot {
    let then = |connection: &Connection| match imported.contains(&connection.id) {
        true => stood(connection, at),
        false => Some(connection.clone()),
    };
    Snapshot {
        connections: snapshot.connections.iter().filter_map(then).collect(),
        ..snapshot
    }
}

/// What the recording of a case told of a moment, with what its imports tell of the same: `whole` is
/// what both came to at their end.
pub(in super::super) fn beside(
    snapshot: &Snapshot,
    whole: &Snapshot,
    imported: &HashSet<ConnectionId>,
    at: Timestamp,
) -> Snapshot {
    let is_imported = |connection: &&Connection| imported.contains(&connection.id);
    let told = whole.connections.iter().filter(is_imported);
    let told: Vec<Connection> = told.filter_map(|it| stood(it, at)).collect();
    let mut processes = (*snapshot.processes).clone();
    for process in told.iter().filter_map(|it| it.owner.process()) {
        if let Some(known) = whole.processes.get(&process) {
            processes
                .entry(process)
                .or_insert_with(|| Arc::clone(known));
        }
    }
    let recorded = snapshot.connections.iter().filter(|it| !is_imported(it));
    Snapshot {
        connections: recorded.cloned().chain(told).collect(),
        processes: Arc::new(processes),
        devices: Arc::clone(&whole.devices),
        ..snapshot.clone()
    }
}

/// A connection as it stood at a moment. `None`: it did not.
fn stood(connection: &Connection, at: Timestamp) -> Option<Connection> {
    let begun = connection.opened.is_none_or(|opened| opened <= at);
    let goes_on = connection.closed.is_none_or(|closed| closed > at);
    if !begun || !goes_on {
        return None;
    }
    let mut connection = connection.clone();
    if connection.closed.take().is_some() {
        // What had gone over it by then, nobody has told.
        connection.bytes_sent = None;
        connection.bytes_received = None;
        connection.packets_sent = None;
        connection.packets_received = None;
        connection.error = None;
        connection.state = if connection.protocol.has_connections() {
            State::Unknown
        } else {
            State::Open
        };
    }
    Some(connection)
}

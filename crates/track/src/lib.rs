//! Folds what was seen into connections. One `model::Look` goes in and a `model::Snapshot` comes out;
//! or a `Tracker` takes all that is observed, one thing after the other, and tells what changed.
//! No I/O, no clock, no failure.
#![forbid(unsafe_code)]

mod direction;
pub mod flows;
mod heard;
mod owner;
mod remembered;
mod tracker;

pub use heard::{Heard, Hearing, Sent};
pub use tracker::{Change, LetGo, Limits, Told, Tracker};

use std::collections::HashMap;
use std::sync::Arc;

use model::{
    Addresses, Connection, ConnectionId, Direction, Findings, Host, Look, Process, ProcessId,
    Shelf, Snapshot, Socket, Timestamp,
};

/// All that one look tells, as connections.
pub fn snapshot(look: Look) -> Snapshot {
    let Look {
        host,
        home_netns,
        taken,
        tier,
        sockets,
        processes,
        users,
        remembered,
        gaps,
    } = look;
    let connections: Shelf<_> = connections(&host, sockets).collect();
    let remembered = remembered::over(remembered, &connections);
    let processes: HashMap<ProcessId, Arc<Process>> = processes
        .into_iter()
        .map(|process| (process.id, Arc::new(process)))
        .collect();
    Snapshot {
        host,
        home_netns,
        taken,
        since: Timestamp::UNTOLD,
        tier,
        connections,
        processes: Arc::new(processes),
        pairs: Shelf::default(),
        users,
        remembered,
        devices: Arc::default(),
        asked: Shelf::default(),
        zones: Shelf::default(),
        attendance: Arc::default(),
        gaps,
        let_go: 0,
        addresses: Addresses::default(),
        findings: Findings::default(),
    }
}

/// Puts the connections of a look into pairs, for whoever judges it.
#[must_use]
pub fn with_pairs(snapshot: Snapshot) -> Snapshot {
    let pairs = tracker::pairs_of_look(&snapshot.connections, &snapshot.processes);
    Snapshot { pairs, ..snapshot }
}

/// Each of `sockets`, which are all of this computer, as a connection.
fn connections(host: &Host, sockets: Vec<Socket>) -> impl Iterator<Item = Connection> {
    let directions = direction::directions(&sockets);
    let sockets = sockets.into_iter().zip(directions);
    sockets.map(|(socket, direction)| connection(host, direction, socket))
}

fn connection(host: &Host, direction: Direction, socket: Socket) -> Connection {
    let (owner, also_held_by) = owner::owner(&socket.holders, socket.why_unheld);
    Connection {
        id: ConnectionId::of(
            host.boot,
            socket.netns,
            socket.key,
            socket.protocol,
            socket.local,
            socket.remote,
        ),
        protocol: socket.protocol,
        state: socket.state,
        direction,
        local: socket.local,
        remote: socket.remote,
        netns: socket.netns,
        interface: socket.interface,
        socket: socket.key,
        uid: socket.uid,
        opened: None,
        closed: None,
        error: None,
        bytes_sent: socket.bytes_sent,
        bytes_received: socket.bytes_received,
        packets_sent: None,
        packets_received: None,
        owner,
        also_held_by,
        name: None,
        greeting: None,
        device: None,
        talk: None,
    }
}

//! Folds what was seen into connections: a `model::Look` goes in, a `model::Snapshot` comes out.
//! No I/O, no clock, no failure.
#![forbid(unsafe_code)]

mod direction;
mod owner;
mod remembered;

use std::collections::HashMap;

use model::{
    Connection, ConnectionId, Direction, Host, Look, Process, ProcessId, Snapshot, Socket,
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
    let directions = direction::directions(&sockets);
    let connections: Vec<_> = sockets
        .into_iter()
        .zip(directions)
        .map(|(socket, direction)| connection(&host, direction, socket))
        .collect();
    let remembered = remembered::over(remembered, &connections);
    let processes: HashMap<ProcessId, Process> = processes
        .into_iter()
        .map(|process| (process.id, process))
        .collect();
    Snapshot {
        host,
        home_netns,
        taken,
        tier,
        connections,
        processes,
        users,
        remembered,
        gaps,
    }
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
    }
}

//! A connection and its process, for tests.

use model::{
    BootId, Connection, ConnectionId, Direction, Endpoint, Owner, Parent, PathState, Process,
    ProcessId, Protocol, SocketKey, Source, State, Timestamp,
};

pub(crate) const TIME: Timestamp = Timestamp::from_unix_nanos(1_795_342_500_000_000_000);

pub(crate) fn id(pid: u32) -> ProcessId {
    ProcessId {
        boot: BootId([7; 16]),
        pid,
        start_ticks: 1,
    }
}

/// `parents` are the nearest first.
pub(crate) fn process(pid: u32, parents: &[u32]) -> Process {
    let parent = |pid: &u32| Parent {
        pid: *pid,
        name: "parent".into(),
        path: None,
    };
    Process {
        id: id(pid),
        started: Some(TIME),
        ended: None,
        name: "curl".into(),
        path: None,
        path_state: PathState::Unknown,
        file: None,
        sha256: None,
        command_line: None,
        command_line_truncated: false,
        uid: None,
        user: None,
        parents: parents.iter().map(parent).collect(),
        container: None,
        unit: None,
        netns: None,
        kernel_thread: false,
        examined: None,
    }
}

/// Of a process, by a socket, to a port.
pub(crate) fn connection(pid: u32, protocol: Protocol, cookie: u64, port: u16) -> Connection {
    let local = Endpoint::new([192, 0, 2, 7].into(), 40512);
    let remote = Some(Endpoint::new([203, 0, 113, 9].into(), port));
    let socket = SocketKey {
        inode: None,
        cookie: Some(cookie),
    };
    Connection {
        id: ConnectionId::of(BootId([7; 16]), None, socket, protocol, local, remote),
        protocol,
        state: State::Established,
        direction: Direction::Outbound,
        local,
        remote,
        netns: None,
        interface: None,
        socket,
        uid: None,
        opened: Some(TIME),
        closed: None,
        error: None,
        bytes_sent: None,
        bytes_received: None,
        packets_sent: None,
        packets_received: None,
        owner: Owner::Known {
            process: id(pid),
            source: Source::Ebpf,
        },
        also_held_by: Vec::new(),
        name: None,
        greeting: None,
        device: None,
        talk: None,
    }
}

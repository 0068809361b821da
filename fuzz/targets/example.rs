//! A process and its connection, with a text that somebody chose wherever one can.

use model::{
    BootId, Connection, ConnectionId, Container, Direction, Endpoint, FileIdentity, Owner, Parent,
    PathState, Process, ProcessId, Protocol, SocketKey, Source, State, Text, Timestamp,
};

const PROCESS: ProcessId = ProcessId {
    boot: BootId([7; 16]),
    pid: 4242,
    start_ticks: 1534,
};

pub(crate) fn process(name: &[u8]) -> Process {
    let text = || Text::from(name);
    Process {
        id: PROCESS,
        started: Some(Timestamp::from_unix_nanos(1_795_342_500_123_456_789)),
        ended: None,
        name: text(),
        path: Some(text()),
        path_state: PathState::Present,
        file: Some(FileIdentity {
            device: 1,
            inode: 2,
        }),
        sha256: Some([7; 32]),
        command_line: Some(vec![Text::from("program"), text()]),
        command_line_truncated: false,
        uid: Some(1000),
        user: Some(text()),
        parents: vec![Parent {
            pid: 1,
            name: text(),
            path: Some(text()),
        }],
        container: Some(Container {
            engine: "docker",
            id: text(),
        }),
        unit: Some(text()),
        netns: None,
        kernel_thread: false,
        examined: None,
    }
}

pub(crate) fn connection(interface: &[u8]) -> Connection {
    Connection {
        id: ConnectionId([7; 16]),
        protocol: Protocol::Tcp,
        state: State::Established,
        direction: Direction::Outbound,
        local: Endpoint::new([192, 0, 2, 7].into(), 40512),
        remote: Some(Endpoint::new([203, 0, 113, 9].into(), 443)),
        netns: None,
        interface: Some(Text::from(interface)),
        socket: SocketKey {
            inode: Some(1),
            cookie: Some(2),
        },
        uid: Some(1000),
        opened: None,
        closed: None,
        error: None,
        bytes_sent: Some(512),
        bytes_received: Some(2048),
        packets_sent: None,
        packets_received: None,
        owner: Owner::Known {
            process: PROCESS,
            source: Source::Ebpf,
        },
        also_held_by: Vec::new(),
        name: None,
        greeting: None,
        device: None,
        talk: None,
    }
}

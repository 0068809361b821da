//! A connection and its process, for tests.

use model::{
    BootId, Connection, ConnectionId, Direction, Endpoint, NetworkNamespace, Owner, PathState,
    Process, ProcessId, Protocol, SocketKey, Source, State, Text, Timestamp,
};

pub(crate) const PROCESS: ProcessId = ProcessId {
    boot: BootId([0x9f; 16]),
    pid: 4242,
    start_ticks: 1534,
};

pub(crate) fn connection() -> Connection {
    let local = Endpoint::new([192, 0, 2, 7].into(), 40512);
    let remote = Some(Endpoint::new([203, 0, 113, 9].into(), 443));
    let netns = Some(NetworkNamespace(4_026_531_840));
    let socket = SocketKey {
        inode: Some(1),
        cookie: Some(2),
    };
    Connection {
        id: ConnectionId::of(PROCESS.boot, netns, socket, Protocol::Tcp, local, remote),
        protocol: Protocol::Tcp,
        state: State::Established,
        direction: Direction::Outbound,
        local,
        remote,
        netns,
        interface: None,
        socket,
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

pub(crate) fn process() -> Process {
    Process {
        id: PROCESS,
        started: Some(Timestamp::from_unix_nanos(1_795_342_500_123_456_789)),
        ended: None,
        name: Text::from("curl"),
        path: Some(Text::from("/usr/bin/curl")),
        path_state: PathState::Present,
        file: None,
        sha256: None,
        command_line: Some(vec![Text::from("curl"), Text::from("https://example.com/")]),
        command_line_truncated: false,
        uid: Some(1000),
        user: Some(Text::from("alice")),
        parents: Vec::new(),
        container: None,
        unit: None,
        netns: Some(NetworkNamespace(4_026_531_840)),
        kernel_thread: false,
        examined: None,
    }
}

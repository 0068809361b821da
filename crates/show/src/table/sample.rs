//! A small computer to show in tests.

use std::sync::Arc;

use crate::visible::display_width;

use model::{
    BootId, Connection, ConnectionId, Container, Direction, Endpoint, Host, NetworkNamespace,
    Owner, PathState, Process, ProcessId, Protocol, Shelf, Snapshot, SocketKey, Source, State,
    Text, Tier, Timestamp, WhyUnknown,
};

pub(crate) const BOOT: BootId = BootId([7; 16]);
pub(crate) const HOME: NetworkNamespace = NetworkNamespace(4_026_531_840);
pub(crate) const AWAY: NetworkNamespace = NetworkNamespace(4_026_532_177);
/// 2026-11-22T10:15:00Z.
pub(crate) const TAKEN: i64 = 1_795_342_500_000_000_000;

pub(crate) fn process_id(pid: u32) -> ProcessId {
    ProcessId {
        boot: BOOT,
        pid,
        start_ticks: u64::from(pid),
    }
}

pub(crate) fn process(pid: u32, name: &str, path: &str) -> Process {
    Process {
        id: process_id(pid),
        started: Some(Timestamp::from_unix_nanos(TAKEN - 3_600_000_000_000)),
        ended: None,
        name: name.into(),
        path: Some(path.into()),
        path_state: PathState::Present,
        file: None,
        sha256: None,
        command_line: None,
        command_line_truncated: false,
        uid: Some(1000),
        user: Some("alice".into()),
        parents: Vec::new(),
        container: None,
        unit: None,
        netns: Some(HOME),
        kernel_thread: false,
        examined: None,
    }
}

pub(crate) fn known(pid: u32) -> Owner {
    Owner::Known {
        process: process_id(pid),
        source: Source::Proc,
    }
}

pub(crate) fn unknown(why: WhyUnknown) -> Owner {
    Owner::Unknown { why }
}

/// An established connection, or a listener where `remote` is empty. Addresses as the standard
/// library reads them: `192.0.2.7:40512`, `[::1]:53`.
pub(crate) fn connection(owner: Owner, local: &str, remote: &str) -> Connection {
    let endpoint = |text: &str| {
        let address: std::net::SocketAddr = text.parse().unwrap();
        Endpoint::new(address.ip(), address.port())
    };
    let remote = (!remote.is_empty()).then(|| endpoint(remote));
    let local = endpoint(local);
    let socket = SocketKey {
        inode: Some(1),
        cookie: Some(u64::from(local.port.unwrap())),
    };
    Connection {
        id: ConnectionId::of(BOOT, Some(HOME), socket, Protocol::Tcp, local, remote),
        protocol: Protocol::Tcp,
        state: if remote.is_some() {
            State::Established
        } else {
            State::Listen
        },
        direction: if remote.is_some() {
            Direction::Outbound
        } else {
            Direction::Listening
        },
        local,
        remote,
        netns: Some(HOME),
        interface: None,
        socket,
        uid: Some(1000),
        opened: None,
        closed: None,
        error: None,
        bytes_sent: remote.map(|_| 1536),
        bytes_received: remote.map(|_| 3_650_722_201),
        packets_sent: None,
        packets_received: None,
        owner,
        also_held_by: Vec::new(),
        name: None,
        greeting: None,
        device: None,
        talk: None,
    }
}

pub(crate) fn snapshot(processes: Vec<Process>, connections: Vec<Connection>) -> Snapshot {
    let users = processes
        .iter()
        .filter_map(|process| Some((process.uid?, process.user.clone()?)));
    let users = users.collect();
    Snapshot {
        users,
        host: Host {
            name: "desk".into(),
            boot: BOOT,
        },
        home_netns: Some(HOME),
        taken: Timestamp::from_unix_nanos(TAKEN),
        since: Timestamp::UNTOLD,
        tier: Tier::Polling,
        connections: connections.into_iter().collect(),
        processes: Arc::new(
            processes
                .into_iter()
                .map(|process| (process.id, Arc::new(process)))
                .collect(),
        ),
        pairs: Shelf::default(),
        remembered: Vec::new(),
        devices: Arc::default(),
        asked: model::Shelf::default(),
        zones: model::Shelf::default(),
        attendance: Arc::default(),
        gaps: Vec::new(),
        addresses: model::Addresses::default(),
        findings: model::Findings::default(),
        let_go: 0,
    }
}

/// An ordinary computer with one of everything that looks different.
pub(crate) fn desk() -> Snapshot {
    let mut memfd = process(2201, "kworker/u8:1", "/memfd:x");
    memfd.path_state = PathState::Memfd;
    let mut nginx = process(801, "nginx", "/usr/sbin/nginx");
    nginx.user = Some("root".into());
    nginx.uid = Some(0);
    nginx.container = Some(Container {
        engine: "docker",
        id: "0123456789abcdef0123".into(),
    });
    let mut ping = connection(known(99), "192.0.2.7:0", "203.0.113.9:0");
    ping.protocol = Protocol::Icmp(model::IcmpKind {
        kind: None,
        code: None,
        id: Some(77),
    });
    ping.state = State::Open;
    ping.local.port = None;
    ping.remote = ping.remote.map(|remote| Endpoint {
        port: None,
        ..remote
    });
    let mut sniffer = connection(unknown(WhyUnknown::NoRights), "0.0.0.0:0", "");
    sniffer.protocol = Protocol::Packet { ethertype: 3 };
    sniffer.local = Endpoint::NONE;
    sniffer.interface = Some("eth0".into());
    sniffer.state = State::Open;
    sniffer.uid = Some(0);
    let mut raw = connection(known(99), "0.0.0.0:0", "");
    raw.protocol = Protocol::Raw { ip_protocol: 89 };
    raw.local.port = None;
    raw.state = State::Open;
    let mut web = connection(known(801), "0.0.0.0:80", "");
    web.netns = Some(AWAY);
    web.also_held_by = vec![process_id(802), process_id(803)];
    let mut gone = connection(
        unknown(WhyUnknown::BeforeStart),
        "192.0.2.7:40514",
        "203.0.113.9:443",
    );
    gone.state = State::TimeWait;
    gone.uid = None;
    gone.bytes_sent = None;
    gone.bytes_received = None;
    let mut lease = connection(known(99), "[fe80::1]:546", "");
    lease.protocol = Protocol::Udp;
    lease.state = State::Open;
    lease.interface = Some("eth0".into());
    let connections = vec![
        connection(known(1464), "192.0.2.7:40512", "203.0.113.9:443"),
        connection(
            known(1464),
            "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:40513",
            "[2001:db8:4001:82b::200e]:443",
        ),
        connection(known(2201), "192.0.2.7:40600", "198.51.100.23:8080"),
        gone,
        web,
        lease,
        ping,
        raw,
        sniffer,
    ];
    let processes = vec![
        process(1464, "firefox", "/usr/lib/firefox/firefox"),
        memfd,
        nginx,
        process(99, "helper", "/usr/libexec/helper"),
    ];
    snapshot(processes, connections)
}

/// Names, paths and users as somebody who wants to mislead would choose them.
pub(crate) fn hostile() -> Snapshot {
    let mut liar = process(666, "", "");
    liar.name = Text::from(&b"a\x1b[2J\r\n\xe2\x80\xae,\"=x"[..]);
    liar.path = Some(Text::from(&b"/tmp/\t  \xff/cod.\xe2\x80\xaefdp"[..]));
    liar.user = Some("=cmd|' /C calc'!A0".into());
    liar.path_state = PathState::Deleted;
    let mut bound = connection(known(666), "[fe80::1]:1", "[fe80::2]:2");
    bound.interface = Some(Text::from(&b"e\x1b]0;x\x07"[..]));
    snapshot(vec![liar], vec![bound])
}

/// What must hold of every table: its lines fit, and nothing in them steers the screen.
pub(crate) fn check_lines(text: &str, width: Option<usize>, rows: usize) {
    for line in text.lines() {
        assert!(
            !line
                .chars()
                .any(|character| character.is_control() || character == '\u{202e}'),
            "{line:?}"
        );
        assert!(!line.ends_with(' '), "{line:?}");
        assert!(
            width.is_none_or(|width| display_width(line) <= width.max(20)),
            "{width:?}: {line:?}"
        );
    }
    assert!(text.lines().count() >= rows, "{text}");
}

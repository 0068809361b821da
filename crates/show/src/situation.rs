//! One small computer for the tests of all forms that other tools read.

use std::collections::HashMap;
use std::sync::Arc;

use model::{
    ConnectionError, Container, Device, DeviceId, Direction, IcmpKind, Parent, Phase, Process,
    Protocol, Snapshot, State, Text, Timestamp, WhyUnknown,
};
use serde_json::Value;

use crate::table::sample::{TAKEN, connection, known, process, snapshot, unknown};

/// A device in the place of a process.
pub(crate) const PHONE: DeviceId = DeviceId::Mac([2, 0, 0x5e, 0x10, 0, 1]);

fn seconds_ago(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp::from_unix_nanos(TAKEN - seconds * 1_000_000_000))
}

fn curl() -> Process {
    let mut curl = process(4242, "curl", "/usr/bin/curl");
    curl.command_line = Some(vec!["curl".into(), "https://example.com/".into()]);
    curl.sha256 = Some([0xab; 32]);
    curl.ended = seconds_ago(1);
    curl.unit = Some("user.slice".into());
    curl.container = Some(Container {
        engine: "docker",
        id: "abc123".into(),
    });
    let parent = |pid, name: &str| Parent {
        pid,
        name: name.into(),
        path: Some(format!("/usr/bin/{name}").into()),
    };
    curl.parents = vec![parent(4000, "bash"), parent(1, "systemd")];
    curl
}

/// One of each: ended, called from outside, waiting, failed, still asked for, over UDP, over IPv6,
/// without a known direction, a raw and a packet socket, one with a hostile name, and one of a device.
pub(crate) fn situation() -> Snapshot {
    let mut ended = connection(known(4242), "192.0.2.7:40512", "203.0.113.9:443");
    ended.state = State::Closed;
    ended.opened = seconds_ago(10);
    ended.closed = seconds_ago(7);
    ended.packets_sent = Some(10);
    ended.packets_received = Some(12);
    let mut incoming = connection(known(7), "192.0.2.7:22", "198.51.100.9:50000");
    incoming.direction = Direction::Inbound;
    incoming.opened = seconds_ago(60);
    incoming.bytes_received = Some(900);
    incoming.bytes_sent = Some(100);
    incoming.interface = Some("eth0".into());
    let waiting = connection(known(7), "0.0.0.0:8080", "");
    let mut failed = connection(known(4242), "192.0.2.7:40600", "203.0.113.10:80");
    failed.state = State::Failed;
    failed.opened = seconds_ago(5);
    failed.closed = seconds_ago(5);
    failed.error = Some(ConnectionError {
        errno: Some(111),
        phase: Phase::Handshake,
    });
    let mut offline = failed.clone();
    offline.remote = Some(model::Endpoint::new([216, 6, 0, 28].into(), 880));
    offline.id = failed.id.again(1);
    offline.error = Some(ConnectionError {
        errno: Some(101),
        phase: Phase::Connect,
    });
    let mut asked = connection(known(4242), "192.0.2.7:40700", "203.0.113.11:80");
    asked.state = State::SynSent;
    asked.opened = seconds_ago(1);
    let mut name = connection(known(4242), "[2001:db8::7]:50001", "[2001:db8::53]:53");
    name.protocol = Protocol::Udp;
    name.state = State::Open;
    name.opened = seconds_ago(2);
    name.packets_sent = Some(1);
    name.packets_received = Some(0);
    let mut strange = connection(
        unknown(WhyUnknown::BeforeStart),
        "192.0.2.7:41999",
        "203.0.113.9:993",
    );
    strange.direction = Direction::Unknown;
    strange.uid = None;
    let mut ping = connection(known(7), "192.0.2.7:1", "203.0.113.1:1");
    ping.protocol = Protocol::Icmp(IcmpKind {
        kind: Some(8),
        code: Some(0),
        id: Some(77),
    });
    ping.local.port = None;
    ping.remote = ping
        .remote
        .and_then(|it| Some(model::Endpoint::without_port(it.ip?)));
    let mut sniffer = connection(known(666), "192.0.2.7:3", "");
    sniffer.protocol = Protocol::Packet { ethertype: 3 };
    sniffer.state = State::Open;
    sniffer.local = model::Endpoint::NONE;
    let mut liar = process(666, "", "/tmp/\t x");
    liar.name = Text::from(&b"-"[..]);
    liar.path = Some(Text::from(&b"/tmp/\tx\n\xff\\y\xe2\x80\xae"[..]));
    let mut hostile = connection(known(666), "192.0.2.7:40900", "203.0.113.12:443");
    hostile.opened = seconds_ago(3);
    let mut of_phone = connection(
        unknown(WhyUnknown::NotInSource),
        "192.168.7.2:41000",
        "203.0.113.13:443",
    );
    of_phone.opened = seconds_ago(4);
    of_phone.device = Some(PHONE);
    let mut situation = snapshot(
        vec![curl(), process(7, "sshd", "/usr/sbin/sshd"), liar],
        vec![
            ended, incoming, waiting, failed, offline, asked, name, strange, ping, sniffer,
            hostile, of_phone,
        ],
    );
    let phone = Device {
        id: PHONE,
        name: Some("phone".into()),
        addresses: vec![[192, 168, 7, 2].into()],
    };
    situation.devices = Arc::new(HashMap::from([(PHONE, phone)]));
    situation
}

/// Each line read as a document of its own.
pub(crate) fn lines_of(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

//! What each key asks, on one connection of a program and on what is hardly known.

use std::net::IpAddr;

use model::{
    BootId, ConnectionId, Container, NetworkNamespace, PathState, ProcessId, Protocol, SocketKey,
    Source, WhyUnknown,
};

use super::super::parser;
use super::*;

const SECOND: i64 = 1_000_000_000;
const NOW: Timestamp = Timestamp::from_unix_nanos(1_000_000 * SECOND);

const CURL: ProcessId = ProcessId {
    boot: BootId([7; 16]),
    pid: 4242,
    start_ticks: 99,
};

/// `curl-renamed` of alice in a container, file `/opt/My Tools/curl`.
fn curl() -> Process {
    Process {
        id: CURL,
        started: Some(NOW),
        ended: None,
        name: "curl-renamed".into(),
        path: Some("/opt/My Tools/curl".into()),
        path_state: PathState::Present,
        file: None,
        sha256: None,
        command_line: Some(vec![
            "curl".into(),
            "-s".into(),
            "https://Example.com/".into(),
        ]),
        command_line_truncated: false,
        uid: Some(1000),
        user: Some("alice".into()),
        parents: Vec::new(),
        container: Some(Container {
            engine: "docker",
            id: "0123456789abcdef0123456789abcdef".into(),
        }),
        unit: Some("fetch.service".into()),
        netns: Some(NetworkNamespace(77)),
        kernel_thread: false,
        examined: None,
    }
}

fn end(ip: &str, port: u16) -> Endpoint {
    let ip: IpAddr = ip.parse().unwrap();
    Endpoint::new(ip, port)
}

/// Open for 90 seconds, 2 MiB sent, 512 bytes received.
fn call() -> Connection {
    Connection {
        id: ConnectionId([1; 16]),
        protocol: Protocol::Tcp,
        state: State::Established,
        direction: Direction::Outbound,
        local: end("192.0.2.7", 40512),
        remote: Some(end("2001:db8::9", 443)),
        netns: Some(NetworkNamespace(88)),
        interface: None,
        socket: SocketKey {
            inode: Some(31337),
            cookie: None,
        },
        uid: Some(0),
        opened: Some(Timestamp::from_unix_nanos(NOW.unix_nanos() - 90 * SECOND)),
        closed: None,
        error: None,
        bytes_sent: Some(2 << 20),
        bytes_received: Some(512),
        packets_sent: None,
        packets_received: None,
        owner: Owner::Known {
            process: CURL,
            source: Source::Proc,
        },
        also_held_by: Vec::new(),
        name: None,
        greeting: None,
        device: None,
        talk: None,
    }
}

/// A raw socket of which only the kind is known.
fn stranger() -> Connection {
    Connection {
        protocol: Protocol::Raw { ip_protocol: 1 },
        state: State::Unknown,
        direction: Direction::Unknown,
        local: Endpoint::NONE,
        remote: None,
        netns: None,
        socket: SocketKey {
            inode: None,
            cookie: None,
        },
        uid: None,
        opened: None,
        bytes_sent: None,
        bytes_received: None,
        owner: Owner::Unknown {
            why: WhyUnknown::NoRights,
        },
        ..call()
    }
}

fn satisfied(text: &str, connection: Option<&Connection>, process: Option<&Process>) -> bool {
    let expression = parser::parse(text, &[]).unwrap().unwrap();
    let subject = Subject {
        connection,
        process,
        user: process.and_then(|process| process.user.as_ref()),
        name: None,
        findings: About::Nothing,
        now: NOW,
    };
    subject.satisfies(&expression)
}

/// Whether the filter wants curl's call.
fn check(text: &str, expected: bool) {
    assert_eq!(
        satisfied(text, Some(&call()), Some(&curl())),
        expected,
        "{text}"
    );
    let negated = format!("-({text})");
    assert_eq!(
        satisfied(&negated, Some(&call()), Some(&curl())),
        !expected,
        "{negated}"
    );
}

fn check_stranger(text: &str, expected: bool) {
    assert_eq!(satisfied(text, Some(&stranger()), None), expected, "{text}");
}

fn check_process(text: &str, expected: bool) {
    assert_eq!(satisfied(text, None, Some(&curl())), expected, "{text}");
}

#[test]
fn programs() {
    check("proc:curl", true);
    check("proc:curl-renamed", true);
    check("proc:Curl", false);
    check("proc:cur", false);
    check("proc:wget,cur?", true);
    check("pid:4242", true);
    check("pid:4000-5000,1", true);
    check("pid:>4242", false);
    check("user:ALICE", true);
    check("user:al", false);
    check("uid:1000", true);
    check("uid:0", true);
    check("uid:1", false);
    check("exe:\"/opt/My Tools/*\"", true);
    check("exe:curl", false);
    check("exe:*/curl", true);
    check("unit:fetch.service", true);
    check("unit:fetch", true);
    check("container:docker", true);
    check("container:0123456789ab", true);
    check("container:0123456789abc", false);
    check("container:0123456789abc*", true);
    check("container:unknown", false);
}

#[test]
fn programs_of_windows_go_without_their_ending() {
    let mut process = curl();
    process.name = "Talk.EXE".into();
    let call = call();
    for (text, expected) in [
        ("proc:Talk", true),
        ("proc:Talk.EXE", true),
        ("proc:Tal", false),
        ("proc:.EXE", false),
    ] {
        assert_eq!(
            satisfied(text, Some(&call), Some(&process)),
            expected,
            "{text}"
        );
    }
}

#[test]
fn ends() {
    check("dst:2001:db8::/32", true);
    check("dst:2001:db8::9", true);
    check("dst:192.0.2.7", false);
    check("src:192.0.2.*", true);
    check("port:443", true);
    check("port:40512", true);
    check("port:<443", false);
    check("lport:443", false);
    check("rport:443", true);
    check("lport:>=1024", true);
    check("netns:88", true);
    check("inode:31337", true);
}

#[test]
fn what_happens() {
    check("state:ESTAB proto:tcp dir:out owner:known", true);
    check("state:listen,established", true);
    check("proto:udp or dir:in", false);
    check("up:>1M down:<1k", true);
    check("up:>2M", false);
    check("new:2m", true);
    check("new:1m", false);
    check("new:>1m", true);
    check("new:1m-2m", true);
}

#[test]
fn what_did_not_come_about() {
    let failed = Connection {
        state: State::Failed,
        ..call()
    };
    let asked = Connection {
        state: State::Attempted,
        opened: Some(NOW),
        ..call()
    };
    let says = |text: &str, connection: &Connection| satisfied(text, Some(connection), None);
    assert!(says("state:failed", &failed) && !says("state:failed", &asked));
    assert!(says("state:attempted new:1s", &asked) && !says("state:attempted", &failed));
    assert!(says("failed", &failed));
}

#[test]
fn free_text_looks_everywhere() {
    for text in [
        "RENAMED",
        "\"my tools\"",
        "\"curl -S HTTPS://example\"",
        "alic",
        "2001:db8::9",
        "\"[2001:db8::9]:443\"",
        "192.0.2",
        "40512",
        "estab",
        "TCP",
    ] {
        check(text, true);
    }
    check("wget", false);
    check("docker", false);
}

#[test]
fn absent_facts_are_false_and_unknown() {
    for term in [
        "proc:*",
        "pid:>=0",
        "user:*",
        "uid:>=0",
        "exe:*",
        "unit:*",
        "container:*",
        "netns:>=0",
        "dst:*",
        "src:*",
        "port:>=0",
        "lport:>=0",
        "rport:>=0",
        "name:*",
        "state:listen",
        "dir:local",
        "inode:>=0",
        "new:>=0s",
        "up:>=0",
        "down:>=0",
        "every:>=0s",
        "severity:>=low",
        "rule:*",
        "owner:known",
    ] {
        check_stranger(term, false);
        check_stranger(&format!("-{term}"), true);
        let (key, _) = term.split_once(':').unwrap();
        check_stranger(&format!("{key}:unknown"), true);
        check_stranger(&format!("-{key}:unknown"), false);
    }
    check_stranger("proto:raw", true);
    check_stranger("proto:unknown", false);
    check_stranger("owner:no_rights", true);
    check_stranger("owner:no_holder", false);
    check_stranger("pid:1,unknown", true);
}

#[test]
fn a_process_by_itself_has_no_connection() {
    check_process("proc:curl user:alice netns:77 uid:1000", true);
    check_process("uid:0", false);
    check_process("proto:tcp", false);
    check_process(
        "proto:unknown state:unknown owner:unknown port:unknown",
        true,
    );
    check_process("-port:443", true);
    check_process("example", true);
}

#[test]
fn a_name_that_was_asked_for_has_no_connection() {
    let name = Text::from("www.Example.com");
    let curl = curl();
    let check = |text: &str, expected: bool| {
        let expression = parser::parse(text, &[]).unwrap().unwrap();
        let subject = Subject {
            connection: None,
            process: Some(&curl),
            user: curl.user.as_ref(),
            name: Some(&name),
            findings: About::Nothing,
            now: NOW,
        };
        assert_eq!(subject.satisfies(&expression), expected, "{text}");
    };
    check("name:*.example.COM user:alice", true);
    check("name:example.com", false);
    check("name:unknown", false);
    check("www.example", true);
    check("proto:unknown -port:443", true);
}

#[test]
fn a_call_to_a_bare_address_has_no_name() {
    check("name:unknown dir:out", true);
    let mut named = call();
    named.name = Some(std::sync::Arc::new(model::RemoteName {
        name: "www.example.com".into(),
        source: model::NameSource::Sni,
        strength: model::NameStrength::Greeted,
    }));
    assert!(!satisfied("name:unknown dir:out", Some(&named), None));
    assert!(satisfied("name:*.example.com", Some(&named), None));
}

#[test]
fn the_pid_is_known_without_the_process() {
    assert!(satisfied("pid:4242 proc:unknown", Some(&call()), None));
}

#[test]
fn names_of_files_come_from_either_kind_of_path() {
    let named = |path: &str| {
        let process = Process {
            path: Some(path.into()),
            ..curl()
        };
        satisfied("proc:evil.exe", None, Some(&process))
    };
    assert!(named(r"C:\Temp\evil.exe"));
    assert!(!named(r"/tmp/a\evil.exe"));
}

#[test]
fn bytes_that_are_no_text_count_as_one_character() {
    let process = Process {
        name: Text::from(&b"a\xffb"[..]),
        ..curl()
    };
    assert!(satisfied("proc:a?b", None, Some(&process)));
}

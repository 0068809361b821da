//! What a reader of Zeek's logs takes from the lines.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Answer, EventKind, NameStrength, RemoteName, Source, TlsGreeting};

use super::super::tests::rows;
use super::*;
use crate::{example, situation::situation};

fn event(at: i64, code: u8, answer: bool) -> Event {
    let known = Answer {
        code,
        aliases: Vec::new(),
        addresses: vec![
            ([203, 0, 113, 9].into(), 60),
            ([203, 0, 113, 10].into(), 30),
        ],
        texts: Vec::new(),
        text_ttl: None,
        bytes: 80,
    };
    Event {
        seq: 1,
        time: Timestamp::from_unix_nanos(at),
        boot_ns: 0,
        source: Source::Capture,
        kind: EventKind::NameSeen,
        process: None,
        thread: None,
        netns: None,
        socket: None,
        protocol: Some(Protocol::Udp),
        local: Some(Endpoint::new([192, 0, 2, 7].into(), 5353)),
        remote: Some(Endpoint::new([192, 0, 2, 1].into(), 53)),
        error: None,
        bytes_sent: None,
        bytes_received: None,
        packets_sent: None,
        packets_received: None,
        detail: Detail::Name(NameSeen {
            name: Some(Text::from("a\tb.example.com")),
            source: NameSource::Dns,
            question: Some(1),
            answer: answer.then(|| Box::new(known)),
            greeting: None,
        }),
    }
}

fn dns(events: &[Event]) -> Vec<HashMap<String, String>> {
    let mut out = Vec::new();
    let taken = Timestamp::UNTOLD;
    let mut log = DnsLog::new(BootId([7; 16]), taken, &mut out).unwrap();
    for event in events {
        log.add(event, None).unwrap();
    }
    log.finish().unwrap();
    let log = String::from_utf8(out).unwrap();
    assert!(log.contains("#path\tdns\n") && log.ends_with("#close\t-\n"));
    rows(&log)
}

#[test]
fn an_answer_and_its_question_are_one_line() {
    let rows = dns(&[
        event(1_000_000_000, 0, false),
        event(1_020_000_000, 0, true),
    ]);
    let [row] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    for (column, expected) in [
        ("ts", "1.000000"),
        ("id.orig_h", "192.0.2.7"),
        ("id.resp_p", "53"),
        ("proto", "udp"),
        ("rtt", "0.020000"),
        ("query", "a\\x09b.example.com"),
        ("qtype_name", "A"),
        ("rcode_name", "NOERROR"),
        ("answers", "203.0.113.9,203.0.113.10"),
        ("TTLs", "60.000000,30.000000"),
        ("rejected", "F"),
    ] {
        assert_eq!(row[column], expected, "{column}");
    }
}

#[test]
fn a_question_without_an_answer_is_a_line() {
    let rows = dns(&[event(5, 0, false), event(5, 3, true), event(9, 0, false)]);
    let codes: Vec<_> = rows.iter().map(|row| row["rcode_name"].as_str()).collect();
    assert_eq!(codes, ["NXDOMAIN", "-"]);
}

#[test]
fn a_tls_greeting_is_a_line() {
    let mut snapshot = situation();
    let greeted = Connection {
        name: Some(Arc::new(RemoteName {
            name: Text::from("example.com"),
            source: NameSource::Sni,
            strength: NameStrength::Greeted,
        })),
        greeting: Some(Arc::new(Greeting::Tls(TlsGreeting {
            alpn: vec![Text::from("h2"), Text::from("a,b")],
            ja4: Some(Text::from("t13d1516h2_8daaf6152771_02713d6af862")),
            ..TlsGreeting::default()
        }))),
        ..example::connection()
    };
    snapshot.connections = [greeted, example::connection()].into_iter().collect();
    let mut out = Vec::new();
    write_tls(&snapshot, &snapshot.connections, &mut out).unwrap();
    let rows = rows(&String::from_utf8(out).unwrap());
    let [row] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(row["server_name"], "example.com");
    assert_eq!(row["whocalls_alpn"], "h2,a\\x2cb");
    assert_eq!(row["ja4"], "t13d1516h2_8daaf6152771_02713d6af862");
    let mut out = Vec::new();
    super::super::write(&snapshot, &snapshot.connections, &mut out).unwrap();
    let rows = super::super::tests::rows(&String::from_utf8(out).unwrap());
    assert_eq!(rows[0]["service"], "ssl");
    assert_eq!(rows[0]["uid"], row["uid"]);
}

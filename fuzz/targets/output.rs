#![no_main]
//! JSON, CSV and tables with text that somebody chose in every place.

use std::collections::HashMap;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use model::{
    BootId, Connection, Detail, Event, EventKind, Host, NameSeen, NameSource, Process, Shelf,
    Snapshot, Source, Text, Tier, Timestamp,
};
use show::json::{Extent, Listing, Stream, document, lines};
use show::table::{self, Group, TableOptions};
use show::visible::display_width;

mod example;

fuzz_target!(|input: (u8, &[u8])| {
    let (width, name) = (usize::from(input.0), input.1);
    let (process, connection) = (example::process(name), example::connection(name));
    let snapshot = Snapshot {
        host: Host {
            name: Text::from(name),
            boot: BootId([7; 16]),
        },
        home_netns: None,
        taken: process.started.unwrap_or(Timestamp::UNTOLD),
        since: Timestamp::UNTOLD,
        tier: Tier::Full,
        connections: Shelf::from_iter([connection.clone()]),
        processes: Arc::new(HashMap::from([(process.id, Arc::new(process.clone()))])),
        pairs: Shelf::default(),
        zones: Shelf::default(),
        users: HashMap::from([(1000, Text::from(name))]),
        remembered: Vec::new(),
        devices: Arc::default(),
        asked: Shelf::default(),
        attendance: Arc::default(),
        addresses: Default::default(),
        let_go: 0,
        findings: Default::default(),
        gaps: Vec::new(),
    };
    let listing = Listing {
        snapshot: &snapshot,
        connections: &[&connection],
        processes: &[&process],
        remembered: None,
        counts: None,
        extent: Some(Extent::default()),
    };
    json(listing, &process);
    stream(&process, name);
    csv(&snapshot);
    screen(&snapshot, width);
});

/// Reads back as what it was.
fn json(listing: Listing<'_>, process: &Process) {
    let mut out = Vec::new();
    document(listing, &mut out).unwrap();
    let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
    for place in [
        "/processes/0/name",
        "/connections/0/process/name",
        "/processes/0/command_line/1",
    ] {
        assert_eq!(read.pointer(place).unwrap(), &*process.name.lossy());
    }
    out.clear();
    lines(listing, &mut out).unwrap();
    for line in out
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        serde_json::from_slice::<serde_json::Value>(line).unwrap();
    }
}

/// A name that somebody asked for.
fn stream(process: &Process, name: &[u8]) {
    let seen = NameSeen {
        name: Some(Text::from(name)),
        source: NameSource::Dns,
        question: Some(1),
        answer: None,
        greeting: None,
    };
    let (mut stream, mut out) = (Stream::default(), Vec::new());
    stream.process(&Arc::new(process.clone()));
    stream.event(&event(process, Detail::Name(seen)));
    stream.write_to(&mut out).unwrap();
    let lines: Vec<serde_json::Value> = out
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["name"], *Text::from(name).lossy());
}

fn event(process: &Process, detail: Detail) -> Event {
    Event {
        seq: 1,
        time: process.started.unwrap_or(Timestamp::UNTOLD),
        boot_ns: 0,
        source: Source::Ebpf,
        kind: EventKind::NameSeen,
        process: Some(process.id),
        thread: None,
        netns: None,
        socket: None,
        protocol: None,
        local: None,
        remote: None,
        error: None,
        bytes_sent: None,
        bytes_received: None,
        packets_sent: None,
        packets_received: None,
        detail,
    }
}

/// Two lines, whatever the text holds.
fn csv(snapshot: &Snapshot) {
    let mut out = Vec::new();
    show::csv::connections(snapshot, &[first(snapshot)], &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("\r\n").count(), 2, "{text:?}");
    assert_eq!(text.matches(['\r', '\n']).count(), 4, "{text:?}");
}

fn first(snapshot: &Snapshot) -> &Connection {
    snapshot.connections.iter().next().unwrap()
}

/// Nothing that acts on the screen, and no line wider than it.
fn screen(snapshot: &Snapshot, width: usize) {
    let options = TableOptions {
        width: Some(width),
        group: [None, Some(Group::Process), Some(Group::User)][width % 3],
        ..TableOptions::default()
    };
    let mut out = Vec::new();
    table::connections(snapshot, &[first(snapshot)], &options, &mut out).unwrap();
    let process = snapshot.processes.values().next().unwrap();
    table::processes(&[(process.as_ref(), Some(1))], &options, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text:?}"
    );
    for line in text.lines() {
        assert!(display_width(line) <= width.max(20), "{line:?} in {width}");
    }
}

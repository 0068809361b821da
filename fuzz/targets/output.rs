#![no_main]
//! JSON, CSV and tables with text that somebody chose in every place.

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use model::{BootId, Host, Process, Snapshot, Text, Tier};
use show::json::{Listing, document, lines};
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
        taken: process.started,
        tier: Tier::Full,
        connections: vec![connection.clone()],
        processes: HashMap::from([(process.id, process.clone())]),
        users: HashMap::from([(1000, Text::from(name))]),
        remembered: Vec::new(),
        gaps: Vec::new(),
    };
    let listing = Listing {
        snapshot: &snapshot,
        connections: &[&connection],
        processes: &[&process],
        remembered: None,
        counts: None,
    };
    json(listing, &process);
    csv(&snapshot);
    screen(&snapshot, width);
});

/// Reads back as what it was.
fn json(listing: Listing<'_>, process: &Process) {
    let mut out = Vec::new();
    document(listing, &mut out).unwrap();
    let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
    for place in ["/processes/0/name", "/connections/0/process/name", "/processes/0/command_line/1"] {
        assert_eq!(read.pointer(place).unwrap(), &*process.name.lossy());
    }
    out.clear();
    lines(listing, &mut out).unwrap();
    for line in out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        serde_json::from_slice::<serde_json::Value>(line).unwrap();
    }
}

/// Two lines, whatever the text holds.
fn csv(snapshot: &Snapshot) {
    let mut out = Vec::new();
    show::csv::connections(snapshot, &[&snapshot.connections[0]], &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("\r\n").count(), 2, "{text:?}");
    assert_eq!(text.matches(['\r', '\n']).count(), 4, "{text:?}");
}

/// Nothing that acts on the screen, and no line wider than it.
fn screen(snapshot: &Snapshot, width: usize) {
    let options = TableOptions {
        width: Some(width),
        group: [None, Some(Group::Process), Some(Group::User)][width % 3],
        ..TableOptions::default()
    };
    let mut out = Vec::new();
    table::connections(snapshot, &[&snapshot.connections[0]], &options, &mut out).unwrap();
    let process = snapshot.processes.values().next().unwrap();
    table::processes(&[(process, Some(1))], &options, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    for line in text.lines() {
        assert!(display_width(line) <= width.max(20), "{line:?} in {width}");
    }
}

//! What was seen in the situations, written as a look is saved and read again, is what was seen.

use std::collections::BTreeMap;
use std::path::Path;

use model::{
    BootId, Connection, ConnectionId, Host, Process, ProcessId, Snapshot, SocketKey, Text, Tier,
};
use observe::import::{Import, Options};
use show::json::{self, Extent, Listing};
use track::{Limits, Tracker};

use super::situations;

#[test]
fn a_saved_look_reads_back() {
    let (mut processes, mut connections, mut examined) = (0, 0, 0);
    for situation in situations::all() {
        let snapshot = replayed(&situation);
        let again = read(&written(&snapshot), &situation);
        let (before, after) = (all_processes(&snapshot), all_processes(&again));
        for (pid, process) in &before {
            assert_eq!(Some(process), after.get(pid), "{}", situation.display());
        }
        assert_eq!(before.len(), after.len());
        let (before, after) = (all_connections(&snapshot), all_connections(&again));
        assert_eq!(before, after, "{}", situation.display());
        processes += all_processes(&snapshot).len();
        connections += before.len();
        let looked_into = |it: &&Process| it.examined.is_some();
        examined += all_processes(&snapshot)
            .values()
            .filter(looked_into)
            .count();
    }
    assert!(
        processes > 80 && connections > 40 && examined > 30,
        "{processes} {connections} {examined}"
    );
}

#[test]
fn what_is_not_utf_8_reads_back() {
    let situation = &situations::all()[0];
    let mut snapshot = replayed(situation);
    let odd = |text: &str| Text::from(&[text.as_bytes(), &b"\xff\x1b\"\\"[..]].concat()[..]);
    let mut all = (*snapshot.processes).clone();
    for process in all.values_mut() {
        let process = std::sync::Arc::make_mut(process);
        process.path = Some(odd("/tmp/x"));
        process.command_line = Some(vec![odd("x"), Text::default(), "plain".into()]);
    }
    snapshot.processes = std::sync::Arc::new(all);
    let again = read(&written(&snapshot), situation);
    assert_eq!(all_processes(&snapshot), all_processes(&again));
}

fn replayed(situation: &Path) -> Snapshot {
    let mut tracker = None;
    for observed in situations::events(situation, Limits::CASE, &mut tracker) {
        tracker.as_mut().unwrap().apply(observed, &mut |_, _, _| {});
    }
    tracker.unwrap().snapshot()
}

fn written(snapshot: &Snapshot) -> Vec<u8> {
    let connections: Vec<_> = snapshot.connections.iter().collect();
    let mut processes: Vec<_> = snapshot.processes.values().map(AsRef::as_ref).collect();
    processes.sort_by_key(|it| it.id);
    let listing = Listing {
        snapshot,
        connections: &connections,
        processes: &processes,
        counts: None,
        remembered: None,
        extent: Some(Extent::default()),
    };
    let mut document = Vec::new();
    json::document(listing, &mut document).unwrap();
    document
}

fn read(document: &[u8], situation: &Path) -> Snapshot {
    let mut import = Import::of_bytes(document.to_vec(), None, Options::default()).unwrap();
    assert_eq!(import.kind(), "whocalls look", "{}", situation.display());
    let host = Host {
        name: Text::default(),
        boot: BootId([0; 16]),
    };
    let mut tracker = Tracker::new(host, Tier::Import, Limits::CASE);
    let mut seen = Vec::new();
    while import.next(&mut seen).unwrap() {}
    assert!(!import.skipped().is_loss(), "{:?}", import.skipped());
    for imported in seen {
        tracker.import(imported, &mut |_, _, _| {});
    }
    tracker.settle(&mut |_, _, _| {});
    tracker.snapshot()
}

/// By pid and start: the file stands in the place of the boot.
fn all_processes(snapshot: &Snapshot) -> BTreeMap<(u32, u64), Process> {
    let all = snapshot.processes.values();
    let of_no_boot = |process: &Process| Process {
        id: without_boot(process.id),
        ..process.clone()
    };
    all.map(|it| ((it.id.pid, it.id.start_ticks), of_no_boot(it)))
        .collect()
}

fn without_boot(id: ProcessId) -> ProcessId {
    ProcessId {
        boot: BootId([0; 16]),
        ..id
    }
}

/// In an order of their own: an import has other ids and sockets.
fn all_connections(snapshot: &Snapshot) -> Vec<String> {
    let mut all: Vec<String> = snapshot
        .connections
        .iter()
        .map(|connection| {
            let connection = Connection {
                id: ConnectionId([0; 16]),
                socket: SocketKey {
                    cookie: None,
                    ..connection.socket
                },
                owner: match connection.owner {
                    model::Owner::Known { process, source } => model::Owner::Known {
                        process: without_boot(process),
                        source,
                    },
                    unknown @ model::Owner::Unknown { .. } => unknown,
                },
                also_held_by: connection
                    .also_held_by
                    .iter()
                    .map(|it| without_boot(*it))
                    .collect(),
                // When it sent is not in JSON.
                talk: None,
                ..connection.clone()
            };
            format!("{connection:?}")
        })
        .collect();
    all.sort();
    all
}

//! Lists of sockets that tools of a computer wrote. The lists here are synthetic: written by hand
//! after what the tools write; those of the corpus are real.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "it is a test"
)]

#[path = "host_tools/any.rs"]
mod any;
#[path = "host_tools/corpus.rs"]
mod corpus;
#[path = "host_tools/linux.rs"]
mod linux;
#[path = "host_tools/mac.rs"]
mod mac;
#[path = "host_tools/real.rs"]
mod real;
#[path = "host_tools/sysinternals.rs"]
mod sysinternals;
#[path = "host_tools/windows.rs"]
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Connection, Endpoint, Gap, Imported, Process};
use observe::import::{Import, Options, Skipped};

/// All that an import hands on.
struct List {
    kind: &'static str,
    connections: Vec<Connection>,
    processes: BTreeMap<u32, Arc<Process>>,
    gaps: Vec<Gap>,
    skipped: Skipped,
}

fn read(bytes: &[u8]) -> Option<List> {
    read_as(bytes, None)
}

fn read_as(bytes: &[u8], kind: Option<&str>) -> Option<List> {
    let mut import = Import::of_bytes(bytes.to_vec(), kind, Options::default()).ok()?;
    let mut seen = Vec::new();
    while import.next(&mut seen).unwrap() {}
    let mut list = List {
        kind: import.kind(),
        connections: Vec::new(),
        processes: BTreeMap::new(),
        gaps: Vec::new(),
        skipped: import.skipped().clone(),
    };
    for seen in seen {
        match seen {
            Imported::Connection(connection) => list.connections.push(*connection),
            Imported::Process(process) => {
                list.processes.insert(process.id.pid, process);
            }
            Imported::Gap(gap) => list.gaps.push(gap),
            Imported::Name(_) | Imported::Device(_) | Imported::Span(..) | Imported::Look(_) => {
                unreachable!("no list has any")
            }
        }
    }
    Some(list)
}

impl List {
    /// `tcp listen listening 0.0.0.0:22 - sshd(1)` for each row.
    fn told(&self) -> Vec<String> {
        let end = |end: Endpoint, name: Option<String>| {
            let ip = end
                .ip
                .map(|ip| ip.to_string())
                .or(name)
                .unwrap_or("?".to_owned());
            let port = end.port.map_or("?".to_owned(), |port| port.to_string());
            format!("{ip}:{port}")
        };
        let told = self.connections.iter().map(|connection| {
            let name = connection
                .name
                .as_ref()
                .map(|name| name.name.lossy().into_owned());
            let holders = connection.owner.process().into_iter();
            let holders = holders.chain(connection.also_held_by.iter().copied());
            let holders: Vec<_> = holders
                .map(|id| format!("{}({})", self.processes[&id.pid].name.lossy(), id.pid))
                .collect();
            format!(
                "{} {} {} {} {} {}",
                connection.protocol,
                connection.state,
                connection.direction.word(),
                end(connection.local, None),
                connection
                    .remote
                    .map_or("-".to_owned(), |remote| end(remote, name)),
                if holders.is_empty() {
                    "-".to_owned()
                } else {
                    holders.join(",")
                },
            )
        });
        told.collect()
    }
}

#[track_caller]
fn check(bytes: &[u8], kind: &str, expected: &[&str], skipped: u64) -> List {
    let list = read(bytes).expect("a kind that is known");
    assert_eq!(list.kind, kind);
    assert_eq!(list.told(), expected);
    assert_eq!(list.skipped.count, skipped, "{:?}", list.skipped);
    list
}

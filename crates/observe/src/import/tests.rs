//! What the tests of several formats need.

use std::path::{Path, PathBuf};

use model::{Connection, Detail, Event, Imported, NameSeen, Process};

use super::{Import, Options, Skipped};

/// All that a file gives.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) seen: Vec<Imported>,
    pub(super) skipped: Skipped,
}

impl Read {
    pub(super) fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.seen.iter().filter_map(|seen| {
            let Imported::Connection(connection) = seen else {
                return None;
            };
            Some(&**connection)
        })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&Event, &NameSeen)> {
        self.seen.iter().filter_map(|seen| {
            let Imported::Name(event) = seen else {
                return None;
            };
            let Detail::Name(name) = &event.detail else {
                return None;
            };
            Some((&**event, name))
        })
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.seen.iter().filter_map(|seen| {
            let Imported::Process(process) = seen else {
                return None;
            };
            Some(&**process)
        })
    }
}

pub(super) fn read_file(path: &Path) -> Read {
    let mut import = Import::open(path, Options::default()).expect("a known kind");
    let mut seen = Vec::new();
    while import.next(&mut seen).expect("a file that can be read") {}
    let skipped = import.skipped().clone();
    Read { seen, skipped }
}

/// Nothing, where it is of no known kind.
pub(super) fn read(bytes: &[u8]) -> Read {
    let mut read = Read {
        seen: Vec::new(),
        skipped: Skipped::default(),
    };
    if let Ok(mut import) = Import::of_bytes(bytes.to_vec(), None, Options::default()) {
        while import.next(&mut read.seen).expect("memory") {}
        read.skipped = import.skipped().clone();
    }
    read
}

/// A file of real evidence. `None`: it is not here, and the test is left out.
pub(super) fn corpus(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("WHOCALLS_CORPUS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let path = folder.unwrap_or(beside).join(file);
    let path = path.is_file().then_some(path);
    if path.is_none() {
        println_left_out(file);
    }
    path
}

#[expect(clippy::print_stderr, reason = "a test says when it is left out")]
fn println_left_out(file: &str) {
    eprintln!("left out: {file} is not here");
}

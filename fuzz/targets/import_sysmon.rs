#![no_main]
//! Event logs of Windows, as they are and as JSON.

use libfuzzer_sys::fuzz_target;
use model::Imported;
use observe::import::{Import, Options};

/// A chunk is long, and only its beginning is wanted: this one is filled up.
const CHUNK: usize = 64 << 10;
const HEAD: usize = 4096;

fn read(data: Vec<u8>, kind: &str) {
    let Ok(mut import) = Import::of_bytes(data, Some(kind), Options::default()) else {
        return;
    };
    let mut seen = Vec::new();
    while import.next(&mut seen).expect("memory") {}
    for seen in seen {
        match seen {
            Imported::Connection(connection) => assert!(connection.remote.is_some()),
            Imported::Process(process) => {
                assert!(process.name.is_empty() == process.path.is_none())
            }
            _ => {}
        }
    }
}

fuzz_target!(|data: &[u8]| {
    read(data.to_vec(), "Windows events as JSON");
    let mut file = vec![0; HEAD];
    file.extend_from_slice(data);
    file.resize(HEAD + CHUNK, 0);
    read(file, "Windows event log");
});

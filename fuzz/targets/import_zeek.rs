#![no_main]
//! Logs of Zeek, in both forms.

use libfuzzer_sys::fuzz_target;
use model::Imported;
use observe::import::{Import, Options};

fuzz_target!(|data: &[u8]| {
    let Ok(mut import) = Import::of_bytes(data.to_vec(), Some("Zeek log"), Options::default())
    else {
        return;
    };
    let mut seen = Vec::new();
    while import.next(&mut seen).expect("memory") {}
    for seen in seen {
        if let Imported::Connection(connection) = seen {
            assert!(connection.socket.cookie.is_some() && connection.remote.is_some());
        }
    }
});

#![no_main]
//! Captures as pcapng. No more packets than there is room for.

use libfuzzer_sys::fuzz_target;
use model::Imported;
use observe::import::{Import, Options};

fuzz_target!(|data: &[u8]| {
    let bytes = data.to_vec();
    let Ok(mut import) = Import::of_bytes(bytes, Some("pcapng"), Options::default()) else {
        return;
    };
    let mut seen = Vec::new();
    while import.next(&mut seen).expect("memory") {}
    let mut packets = 0;
    for seen in seen {
        if let Imported::Connection(connection) = seen {
            assert!(connection.local.ip.is_some() && connection.socket.cookie.is_some());
            assert!(connection.remote.is_some_and(|remote| remote.ip.is_some()));
            packets += connection.packets_sent.unwrap() + connection.packets_received.unwrap();
            assert!(connection.closed >= connection.opened || connection.closed.is_none());
        }
    }
    assert!(packets <= u64::try_from(data.len() / 16).unwrap());
});

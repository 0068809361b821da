#![no_main]
//! The header that macOS puts before a packet.

use libfuzzer_sys::fuzz_target;
use model::Imported;
use observe::import::{Import, Options};

fuzz_target!(|data: &[u8]| {
    // A file with one packet, which the header of macOS stands before.
    let length = u32::try_from(data.len()).unwrap();
    let numbers = [
        0xa1b2_c3d4,
        4 << 16 | 2,
        0,
        0,
        1 << 18,
        258,
        7,
        0,
        length,
        length,
    ];
    let mut bytes = numbers.map(u32::to_le_bytes).concat();
    bytes.extend(data);
    let Ok(mut import) = Import::of_bytes(bytes, Some("pcap"), Options::default()) else {
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
    assert!(packets <= 1);
});

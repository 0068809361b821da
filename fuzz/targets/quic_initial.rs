#![no_main]
//! Packets of QUIC; frames also as if they had been encrypted.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;
use parse::quic::{Keys, Packet, crypto, packets};

fuzz_target!(|data: &[u8]| {
    for packet in packets(data).take(8) {
        if let Packet::Initial(initial) = packet {
            let keys = Keys::of_client(initial.version, initial.destination).unwrap();
            let payload = keys.open(&initial).unwrap_or_default();
            assert!(payload.len() < data.len());
        }
    }
    let carried: usize = crypto(data).map(|(_, bytes)| bytes.len()).sum();
    assert!(carried <= data.len());
});

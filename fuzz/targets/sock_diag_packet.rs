#![no_main]
//! Answers of packet_diag.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    if let Some(entry) = parse::sock_diag::packet_entry(data) {
        assert_eq!(entry.socket.local, model::Endpoint::NONE);
        assert_ne!(entry.interface, Some(0));
    }
});

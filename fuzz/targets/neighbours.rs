#![no_main]
//! Neighbours and own addresses.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    if let Some(neighbour) = parse::neighbours::neighbour(data) {
        assert!(!neighbour.address.is_unspecified() && !neighbour.address.is_multicast());
    }
    parse::neighbours::own_address(data);
});

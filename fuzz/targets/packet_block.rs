#![no_main]
//! A block of a ring of packets, and what rtnetlink says of interfaces.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

/// A header of version 2 that Linux has for links without a name.
const ADDED: usize = 20;

fuzz_target!(|data: &[u8]| {
    let mut room = Vec::new();
    for frame in parse::packet_block::frames(data).flatten() {
        let (whole, _) = frame.whole(&mut room);
        assert!(whole.len() <= data.len() + ADDED);
    }
    if let Some(link) = parse::interfaces::link(data) {
        assert!(link.index != 0 && !link.name.is_empty());
    }
    parse::interfaces::address(data);
});

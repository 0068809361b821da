#![no_main]
//! Netlink attributes, one within the other.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fn read(bytes: &[u8], depth: usize) {
    let mut total = 0;
    for (_, value) in parse::attributes::attributes(bytes) {
        total += 4 + value.len();
        if depth > 0 {
            read(value, depth - 1);
        }
    }
    assert!(total <= bytes.len());
}

fuzz_target!(|data: &[u8]| read(data, 3));

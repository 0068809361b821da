#![no_main]
//! What an X server says: of itself, and in answer to questions.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;
use parse::x11::{self, Packet};

fuzz_target!(|bytes: &[u8]| {
    if let Some((head, about)) = bytes.split_first_chunk() {
        let length = x11::length_of_about(*head);
        assert!(length.is_none_or(|length| length <= 4 * 65535));
        x11::root(about);
    }
    for head in bytes.as_chunks().0 {
        if let Packet::Reply(more) | Packet::Event(more) = x11::packet(head) {
            assert_eq!(more % 4, 0);
        }
    }
    x11::extension(bytes);
    x11::idle(bytes);
});

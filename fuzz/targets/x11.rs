#![no_main]
//! What an X server says: of itself, and in answer to questions.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;
use parse::x11::{self, Packet, windows};

fuzz_target!(|bytes: &[u8]| {
    if let Some((head, about)) = bytes.split_first_chunk() {
        let length = x11::length_of_about(*head);
        assert!(length.is_none_or(|length| length <= 4 * 65535));
        x11::root(about);
        if let Some(about) = windows::about(about) {
            assert_eq!(about.owner(u32::MAX) >> 29, 0);
        }
    }
    for head in bytes.as_chunks().0 {
        if let Packet::Reply(more) | Packet::Event(more) = x11::packet(head) {
            assert_eq!(more % 4, 0);
        }
    }
    x11::extension(bytes);
    x11::idle(bytes);
    let clients = windows::clients(bytes).unwrap_or_default();
    assert!(
        clients
            .iter()
            .all(|(_, pid)| i32::try_from(*pid).is_ok_and(|pid| pid > 0))
    );
    assert!(clients.len() * 16 <= bytes.len());
    windows::name(bytes);
    windows::knows_processes(bytes);
    windows::children(bytes);
    windows::mapped(bytes);
    windows::geometry(bytes);
    windows::state(bytes);
});

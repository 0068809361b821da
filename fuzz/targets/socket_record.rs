#![no_main]
//! Records of the BPF programs.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse::{self, socket_record::SocketRecord};

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    while let Some((record, after)) = parse::socket_record::take_record(rest) {
        assert!(after.len() < rest.len());
        rest = after;
        if let SocketRecord::Held(whole) | SocketRecord::Unheld(whole) = record {
            let socket = whole.entry().socket;
            assert_eq!(socket.key.cookie, whole.cookie());
            assert_eq!(socket.netns, Some(whole.netns()));
            parse::socket_entry::is_in_use(&socket);
            assert!(whole.name().len() <= 16);
            let _ = (whole.pid(), whole.started(), whole.is_half_open());
        }
    }
});

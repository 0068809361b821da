#![no_main]
//! Answers of unix_diag, and lines of `/proc/PID/net/unix`.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|byte| *byte == b'\n');
    let listed = lines.filter_map(parse::unix_diag::unix_line);
    for socket in parse::unix_diag::unix_entry(bytes).into_iter().chain(listed) {
        assert_ne!(socket.peer, Some(0));
        parse::unix_diag::is_of_display(socket.name.bytes());
    }
});

#![no_main]
//! Answers of inet_diag, asked for by a socket type and a protocol.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|input: (u16, u16, &[u8])| {
    let (kind, protocol, message) = input;
    if let Some(entry) = parse::sock_diag::inet_entry(message, kind, protocol) {
        assert_ne!(entry.socket.key.inode, Some(0));
        assert_ne!(entry.interface, Some(0));
        parse::socket_entry::is_in_use(&entry.socket);
    }
});

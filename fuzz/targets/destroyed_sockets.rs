#![no_main]
//! Sockets that are gone, from netlink socket diagnosis.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    if let Some(socket) = parse::destroyed_sockets::destroyed_socket(data) {
        assert_ne!(socket.cookie, 0);
        assert_ne!(socket.interface, Some(0));
        let forgotten = socket.remote.is_none_or(|remote| remote.port.is_none());
        if let Some(tcp) = socket.tcp.filter(|_| forgotten) {
            assert_eq!((tcp.bytes_sent, tcp.bytes_received), (None, None));
        }
    }
});

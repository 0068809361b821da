#![no_main]
//! Lines of `/proc/PID/net/{tcp,udp,raw,icmp,netlink}`, `sockstat` and `snmp`.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

const SOCKETS: [(u16, Option<u16>); 4] = [(1, Some(6)), (2, Some(17)), (2, Some(1)), (3, None)];

fuzz_target!(|text: &str| {
    for line in text.lines() {
        for (kind, protocol) in SOCKETS {
            if let Some(entry) = parse::proc_net::table_line(line, kind, protocol) {
                assert_ne!(entry.socket.key.inode, Some(0));
                parse::socket_entry::is_in_use(&entry.socket);
            }
        }
    }
    parse::proc_net::tcp_counts(text);
    parse::proc_net::tcp_opens(text);
    parse::netlink_sockets::dropped(text.as_bytes(), 4);
});

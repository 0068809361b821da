#![no_main]
//! Lines of `/proc/PID/net/{packet,igmp,dev_mcast}`.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|text: &[u8]| {
    for line in text.split(|byte| *byte == b'\n') {
        parse::packet_table::packet_line(line);
        if let Some((_, name)) = parse::packet_table::interface_line(line) {
            assert!(!name.is_empty());
        }
    }
});

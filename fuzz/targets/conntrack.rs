#![no_main]
//! Connection tracking, over netlink and as text.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    parse::conntrack::tracked(data);
    if let Ok(text) = std::str::from_utf8(data) {
        for line in text.lines() {
            parse::conntrack::tracked_line(line);
        }
    }
});

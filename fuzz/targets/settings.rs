#![no_main]
//! Text files that say how a computer is set up.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    if let Some(name) = parse::settings::pretty_name(data) {
        assert!(!name.is_empty());
    }
    parse::settings::hosts_line(data);
    for line in parse::settings::proxies(data) {
        assert!(!line.bytes().contains(&b'\n'));
    }
});

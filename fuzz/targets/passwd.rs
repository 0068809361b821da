#![no_main]
//! `/etc/passwd`.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    for name in parse::passwd::user_names(data).values() {
        assert!(!name.is_empty());
        assert!(!name.iter().any(|byte| matches!(byte, b':' | b'\n')));
    }
    for home in parse::passwd::homes(data) {
        assert!(home.starts_with(b"/") && !home.contains(&b'\n'));
    }
});

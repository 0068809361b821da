#![no_main]
//! Whom a certificate is for.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    let names = parse::certificate::names(data);
    assert!(names.len() <= 32);
    for name in names {
        assert!(!name.is_empty() && name.bytes().len() <= 1024);
    }
});

#![no_main]
//! Files with the cookies of X displays.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;
use parse::xauthority::cookies;

fuzz_target!(|bytes: &[u8]| {
    let found = cookies(bytes);
    assert!(found.len() <= 64);
    for cookie in found {
        assert!(cookie.is_of(cookie.display.unwrap_or_default()));
    }
});

#![no_main]
//! The file of nscd.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

const LIMIT: usize = 50;

fuzz_target!(|data: &[u8]| {
    if let Some(answers) = parse::resolver_cache::nscd::answers(data, LIMIT) {
        assert!(answers.kept.len() <= LIMIT);
        // No more work than the length allows.
        assert!(answers.kept.len() + answers.let_go <= data.len() / 4 + LIMIT);
    }
});

#![no_main]
//! `/proc/PID/stat`.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    if let Some(stat) = parse::proc_pid::stat(data) {
        // The name is what stands between the first and the last bracket.
        let mut bracketed = b"(".to_vec();
        bracketed.extend(stat.name.bytes());
        bracketed.push(b')');
        assert!(data.windows(bracketed.len()).any(|part| part == bracketed));
    }
});

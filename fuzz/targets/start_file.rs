#![no_main]
//! Files that start programs.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;
use parse::start_file::{crontab, desktop_entry, shell, unit};

const LIMIT: usize = 50;

fuzz_target!(|data: &[u8]| {
    for words in [
        shell(data, LIMIT),
        desktop_entry(data, LIMIT),
        unit(data, LIMIT),
        crontab(data, true, LIMIT),
        crontab(data, false, LIMIT),
    ] {
        assert!(words.len() <= LIMIT);
        for word in words {
            assert!(!word.text.is_empty());
            assert!(word.begins || word.text.bytes().contains(&b'/'));
        }
    }
});

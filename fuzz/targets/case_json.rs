#![no_main]
//! `case.json`: what is read reads back from what is written.

use libfuzzer_sys::fuzz_target;
use record::case::About;

fuzz_target!(|data: &[u8]| {
    if let Ok(about) = About::read(data) {
        assert_eq!(About::read(&about.to_json()), Ok(about));
    }
});

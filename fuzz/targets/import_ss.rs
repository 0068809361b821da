#![no_main]
//! Lists of `ss`.

#[path = "common/listed.rs"]
mod listed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| listed::check(data, &["ss output"]));

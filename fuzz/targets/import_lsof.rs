#![no_main]
//! Lists of `lsof`, with `-F` too.

#[path = "common/listed.rs"]
mod listed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| listed::check(data, &["lsof output", "lsof -F output"]));

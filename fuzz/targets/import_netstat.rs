#![no_main]
//! Lists of `netstat`, of any system.

#[path = "common/listed.rs"]
mod listed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| listed::check(data, &["netstat output"]));

#![no_main]
//! Lists of TCPView and Tcpvcon.

#[path = "common/listed.rs"]
mod listed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| listed::check(data, &["TCPView list", "Tcpvcon output"]));

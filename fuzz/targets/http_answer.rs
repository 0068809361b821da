#![no_main]
//! Answers of HTTP: no more is taken than was agreed on, and what is taken is there.

use enrich::network::answer::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    const MOST: usize = 512;
    let mut rest = data;
    if let Ok(answer) = read(&mut rest, MOST) {
        assert!(answer.body.len() <= MOST);
        assert!(answer.body.len() + rest.len() <= data.len());
        assert!((200..1000).contains(&answer.status));
    }
});

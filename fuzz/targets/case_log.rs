#![no_main]
//! The log of a case: each line is counted, and none is longer than what was read.

use libfuzzer_sys::fuzz_target;
use record::case::read_log;

fuzz_target!(|data: &[u8]| {
    let mut lines = 0;
    let end = read_log(data, &mut |number, _entry, sha256| {
        lines += 1;
        assert_eq!(number, lines);
        assert_eq!(sha256.len(), 64);
    });
    if let Ok(end) = end {
        assert_eq!(end.lines, lines);
        assert_eq!(end.last_sha256.is_some(), lines > 0);
        assert!(end.cut_bytes <= data.len() as u64);
    }
});

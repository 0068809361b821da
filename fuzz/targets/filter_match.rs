#![no_main]
//! A filter held against names that somebody chose: the filter, NUL, the name.

use libfuzzer_sys::fuzz_target;
use model::Timestamp;
use show::filter::Filter;

mod example;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (filter, name) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let Ok(text) = std::str::from_utf8(filter) else {
        return;
    };
    let Ok(filter) = Filter::parse_for_watch(text) else {
        return;
    };
    let (process, connection) = (example::process(name), example::connection(name));
    let now = Timestamp::from_unix_nanos(2_000_000_000_000_000_000);
    let found = filter.matches(&connection, Some(&process), process.user.as_ref(), now);
    filter.matches(&connection, None, None, now);
    filter.matches_process(&process, now);
    // What is not wanted is the rest.
    if let Ok(opposite) = Filter::parse_for_watch(&format!("not ({text})")) {
        assert_ne!(
            opposite.matches(&connection, Some(&process), process.user.as_ref(), now),
            found
        );
    }
});

#![no_main]
//! The head of a request: as much of it as has come gives what the whole gives.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;
use parse::http::Head;

fuzz_target!(|data: &[u8]| {
    let whole = parse::http::head(data, 0);
    for looked in [1, data.len() / 2, data.len()] {
        let Some(part) = data.get(..looked) else {
            continue;
        };
        match parse::http::head(part, 0) {
            Head::Incomplete => assert_eq!(parse::http::head(data, looked), whole),
            other => assert_eq!(other, whole),
        }
    }
    if let Some(request) = parse::http::request(data) {
        assert!(
            request
                .host
                .is_none_or(|host| !host.is_empty() && host.bytes().len() <= 255)
        );
        assert!(
            request
                .greeting
                .target
                .is_some_and(|target| target.bytes().len() <= 1024)
        );
    }
});

#![no_main]
//! Messages of the process connector, one after the other.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

use parse::process_connector::{Content, Missing, message, subscription};

/// `struct cn_msg` with `struct proc_event` behind it.
const LENGTH: usize = 60;

fuzz_target!(|data: &[u8]| {
    let mut missing = Missing::default();
    for bytes in data.chunks(LENGTH) {
        let Some(message) = message(bytes) else {
            continue;
        };
        missing.note(&message);
        if let Content::Answer { answer_to, .. } = message.content {
            assert_eq!(subscription(answer_to).len(), 24);
        }
    }
    let most = (data.len() / LENGTH) as u64;
    assert!(missing.messages <= most * u64::from(u32::MAX / 2));
});

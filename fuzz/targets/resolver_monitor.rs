#![no_main]
//! What systemd-resolved was asked: a stream of messages that comes in two pieces.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

use parse::resolver_monitor::{Beginnings, Message, message};

fn messages(pieces: &[&[u8]]) -> Vec<Message> {
    let (mut beginnings, mut all) = (Beginnings::default(), Vec::new());
    for piece in pieces {
        beginnings.take(piece, |bytes| all.push(message(bytes)));
    }
    all
}

fuzz_target!(|data: &[u8]| {
    let whole = messages(&[data]);
    let (first, second) = data.split_at(data.len() / 2);
    assert_eq!(messages(&[first, second]), whole);
    for message in whole {
        if let Message::Asked(names) = message {
            assert!(names.len() <= 16);
        }
    }
});

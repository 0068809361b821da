#![no_main]
//! Events of sockets from the BPF programs, with what may have been said behind them.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use model::{NetworkNamespace, Protocol};
use observe::parse;
use parse::socket_event::{Flags, said, socket_event};

/// `struct event`, and what stands before what was said.
const BEFORE_BYTES: usize = 132;

fuzz_target!(|data: &[u8]| {
    if let Some((_, bytes)) = said(data) {
        assert!(bytes.len() <= data.len().saturating_sub(BEFORE_BYTES));
    }
    let Some(event) = socket_event(data) else {
        return;
    };
    assert_ne!(event.netns, Some(NetworkNamespace(0)));
    if let Some(owner) = event.owner {
        assert!(owner.pid != 0 && !event.flags.has(Flags::KERNEL));
        assert!(!owner.name().contains(&0));
    }
    if let Protocol::Packet { .. } = event.protocol {
        assert_eq!(event.remote, None);
    }
});

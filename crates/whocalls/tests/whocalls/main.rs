//! Situations: real sockets of real programs, mostly in network namespaces that a test makes for
//! itself, seen by the finished program. What a test needs and does not find here (rights, a tool,
//! a feature of the kernel) it names on standard error as `skipped: TEST: REASON`.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic, in its helpers too"
)]

mod actions;
mod actor;
mod bytes;
mod case;
mod contract;
mod directions;
mod export;
mod holders;
mod hostile;
mod namespaces;
mod network;
mod no_btf;
mod oracle;
mod ordinary;
mod pages;
mod program;
mod record;
mod recording;
mod remembered;
mod rights;
mod sample;
mod screen;
mod setting;
mod stick;
mod story;
mod structure;
mod tampering;
mod watch;

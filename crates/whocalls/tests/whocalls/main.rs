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
mod bytes;
#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "tests of recordings use the rest")]
mod common;
mod compared;
mod contract;
mod damaged;
mod devices;
mod directions;
mod evidence;
mod examined;
mod findings;
mod holders;
mod hostile;
mod idle;
mod indicators;
mod lookup;
mod names;
mod namespaces;
mod no_btf;
mod online;
mod oracle;
mod ordinary;
mod pages;
mod remembered;
mod rights;
mod screen;
mod silence;
mod stick;
mod story;
mod structure;
mod tampering;
mod tunnels;
mod watch;

use common::{actor, network, program, room, setting};

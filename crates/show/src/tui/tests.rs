//! The screen, from fixed snapshots and keys.

mod keys;
mod pictures;
mod stage;

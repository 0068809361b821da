//! The screen, from fixed snapshots and keys.

mod cost;
mod keys;
mod pictures;
mod stage;
mod texts;

//! The screen, from fixed snapshots and keys.

mod case;
mod cost;
mod keys;
mod pictures;
mod recording;
mod stage;
mod texts;

//! The screen, from fixed snapshots and keys.

mod case;
mod cost;
mod devices;
mod findings;
mod keys;
mod names;
mod pictures;
mod recording;
mod rhythm;
mod stage;
pub(crate) use self::stage::evening;
mod texts;
mod whose;

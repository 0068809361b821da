//! Shows what is known: tables, JSON, CSV, the screen, forms of other tools, and the filter language
//! that picks from it.
//! A `model::Snapshot`, or what happens one after the other, goes in; text comes out.
#![forbid(unsafe_code)]

pub mod actions;
mod bytes;
mod checks;
pub mod comparison;
pub mod csv;
mod devices;
pub mod doctor;
pub mod ecs;
pub mod errors;
pub mod filter;
pub mod findings;
pub mod gaps;
pub mod indicators;
pub mod json;
pub mod lookup;
mod messages;
pub mod ocsf;
pub mod order;
mod program;
mod progress;
pub mod quantity;
pub mod services;
mod sides;
pub mod table;
pub mod tui;
pub mod visible;
pub mod wireshark;
pub mod zeek;

pub use self::progress::{Progress, progress};

#[cfg(test)]
mod example;
#[cfg(test)]
mod situation;

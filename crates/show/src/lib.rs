//! Shows what is known: tables, JSON, CSV, and the filter language that picks from it.
//! A `model::Snapshot`, or what happens one after the other, goes in; text comes out.
#![forbid(unsafe_code)]

pub mod actions;
pub mod csv;
pub mod doctor;
pub mod errors;
pub mod filter;
pub mod gaps;
pub mod json;
mod messages;
pub mod order;
pub mod quantity;
pub mod services;
pub mod table;
pub mod tui;
pub mod visible;

#[cfg(test)]
mod example;

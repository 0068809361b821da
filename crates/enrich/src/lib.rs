//! What is known of an address, a name or a file without asking anybody: who announces it, what it
//! is for, on which list it stands. An address, a name, a hash or what was seen goes in; facts and
//! matches with their source come out. Nothing here writes, and nothing asks the network.
#![forbid(unsafe_code)]

pub mod answered;
pub mod data;
pub mod embedded;
pub mod files;
pub mod known;
pub mod matching;
#[cfg(feature = "network")]
pub mod network;
pub mod sources;
pub mod special;
pub mod suffix;
pub mod tables;

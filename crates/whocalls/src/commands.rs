//! The commands; one file each.

pub(crate) mod completions;
pub(crate) mod doctor;
mod filter;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod watch;

//! The commands; one file each.

pub(crate) mod close;
pub(crate) mod completions;
mod confirm;
pub(crate) mod doctor;
pub(crate) mod end;
mod filter;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod watch;

//! The commands; one file each.

mod case;
pub(crate) mod check;
pub(crate) mod close;
pub(crate) mod completions;
mod confirm;
pub(crate) mod data;
pub(crate) mod doctor;
pub(crate) mod end;
mod evidence;
pub(crate) mod export;
mod filter;
mod fold;
pub(crate) mod import;
mod imports;
pub(crate) mod indicators;
mod judging;
pub(crate) mod known;
pub(crate) mod list;
pub(crate) mod lookup;
pub(crate) mod man;
pub(crate) mod open;
pub(crate) mod pack;
pub(crate) mod record;
pub(crate) mod screen;
pub(crate) mod verify;
pub(crate) mod watch;

//! The live screen: what a person sees first. Snapshots and keys go in; a picture of the terminal
//! comes out, and now and then a wish that somebody else has to fulfil.
//!
//! `screen` holds what the person has chosen, `rows` makes the rows of a view from a snapshot,
//! `draw` paints them, and `terminal` is the only part that touches the terminal. What it says to a
//! person stands in `crate::messages`.

mod axis;
mod changes;
mod columns;
mod copy;
mod detail;
mod draw;
mod edit;
mod keys;
mod menu;
mod programs;
mod rows;
mod save;
mod screen;
mod sums;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod view;
mod words;

use std::sync::Arc;
use std::time::Duration;

use model::{Connection, ProcessId, Snapshot, Timestamp};

pub use self::terminal::{Terminal, run};
pub use self::theme::{Colors, Theme};

/// How the screen is to look and behave.
#[derive(Clone, Debug)]
pub struct Options {
    pub theme: Theme,
    /// Clicks and the wheel work; text is then selected with Shift.
    pub mouse: bool,
    /// How often a new snapshot is wanted at first.
    pub refresh: Duration,
    /// Connections may be closed and processes ended.
    pub actions: bool,
    /// A filter to begin with, as the person wrote it.
    pub filter: String,
}

/// What the screen says beside the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whose rights whocalls has: `root`, or the name of a user.
    pub user: String,
    /// When watching began.
    pub since: Timestamp,
    /// Whether this computer has a way to any network. `None`: not known.
    pub online: Option<bool>,
    pub events: u64,
    /// Events that the kernel had no room for.
    pub lost: u64,
    /// Connections that have ended and are no longer kept.
    pub let_go: u64,
    /// Programs and destinations whose calls are no longer kept.
    pub forgotten: u64,
}

/// What the screen cannot do itself.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Take snapshots that often.
    Refresh(Duration),
    /// A new file of this name; it is never written over another.
    Save { name: String, bytes: Vec<u8> },
    /// End a TCP connection. `what` names it for a person.
    Close {
        connection: Box<Connection>,
        what: String,
    },
    /// End a process, asking it or at once. `what` names it for a person.
    End {
        process: ProcessId,
        what: String,
        hard: bool,
    },
}

/// Whoever feeds the screen and fulfils its wishes.
pub trait Outside {
    /// The newest snapshot, if there is one that was not given yet.
    fn newest(&mut self) -> Option<(Arc<Snapshot>, Status)>;
    /// Must not wait; what came of it is told by `told`.
    fn fulfil(&mut self, deed: Deed);
    /// What came of a wish, in words for a person.
    fn told(&mut self) -> Option<String>;
    /// Whether the run is over, whatever the person wants.
    fn is_over(&mut self) -> bool;
}

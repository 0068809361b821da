//! The live screen: what a person sees first. Snapshots and keys go in; a picture of the terminal
//! comes out, and now and then a wish that somebody else has to fulfil.
//!
//! `screen` holds what the person has chosen, `rows` makes the rows of a view from a snapshot,
//! `draw` paints them, and `terminal` is the only part that touches the terminal. What it says to a
//! person stands in `crate::messages`.

mod asked;
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
mod rhythm;
mod rows;
mod save;
mod screen;
mod sums;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod view;
mod whose;
mod words;

use std::sync::Arc;
use std::time::Duration;

use model::{Connection, LookedUp, ProcessId, Question, Snapshot, Timestamp};

pub use self::terminal::{Terminal, run};
#[cfg(test)]
pub(crate) use self::tests::evening;
pub use self::theme::{Colors, Theme};
pub use self::whose::{Kept, ToAsk, ToAskItem};
pub use crate::wireshark::PacketFile;

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
    pub to_ask: ToAsk,
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
    pub mode: Mode,
    /// Packets that can be opened with another program, the oldest first.
    pub packet_files: Arc<[PacketFile]>,
}

/// What is on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What happens now. `recording`: `None` where nothing is written down.
    Live { recording: Option<Recording> },
    /// What was recorded before.
    Case(Replay),
}

/// How a recording stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Of the case, without the folders above it.
    pub name: String,
    pub since: Timestamp,
    pub events: u64,
    /// `None`: packets are not recorded.
    pub packets: Option<u64>,
    /// Events and packets that nobody had room for.
    pub lost: u64,
    /// On disk.
    pub bytes: u64,
}

/// A case, and the moment of it that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Of the case, without the folders above it.
    pub name: String,
    pub begun: Timestamp,
    /// The last that was recorded.
    pub ended: Timestamp,
    /// The moment that is shown; the snapshot was taken then.
    pub at: Timestamp,
    /// How much has been read, in hundredths. `None`: all.
    pub progress: Option<u8>,
    pub seal: Seal,
}

/// What is known of the seal of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    NotChecked,
    /// All is as the manifest says, and it was closed.
    Intact,
    /// All is as the manifest says, and it was never closed.
    Unsealed,
    /// Something was changed or is missing.
    Broken,
    /// What other tools made has none.
    None,
}

/// What came of keeping a copy of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preserved {
    pub process: ProcessId,
    /// Its file and its memory map are in the case; else why not, in words for a person.
    pub result: Result<(), String>,
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
    /// Show another moment of the case; it lies between its begin and its end. Of several wishes
    /// the last one counts. The snapshot that comes of it says so, by the same `Replay::at`.
    Go(Timestamp),
    /// Copy the file and the memory map of a process into the case; `Outside::preserved` tells what
    /// came of it, always.
    Preserve { process: ProcessId },
    /// Tell what is known here of an address, a name or a hash, as it was seen; nobody is asked.
    /// `adds`: put it on the list of what to ask elsewhere where others may be asked. Always answered by
    /// `Told::Known`.
    LookUp { item: String, adds: bool },
    /// On the list of what to ask from another computer.
    AskElsewhere(Question),
    /// Off it.
    AskNoMore(Question),
    /// As `Save`, of the list; answered by `Told::ListSaved`.
    SaveList { name: String, bytes: Vec<u8> },
}

/// What came of a wish, in words for a person where it is text.
#[derive(Clone, Debug)]
pub enum Told {
    Done(String),
    Known(Box<Known>),
    /// Why the list of what to ask elsewhere is not where it should be kept.
    NotKept(String),
    ListSaved(Result<String, String>),
}

/// What is known here of an item.
#[derive(Clone, Debug)]
pub struct Known {
    /// As it was wished for.
    pub item: String,
    /// `Err`: why it cannot be looked up.
    pub found: Result<Box<Found>, String>,
    /// Whether it is on the list of what to ask elsewhere now.
    pub is_added: bool,
}

#[derive(Clone, Debug)]
pub struct Found {
    pub looked_up: LookedUp,
    /// What others are asked; `Err`: why they are not to be.
    pub question: Result<Question, String>,
}

/// Whoever feeds the screen and fulfils its wishes.
pub trait Outside {
    /// The newest snapshot, if there is one that was not given yet.
    fn newest(&mut self) -> Option<(Arc<Snapshot>, Status)>;
    /// Must not wait; what came of it is told by `told`.
    fn fulfil(&mut self, deed: Deed);
    /// What came of a wish.
    fn told(&mut self) -> Option<Told>;
    /// What came of `Deed::Preserve`.
    fn preserved(&mut self) -> Option<Preserved>;
    /// Whether the run is over, whatever the person wants.
    fn is_over(&mut self) -> bool;
}

//! Sees this computer: its sockets, its processes, what it remembers. Nothing goes in; one look
//! comes out as `model::Look`, and what could not be seen as `model::Gap`s within it.
//!
//! All effects of watching live here: the kernel, the clock and, one day, `unsafe`. Formats of
//! operating systems are taken apart in `parse`, which is plain code and tested everywhere.

use std::fs::File;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

pub mod actions;
pub mod console;
pub mod folder;
pub mod import;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "its callers are elsewhere")
)]
mod names;
mod news;
pub mod packets;
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "its callers are elsewhere")
)]
mod parse;
pub mod places;
pub mod program;
pub mod runtime;
pub mod signals;
mod stamp;
mod system;
#[cfg(any(windows, test))]
mod traced;
#[cfg(any(windows, test))]
mod turns;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;
pub mod writer;

pub use self::system::{clock, system};

use self::actions::Actions;
use self::packets::{PacketOptions, Packets};
use model::{Doctor, FileIdentity, Host, Look, Observed, ProcessId, Source, Tier, Timestamp};

/// How deep to look into a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    /// What costs less than a millisecond.
    Cheap,
    /// All, with files that have to be read whole.
    Whole,
}

/// What a look should take in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookOptions {
    /// Every process, not only those with sockets and the ones above them.
    pub every_process: bool,
    /// What the computer remembers of connections that are over.
    pub remembered: bool,
}

/// Why there is nothing to see at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {what}")]
    Read {
        what: &'static str,
        source: io::Error,
    },
}

/// Looks at this computer, as often as is wanted.
pub struct Observer(platform::Observer);

impl Observer {
    /// Gets ready; with `polling_only` to read by netlink and /proc even where more is possible.
    ///
    /// Errors: the computer shows nothing of itself (no /proc). Everything less is a `Gap` in the
    /// look.
    pub fn open(polling_only: bool) -> Result<Self, Error> {
        platform::Observer::open(polling_only).map(Self)
    }

    /// The wall clock, in UTC.
    pub fn now(&self) -> Timestamp {
        platform::now()
    }

    /// Takes one look.
    ///
    /// Errors: as [`Observer::open`].
    pub fn look(&mut self, options: LookOptions) -> Result<Look, Error> {
        self.0.look(options)
    }
}

/// How to watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WatchOptions {
    /// Read by netlink and /proc only, even where more is possible.
    pub polling: bool,
    /// Keep the rights to close connections and to end processes, in a process of its own.
    pub allow_actions: bool,
    /// `None`: no packets are captured.
    pub packets: Option<PacketOptions>,
}

/// What tells most of this computer where so much is possible: for what is said of a whole run.
pub fn source(tier: Tier) -> Source {
    match tier {
        Tier::Full | Tier::NoBtf => platform::TOLD_BY,
        Tier::Polling | Tier::Import => platform::LOOKED_AT_BY,
    }
}

/// Watches this computer: what happens, while it happens.
pub struct Watch(platform::Watch);

/// What a copy of the program of a process is made of.
#[derive(Debug)]
pub struct ProgramCopy {
    pub process: ProcessId,
    /// Its program file, for reading, also when it has no name any more. Of who runs another
    /// program since it was wanted, that one. `Err`: why there is none, for people.
    pub file: Result<File, String>,
    /// Which version of which file that is. `None`: there is none, or it could not be asked.
    pub version: Option<FileVersion>,
    /// What it has in its memory (`/proc/PID/maps`; on Windows code and loaded files, a line for each part),
    /// at most 1 MiB. `None`: that could not be read.
    pub maps: Option<Vec<u8>>,
}

/// The same for the same bytes: which file it is, its size, and when it was last written to and changed,
/// as stat(2) gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileVersion {
    pub(crate) file: FileIdentity,
    pub(crate) bytes: u64,
    /// Seconds and nanoseconds.
    pub(crate) modified: (i64, i64),
    pub(crate) changed: (i64, i64),
}

/// What a run saw, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub events: u64,
    /// Events that the kernel had no room for.
    pub lost: u64,
}

impl Watch {
    /// Attaches to the kernel, takes the first look, and opens the gate. The look is the first
    /// that [`Watch::next`] gives.
    ///
    /// Errors: as [`Observer::open`].
    pub fn start(options: WatchOptions) -> Result<Self, Error> {
        platform::Watch::start(options).map(Self)
    }

    /// The computer that is watched.
    pub fn host(&self) -> &Host {
        self.0.host()
    }

    pub fn tier(&self) -> Tier {
        self.0.tier()
    }

    /// The way to close connections and to end processes, for any thread; once. `None`: they are not
    /// allowed, or could not be, which is a gap then.
    pub fn actions(&mut self) -> Option<Actions> {
        self.0.actions().map(Actions)
    }

    /// The packets of this computer, for a thread of its own; once. `None`: they were not asked for.
    pub fn packets(&mut self) -> Option<Packets> {
        self.0.packets().map(Packets)
    }

    /// All that happened before this has been told, in nanoseconds since boot, suspend included. While
    /// packets are captured, [`Watch::next`] returns each 20 ms or so that it can be passed on to them.
    pub fn until(&self) -> u64 {
        self.0.until()
    }

    /// What has happened may still be on its way to us for so long.
    pub fn delay(&self) -> Duration {
        self.0.delay()
    }

    /// Waits at most so long, and appends what has happened.
    ///
    /// Errors: the kernel no longer tells anything.
    pub fn next(&mut self, wait: Duration, seen: &mut Vec<Observed>) -> Result<(), Error> {
        self.0.next(wait, seen)
    }

    /// Appends what the open connections have counted since it was last asked, and where nothing
    /// else tells what happens, a new look. To be called once a refresh.
    ///
    /// Errors: as [`Watch::next`].
    pub fn refresh(&mut self, seen: &mut Vec<Observed>) -> Result<(), Error> {
        self.0.refresh(seen)
    }

    /// Has the program file and the memory map of a process opened, for a copy; see
    /// [`Watch::programs`]. Does not wait. False: too many wait already, or there is no way to.
    pub fn want_program(&mut self, process: ProcessId) -> bool {
        self.0.want_program(process)
    }

    /// Those of [`Watch::want_program`] that have come, each once and in their order. To be asked
    /// often: a few are kept open at most. Does not wait.
    pub fn programs(&mut self) -> Vec<ProgramCopy> {
        self.0.programs()
    }

    pub fn totals(&self) -> Totals {
        self.0.totals()
    }

    /// The wall clock, in UTC.
    pub fn now(&self) -> Timestamp {
        platform::now()
    }
}

/// The wall clock, in UTC.
pub fn now() -> Timestamp {
    platform::now()
}

/// To be called before anything else. `Some`: this process was started as the helper of another
/// one, its work is over, and it is to end with this code.
pub fn helped() -> Option<ExitCode> {
    platform::helped()
}

/// Whether this computer has a way to any other network: a default route over an interface that is
/// connected. `None`: it cannot be asked.
pub fn is_online() -> Option<bool> {
    platform::is_online()
}

/// Whose rights this process has: a name, else a number.
pub fn user() -> String {
    platform::user()
}

/// This computer's name for itself.
pub fn host_name() -> model::Text {
    platform::host_name()
}

/// Hashes the program files of these processes, as far as they may be read, until it is time to stop.
/// Gives how many are left then.
pub fn hash_programs(processes: &mut [model::Process], until: Instant) -> usize {
    platform::hash_programs(processes, until)
}

/// Looks into these processes until it is time to stop, into all of them cheaply before it goes deeper.
/// What is not finished then is not testable, and says so. Adds processes that hide: nobody lists
/// them. Gives how many are left.
pub fn examine(processes: &mut Vec<model::Process>, depth: Depth, until: Instant) -> usize {
    platform::examine(processes, depth, until)
}

/// Tells what can be seen on this computer, what not, and how to mend it.
///
/// Errors: as [`Observer::open`].
pub fn doctor() -> Result<Doctor, Error> {
    platform::doctor()
}

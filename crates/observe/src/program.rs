//! A program that is started to be watched: it waits, already a process, until we are ready to see
//! what it does. It runs as if it had been started in our place: same rights, limits, environment,
//! folder, terminal and standard input. Only what it says on standard output goes to our standard
//! error, since ours carries data.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

#[cfg(target_os = "linux")]
#[path = "linux/program.rs"]
mod platform;

#[cfg(windows)]
use crate::platform::program as platform;

/// To be called before anything else. `Some`: this process was started by [`Waiting::prepare`], has
/// waited, and did not become the program; it is to end with this code.
pub fn waited() -> Option<ExitCode> {
    platform::waited()
}

/// A program that waits for [`Waiting::go`], or runs since. One that was never told to go ends by
/// itself when this is dropped.
pub struct Waiting(platform::Waiting);

impl Waiting {
    /// Starts a process that waits, and becomes the program later. To be called before rights are
    /// given up, signals are handled and threads are started, all of which it would inherit.
    /// `command` is the program, then its arguments; it is searched for as a shell does. On Windows it is looked for
    /// beside whocalls first, then among the system's, then along `PATH`, and has to be an `.exe`.
    ///
    /// From now on whatever the program starts, and nobody waits for, is adopted by us (prctl(2),
    /// `PR_SET_CHILD_SUBREAPER`): that is how we know when all of it has ended. On Windows it is in a job of
    /// ours, and all that it starts as well, but for what it lets out of its jobs.
    ///
    /// Errors: there is no such program, or no process can be started.
    pub fn prepare(command: &[OsString]) -> io::Result<Self> {
        platform::Waiting::prepare(command).map(Self)
    }

    /// Its number, before and after [`Waiting::go`].
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// Lets it become the program; it has when this returns.
    ///
    /// Errors: why it cannot be started. That it was ended while it waited is none.
    pub fn go(&mut self) -> io::Result<()> {
        self.0.go()
    }

    /// Whether it and all that it started have ended.
    pub fn is_over(&mut self) -> bool {
        self.0.is_over()
    }

    /// How it ended, as far as [`Waiting::is_over`] has found out. `None`: it runs, or that could
    /// not be learned.
    pub fn ended(&self) -> Option<Ended> {
        self.0.ended()
    }
}

/// How a program ended: one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The code it ended with.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

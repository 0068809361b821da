//! Sees this computer: its sockets, its processes, what it remembers. Nothing goes in; one look
//! comes out as `model::Look`, and what could not be seen as `model::Gap`s within it.
//!
//! All effects of watching live here: the kernel, the clock and, one day, `unsafe`. Formats of
//! operating systems are taken apart in `parse`, which is plain code and tested everywhere.

use std::io;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "its callers are elsewhere")
)]
mod parse;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;

use model::{Doctor, Look, Timestamp};

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

/// Tells what can be seen on this computer, what not, and how to mend it.
///
/// Errors: as [`Observer::open`].
pub fn doctor() -> Result<Doctor, Error> {
    platform::doctor()
}

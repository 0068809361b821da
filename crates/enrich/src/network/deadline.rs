//! How long something may take, and whether it is still wanted.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use model::Failure;

/// How long nothing is noticed of a wish to stop.
const SLICE: Duration = Duration::from_millis(100);

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum End {
    /// A person did not want to wait for it.
    Stopped,
    Failed(Failure),
}

impl From<Failure> for End {
    fn from(why: Failure) -> Self {
        Self::Failed(why)
    }
}

/// When something has to be over.
#[derive(Clone, Copy)]
pub(super) struct Deadline<'of> {
    at: Instant,
    whole: Duration,
    pub(super) stop: &'of dyn Fn() -> bool,
}

impl<'of> Deadline<'of> {
    pub(super) fn new(whole: Duration, stop: &'of dyn Fn() -> bool) -> Self {
        Self {
            at: Instant::now() + whole,
            whole,
            stop,
        }
    }

    /// The same for a part of it, which may not take as long.
    pub(super) fn part(self, whole: Duration) -> Self {
        let at = Instant::now() + whole;
        if at < self.at {
            Self { at, whole, ..self }
        } else {
            self
        }
    }

    /// What is left, never nothing.
    pub(super) fn left(&self) -> Result<Duration, End> {
        if (self.stop)() {
            return Err(End::Stopped);
        }
        let left = self.at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::TimedOut(self.whole).into());
        }
        Ok(left)
    }

    /// How long to wait before it has to be asked again; an error that [`Self::end`] knows.
    pub(super) fn slice(&self) -> io::Result<Duration> {
        match self.left() {
            Ok(left) => Ok(left.min(SLICE)),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// What an error of a connection means.
    pub(super) fn end(&self, error: &io::Error) -> End {
        if let Err(end) = self.left() {
            return end;
        }
        let is_cut = [
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::BrokenPipe,
        ]
        .contains(&error.kind());
        if is_cut {
            return Failure::Cut.into();
        }
        Failure::Unreachable(plain(error)).into()
    }

    /// The same before there is a connection: the system notices first that its time is over.
    pub(super) fn end_of_try(&self, error: &io::Error) -> End {
        if (self.stop)() {
            End::Stopped
        } else if error.kind() == io::ErrorKind::TimedOut {
            Failure::TimedOut(self.whole).into()
        } else {
            Failure::Unreachable(plain(error)).into()
        }
    }
}

/// What the system says, without its number.
pub(super) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or_default();
    plain.to_lowercase()
}

/// Errors: stopped meanwhile.
pub(super) fn pause(how_long: Duration, stop: &dyn Fn() -> bool) -> Result<(), End> {
    let until = Instant::now() + how_long;
    loop {
        if stop() {
            return Err(End::Stopped);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(SLICE));
    }
}

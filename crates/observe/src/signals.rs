//! Who asked this process to end: the sender of the first such signal.

use crate::platform;
use model::{ProcessId, Text};
use std::io;
#[cfg(windows)]
use std::sync::Arc;
#[cfg(windows)]
use std::sync::atomic::AtomicBool;

/// The first signal that came of those that were listened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its number.
    pub signal: i32,
    /// When it came, in nanoseconds since boot, suspend included.
    pub boot_ns: u64,
    pub by: Sender,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The kernel itself: for a signal that comes from a terminal, its keys or its end.
    Kernel,
    Process {
        /// `None`: it is in a PID namespace that cannot be seen from ours.
        pid: Option<u32>,
        /// Real user id.
        uid: u32,
        /// From this computer's /etc/passwd. `None`: not listed there.
        user: Option<Text>,
        /// The kernel says who it is. Otherwise (sigqueue(3)) it says so itself.
        is_certain: bool,
        /// `None`: it had ended before it could be asked.
        program: Option<Program>,
    },
    /// The console of Windows. It does not tell who pressed its keys or closed it: programs that are
    /// attached to it can ask for the same.
    Console(Console),
    /// Whoever set the event of this recording (Windows, which does not tell who): `record stop` does.
    RecordStop,
}

/// What a console of Windows told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Break.
    Break,
    /// Its window was closed, or the process was ended in a way that lets it end in order.
    Closed,
    LogOff,
    ShutDown,
}

/// What a sender was running a moment after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The short name the kernel keeps.
    pub name: Text,
    /// The first ones. Empty: no right to see them.
    pub arguments: Vec<Text>,
}

/// Notes the sender of each of these signals, and leaves to others what is to be done. To be called
/// before whoever handles them begins to, and hands them on to who did before.
///
/// Errors: no such signal.
pub fn note_senders(signals: &[i32]) -> io::Result<()> {
    platform::signals::note_senders(signals)
}

/// Who is told what a console of Windows asks for.
#[cfg(windows)]
#[derive(Debug)]
pub struct Listener {
    /// Becomes true when the process is to end.
    pub asked: Arc<AtomicBool>,
    /// Becomes true at a Ctrl-C. Another one, while it is true, ends the process at once.
    pub pressed: Arc<AtomicBool>,
    /// The exit code of that end.
    pub twice: i32,
}

/// Windows has no signals: its console asks. While it is closed, or the session ends, the process has
/// some 5 seconds.
///
/// Errors: the console does not tell.
#[cfg(windows)]
pub fn hear_console(listener: Listener) -> io::Result<()> {
    platform::signals::hear_console(listener)
}

/// From now on `record stop` is heard by this process, which is `process`; whoever listens to its console is
/// told. Elsewhere than on Windows a signal does it, and nothing is to be done.
///
/// Errors: nobody will be able to ask it to end.
pub fn listen_for_stop(process: ProcessId) -> io::Result<()> {
    platform::signals::listen_for_stop(process)
}

/// The first one, and who sent it. To be asked soon after it came: the sender may end. `None`: none
/// came, or this platform does not tell.
pub fn first() -> Option<Asked> {
    platform::signals::first()
}

//! How tests start programs.

use std::io::ErrorKind;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

/// Starts it. A copy that a test has just written may for a moment be open for writing in the child that
/// another test forked meanwhile, and cannot be started until then.
pub(crate) fn spawned(command: &mut Command) -> Child {
    for _ in 0..200 {
        match command.spawn() {
            Ok(child) => return child,
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => panic!("{command:?}: {error}"),
        }
    }
    panic!("{command:?}: busy");
}

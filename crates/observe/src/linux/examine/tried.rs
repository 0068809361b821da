//! What tests of checks need: folders and processes that go with them.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::spawned::spawned;
use super::Subject;
use crate::parse::proc_pid::stat;

/// A folder that goes with it.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        // Tests run side by side, and several want the same.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("whocalls-examine-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that goes with it.
pub(super) struct Running(pub(super) Child);

impl Running {
    /// Waits until it runs a program of that name.
    pub(super) fn start(command: &mut Command, name: &str) -> Option<Self> {
        let command = command.stdin(Stdio::null()).stderr(Stdio::null());
        let mut running = Self(spawned(command));
        let link = format!("/proc/{}/exe", running.0.id());
        for _ in 0..1000 {
            let program = fs::read_link(&link).unwrap_or_default();
            let is_it = program.file_name().is_some_and(|it| it == name);
            if is_it && running.subject().is_some_and(|it| !it.stat().in_exec) {
                return Some(running);
            }
            if running.0.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        None
    }

    pub(super) fn subject(&self) -> Option<Subject> {
        let pid = self.0.id();
        let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
        Subject::open(pid, stat(&text)?.start_ticks).ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(super) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

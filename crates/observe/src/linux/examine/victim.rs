//! Real processes for tests to look into.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::Subject;
use crate::parse::proc_pid::stat;

/// A process that ends with its test.
pub(super) struct Victim(pub(super) Child);

impl Victim {
    /// Starts it, and waits until it has said a line. `None`: there is no such program.
    pub(super) fn start(command: &mut Command) -> Option<Self> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = child.stderr(Stdio::null()).spawn().ok()?;
        let said = child.stdout.take().map(BufReader::new);
        let victim = Self(child);
        let mut line = String::new();
        said.unwrap().read_line(&mut line).unwrap();
        (line == "ready\n").then_some(victim)
    }

    /// The same for a command line without quotes; what stands in `code` is one argument.
    pub(super) fn of(line: &str, code: &str) -> Option<Self> {
        let words = line
            .split(' ')
            .map(|word| if word == "CODE" { code } else { word });
        let words: Vec<_> = words.collect();
        let (program, arguments) = words.split_first().unwrap();
        let victim = Self::start(Command::new(program).args(arguments));
        if victim.is_none() {
            skipped(&format!("{line}: it does not start here"));
        }
        victim
    }

    pub(super) fn subject(&self) -> Subject {
        subject(self.0.id())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

pub(super) fn subject(pid: u32) -> Subject {
    let text = std::fs::read(format!("/proc/{pid}/stat")).unwrap();
    Subject::open(pid, stat(&text).unwrap().start_ticks).unwrap()
}

/// A folder of its own, removed in the end.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn below(folder: &str, name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let own = format!("{name}-{}-{count}", std::process::id());
        let path = Path::new(folder).join(own);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A file in it that can be started.
    pub(super) fn file(&self, name: &str, text: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Not open for writing in a child of another test when it is started.
        let beside = path.with_extension("new");
        std::fs::write(&beside, text).unwrap();
        let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&beside, runs).unwrap();
        std::fs::rename(&beside, &path).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A library that does nothing. `None`: there is no compiler here.
pub(super) fn library(folder: &Folder, name: &str) -> Option<String> {
    let source = folder.file("x.c", b"int nothing_at_all(void) { return 7; }\n");
    let path = format!("{}/{name}", folder.path());
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o", &path, &source])
        .status();
    if built.is_ok_and(|status| status.success()) {
        Some(path)
    } else {
        skipped("no compiler here");
        None
    }
}

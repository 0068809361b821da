//! What a test needs around it: rights, tools, folders, time.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// How long anything may take that a test waits for, also where others keep this computer busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Something that is not everywhere.
#[derive(Clone, Copy)]
pub(crate) enum Need {
    Root,
    Program(&'static str),
}

/// Whether something is missing; then it has been said.
pub(crate) fn lacks(needs: &[Need]) -> bool {
    needs.iter().any(|need| match need {
        Need::Root if !is_root() => skip("it needs root"),
        Need::Program(name) if find(name).is_none() => skip(&format!("there is no {name} here")),
        Need::Root | Need::Program(_) => false,
    })
}

/// Says that the test of this thread is left out. True, for the sake of its callers.
pub(crate) fn skip(reason: &str) -> bool {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test");
    let line = format!("skipped: {test}: {reason}\n");
    if SAID.lock().unwrap().insert(line.clone()) {
        // Not eprintln, which `cargo test` keeps to itself when a test passes.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    true
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Where a program is. The folders of the administrator's programs are searched too: they are not
/// in everybody's PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// A command by its name, as far as it can be found.
pub(crate) fn command(name: &str) -> Command {
    Command::new(find(name).unwrap_or_else(|| name.into()))
}

/// Runs a tool to its end; what it says is an error when it fails.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<Output, String> {
    let output = command(name)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        Ok(output)
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{name} {}: {said}", arguments.join(" ")))
    }
}

/// Asks again and again until there is an answer.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A number that no other test of any run has.
pub(crate) fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A folder for everyone's eyes, removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = env::temp_dir().join(format!("whocalls-{}", unique()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.0.join(name.as_ref())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

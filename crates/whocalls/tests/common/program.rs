//! Runs whocalls and reads what it says.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::network::Namespace;

pub(crate) const WHOCALLS: &str = env!("CARGO_BIN_EXE_whocalls");

/// Both ways of reading sockets. Where the first does not work it is the second by itself.
pub(crate) const TIERS: [Option<&str>; 2] = [None, Some("--polling")];

/// What a run of whocalls left behind.
#[derive(Debug)]
pub(crate) struct Run {
    /// `None`: a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: Vec<u8>,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output().unwrap();
        Self {
            code: output.status.code(),
            out: output.stdout,
            err: output.stderr,
        }
    }

    /// The one document of a run that went well.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.talk());
        serde_json::from_slice(&self.out).expect("JSON on standard output")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.out.clone()).expect("UTF-8 on standard output")
    }

    pub(crate) fn talk(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }
}

pub(crate) fn whocalls(arguments: &[&str]) -> Run {
    Run::of(Command::new(WHOCALLS).args(arguments))
}

/// Everything that one look shows.
pub(crate) fn look(tier: Option<&str>) -> Look {
    let mut command = Command::new(WHOCALLS);
    command.args(["list", "--all", "--json"]).args(tier);
    Look(Run::of(&mut command).json())
}

/// The document of `list --json`.
pub(crate) struct Look(pub(crate) Value);

impl Look {
    pub(crate) fn tier(&self) -> &str {
        self.0["tier"].as_str().unwrap()
    }

    pub(crate) fn gap(&self, id: &str) -> Option<&Value> {
        let mut gaps = self.0["gaps"].as_array().unwrap().iter();
        gaps.find(|gap| gap["id"] == id)
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = Seen<'_>> {
        self.0["connections"].as_array().unwrap().iter().map(Seen)
    }

    /// Those of one network namespace.
    pub(crate) fn inside(&self, namespace: &Namespace) -> Vec<Seen<'_>> {
        self.of_netns(namespace.number)
    }

    pub(crate) fn of_netns(&self, number: u64) -> Vec<Seen<'_>> {
        self.connections()
            .filter(|seen| seen.0["netns"] == number)
            .collect()
    }

    /// The process with this pid, in full.
    pub(crate) fn process(&self, pid: u32) -> &Value {
        let mut processes = self.0["processes"].as_array().unwrap().iter();
        processes
            .find(|process| process["pid"] == pid)
            .unwrap_or_else(|| panic!("process {pid} is not among the processes"))
    }
}

/// A connection as it stands in JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a>(pub(crate) &'a Value);

impl<'a> Seen<'a> {
    pub(crate) fn word(self, name: &str) -> &'a str {
        self.0[name].as_str().unwrap()
    }

    pub(crate) fn local(self) -> String {
        endpoint(&self.0["local"])
    }

    pub(crate) fn remote(self) -> String {
        endpoint(&self.0["remote"])
    }

    /// Owner and other holders, ascending.
    pub(crate) fn pids(self) -> Vec<u32> {
        let others = self.0["also_held_by"].as_array().unwrap();
        let all = std::iter::once(&self.0["process"]).chain(others);
        let mut pids: Vec<u32> = all
            .filter_map(|process| u32::try_from(process["pid"].as_u64()?).ok())
            .collect();
        pids.sort_unstable();
        pids
    }

    /// Why the owner is not known; `None` when it is.
    pub(crate) fn why(self) -> Option<&'a str> {
        self.0["owner"]["why"].as_str()
    }
}

/// `127.0.0.1:80`, `[::1]:80`, `-` where there is none.
fn endpoint(value: &Value) -> String {
    match (value["ip"].as_str(), value["port"].as_u64()) {
        (None, _) => "-".to_owned(),
        (Some(ip), None) => ip.to_owned(),
        (Some(ip), Some(port)) if ip.contains(':') => format!("[{ip}]:{port}"),
        (Some(ip), Some(port)) => format!("{ip}:{port}"),
    }
}

/// The one among several that a test means.
pub(crate) fn only<'a>(seen: &[Seen<'a>], what: impl Fn(Seen<'a>) -> bool) -> Seen<'a> {
    let mut fitting = seen.iter().copied().filter(|seen| what(*seen));
    let first = fitting.next().unwrap_or_else(|| {
        panic!("no such connection among {seen:#?}");
    });
    assert!(fitting.next().is_none(), "several of {first:?}");
    first
}

/// A copy of the program where everyone may start it.
pub(crate) fn copy_to(folder: &Path) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let copy = folder.join("whocalls");
    copy_file(Path::new(WHOCALLS), &copy);
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).unwrap();
    copy
}

/// Copies a program that is to be started. Not by ourselves: another test may start a program meanwhile,
/// which for a moment inherits the descriptor that writes, and a file that is being written cannot be
/// started.
pub(crate) fn copy_file(program: &Path, copy: &Path) {
    let copied = Command::new("cp").arg(program).arg(copy).status();
    assert!(copied.unwrap().success());
}

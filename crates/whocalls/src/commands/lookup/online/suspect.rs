//! Whether this is the computer under examination. Whoever asks from there tells others that somebody is
//! looking.

use std::io::Read;
use std::path::Path;

use anyhow::anyhow;
use model::SystemInterface;
use observe::{LookOptions, Observer};
use record::case::OpenCase;
use serde_json::Value;

use crate::commands::case::is_case;
use crate::commands::record::running;

/// How the first look at the computer is called in a case.
const SYSTEM: &str = "snapshots/first-system.json";
const LONGEST_SYSTEM: u64 = 4 << 20;
/// Ethernet and what counts as such (include/uapi/linux/if_arp.h).
const ETHERNET: u16 = 1;
/// Bit of an address that nobody has burned in.
const LOCALLY_GIVEN: u8 = 2;
/// Folders beside each other that are looked at for cases.
const MOST_FOLDERS: usize = 1_000;

const NAME: &str = "whocalls";
/// How those processes are called that it starts for itself.
const HELPER: &str = "whocalls-";
/// The one that also those have that look at a case.
const WRITER: &str = "whocalls-writes";
/// Commands that do not look at this computer, or for a moment only.
const LOOKS_ELSEWHERE: [&str; 16] = [
    "close",
    "completions",
    "data",
    "diff",
    "doctor",
    "end",
    "export",
    "import",
    "indicators",
    "list",
    "lookup",
    "man",
    "open",
    "pack",
    "verify",
    "help",
];

/// Why it is taken for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Why {
    OfCase,
    Watched(u32),
    Recorded,
    /// A case of it lies here.
    CaseHere(String),
}

impl Why {
    pub(super) fn refusal(&self) -> anyhow::Error {
        let because = match self {
            Self::OfCase => "the case was made on it".to_owned(),
            Self::Watched(pid) => format!("whocalls watches or records it (process {pid})"),
            Self::Recorded => "it was recorded since it was started".to_owned(),
            Self::CaseHere(path) => format!("{path} was made on it"),
        };
        anyhow!(
            "This is the computer under examination. Asking from here tells others, perhaps the \
             attacker, that someone is looking. Take the case to another computer, or add \
             --from-this-computer.\nIt is taken for it because {because}. Nothing was sent."
        )
    }
}

/// `None`: nothing speaks for it.
pub(super) fn why(case: Option<&OpenCase>) -> Option<Why> {
    if case.is_some_and(is_of_this_computer) {
        return Some(Why::OfCase);
    }
    let recordings = running::recordings().unwrap_or_default();
    if let Some(recording) = recordings.running.first() {
        return Some(Why::Watched(recording.process.pid));
    }
    if let Some(pid) = watching() {
        return Some(Why::Watched(pid));
    }
    if running::was_recorded() {
        return Some(Why::Recorded);
    }
    case_here().map(Why::CaseHere)
}

/// By what does not change while it runs, by its hardware, and by its name: better one time too often.
fn is_of_this_computer(case: &OpenCase) -> bool {
    let Some(about) = case.about() else {
        // It cannot tell.
        return true;
    };
    let here = observe::host_name();
    let boot = Observer::open(true)
        .and_then(|mut it| it.look(LookOptions::default()))
        .map(|look| look.host.boot.to_string());
    if boot.as_ref().is_ok_and(|boot| *boot == about.boot) || here.lossy() == about.host {
        return true;
    }
    let theirs = hardware_of(case);
    let interfaces = observe::system().interfaces;
    interfaces
        .iter()
        .filter_map(hardware)
        .any(|here| theirs.contains(&here))
}

/// As it stands in a case. `None`: it has none, or one that was made up.
fn hardware(interface: &SystemInterface) -> Option<String> {
    let burned_in = interface.permanent_address.as_ref();
    let address = burned_in.unwrap_or(&interface.hardware_address);
    let is_real = interface.hardware_type == ETHERNET
        && address
            .first()
            .is_some_and(|first| first & LOCALLY_GIVEN == 0)
        && address.iter().any(|byte| *byte != 0);
    let parts: Vec<_> = address.iter().map(|byte| format!("{byte:02x}")).collect();
    is_real.then(|| parts.join(":"))
}

fn hardware_of(case: &OpenCase) -> Vec<String> {
    let read = || {
        let mut bytes = Vec::new();
        let file = case.file(SYSTEM).ok()?;
        file.take(LONGEST_SYSTEM).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok()
    };
    let system = read().unwrap_or_default();
    let interfaces = system.get("interfaces").and_then(Value::as_array);
    let all = interfaces.into_iter().flatten().flat_map(|it| {
        ["permanent_address", "hardware_address"]
            .into_iter()
            .filter_map(|name| it.get(name)?.as_str().map(str::to_owned))
    });
    all.collect()
}

/// Another whocalls that looks at this computer, whoever started it and whatever it is called: by its name,
/// its file, or the helpers that it has.
fn watching() -> Option<u32> {
    let mut observer = Observer::open(true).ok()?;
    let look = observer
        .look(LookOptions {
            every_process: true,
            ..LookOptions::default()
        })
        .ok()?;
    let own = std::process::id();
    let file = look.processes.iter().find(|it| it.id.pid == own)?.file;
    let found = look.processes.iter().find(|process| {
        let path = process.path.as_ref().map(|it| it.lossy());
        let name = process.name.lossy();
        let is_helper = name.starts_with(HELPER) && name != WRITER;
        let is_called = name == NAME
            || path.is_some_and(|path| path.rsplit('/').next() == Some(NAME))
            || file.is_some() && process.file == file;
        process.id.pid != own && (is_helper || is_called && is_looking(process))
    });
    found.map(|it| it.id.pid)
}

/// By its command line. One that cannot be read counts, and so does whatever is not known to look elsewhere.
fn is_looking(process: &model::Process) -> bool {
    let Some(arguments) = &process.command_line else {
        return true;
    };
    let mut words = arguments.iter().skip(1).map(|it| it.lossy());
    let first = words.find(|word| !word.starts_with('-'));
    first.is_none_or(|word| !LOOKS_ELSEWHERE.contains(&word.as_ref()))
}

/// A case of this computer that lies where one looks first: here, or beside the program.
fn case_here() -> Option<String> {
    let here = std::env::current_dir().ok();
    let beside = std::env::current_exe().ok();
    let beside = beside.and_then(|it| it.parent().map(Path::to_path_buf));
    here.into_iter().chain(beside).find_map(|folder| {
        let entries = std::fs::read_dir(folder).ok()?.take(MOST_FOLDERS);
        let paths = entries.filter_map(|entry| entry.ok()?.path().to_str().map(str::to_owned));
        let mut cases = paths.filter(|path| is_case(path));
        cases.find(|path| {
            let opened = OpenCase::open(Path::new(path), None);
            opened.is_ok_and(|case| case.about().is_some() && is_of_this_computer(&case))
        })
    })
}

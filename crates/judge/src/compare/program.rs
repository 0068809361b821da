//! A program as it is compared: all its runs together, without pids and times.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    DeviceId, Evidence, Fact, PackageState, Process, ProcessId, Severity, Text, Timestamp,
};

use super::destination::{Destination, Group};
use super::listener::{Door, Waiting};
use crate::process::{paths, programs};

/// So many things of one kind are kept of a program; the smallest, so that no order matters.
pub(super) const MOST: usize = 16;
/// So many pieces of evidence are kept of anything.
pub(super) const MOST_EVIDENCE: usize = 4;

/// What makes a program the same one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProgramKey {
    /// Its path, its name where the path is not known. `None`: nobody knows.
    pub(super) program: Option<Text>,
    /// What an interpreter or a shell runs. `None`: it is none, or was not told.
    pub(super) script: Option<String>,
    /// The kind of container that it runs in: its path is one of another computer.
    pub(super) engine: Option<&'static str>,
    /// In the place of the program.
    pub(super) device: Option<DeviceId>,
}

impl ProgramKey {
    pub(super) fn of(process: &Process) -> Self {
        Self {
            program: Some(unmarked(process.program())),
            script: script(process),
            engine: process.container.as_ref().map(|it| it.engine),
            device: None,
        }
    }

    /// Of a program of which no run is known any more, or which has become another one since: it is what
    /// called.
    pub(super) fn of_program(program: &Text, now: Option<&Self>) -> Self {
        let program = Some(unmarked(program));
        match now {
            Some(now) if now.program == program => now.clone(),
            Some(now) => Self {
                program,
                engine: now.engine,
                ..Self::default()
            },
            None => Self {
                program,
                ..Self::default()
            },
        }
    }

    /// Of connections whose owner is not known.
    pub(super) fn is_nobody(&self) -> bool {
        self.program.is_none() && self.device.is_none()
    }
}

/// Without what the kernel writes behind the path of a file that is gone.
fn unmarked(program: &Text) -> Text {
    match program.as_utf8() {
        Some(path) => paths::without_mark(path).into(),
        None => program.clone(),
    }
}

/// What was seen of a program.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Program {
    pub(super) runs: u64,
    /// The first of them, by their start.
    pub(super) processes: BTreeSet<(Option<Timestamp>, ProcessId)>,
    /// When it was first seen to do anything.
    pub(super) first: Option<Timestamp>,
    pub(super) users: BTreeSet<User>,
    pub(super) files: Files,
    /// The worst of its runs. `None`: nobody has asked.
    pub(super) package_state: Option<PackageState>,
    pub(super) package: Option<Text>,
    /// Why it is not ordinary, in words of the public contract.
    pub(super) not_ordinary: BTreeSet<&'static str>,
    pub(super) examined: bool,
    pub(super) connections: u64,
    pub(super) destinations: BTreeMap<Group, Destination>,
    /// Who calls it: the other side opened.
    pub(super) callers: BTreeMap<Group, Destination>,
    pub(super) listeners: BTreeMap<Door, Waiting>,
}

/// Who a program runs as.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct User {
    pub(super) name: String,
    /// It has all rights.
    pub(super) is_root: bool,
}

/// Which files lay at the path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) hashes: BTreeSet<[u8; 32]>,
    pub(super) versions: BTreeSet<Text>,
    /// Device and inode.
    pub(super) numbers: BTreeSet<(u64, u64)>,
}

/// What kind of program it is, for whoever wonders whether a difference matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Intact, from a package, and nothing stands out.
    Ordinary,
    /// The same, and it does what it is told: an interpreter, a shell, a transfer tool.
    Told,
    /// A device, or nobody knows whose it is.
    NoProgram,
    /// Which package it is of is not known; it lies where packages do, or only its name is known.
    NotKnown,
    /// The same, and it lies where anybody may put a program.
    NotKnownElsewhere,
    Unpackaged,
    Modified,
}

impl Standing {
    /// Whether it is none of which a package answers for.
    pub(super) fn is_odd(self) -> bool {
        self >= Self::NotKnownElsewhere
    }
}

impl Program {
    pub(super) fn add_process(&mut self, process: &Process, not_ordinary: Option<&[&'static str]>) {
        self.runs += 1;
        keep_smallest(
            &mut self.processes,
            (process.started, process.id),
            MOST_EVIDENCE,
        );
        self.saw(process.started);
        let user = process.user.as_ref().map(|it| it.lossy().into_owned());
        let user = user.or_else(|| Some(process.uid?.to_string()));
        if let Some(name) = user {
            let is_root = process.uid == Some(0) || process.uid.is_none() && name == "root";
            keep_smallest(&mut self.users, User { name, is_root }, MOST);
        }
        if let Some(hash) = process.sha256 {
            keep_smallest(&mut self.files.hashes, hash, MOST);
        }
        if let Some(file) = process.file {
            keep_smallest(&mut self.files.numbers, (file.device, file.inode), MOST);
        }
        self.not_ordinary.extend(not_ordinary.unwrap_or_default());
        let examined = process.examined.as_deref();
        self.examined |= examined.is_some_and(|it| !it.checks.is_empty());
        if let Some(package) = examined.and_then(|it| it.package.as_ref()) {
            let state = package.state;
            self.package_state = Some(match self.package_state {
                Some(known) if weight(known) >= weight(state) => known,
                Some(_) | None => state,
            });
            let known = self.package.take().into_iter();
            self.package = known.chain(package.name.clone()).min();
            if let Some(version) = &package.version {
                keep_smallest(&mut self.files.versions, version.clone(), MOST);
            }
        }
    }

    pub(super) fn saw(&mut self, time: Option<Timestamp>) {
        let times = [self.first, time].into_iter().flatten();
        self.first = times.filter_map(Timestamp::told).min();
    }

    /// Whether it has to do with the network.
    pub(super) fn uses_network(&self) -> bool {
        !(self.destinations.is_empty() && self.callers.is_empty() && self.listeners.is_empty())
    }

    /// Whether it calls anybody outside of this computer, or can be called from there.
    pub(super) fn reaches_outside(&self) -> bool {
        let calls = self.destinations.keys().any(Group::is_outside);
        let is_called = self.callers.keys().any(Group::is_outside);
        calls || is_called || self.listeners.keys().any(|door| door.outside)
    }

    pub(super) fn standing(&self, key: &ProgramKey) -> Standing {
        let Some(program) = &key.program else {
            return Standing::NoProgram;
        };
        match self.package_state {
            Some(PackageState::Modified) => return Standing::Modified,
            Some(PackageState::Unpackaged) => return Standing::Unpackaged,
            Some(PackageState::Intact | PackageState::ThisTool) if self.not_ordinary.is_empty() => {
                return Standing::Ordinary;
            }
            Some(PackageState::Intact | PackageState::ThisTool) => return Standing::Told,
            Some(PackageState::NotTestable) | None => {}
        }
        let path = program.lossy();
        let is_elsewhere = paths::is_temporary(&path)
            || paths::is_oddly_hidden(&path)
            || paths::below_home(&path).is_some();
        if is_elsewhere && super::place::is_path(program) {
            Standing::NotKnownElsewhere
        } else {
            Standing::NotKnown
        }
    }

    /// Takes several ports for datagrams together: they were chosen at random.
    pub(super) fn join_random_ports(&mut self) {
        for outside in [false, true] {
            let random = |it: &&Door| it.may_be_random() && it.outside == outside;
            let doors: Vec<Door> = self.listeners.keys().filter(random).copied().collect();
            let [first, _, ..] = doors.as_slice() else {
                continue;
            };
            let mut all = Waiting::default();
            for waiting in doors.iter().filter_map(|it| self.listeners.remove(it)) {
                all.join(&waiting);
            }
            self.listeners.insert(first.at_random(), all);
        }
    }

    /// Whether it waits there, or at some port in its place.
    pub(super) fn waits_at(&self, door: Door) -> bool {
        let at_random = door.may_be_random() && self.listeners.contains_key(&door.at_random());
        self.listeners.contains_key(&door) || at_random
    }

    /// Its runs, as evidence.
    pub(super) fn evidence(&self) -> Vec<Evidence> {
        let all = self.processes.iter();
        all.map(|(_, id)| Evidence::Process(*id)).collect()
    }

    /// What is known of the program itself, for a person.
    pub(super) fn facts(&self, key: &ProgramKey) -> Vec<(&'static str, Fact)> {
        let text = |text: String| Fact::Text(text);
        let mut facts = Vec::new();
        let mut add = |name, fact: Option<Fact>| facts.extend(fact.map(|fact| (name, fact)));
        add("script", key.script.clone().map(text));
        add("container", key.engine.map(|it| text(it.to_owned())));
        let state = self.package_state.map(|it| text(it.word().to_owned()));
        add("package_state", state);
        let package = self.package.as_ref();
        add("package", package.map(|it| text(it.lossy().into_owned())));
        let users: Vec<_> = self.users.iter().map(|it| it.name.as_str()).collect();
        add("users", (!users.is_empty()).then(|| text(users.join(", "))));
        facts
    }
}

/// Worst of all is a file that was changed.
fn weight(state: PackageState) -> u8 {
    match state {
        PackageState::ThisTool => 0,
        PackageState::Intact => 1,
        PackageState::NotTestable => 2,
        PackageState::Unpackaged => 3,
        PackageState::Modified => 4,
    }
}

/// What it means that a program does something it did not do before.
pub(super) fn severity(standing: Standing) -> Severity {
    match standing {
        Standing::Ordinary => Severity::Informational,
        Standing::Told | Standing::NoProgram | Standing::NotKnown => Severity::Low,
        Standing::NotKnownElsewhere | Standing::Unpackaged | Standing::Modified => Severity::Medium,
    }
}

/// Puts a thing in and keeps no more than the smallest `most` of all.
pub(super) fn keep_smallest<T: Ord>(kept: &mut BTreeSet<T>, thing: T, most: usize) {
    kept.insert(thing);
    if kept.len() > most {
        kept.pop_last();
    }
}

/// What an interpreter or a shell was told to run. `None`: it is neither, or nobody may know.
fn script(process: &Process) -> Option<String> {
    const LONGEST: usize = 512;
    let program = process.program().lossy();
    let arguments = process.command_line.as_ref()?.iter();
    let arguments: Vec<String> = arguments.map(|it| it.lossy().into_owned()).collect();
    if !programs::is_interpreter(&program) && !programs::is_shell(&program, &arguments) {
        return None;
    }
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        let script = match argument.as_str() {
            // Code on the command line is another one each time.
            "-c" | "-e" => "-c".to_owned(),
            "-m" => format!("-m {}", rest.next()?),
            "-jar" => rest.next()?.clone(),
            "-cp" | "-classpath" | "--class-path" | "-W" | "-X" | "-r" | "--require" => {
                rest.next()?;
                continue;
            }
            option if option.starts_with('-') => continue,
            script => script.to_owned(),
        };
        return Some(script.chars().take(LONGEST).collect());
    }
    None
}

#[cfg(test)]
mod tests {
    use model::BootId;

    use super::*;

    fn run(path: &str, arguments: &[&str]) -> Process {
        let id = ProcessId {
            boot: BootId([0; 16]),
            pid: 7,
            start_ticks: 7,
        };
        Process {
            path: Some(path.into()),
            command_line: Some(arguments.iter().map(|it| Text::from(*it)).collect()),
            ..Process::unknown(id)
        }
    }

    #[test]
    fn an_interpreter_is_what_it_runs() {
        let check = |path: &str, arguments: &[&str], expected: Option<&str>| {
            let key = ProgramKey::of(&run(path, arguments));
            assert_eq!(key.script.as_deref(), expected, "{arguments:?}");
        };
        check(
            "/usr/bin/python3.11",
            &["python3", "-I", "/opt/x.py", "-v"],
            Some("/opt/x.py"),
        );
        check(
            "/usr/bin/python3.11",
            &["python3", "-m", "http.server"],
            Some("-m http.server"),
        );
        check(
            "/usr/bin/python3.11",
            &["python3", "-c", "import os"],
            Some("-c"),
        );
        check(
            "/usr/bin/java",
            &["java", "-cp", "a.jar", "Main"],
            Some("Main"),
        );
        check("/usr/bin/java", &["java", "-jar", "a.jar"], Some("a.jar"));
        check("/usr/bin/bash", &["bash", "/tmp/x.sh"], Some("/tmp/x.sh"));
        check("/usr/bin/bash", &["-bash"], None);
        check("/usr/bin/curl", &["curl", "x"], None);
    }

    #[test]
    fn the_mark_of_a_deleted_file_is_no_part_of_its_path() {
        let key = ProgramKey::of(&run("/opt/x (deleted)", &["x"]));
        assert_eq!(key.program, Some("/opt/x".into()));
    }
}

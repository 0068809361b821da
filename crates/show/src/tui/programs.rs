//! Programs: all that belongs to one of them, and what stands out about it by itself.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;

use model::{
    Connection, DeviceId, Direction, Ordinary, Pair, PathState, Place, Process, ProcessId, Shelf,
    Snapshot, State, Text, Timestamp,
};

use super::rows::clock;
use super::sums::{Sums, is_asked_for_only};
use crate::devices;
use crate::errors;
use crate::messages::rows as sentences;
use crate::program::{self, program_name};
use crate::visible::{visible, visible_str};

/// A program with connections, or that had some while we watched.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// Its file, or its name where the file is not known; of a device what it is called. `None`: the
    /// owner is not known.
    pub(super) file: Option<Text>,
    /// Where no processes are known.
    pub(super) device: Option<DeviceId>,
    /// For a person.
    pub(super) name: String,
    /// Those of its processes that hold or held a connection.
    pub(super) processes: Vec<ProcessId>,
    called: Called,
    pub(super) sums: Sums,
    /// How many other ends it calls or called.
    pub(super) destinations: usize,
    /// Something of it goes beyond this computer.
    pub(super) goes_out: bool,
    /// All of its processes are known, and each of them is ordinary.
    pub(super) is_ordinary: bool,
    pub(super) connections: Vec<Place>,
    pub(super) pairs: Vec<Place>,
    /// When it was first seen to call. `None`: it was there before us, or calls nobody.
    pub(super) first_call: Option<Timestamp>,
    /// It began to call when we had watched for a while.
    is_new: bool,
    mark: Option<Mark>,
    /// The call that failed most often.
    tries: Option<Tries>,
}

/// What the processes of a program call themselves.
#[derive(Clone, Debug)]
enum Called {
    Nothing,
    All(Text),
    Several,
}

/// What its file is; the last weighs most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Hidden,
    Temporary,
    Deleted,
    Memfd,
}

#[derive(Clone, Debug)]
struct Tries {
    to: String,
    times: u64,
    /// Whether any of them came about.
    answered: bool,
    word: Option<String>,
}

impl Program {
    /// What stands out without being judged, for a person; the weightiest first.
    pub(super) fn stands_out(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        reasons.extend(self.mark.map(|mark| {
            match mark {
                Mark::Memfd => sentences::RUNS_FROM_MEMORY,
                Mark::Deleted => sentences::FILE_IS_GONE,
                Mark::Temporary => sentences::RUNS_FROM_TEMPORARY,
                Mark::Hidden => sentences::RUNS_FROM_HIDDEN,
            }
            .to_owned()
        }));
        reasons.extend(self.tries.as_ref().map(|tries| {
            sentences::tries(
                &tries.to,
                tries.times,
                tries.answered,
                tries.word.as_deref(),
            )
        }));
        if let Some(first) = self.first_call.filter(|_| self.is_new && self.goes_out) {
            reasons.push(sentences::new_since(&clock(first)));
        }
        reasons
    }

    /// A script, or a program with another name than its file, is known by both.
    fn name_it(&mut self) {
        if let Called::All(name) = &self.called {
            let name = visible(name);
            // The kernel keeps the beginning of a long name only.
            if self.file.is_some() && !name.is_empty() && !self.name.starts_with(&*name) {
                self.name = sentences::program_called(&self.name, &name);
            }
        }
    }

    /// The order of what is looked at first.
    pub(super) fn weight(&self) -> impl Ord {
        let unanswered = self.tries.as_ref().is_some_and(|tries| !tries.answered);
        (Reverse(self.mark), !unanswered, !self.goes_out)
    }
}

/// All programs of a snapshot, by name; those that go beyond this computer first.
///
/// `pairs`: the calls that count. `since`: what called by then is not new.
pub(super) fn all(
    snapshot: &Snapshot,
    pairs: &Shelf<Pair>,
    since: Timestamp,
    wanted: impl Fn(&Connection) -> bool,
) -> Vec<Program> {
    let mut gathered = Gathered::default();
    for (place, connection) in snapshot.connections.places() {
        if wanted(connection) {
            gathered.connection(snapshot, place, connection);
        }
    }
    for (place, pair) in pairs.places() {
        gathered.pair(place, pair, End::of(&pair.key.destination), snapshot);
    }
    let mut programs = gathered.programs;
    for program in &mut programs {
        program.name_it();
        program.is_new = program.first_call.is_some_and(|first| first > since);
        let of_it = program.pairs.iter();
        let pairs = of_it.filter_map(|it| pairs.get(*it));
        let destinations: HashSet<&str> = pairs.map(|it| it.key.destination.as_str()).collect();
        program.destinations = destinations.len();
        let mut ordinary = program.processes.iter();
        let is_ordinary = |id| snapshot.findings.ordinary(id).is_some_and(Ordinary::is);
        program.is_ordinary = program.file.is_some()
            && program.device.is_none()
            && ordinary.all(|id| is_ordinary(*id))
            && program.stands_out().is_empty();
    }
    programs.sort_by(|one, other| {
        let key = |it: &Program| (!it.goes_out, it.file.is_none());
        key(one)
            .cmp(&key(other))
            .then_with(|| one.name.cmp(&other.name))
            .then_with(|| one.file.cmp(&other.file))
    });
    programs
}

#[derive(Default)]
struct Gathered<'a> {
    programs: Vec<Program>,
    of_process: HashMap<ProcessId, usize>,
    of_file: HashMap<Option<&'a Text>, usize>,
    of_device: HashMap<DeviceId, usize>,
    /// Why calls of a program to one other end failed.
    words: HashMap<(usize, End<'a>, Option<u16>), String>,
    /// Other ends of a program that stand open now.
    standing: HashSet<(usize, End<'a>, Option<u16>)>,
}

impl<'a> Gathered<'a> {
    fn connection(&mut self, snapshot: &'a Snapshot, place: Place, connection: &Connection) {
        let process = snapshot.owner_of(connection);
        let index = match process {
            Some(process) => match self.of_process.get(&process.id) {
                Some(index) => *index,
                None => self.process(process),
            },
            None => match connection.device {
                Some(id) => self.device(id, snapshot),
                None => self.file(None),
            },
        };
        let error = connection.error.as_ref();
        if let (Some(error), Some(remote)) = (error, connection.remote)
            && connection.state == State::Failed
        {
            let end = remote.ip.map(|ip| (index, End::Ip(ip), remote.port));
            let word = || errors::word(error).into_owned();
            self.words.extend(end.map(|end| (end, word())));
        }
        let waits = is_asked_for_only(connection);
        if let (None, false, Some(remote)) = (connection.closed, waits, connection.remote) {
            let end = remote.ip.map(|ip| (index, End::Ip(ip), remote.port));
            self.standing.extend(end);
        }
        if let Some(program) = self.programs.get_mut(index) {
            program.connections.push(place);
            if connection.closed.is_none() {
                program.sums.add_open(connection);
                program.goes_out |= goes_out(connection);
            }
        }
    }

    fn process(&mut self, process: &'a Process) -> usize {
        let index = self.file(Some(program_of(process)));
        self.of_process.insert(process.id, index);
        if let Some(program) = self.programs.get_mut(index) {
            program.processes.push(process.id);
            program.mark = program.mark.max(mark(process));
            match &program.called {
                Called::Nothing => program.called = Called::All(process.name.clone()),
                Called::All(name) if *name != process.name => program.called = Called::Several,
                Called::All(_) | Called::Several => {}
            }
        }
        index
    }

    fn file(&mut self, file: Option<&'a Text>) -> usize {
        if let Some(index) = self.of_file.get(&file) {
            return *index;
        }
        let index = self.add(file.cloned(), program_name(file));
        self.of_file.insert(file, index);
        index
    }

    /// A device stands in the place of a program, where the source knows no processes.
    fn device(&mut self, id: DeviceId, snapshot: &Snapshot) -> usize {
        if let Some(index) = self.of_device.get(&id) {
            return *index;
        }
        let name = devices::in_full(id, &snapshot.devices);
        let index = self.add(Some(Text::from(name.as_str())), name);
        if let Some(program) = self.programs.get_mut(index) {
            program.device = Some(id);
        }
        self.of_device.insert(id, index);
        index
    }

    fn add(&mut self, file: Option<Text>, name: String) -> usize {
        self.programs.push(Program {
            file,
            device: None,
            name,
            processes: Vec::new(),
            called: Called::Nothing,
            sums: Sums::default(),
            destinations: 0,
            goes_out: false,
            is_ordinary: false,
            connections: Vec::new(),
            pairs: Vec::new(),
            first_call: None,
            is_new: false,
            mark: None,
            tries: None,
        });
        self.programs.len() - 1
    }

    fn pair(&mut self, place: Place, pair: &'a Pair, end: End<'a>, snapshot: &Snapshot) {
        let index = match pair.key.device {
            Some(id) => self.device(id, snapshot),
            None => self.file(pair.key.program.as_ref()),
        };
        let tries = (pair.failed > 0).then(|| Tries {
            to: destination(&pair.key.destination, pair.key.port),
            times: pair.failed,
            answered: pair.failed.saturating_add(pair.open) < pair.connections
                || self.standing.contains(&(index, end, pair.key.port)),
            word: self.words.get(&(index, end, pair.key.port)).cloned(),
        });
        let Some(program) = self.programs.get_mut(index) else {
            return;
        };
        program.sums.add_pair(pair);
        program.pairs.push(place);
        let known = program.first_call.into_iter();
        program.first_call = known.chain([pair.first]).min();
        // An address of this computer counts as elsewhere, too: whoever wants to hide a call could
        // bind any address as a local one.
        program.goes_out |= end.is_elsewhere();
        let most = |it: &Tries| (!it.answered, it.times);
        if tries.as_ref().map(most) > program.tries.as_ref().map(most) {
            program.tries = tries;
        }
    }
}

/// The file of a program, else its name: what it is told apart by.
pub(super) fn program_of(process: &Process) -> &Text {
    process.path.as_ref().unwrap_or(&process.name)
}

/// What a program is called; where no processes are known, the device stands in its place.
pub(super) fn caller_name(
    program: Option<&Text>,
    device: Option<DeviceId>,
    snapshot: &Snapshot,
) -> String {
    program::caller_name(program, device, &snapshot.devices)
}

/// Whether the other end is on another computer.
pub(super) fn goes_out(connection: &Connection) -> bool {
    connection.direction != Direction::Listening
        && connection.remote.map(|remote| remote.ip) != Some(connection.local.ip)
        && connection
            .remote
            .and_then(|remote| remote.ip)
            .is_some_and(|ip| End::Ip(ip).is_elsewhere())
}

/// Another end, as connections and pairs name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum End<'a> {
    Ip(IpAddr),
    /// A source has no address, but this.
    Name(&'a str),
}

impl<'a> End<'a> {
    /// That of a pair.
    pub(super) fn of(destination: &'a str) -> Self {
        destination
            .parse()
            .map_or(Self::Name(destination), Self::Ip)
    }

    /// On another computer.
    fn is_elsewhere(self) -> bool {
        match self {
            Self::Ip(ip) => !ip.is_loopback() && !ip.is_unspecified(),
            Self::Name(_) => true,
        }
    }
}

impl fmt::Display for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// `203.0.113.9:443`, `[2001:db8::1]:443`.
pub(super) fn destination(address: &str, port: Option<u16>) -> String {
    let address = visible_str(address);
    match port {
        Some(port) if address.contains(':') => format!("[{address}]:{port}"),
        Some(port) => format!("{address}:{port}"),
        None => address.into_owned(),
    }
}

fn mark(process: &Process) -> Option<Mark> {
    match process.path_state {
        PathState::Memfd => return Some(Mark::Memfd),
        PathState::Deleted => return Some(Mark::Deleted),
        PathState::Present | PathState::Unknown => {}
    }
    let path = process.path.as_ref()?.lossy().into_owned();
    if TEMPORARY.iter().any(|folder| path.starts_with(folder))
        || path.to_ascii_lowercase().contains("\\temp\\")
    {
        return Some(Mark::Temporary);
    }
    let (folders, _) = path.rsplit_once(['/', '\\'])?;
    let hidden = |folder: &str| folder.len() > 1 && folder.starts_with('.') && folder != "..";
    folders
        .split(['/', '\\'])
        .any(hidden)
        .then_some(Mark::Hidden)
}

/// Folders that everybody may write to, and that are emptied.
const TEMPORARY: [&str; 5] = ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", "/run/shm/"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::sample;

    fn check(path: &str, expected: Option<Mark>) {
        assert_eq!(mark(&sample::process(1, "x", path)), expected, "{path}");
    }

    #[test]
    fn odd_folders_stand_out() {
        check("/usr/bin/curl", None);
        check("/tmp/x", Some(Mark::Temporary));
        check("/home/a/.cache/updater", Some(Mark::Hidden));
        check("/home/a/.profile", None);
        check("/opt/x/../y/z", None);
        check(
            "C:\\Users\\a\\AppData\\Local\\Temp\\x.exe",
            Some(Mark::Temporary),
        );
        check("", None);
    }
}

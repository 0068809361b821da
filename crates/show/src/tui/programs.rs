//! Programs: all that belongs to one of them, and what stands out about it by itself.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use model::{
    Connection, Direction, PathState, Place, Process, ProcessId, Snapshot, State, Text, Timestamp,
};

use super::rows::clock;
use super::sums::Sums;
use crate::errors;
use crate::visible::{visible, visible_str};

/// A program with connections, or that had some while we watched.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// Its file, or its name where the file is not known. `None`: the owner is not known.
    pub(super) file: Option<Text>,
    /// For a person.
    pub(super) name: String,
    /// Those of its processes that hold or held a connection.
    pub(super) processes: Vec<ProcessId>,
    pub(super) sums: Sums,
    /// How many other ends it calls or called.
    pub(super) destinations: usize,
    /// Something of it goes beyond this computer.
    pub(super) goes_out: bool,
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
                Mark::Memfd => "runs from memory: it never was a file",
                Mark::Deleted => "its program file was deleted or replaced",
                Mark::Temporary => "runs from a temporary folder",
                Mark::Hidden => "runs from a hidden folder",
            }
            .to_owned()
        }));
        reasons.extend(self.tries.as_ref().map(|tries| {
            let times = match tries.times {
                1 => "once".to_owned(),
                times => format!("{times} times"),
            };
            let word = match (&tries.word, tries.answered) {
                (Some(word), _) => format!(": {word}"),
                (None, false) => ", never answered".to_owned(),
                (None, true) => String::new(),
            };
            let verb = if tries.answered { "failed at" } else { "tries" };
            format!("{verb} {} {times}{word}", tries.to)
        }));
        if let Some(first) = self.first_call.filter(|_| self.is_new && self.goes_out) {
            reasons.push(format!("new: first seen to call at {}", clock(first)));
        }
        reasons
    }

    /// The order of what is looked at first.
    pub(super) fn weight(&self) -> impl Ord {
        let unanswered = self.tries.as_ref().is_some_and(|tries| !tries.answered);
        (Reverse(self.mark), !unanswered, !self.goes_out)
    }
}

/// All programs of a snapshot, by name; those that go beyond this computer first.
///
/// `picky`: only what belongs to a wanted connection that is still kept; else all calls count.
/// `since`: what called by then is not new.
pub(super) fn all(
    snapshot: &Snapshot,
    since: Timestamp,
    picky: bool,
    wanted: impl Fn(&Connection) -> bool,
) -> Vec<Program> {
    let mut gathered = Gathered::default();
    let mut called = HashSet::new();
    for (place, connection) in snapshot.connections.places() {
        if wanted(connection) {
            let index = gathered.connection(snapshot, place, connection);
            if let (true, Some(ip)) = (picky, connection.remote.and_then(|remote| remote.ip)) {
                called.insert((index, ip.to_string()));
            }
        }
    }
    for (place, pair) in snapshot.pairs.places() {
        let index = gathered.of_file.get(&pair.key.program);
        let is_called = |index: &usize| called.contains(&(*index, pair.key.destination.clone()));
        if !picky || index.is_some_and(is_called) {
            gathered.pair(snapshot, place, pair);
        }
    }
    let mut programs = gathered.programs;
    for program in &mut programs {
        program.is_new = program.first_call.is_some_and(|first| first > since);
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
struct Gathered {
    programs: Vec<Program>,
    of_process: HashMap<ProcessId, usize>,
    of_file: HashMap<Option<Text>, usize>,
    words: HashMap<(usize, String), String>,
}

impl Gathered {
    fn connection(&mut self, snapshot: &Snapshot, place: Place, connection: &Connection) -> usize {
        let process = snapshot.owner_of(connection);
        let index = match process {
            Some(process) => match self.of_process.get(&process.id) {
                Some(index) => *index,
                None => self.process(process),
            },
            None => self.file(None),
        };
        let error = connection.error.as_ref();
        if let (Some(error), Some(remote)) = (error, connection.remote)
            && connection.state == State::Failed
        {
            let (ip, port) = (remote.ip, remote.port);
            let to = ip.map(|ip| destination(&ip.to_string(), port));
            let word = errors::word(error).into_owned();
            to.map(|to| self.words.insert((index, to), word));
        }
        if let Some(program) = self.programs.get_mut(index) {
            program.connections.push(place);
            if connection.closed.is_none() {
                program.sums.add_open(connection);
                program.goes_out |= goes_out(connection);
            }
        }
        index
    }

    fn process(&mut self, process: &Process) -> usize {
        let index = self.file(Some(process.path.as_ref().unwrap_or(&process.name)));
        self.of_process.insert(process.id, index);
        if let Some(program) = self.programs.get_mut(index) {
            program.processes.push(process.id);
            program.mark = program.mark.max(mark(process));
        }
        index
    }

    fn file(&mut self, file: Option<&Text>) -> usize {
        let file = file.cloned();
        if let Some(index) = self.of_file.get(&file) {
            return *index;
        }
        let name = match &file {
            Some(file) => last_part(&visible(file)).to_owned(),
            None => "? no process known".to_owned(),
        };
        self.programs.push(Program {
            file: file.clone(),
            name,
            processes: Vec::new(),
            sums: Sums::default(),
            destinations: 0,
            goes_out: false,
            connections: Vec::new(),
            pairs: Vec::new(),
            first_call: None,
            is_new: false,
            mark: None,
            tries: None,
        });
        let index = self.programs.len() - 1;
        self.of_file.insert(file, index);
        index
    }

    fn pair(&mut self, snapshot: &Snapshot, place: Place, pair: &model::Pair) {
        let index = self.file(pair.key.program.as_ref());
        let to = destination(&pair.key.destination, pair.key.port);
        let tries = (pair.failed > 0).then(|| Tries {
            times: pair.failed,
            answered: pair.failed < pair.connections,
            word: self.words.get(&(index, to.clone())).cloned(),
            to,
        });
        let Some(program) = self.programs.get_mut(index) else {
            return;
        };
        program.sums.add_pair(pair);
        program.pairs.push(place);
        let known = program.first_call.into_iter();
        program.first_call = known.chain([pair.first]).min();
        if !is_of_this_computer(&pair.key.destination) {
            program.goes_out = true;
        }
        let most = |it: &Tries| (!it.answered, it.times);
        if tries.as_ref().map(most) > program.tries.as_ref().map(most) {
            program.tries = tries;
        }
        let others = program
            .pairs
            .iter()
            .filter_map(|it| snapshot.pairs.get(*it));
        // Most programs have a handful; for those with thousands an exact count is not worth its time.
        if program.pairs.len() <= EXACT {
            let others: HashSet<&str> = others.map(|it| it.key.destination.as_str()).collect();
            program.destinations = others.len();
        } else {
            program.destinations += 1;
        }
    }
}

/// Up to so many pairs of a program its destinations are counted exactly.
const EXACT: usize = 64;

/// Whether the other end is on another computer.
pub(super) fn goes_out(connection: &Connection) -> bool {
    connection.direction != Direction::Listening
        && connection
            .remote
            .and_then(|remote| remote.ip)
            .is_some_and(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

fn is_of_this_computer(destination: &str) -> bool {
    let ip: Option<std::net::IpAddr> = destination.parse().ok();
    ip.is_some_and(|ip| ip.is_loopback() || ip.is_unspecified())
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

/// The name of a file without its folders, on every platform.
pub(super) fn last_part(path: &str) -> &str {
    path.rsplit(['/', '\\'])
        .find(|part| !part.is_empty())
        .unwrap_or(path)
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

    #[test]
    fn a_program_is_its_last_part() {
        assert_eq!(last_part("/usr/bin/curl"), "curl");
        assert_eq!(last_part("C:\\x\\y.exe"), "y.exe");
        assert_eq!(last_part("curl"), "curl");
        assert_eq!(last_part("/"), "/");
    }
}

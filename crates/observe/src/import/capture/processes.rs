//! The processes that a capture names, each once, however often and in however many forms it names
//! them.
//!
//! A process is the same one when pid and start are the same; where no start is told, when pid and
//! name are: a pid under another name is another process, since pids are used again.

use std::collections::HashMap;
use std::sync::Arc;

use model::{BootId, Container, Imported, Parent, PathState, Process, ProcessId, Text, Timestamp};

use super::super::format::Out;

/// More are in no capture of a computer.
const MOST_PROCESSES: usize = 1 << 20;
/// So many times a pid is looked for under other names; then it is the last of them.
const MOST_OF_ONE_PID: usize = 64;
/// Start ticks are units of so many nanoseconds.
const TICK: i64 = 10_000_000;

/// Its place among the [`Processes`].
pub(super) type Index = u32;

/// What a capture tells of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) pid: u32,
    pub(super) name: Option<Text>,
    /// In nanoseconds since 1970, by the clock of the source.
    pub(super) started: Option<i64>,
    pub(super) path: Option<Text>,
    pub(super) path_state: Option<PathState>,
    pub(super) command_line: Option<Vec<Text>>,
    pub(super) uid: Option<u32>,
    pub(super) user: Option<Text>,
    pub(super) parent: Option<Parent>,
    pub(super) container: Option<Container>,
    pub(super) unit: Option<Text>,
    pub(super) sha256: Option<[u8; 32]>,
}

impl Facts {
    /// Adds what the other one knows besides.
    pub(super) fn add(&mut self, other: Self) {
        fn fill<T>(place: &mut Option<T>, value: Option<T>) {
            if place.is_none() {
                *place = value;
            }
        }
        fill(&mut self.name, other.name);
        fill(&mut self.started, other.started);
        fill(&mut self.path, other.path);
        fill(&mut self.path_state, other.path_state);
        fill(&mut self.command_line, other.command_line);
        fill(&mut self.uid, other.uid);
        fill(&mut self.user, other.user);
        fill(&mut self.parent, other.parent);
        fill(&mut self.container, other.container);
        fill(&mut self.unit, other.unit);
        fill(&mut self.sha256, other.sha256);
    }

    /// As the model has it. Its start is 1970 where the source does not tell it.
    fn process(&self, id: ProcessId, out: &Out) -> Process {
        let path_state = match self.path {
            Some(_) => self.path_state.unwrap_or(PathState::Unknown),
            None => PathState::Unknown,
        };
        Process {
            id,
            started: self
                .started
                .map_or(Timestamp::from_unix_nanos(0), |started| out.time(started)),
            ended: None,
            name: self.name.clone().unwrap_or_default(),
            path: self.path.clone(),
            path_state,
            file: None,
            sha256: self.sha256,
            command_line: self.command_line.clone(),
            command_line_truncated: false,
            uid: self.uid,
            user: self.user.clone(),
            parents: self.parent.iter().cloned().collect(),
            container: self.container.clone(),
            unit: self.unit.clone(),
            netns: None,
            kernel_thread: false,
        }
    }
}

#[derive(Default)]
pub(super) struct Processes {
    all: Vec<Known>,
    /// Those that had a pid, in the order in which they were named.
    by_pid: HashMap<u32, Vec<Index>>,
    /// Those of which more is known than was handed on.
    news: Vec<Index>,
}

struct Known {
    facts: Facts,
    /// See [`ProcessId`].
    start_ticks: u64,
    is_news: bool,
}

impl Processes {
    /// Takes what is told of a process. `None`: there are too many.
    pub(super) fn tell(&mut self, facts: Facts) -> Option<Index> {
        let name = facts.name.as_ref().map(Text::bytes);
        let Some(index) = self.find(facts.pid, facts.started, name.unwrap_or_default()) else {
            return self.add(facts);
        };
        let known = self.all.get_mut(usize::try_from(index).ok()?)?;
        let before = known.facts.clone();
        known.facts.add(facts);
        if known.facts != before && !known.is_news {
            known.is_news = true;
            self.news.push(index);
        }
        Some(index)
    }

    /// A process by its pid and its name only; an empty name is not known.
    pub(super) fn named(&mut self, pid: u32, name: &[u8]) -> Option<Index> {
        if let Some(index) = self.find(pid, None, name) {
            return Some(index);
        }
        self.add(Facts {
            pid,
            name: (!name.is_empty()).then(|| Text::from(name)),
            ..Facts::default()
        })
    }

    /// Who had this pid at this time: who had started last by then. Where no starts are told, who
    /// was named last.
    pub(super) fn at(&mut self, pid: u32, time: Option<i64>) -> Option<Index> {
        let known = self.by_pid.get(&pid).map(Vec::as_slice);
        let started = |index: &&Index| {
            let started = self.get(**index)?.facts.started?;
            (started <= time?).then_some(started)
        };
        let known = known.unwrap_or_default();
        let by_start = known
            .iter()
            .filter(|index| started(index).is_some())
            .max_by_key(started);
        match by_start.or(known.last()) {
            Some(index) => Some(*index),
            None => self.named(pid, &[]),
        }
    }

    pub(super) fn id(&self, index: Index, source: BootId) -> Option<ProcessId> {
        let known = self.get(index)?;
        Some(ProcessId {
            boot: source,
            pid: known.facts.pid,
            start_ticks: known.start_ticks,
        })
    }

    /// Hands on what is new.
    pub(super) fn flush(&mut self, out: &mut Out) {
        for index in std::mem::take(&mut self.news) {
            let Some(id) = self.id(index, out.source()) else {
                continue;
            };
            let place = usize::try_from(index).unwrap_or(usize::MAX);
            if let Some(known) = self.all.get_mut(place) {
                known.is_news = false;
                let process = Arc::new(known.facts.process(id, out));
                out.seen.push(Imported::Process(process));
            }
        }
    }

    fn get(&self, index: Index) -> Option<&Known> {
        self.all.get(usize::try_from(index).ok()?)
    }

    fn find(&self, pid: u32, started: Option<i64>, name: &[u8]) -> Option<Index> {
        let known = self.by_pid.get(&pid)?;
        if known.len() >= MOST_OF_ONE_PID {
            return known.last().copied();
        }
        let is_it = |index: &&Index| {
            let Some(known) = self.get(**index) else {
                return false;
            };
            match (started, known.facts.started) {
                (Some(started), Some(other)) => started == other,
                _ => {
                    let other = known.facts.name.as_ref().map(Text::bytes);
                    name.is_empty() || other.is_none_or(|other| other == name)
                }
            }
        };
        // The last one of the name is it.
        known.iter().rev().find(is_it).copied()
    }

    fn add(&mut self, facts: Facts) -> Option<Index> {
        if self.all.len() >= MOST_PROCESSES {
            return None;
        }
        let index = Index::try_from(self.all.len()).ok()?;
        let same = self.by_pid.entry(facts.pid).or_default();
        let start_ticks = match facts.started {
            Some(started) => u64::try_from(started / TICK).ok(),
            None => u64::try_from(same.len()).ok(),
        };
        same.push(index);
        self.all.push(Known {
            facts,
            start_ticks: start_ticks.unwrap_or(0),
            is_news: true,
        });
        self.news.push(index);
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(pid: u32, name: &str, started: Option<i64>) -> Facts {
        Facts {
            pid,
            name: (!name.is_empty()).then(|| Text::from(name)),
            started,
            ..Facts::default()
        }
    }

    #[test]
    fn a_pid_under_another_name_is_another_process() {
        let mut processes = Processes::default();
        let first = processes.tell(facts(500, "first", None));
        let second = processes.tell(facts(500, "second", None));
        assert_ne!(first, second);
        assert_eq!(processes.named(500, b"first"), first);
        assert_eq!(processes.named(500, b""), second);
        assert_eq!(processes.at(500, None), second);
        let source = BootId([7; 16]);
        let ticks = |index: Option<Index>| {
            let id = processes.id(index.expect("known"), source);
            id.expect("known").start_ticks
        };
        assert_eq!((ticks(first), ticks(second)), (0, 1));
    }

    #[test]
    fn a_pid_belongs_to_who_started_last() {
        let mut processes = Processes::default();
        let late = processes.tell(facts(9, "late", Some(5_000_000_000)));
        let early = processes.tell(facts(9, "early", Some(1_000_000_000)));
        assert_eq!(processes.at(9, Some(4_999_999_999)), early);
        assert_eq!(processes.at(9, Some(5_000_000_000)), late);
        // It is told of later: the capture began in the middle.
        assert_eq!(processes.at(9, Some(0)), early);
    }

    #[test]
    fn more_that_is_told_is_added() {
        let mut processes = Processes::default();
        let index = processes.named(7, b"curl");
        let path = Some(Text::from("/usr/bin/curl"));
        let more = Facts {
            path: path.clone(),
            ..facts(7, "curl", None)
        };
        assert_eq!(processes.tell(more), index);
        let known = processes.get(index.expect("known")).expect("known");
        assert_eq!(known.facts.path, path);
        assert_eq!(processes.news.len(), 1);
    }
}

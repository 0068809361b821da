//! The processes that a capture names, each once, however often and in however many forms it names
//! them.
//!
//! A process is the same one when pid and start are the same; where no start is told, when pid and
//! name are: a pid under another name is another process, since pids are used again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use model::{
    BootId, Container, Gap, Imported, Parent, PathState, Process, ProcessId, Source, Text,
};

use super::super::format::Out;
use super::texts::{Texts, size};

/// More are in no capture of a computer.
const MOST_PROCESSES: usize = 1 << 20;
/// So many times a pid is looked for under other names; then it is the last of them.
const MOST_OF_ONE_PID: usize = 64;
/// A name that is kept where there is no room: those of Linux have 15 bytes.
const SHORT: usize = 64;

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
    /// There was more of it than is kept.
    pub(super) is_cut: bool,
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
        if self.command_line.is_none() {
            (self.command_line, self.is_cut) = (other.command_line, other.is_cut);
        }
        fill(&mut self.uid, other.uid);
        fill(&mut self.user, other.user);
        fill(&mut self.parent, other.parent);
        fill(&mut self.container, other.container);
        fill(&mut self.unit, other.unit);
        fill(&mut self.sha256, other.sha256);
    }

    /// Cuts what is too long.
    fn shorten(&mut self, texts: &mut Texts) {
        let parent = self.parent.iter_mut();
        let of_parent = parent.flat_map(|it| Some(&mut it.name).into_iter().chain(&mut it.path));
        let container = self.container.iter_mut().map(|it| &mut it.id);
        let own = [
            &mut self.name,
            &mut self.path,
            &mut self.user,
            &mut self.unit,
        ];
        for text in own.into_iter().flatten().chain(of_parent).chain(container) {
            texts.shorten(text);
        }
        if let Some(arguments) = &mut self.command_line {
            self.is_cut |= texts.shorten_all(arguments);
        }
    }

    /// What its texts take in memory.
    fn size(&self) -> usize {
        let parent = self.parent.iter();
        let of_parent = parent.flat_map(|it| Some(&it.name).into_iter().chain(&it.path));
        let container = self.container.iter().map(|it| &it.id);
        let own = [&self.name, &self.path, &self.user, &self.unit];
        let arguments = self.command_line.iter().flatten();
        let texts = own.into_iter().flatten().chain(of_parent).chain(container);
        texts.chain(arguments).map(size).sum()
    }

    /// What takes next to no room, where there is none for the rest.
    fn bare(self) -> Self {
        Self {
            pid: self.pid,
            name: self.name.filter(|name| name.bytes().len() <= SHORT),
            started: self.started,
            uid: self.uid,
            sha256: self.sha256,
            ..Self::default()
        }
    }

    /// As the model has it.
    fn process(&self, id: ProcessId, out: &Out) -> Process {
        let path_state = match self.path {
            Some(_) => self.path_state.unwrap_or(PathState::Unknown),
            None => PathState::Unknown,
        };
        Process {
            id,
            started: self.started.map(|started| out.time(started)),
            ended: None,
            name: self.name.clone().unwrap_or_default(),
            path: self.path.clone(),
            path_state,
            file: None,
            sha256: self.sha256,
            command_line: self.command_line.clone(),
            command_line_truncated: self.is_cut,
            uid: self.uid,
            user: self.user.clone(),
            parents: self.parent.iter().cloned().collect(),
            container: self.container.clone(),
            unit: self.unit.clone(),
            netns: None,
            kernel_thread: false,
            examined: None,
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
    texts: Texts,
    /// Pids of which there were too many runs: the further ones are nobody.
    crowded: HashSet<u32>,
    /// Told, and not kept at all.
    let_go: u64,
}

struct Known {
    facts: Facts,
    /// See [`ProcessId`].
    start_ticks: u64,
    is_news: bool,
}

impl Processes {
    /// Takes what is told of a process. `None`: there are too many.
    pub(super) fn tell(&mut self, mut facts: Facts) -> Option<Index> {
        facts.shorten(&mut self.texts);
        let name = facts.name.as_ref().map(Text::bytes);
        let Some(index) = self.find(facts.pid, facts.started, name.unwrap_or_default()) else {
            return self.add(facts);
        };
        let known = self.all.get_mut(usize::try_from(index).ok()?)?;
        let before = known.facts.clone();
        known.facts.add(facts);
        if known.facts == before {
            return Some(index);
        }
        if !self.texts.has_room(before.size(), known.facts.size()) {
            known.facts = before;
            return Some(index);
        }
        if !known.is_news {
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
        if self.crowded.contains(&pid) {
            return None;
        }
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

    /// What was not kept, once all is read.
    pub(super) fn gaps(&self) -> impl Iterator<Item = Gap> {
        let crowded = Gap::standing(
            "processes_let_go",
            Source::Capture,
            format!(
                "{MOST_PROCESSES} processes are told apart, and {MOST_OF_ONE_PID} with the same pid"
            ),
            "the further ones: the owners of their packets are unknown",
        );
        let count = Some(self.let_go).filter(|count| *count > 0);
        let crowded = count.map(|_| Gap { count, ..crowded });
        self.texts.gap().into_iter().chain(crowded)
    }

    fn get(&self, index: Index) -> Option<&Known> {
        self.all.get(usize::try_from(index).ok()?)
    }

    fn find(&self, pid: u32, started: Option<i64>, name: &[u8]) -> Option<Index> {
        let known = self.by_pid.get(&pid)?;
        let is_crowded = self.crowded.contains(&pid);
        let is_it = |index: &&Index| {
            let Some(known) = self.get(**index) else {
                return false;
            };
            match (started, known.facts.started) {
                (Some(started), Some(other)) => started == other,
                // It may be one of those that are not kept.
                _ if is_crowded => false,
                _ => {
                    let other = known.facts.name.as_ref().map(Text::bytes);
                    name.is_empty() || other.is_none_or(|other| other == name)
                }
            }
        };
        // The last one of the name is it.
        known.iter().rev().find(is_it).copied()
    }

    fn add(&mut self, mut facts: Facts) -> Option<Index> {
        let runs = self.by_pid.get(&facts.pid).map_or(0, Vec::len);
        if self.all.len() >= MOST_PROCESSES || runs >= MOST_OF_ONE_PID {
            self.crowded.insert(facts.pid);
            self.let_go += 1;
            return None;
        }
        if !self.texts.has_room(0, facts.size()) {
            facts = facts.bare();
        }
        let index = Index::try_from(self.all.len()).ok()?;
        let same = self.by_pid.entry(facts.pid).or_default();
        let start_ticks = match facts.started {
            Some(started) => u64::try_from(started)
                .ok()
                .map(|it| it / ProcessId::NANOS_PER_TICK),
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
    use super::super::texts::LONGEST;
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
    fn a_run_too_many_is_nobody_and_counted() {
        let mut processes = Processes::default();
        let started = |run: usize| i64::try_from(run).ok().map(|run| run * 1_000_000_000);
        let tell = |processes: &mut Processes, run| processes.tell(facts(7, "sh", started(run)));
        for run in 0..MOST_OF_ONE_PID {
            assert!(tell(&mut processes, run).is_some());
        }
        let last = tell(&mut processes, MOST_OF_ONE_PID - 1);
        assert!(last.is_some() && processes.gaps().next().is_none());
        assert_eq!(tell(&mut processes, MOST_OF_ONE_PID), None);
        let gaps: Vec<_> = processes.gaps().collect();
        assert_eq!(
            (gaps[0].id.as_str(), gaps[0].count),
            ("processes_let_go", Some(1))
        );
        // Those that are known by their start stay; by the pid alone it could be either.
        assert_eq!(tell(&mut processes, MOST_OF_ONE_PID - 1), last);
        assert_eq!(processes.at(7, started(MOST_OF_ONE_PID)), None);
        assert_eq!(processes.named(7, b"sh"), None);
        assert!(processes.named(8, b"sh").is_some());
    }

    #[test]
    fn long_texts_are_cut_and_told() {
        let mut processes = Processes::default();
        let index = processes.tell(Facts {
            path: Some(Text::from(vec![b'x'; LONGEST + 1])),
            command_line: Some(vec![Text::from("x"); LONGEST]),
            ..facts(7, "curl", None)
        });
        let kept = &processes.get(index.expect("known")).expect("known").facts;
        let path = kept.path.as_ref().map(|path| path.bytes().len());
        assert_eq!((path, kept.is_cut), (Some(LONGEST), true));
        assert!(kept.size() < 3 * LONGEST);
        assert_eq!(processes.gaps().next().expect("a gap").count, Some(2));
    }

    #[test]
    fn all_texts_together_are_bounded() {
        const COUNT: u32 = 6000;
        let mut processes = Processes::default();
        for pid in 0..COUNT {
            let arguments = vec![Text::from(vec![b'x'; 1000]); 20];
            let told = processes.tell(Facts {
                command_line: Some(arguments),
                ..facts(pid, "curl", None)
            });
            assert_eq!(told, Some(pid));
        }
        let size: usize = processes.all.iter().map(|it| it.facts.size()).sum();
        assert!(size <= (64 << 20) + 6000 * 100, "{size} bytes are kept");
        let bare = processes
            .all
            .iter()
            .filter(|it| it.facts.command_line.is_none())
            .count();
        let count = processes.gaps().next().and_then(|gap| gap.count);
        assert!(
            bare > 0 && count == u64::try_from(bare).ok(),
            "{bare} {count:?}"
        );
        // They are known all the same.
        assert_eq!(processes.named(COUNT - 1, b"curl"), Some(COUNT - 1));
    }

    #[test]
    fn what_fits_makes_no_gap() {
        let mut processes = Processes::default();
        for _ in 0..3 {
            processes.tell(Facts {
                path: Some(Text::from("/usr/bin/curl")),
                ..facts(7, "curl", None)
            });
        }
        assert_eq!(processes.gaps().count(), 0);
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

//! What is told of processes without type information: pids and times, filled up from `/proc` as
//! long as the process is there.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use model::{PathState, Process, Text};

use super::runs::Runs;
use crate::linux::events::{Loss, boot_nanos};
use crate::linux::process::Processes;
use crate::linux::process_connector::{ProcessConnector, ProcessNews, asleep};
use crate::linux::{clock, host};
use crate::parse::proc_pid::{Stat, stat};
use crate::parse::process_event::{Image, ProcessEvent, ProcessEventKind};

/// Who tells when processes start and end.
pub(super) enum Teller {
    /// The programs; without `tells_last` they tell the end of the first thread, and others may
    /// run on.
    Tracepoints {
        tells_last: bool,
    },
    Connector(Box<ProcessConnector>),
    Nobody,
}

/// Follows the processes.
pub(super) struct Told {
    teller: Teller,
    runs: Runs,
    reader: Processes,
    /// Their first thread has ended, others run on.
    headless: Vec<ProcessEvent>,
    /// They were gone before anything but their number was known.
    untold: HashSet<(u32, u64)>,
    /// What the connector has lost.
    pub(super) loss: Loss,
}

impl Told {
    /// To be called when starts are told already: so nobody is missed in between.
    ///
    /// Errors: there is no /proc.
    pub(super) fn begin(teller: Teller) -> io::Result<Self> {
        let reader = Processes::open(host::host()?.boot, clock::boot_time())?;
        let mut runs = Runs::new(host::boot_time_shift(), start_ticks);
        for pid in reader.pids()? {
            runs.is_there(pid);
        }
        Ok(Self {
            teller,
            runs,
            reader,
            headless: Vec::new(),
            untold: HashSet::new(),
            loss: Loss::default(),
        })
    }

    /// The start of the process that had this pid then, and used a socket. `None`: not known.
    pub(super) fn started(&mut self, pid: u32, seen: u64) -> Option<u64> {
        let started = self.runs.at(pid, seen)?;
        self.untold.remove(&(pid, started));
        Some(started)
    }

    /// Whether anybody tells that they start and end.
    pub(super) fn are_told(&self) -> bool {
        !matches!(self.teller, Teller::Nobody)
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        self.reader.pids().unwrap_or_default()
    }

    /// What was told has been lost: see [`Runs::doubt`].
    pub(super) fn doubt(&mut self) {
        self.runs.doubt();
        self.untold.clear();
    }

    /// Fills up what was told since, and adds what the connector tells.
    pub(super) fn complete(&mut self, mut events: Vec<ProcessEvent>) -> Vec<ProcessEvent> {
        self.hear_connector(&mut events);
        events.sort_by_key(|event| event.time);
        // Who runs another program by now does not show the one before.
        let mut seen = HashSet::new();
        let is_last = events.iter().rev().map(|event| {
            matches!(event.kind, ProcessEventKind::Executed(_)) && seen.insert(event.pid)
        });
        let mut is_last: Vec<bool> = is_last.collect();
        let mut told = Vec::with_capacity(events.len());
        for mut event in events {
            let is_last = is_last.pop().unwrap_or(false);
            if self.fill(&mut event, is_last) {
                told.push(event);
            }
        }
        self.end_headless(&mut told);
        told
    }

    /// Whether the end of a process is to be told: not when nothing else was. To be asked when the
    /// sockets of the time have been asked for theirs.
    pub(super) fn was_told(&mut self, event: &ProcessEvent) -> bool {
        let is_end = matches!(event.kind, ProcessEventKind::Ended { .. });
        !is_end || !self.untold.remove(&(event.pid, event.started))
    }

    fn hear_connector(&mut self, events: &mut Vec<ProcessEvent>) {
        let Teller::Connector(connector) = &mut self.teller else {
            return;
        };
        let mut news = Vec::new();
        // What it fails to tell it tells the next time.
        let lost = connector.read(&mut news).map_or(0, |lost| lost.messages);
        let now = boot_nanos();
        let asleep = asleep();
        events.extend(news.into_iter().filter_map(|news| event_of(news, asleep)));
        if lost > 0 {
            if self.loss.count == 0 {
                self.loss.first = now;
            }
            self.loss.last = now;
            self.loss.count += lost;
            self.doubt();
        }
    }

    /// False: it is of no use.
    fn fill(&mut self, event: &mut ProcessEvent, is_last: bool) -> bool {
        match event.kind {
            ProcessEventKind::Started => {
                let is_known = self.fill_start(event);
                if !is_known {
                    self.untold.insert((event.pid, event.started));
                }
                is_known
            }
            ProcessEventKind::Executed(_) => {
                let is_known = self.fill_program(event, is_last);
                is_known && !self.untold.contains(&(event.pid, event.started))
            }
            ProcessEventKind::Ended { .. } => {
                let Some(started) = self.runs.at(event.pid, event.time) else {
                    return false;
                };
                event.started = started;
                let tells_last = !matches!(self.teller, Teller::Tracepoints { tells_last: false });
                if !tells_last && runs_on(event.pid, self.runs.ticks(started)) {
                    self.headless.push(event.clone());
                    return false;
                }
                self.runs.ended(event.pid, event.time);
                true
            }
        }
    }

    fn fill_start(&mut self, event: &mut ProcessEvent) -> bool {
        event.started = self.runs.started(event.pid, event.time);
        let ticks = self.runs.ticks(event.started);
        let shown_as = |pid, ticks| {
            let shown = shown(pid).filter(|(stat, _)| stat.start_ticks == ticks);
            shown.map(|(stat, uid)| (stat.name, uid, stat.parent))
        };
        let own = shown_as(event.pid, ticks);
        if let Some((_, _, parent)) = own.as_ref().filter(|_| event.parent == 0) {
            event.parent = *parent;
        }
        match self.runs.at(event.parent, event.time) {
            Some(started) => event.parent_started = started,
            None => event.parent = 0,
        }
        let own = own.map(|(name, uid, _)| (name, uid));
        if event.name != Text::default() {
            event.uid = own.map_or(event.uid, |(_, uid)| uid);
        } else {
            // It began as what its parent was.
            let (parent, started) = (event.parent, event.parent_started);
            let kept = || self.runs.known(parent, started);
            let ticks = self.runs.ticks(started);
            let known = own.or_else(kept);
            let known = known.or_else(|| shown_as(parent, ticks).map(|(name, uid, _)| (name, uid)));
            let Some((name, uid)) = known else {
                return false;
            };
            (event.name, event.uid) = (name, uid);
        }
        let (pid, started) = (event.pid, event.started);
        self.runs.keep(pid, started, &event.name, event.uid);
        true
    }

    fn fill_program(&mut self, event: &mut ProcessEvent, is_last: bool) -> bool {
        let Some(started) = self.runs.at(event.pid, event.time) else {
            return false;
        };
        event.started = started;
        let ticks = self.runs.ticks(started);
        let shown = Some(event.pid).filter(|_| is_last);
        let shown = shown.and_then(|pid| self.reader.see(pid));
        let shown = shown.filter(|it| it.id.start_ticks == ticks && runs(it, &event.name));
        let Some(process) = shown else {
            return true;
        };
        self.untold.remove(&(event.pid, started));
        if event.name == Text::default() {
            event.name = process.name;
        }
        event.uid = process.uid.unwrap_or(event.uid);
        self.runs.keep(event.pid, started, &event.name, event.uid);
        event.netns = process.netns;
        event.kind = ProcessEventKind::Executed(Image {
            path: process.path,
            path_state: process.path_state,
            file: process.file,
            arguments: process.command_line,
            arguments_truncated: process.command_line_truncated,
        });
        true
    }

    /// Tells of those of the headless whose last thread has ended.
    fn end_headless(&mut self, told: &mut Vec<ProcessEvent>) {
        let Self { headless, runs, .. } = self;
        headless.retain(|event| {
            let runs_on = runs_on(event.pid, runs.ticks(event.started));
            if !runs_on {
                runs.ended(event.pid, event.time);
                told.push(event.clone());
            }
            runs_on
        });
    }
}

/// Whether this is the program that was begun under this name, which is that of its file, or of the
/// script; it may have taken another since. No name: not told.
fn runs(process: &Process, name: &Text) -> bool {
    let path = process.path.as_ref().map(Text::bytes);
    let file = path.and_then(|path| path.rsplit(|byte| *byte == b'/').next());
    let of_file = |file: &[u8]| file.get(..15).unwrap_or(file) == name.bytes();
    file.is_some_and(|file| *name == Text::default() || process.name == *name || of_file(file))
}

/// `None`: it changes nothing of what is kept of a process.
fn event_of(news: ProcessNews, asleep: u64) -> Option<ProcessEvent> {
    let (pid, timestamp_ns, parent, kind) = match news {
        ProcessNews::Started {
            timestamp_ns,
            parent,
            pid,
        } => (pid, timestamp_ns, parent, ProcessEventKind::Started),
        ProcessNews::Executed { timestamp_ns, pid } => {
            (pid, timestamp_ns, 0, ProcessEventKind::Executed(nothing()))
        }
        ProcessNews::Ended {
            timestamp_ns,
            pid,
            status,
        } => {
            let status = Some(status);
            (pid, timestamp_ns, 0, ProcessEventKind::Ended { status })
        }
        ProcessNews::UserChanged { .. } | ProcessNews::Renamed { .. } => return None,
    };
    Some(ProcessEvent {
        time: timestamp_ns.saturating_add(asleep),
        pid,
        started: 0,
        parent,
        parent_started: 0,
        thread: pid,
        uid: 0,
        netns: None,
        cgroup: 0,
        name: Text::default(),
        kind,
    })
}

/// A program of which nothing is known.
pub(super) fn nothing() -> Image {
    Image {
        path: None,
        path_state: PathState::Unknown,
        file: None,
        arguments: None,
        arguments_truncated: false,
    }
}

fn start_ticks(pid: u32) -> Option<u64> {
    read_stat(pid).map(|stat| stat.start_ticks)
}

fn read_stat(pid: u32) -> Option<Stat> {
    stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// What `/proc` shows, and the effective user, to whom the folder belongs.
fn shown(pid: u32) -> Option<(Stat, u32)> {
    let uid = fs::metadata(format!("/proc/{pid}")).ok()?.uid();
    Some((read_stat(pid)?, uid))
}

fn runs_on(pid: u32, ticks: u64) -> bool {
    read_stat(pid).is_some_and(|stat| stat.start_ticks == ticks && stat.threads > 1)
}

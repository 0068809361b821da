//! The processes of the first look, put together with what was told before it was over: of what is
//! older than the look, nothing takes the place of what the look has read later.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use model::{BootId, Observed, Process, ProcessId, Text, Timestamp};

use crate::linux::events::boot_nanos;
use crate::linux::process::Processes;
use crate::parse::process_event::{Image, ProcessEvent, ProcessEventKind};
use crate::stamp::Stamp;

/// What `/proc` showed of all processes when their events were told already, and those of sockets
/// not yet.
pub(super) struct Early {
    /// It has read them, and goes on with the look.
    pub(super) reader: Option<Processes>,
    processes: HashMap<ProcessId, Process>,
    /// While they were read, in nanoseconds since boot.
    began: u64,
    ended: u64,
    /// When the look began to read them again.
    pub(super) look_began: u64,
}

impl Early {
    pub(super) fn read(boot: BootId, boot_time: Timestamp) -> io::Result<Self> {
        let began = boot_nanos();
        let mut reader = Processes::open(boot, boot_time)?;
        for pid in reader.pids()? {
            reader.read(pid);
        }
        let processes = reader.all().map(|it| (it.id, it.clone())).collect();
        let ended = boot_nanos();
        Ok(Self {
            reader: Some(reader),
            processes,
            began,
            ended,
            look_began: ended,
        })
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        self.processes.keys().map(|id| id.pid).collect()
    }
}

/// What the look has read of the processes whose start, or a program that they began, was told
/// before it was over. Each is let go when the last of that is told.
#[derive(Default)]
pub(super) struct FirstLook {
    seen: HashMap<ProcessId, Seen>,
}

struct Seen {
    process: Arc<Process>,
    /// So many programs that it began are still to be told.
    programs: usize,
    /// It was read later than this.
    after: u64,
}

/// What a run begins with.
pub(super) struct Begins {
    pub(super) first_look: FirstLook,
    /// As they were before the first event that is to be told.
    pub(super) processes: Vec<Process>,
    /// Those that ran another program than the look shows.
    pub(super) other: Vec<Observed>,
}

impl FirstLook {
    /// `looked`: what the look shows; `told`: all events of processes until it was over.
    pub(super) fn of<'a>(
        looked: &[Process],
        early: &Early,
        told: impl Iterator<Item = &'a ProcessEvent>,
        stamp: &Stamp,
    ) -> Begins {
        let mut starts = HashMap::<ProcessId, Vec<u64>>::new();
        for event in told {
            let id = stamp.process(event.pid, event.started);
            match event.kind {
                ProcessEventKind::Started => {
                    starts.entry(id).or_default();
                }
                ProcessEventKind::Executed(_) => starts.entry(id).or_default().push(event.time),
                ProcessEventKind::Ended { .. } => {}
            }
        }
        let mut begins = Begins {
            first_look: Self::default(),
            processes: Vec::with_capacity(looked.len()),
            other: Vec::new(),
        };
        for process in looked {
            let Some(programs) = starts.get(&process.id) else {
                begins.processes.push(process.clone());
                continue;
            };
            let before = early.processes.get(&process.id);
            let is_news = before != Some(process);
            let seen = Seen {
                process: Arc::new(process.clone()),
                programs: programs.len(),
                after: if is_news {
                    early.look_began
                } else {
                    early.began
                },
            };
            begins.first_look.seen.insert(process.id, seen);
            let before = match programs.iter().min() {
                None => process.clone(),
                Some(first) if early.ended < *first => {
                    let other = before.filter(|before| *before != process);
                    let other = other.map(|it| Observed::Process(Arc::new(it.clone())));
                    begins.other.extend(other);
                    before.map_or_else(|| unknown_program(process), Process::clone)
                }
                // It was read before, or after, or in between.
                Some(_) => unknown_program(process),
            };
            begins.processes.push(before);
        }
        begins
    }

    /// A process has started, which the look has read, and it has begun no other program until
    /// then: what the look shows is what it has begun with. `None`: that is not so.
    pub(super) fn started(&mut self, id: ProcessId) -> Option<Arc<Process>> {
        if self.seen.get(&id)?.programs > 0 {
            return None;
        }
        self.seen.remove(&id).map(|seen| seen.process)
    }

    /// A process has begun a program. Gives what the look shows, when it is of that program.
    pub(super) fn executed(
        &mut self,
        id: ProcessId,
        time: u64,
        image: &Image,
    ) -> Option<Arc<Process>> {
        let seen = self.seen.get_mut(&id)?;
        seen.programs = seen.programs.saturating_sub(1);
        if seen.programs > 0 {
            return None;
        }
        let seen = self.seen.remove(&id)?;
        let is_same = match (image.file, seen.process.file) {
            // Some file systems show other numbers of devices than the kernel has for them.
            (Some(begun), Some(seen)) => begun.inode == seen.inode,
            (Some(_), None) => false,
            (None, _) => time < seen.after,
        };
        is_same.then_some(seen.process)
    }
}

/// The process, with nothing of the program that it runs.
fn unknown_program(process: &Process) -> Process {
    Process {
        name: Text::default(),
        uid: process.uid,
        user: process.user.clone(),
        parents: process.parents.clone(),
        container: process.container.clone(),
        unit: process.unit.clone(),
        netns: process.netns,
        started: process.started,
        ..Process::unknown(process.id)
    }
}

#[cfg(test)]
mod tests {
    use model::{FileIdentity, PathState, Source};

    use super::super::processes::ProcessTable;
    use super::*;

    /// Early reading goes from 100 to 200; the look comes later.
    const EARLY: (u64, u64) = (100, 200);
    const LOOK: u64 = 250;
    const SHELL: u32 = 7;
    const CALLER: u32 = 8;

    fn stamp() -> Stamp {
        Stamp {
            boot: BootId([7; 16]),
            boot_time: Timestamp::from_unix_nanos(0),
            boot_time_shift: 0,
            source: Source::Ebpf,
            seq: 0,
        }
    }

    /// `name`: its program. `?`: nothing is known of it.
    fn process(pid: u32, name: &str) -> Process {
        let id = stamp().process(pid, 0);
        let process = Process {
            started: Some(Timestamp::from_unix_nanos(0)),
            ..Process::unknown(id)
        };
        if name == "?" {
            return process;
        }
        let image = image(name);
        Process {
            name: name.into(),
            path: image.path,
            path_state: image.path_state,
            file: image.file,
            command_line: image.arguments,
            ..process
        }
    }

    fn image(name: &str) -> Image {
        Image {
            path: Some(format!("/bin/{name}").as_str().into()),
            path_state: PathState::Present,
            file: Some(FileIdentity {
                device: 1,
                inode: name.bytes().map(u64::from).sum(),
            }),
            arguments: Some(vec![name.into()]),
            arguments_truncated: false,
        }
    }

    fn event(time: u64, pid: u32, name: &str, kind: ProcessEventKind) -> ProcessEvent {
        ProcessEvent {
            time,
            pid,
            started: 0,
            parent: SHELL,
            parent_started: 0,
            thread: pid,
            uid: 0,
            netns: None,
            cgroup: 0,
            name: name.into(),
            kind,
        }
    }

    fn started(time: u64, pid: u32, name: &str) -> ProcessEvent {
        event(time, pid, name, ProcessEventKind::Started)
    }

    fn executed(time: u64, pid: u32, name: &str) -> ProcessEvent {
        event(time, pid, name, ProcessEventKind::Executed(image(name)))
    }

    /// What the caller runs at first and after each event, as path or else as name.
    fn check(early: &[Process], looked: &[Process], events: &[ProcessEvent], expected: &[&str]) {
        let early = Early {
            reader: None,
            processes: early.iter().map(|it| (it.id, it.clone())).collect(),
            began: EARLY.0,
            ended: EARLY.1,
            look_began: LOOK,
        };
        let stamp = stamp();
        let begins = FirstLook::of(looked, &early, events.iter(), &stamp);
        let mut table = ProcessTable::of(begins.processes, begins.first_look);
        let runs = |table: &ProcessTable| match table.get(stamp.process(CALLER, 0)) {
            None => "nobody".to_owned(),
            Some(it) => match &it.path {
                Some(path) => path.lossy().into_owned(),
                None => format!("({})", it.name.lossy()),
            },
        };
        let mut found = vec![runs(&table)];
        for event in events {
            match &event.kind {
                ProcessEventKind::Started => drop(table.started(&stamp, event)),
                ProcessEventKind::Executed(image) => drop(table.executed(&stamp, event, image)),
                ProcessEventKind::Ended { .. } => {}
            }
            found.push(runs(&table));
        }
        assert_eq!(found, expected, "{events:?}");
    }

    #[test]
    fn an_older_start_takes_nothing_away() {
        let shell = process(SHELL, "sh");
        let looked = [shell.clone(), process(CALLER, "curl")];
        // All was heard.
        let events = [started(300, CALLER, "sh"), executed(310, CALLER, "curl")];
        let early = std::slice::from_ref(&shell);
        check(early, &looked, &events, &["()", "/bin/sh", "/bin/curl"]);
        // It has begun no other program: the look shows what it was started with, whatever its
        // parent runs by then.
        let events = [started(300, CALLER, "curl"), executed(900, SHELL, "ls")];
        let all_the_time = ["/bin/curl", "/bin/curl", "/bin/curl"];
        check(early, &looked, &events, &all_the_time);
        // It was read before it began another.
        let looked = [shell.clone(), process(CALLER, "sh")];
        let events = [started(300, CALLER, "sh"), executed(900, CALLER, "curl")];
        check(early, &looked, &events, &["()", "/bin/sh", "/bin/curl"]);
    }

    #[test]
    fn who_began_another_program_ran_what_was_read_before() {
        let looked = [process(CALLER, "curl")];
        let events = [executed(300, CALLER, "ip"), executed(310, CALLER, "curl")];
        let early = [process(CALLER, "sh")];
        check(
            &early,
            &looked,
            &events,
            &["/bin/sh", "/bin/ip", "/bin/curl"],
        );
        // Nobody knows whether it was read before or after.
        let events = [executed(150, CALLER, "curl")];
        check(&early, &looked, &events, &["()", "/bin/curl"]);
        check(&[], &looked, &events, &["()", "/bin/curl"]);
    }

    #[test]
    fn a_child_has_only_what_its_parent_was_known_to_run() {
        let early = [process(SHELL, "sh")];
        let looked = [process(SHELL, "curl")];
        let child = started(300, CALLER, "sh");
        let events = [child.clone(), executed(310, SHELL, "curl")];
        check(&early, &looked, &events, &["nobody", "/bin/sh", "/bin/sh"]);
        let events = [started(110, CALLER, "sh"), executed(120, SHELL, "curl")];
        check(&early, &looked, &events, &["nobody", "(sh)", "(sh)"]);
    }

    #[test]
    fn what_an_event_leaves_out_the_look_may_have_read() {
        let looked = [process(CALLER, "curl")];
        let without_path = |time, image| {
            let kind = ProcessEventKind::Executed(Image {
                path: None,
                ..image
            });
            [event(time, CALLER, "curl", kind)]
        };
        let events = without_path(300, image("curl"));
        check(&looked, &looked, &events, &["/bin/curl", "/bin/curl"]);
        // It was of another program.
        let events = without_path(300, image("ssh"));
        check(&looked, &looked, &events, &["/bin/curl", "(curl)"]);
        // Not even the file was told. It was read after that; or nobody knows.
        let nothing = || Image {
            file: None,
            ..image("curl")
        };
        check(
            &[],
            &looked,
            &without_path(240, nothing()),
            &["()", "/bin/curl"],
        );
        check(
            &[],
            &looked,
            &without_path(300, nothing()),
            &["()", "(curl)"],
        );
        let twice_the_same = without_path(240, nothing());
        check(&looked, &looked, &twice_the_same, &["/bin/curl", "(curl)"]);
    }
}

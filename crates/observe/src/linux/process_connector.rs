//! Processes that start, run another program and end, from the kernel's process connector: for
//! where no BPF program can tell. It tells of all processes, but only to the initial PID and user
//! namespaces, and through the initial network namespace.

use std::collections::BTreeMap;
use std::io;

use rustix::net::netlink;
use rustix::time::{ClockId, clock_gettime};

use super::events::boot_nanos;
use super::netlink::{Listener, Lost};
use crate::parse::proc_pid;
use crate::parse::process_connector::{Content, End, Missing, message, subscription};

pub(crate) use crate::parse::process_connector::ProcessNews;

/// CN_IDX_PROC: the first group.
const GROUPS: u32 = 1;
/// Some 20,000 messages.
const ROOM: usize = 16 << 20;

/// Hears the news of processes.
pub(crate) struct ProcessConnector {
    news: Listener,
    /// What came before the kernel answered our subscription.
    early: Vec<ProcessNews>,
    missing: Missing,
    dropped: u64,
    lost: u64,
    /// Their first thread has ended, others run on.
    headless: BTreeMap<u32, End>,
}

impl ProcessConnector {
    /// Subscribes; everything from then on is told.
    ///
    /// Errors: `PermissionDenied`; `Unsupported`: whocalls runs in a namespace that is told
    /// nothing, as in a container; or the kernel has no process connector.
    pub(crate) fn open() -> io::Result<Self> {
        Self::with_room(ROOM)
    }

    fn with_room(room: usize) -> io::Result<Self> {
        let mut connector = Self {
            news: Listener::open(netlink::CONNECTOR, GROUPS, room)?,
            early: Vec::new(),
            missing: Missing::default(),
            dropped: 0,
            lost: 0,
            headless: BTreeMap::new(),
        };
        let answer_to = std::process::id();
        connector
            .news
            .tell(&subscription(answer_to))
            .map_err(|error| {
                // In other network namespaces there is nobody to hear it.
                if error.kind() == io::ErrorKind::ConnectionRefused {
                    told_nothing()
                } else {
                    error
                }
            })?;
        // The kernel answers before it returns; to a namespace that is told nothing, not at all.
        let mut early = Vec::new();
        let answer = connector.take(&mut early, answer_to)?;
        connector.early = early;
        match answer.map(u32::cast_signed) {
            Some(0) => Ok(connector),
            Some(errno) => Err(io::Error::from_raw_os_error(errno)),
            None => Err(told_nothing()),
        }
    }

    /// Readable when there is news.
    #[cfg(test)]
    pub(crate) fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.news.fd()
    }

    /// Appends what has come, nearly in the order of time.
    ///
    /// A process whose first thread ended before the others ends when they have; should they have
    /// ended unsaid, it ends with the next call, so that calling now and then helps. One thing can
    /// still look odd: where a thread that is not the first ran another program which ended at
    /// once, there is an end before the `Executed`, too.
    pub(crate) fn read(&mut self, out: &mut Vec<ProcessNews>) -> io::Result<Lost> {
        out.append(&mut self.early);
        self.take(out, 0)?;
        let over: Vec<u32> = self
            .headless
            .keys()
            .copied()
            .filter(|pid| !runs_on(*pid))
            .collect();
        for pid in over {
            out.extend(self.headless.remove(&pid).map(ended));
        }
        // Both count the same, the kernel sooner; the numbers also tell of what it had no memory
        // for.
        let lost = self.missing.messages.max(self.dropped);
        let before = std::mem::replace(&mut self.lost, lost);
        Ok(Lost {
            messages: lost.saturating_sub(before),
        })
    }

    /// Reads all there is; gives the errno that answers the subscription.
    fn take(&mut self, out: &mut Vec<ProcessNews>, answer_to: u32) -> io::Result<Option<u32>> {
        let mut answer = None;
        let Self {
            news,
            missing,
            headless,
            ..
        } = self;
        let lost = news.read(|body| {
            let Some(message) = message(body) else {
                return;
            };
            missing.note(&message);
            match message.content {
                Content::News(news) => {
                    match &news {
                        // Its number is free again.
                        ProcessNews::Started { pid, .. } => {
                            out.extend(headless.remove(pid).map(ended));
                        }
                        // Another thread took the place of the first.
                        ProcessNews::Executed { pid, .. } => {
                            headless.remove(pid);
                        }
                        ProcessNews::UserChanged { .. }
                        | ProcessNews::Renamed { .. }
                        | ProcessNews::Ended { .. } => {}
                    }
                    out.push(news);
                }
                Content::FirstThreadEnded(end) => {
                    out.extend(headless.remove(&end.pid).map(ended));
                    if runs_on(end.pid) {
                        headless.insert(end.pid, end);
                    } else {
                        out.push(ended(end));
                    }
                }
                Content::OtherThreadEnded(end) => {
                    if let Some(first) = headless.get_mut(&end.pid) {
                        first.timestamp_ns = end.timestamp_ns;
                        if end.status != 0 {
                            first.status = end.status;
                        }
                        if !runs_on(end.pid) {
                            out.extend(headless.remove(&end.pid).map(ended));
                        }
                    }
                }
                Content::Answer {
                    answer_to: to,
                    errno,
                } if to == answer_to => answer = Some(errno),
                Content::Answer { .. } | Content::Other => {}
            }
        })?;
        self.dropped = self.dropped.saturating_add(lost.messages);
        Ok(answer)
    }
}

/// So many nanoseconds has this computer slept since boot: the times of the news leave them out.
pub(crate) fn asleep() -> u64 {
    let up = clock_gettime(ClockId::Monotonic);
    let awake = up.tv_sec.unsigned_abs() * 1_000_000_000 + up.tv_nsec.unsigned_abs();
    boot_nanos().saturating_sub(awake)
}

fn told_nothing() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "the kernel tells it only to its first PID, user and network namespaces, not in containers",
    )
}

/// Whether other threads of it run, or its exec is done already. The kernel tells of an end when
/// it shows in `/proc`.
fn runs_on(pid: u32) -> bool {
    let stat = std::fs::read(format!("/proc/{pid}/stat"));
    let stat = stat.ok().and_then(|stat| proc_pid::stat(&stat));
    stat.is_some_and(|stat| !stat.dead || stat.threads > 1)
}

fn ended(end: End) -> ProcessNews {
    ProcessNews::Ended {
        timestamp_ns: end.timestamp_ns,
        pid: end.pid,
        status: end.status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command};
    use std::thread;
    use std::time::{Duration, Instant};

    /// What happened to one process, without the times.
    #[derive(Debug, PartialEq, Eq)]
    enum Step {
        StartedByUs,
        Executed,
        UserChanged(u32),
        Renamed(String),
        Ended(i32),
    }

    struct Heard {
        connector: ProcessConnector,
        all: Vec<ProcessNews>,
        lost: u64,
    }

    impl Heard {
        /// `None`: the kernel does not tell us here.
        fn open(test: &str) -> Option<Self> {
            Self::of(test, ProcessConnector::open())
        }

        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        fn of(test: &str, connector: io::Result<ProcessConnector>) -> Option<Self> {
            match connector {
                Ok(connector) => Some(Self {
                    connector,
                    all: Vec::new(),
                    lost: 0,
                }),
                Err(error) => {
                    eprintln!("skipped: {test}: no process connector: {error}");
                    None
                }
            }
        }

        fn read(&mut self) {
            self.lost += self.connector.read(&mut self.all).unwrap().messages;
        }

        /// Several programs that take each other's place, as scripts do, count as one.
        fn steps(&self, wanted: u32) -> Vec<Step> {
            let us = std::process::id();
            let steps = self.all.iter().filter_map(|news| {
                let (of, step) = match news {
                    ProcessNews::Started { pid, parent, .. } => {
                        assert!(*pid != wanted || *parent == us);
                        (pid, Step::StartedByUs)
                    }
                    ProcessNews::Executed { pid, .. } => (pid, Step::Executed),
                    ProcessNews::UserChanged { pid, uid, .. } => (pid, Step::UserChanged(*uid)),
                    ProcessNews::Renamed { pid, name, .. } => {
                        (pid, Step::Renamed(name.lossy().into_owned()))
                    }
                    ProcessNews::Ended { pid, status, .. } => (pid, Step::Ended(*status)),
                };
                (*of == wanted).then_some(step)
            });
            let mut steps: Vec<_> = steps.collect();
            steps.dedup_by(|next, step| *next == Step::Executed && step == next);
            steps
        }

        /// Reads until that process has ended, after it was waited for.
        fn until_ended(&mut self, child: &mut Child) -> Vec<Step> {
            let status = child.wait().unwrap().into_raw();
            let ended = Step::Ended(status);
            self.until(|heard| heard.steps(child.id()).contains(&ended));
            self.steps(child.id())
        }

        fn until(&mut self, done: impl Fn(&Self) -> bool) {
            let begin = Instant::now();
            while !done(self) {
                assert!(begin.elapsed() < Duration::from_secs(20), "it never comes");
                thread::sleep(Duration::from_millis(5));
                self.read();
            }
        }

        fn times(&self) -> Vec<u64> {
            let time = |news: &ProcessNews| match news {
                ProcessNews::Started { timestamp_ns, .. }
                | ProcessNews::Executed { timestamp_ns, .. }
                | ProcessNews::UserChanged { timestamp_ns, .. }
                | ProcessNews::Renamed { timestamp_ns, .. }
                | ProcessNews::Ended { timestamp_ns, .. } => *timestamp_ns,
            };
            self.all.iter().map(time).collect()
        }
    }

    fn python(program: &str) -> Option<Child> {
        Command::new("python3").args(["-c", program]).spawn().ok()
    }

    fn now() -> u64 {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        u64::try_from(now.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap()
    }

    #[test]
    fn hears_processes_come_and_go() {
        // Other tests start processes, too: from before the first can be heard.
        let before = now();
        let Some(mut heard) = Heard::open("hears_processes_come_and_go") else {
            return;
        };
        let flags = rustix::fs::fcntl_getfl(heard.connector.fd()).unwrap();
        assert!(flags.contains(rustix::fs::OFlags::NONBLOCK));
        for (command, status) in [("exit 7", 7 << 8), ("kill -9 $$", 9)] {
            let mut shell = Command::new("sh").args(["-c", command]).spawn().unwrap();
            let steps = heard.until_ended(&mut shell);
            let expected = [Step::StartedByUs, Step::Executed, Step::Ended(status)];
            assert_eq!(steps, expected);
        }
        assert_eq!(heard.lost, 0);
        let times = heard.times();
        let during = before..now();
        assert!(
            times.iter().all(|time| during.contains(time)),
            "{during:?}: {times:?}"
        );
    }

    #[test]
    fn hears_of_new_users_and_names() {
        let test = "hears_of_new_users_and_names";
        let Some(mut heard) = Heard::open(test) else {
            return;
        };
        let program = "import ctypes, os; ctypes.CDLL(None).prctl(15, b'evil'); os.setuid(1000)";
        let Some(mut child) = python(program) else {
            return;
        };
        let steps = heard.until_ended(&mut child);
        assert!(
            steps.contains(&Step::Renamed("evil".to_owned())),
            "{steps:?}"
        );
        if rustix::process::geteuid().is_root() {
            assert!(steps.contains(&Step::UserChanged(1000)), "{steps:?}");
        }
    }

    #[test]
    fn a_process_lives_as_long_as_its_last_thread() {
        let test = "a_process_lives_as_long_as_its_last_thread";
        let Some(mut heard) = Heard::open(test) else {
            return;
        };
        let program = "import ctypes, os, threading, time\n\
            def other():\n    time.sleep(0.5); os._exit(7)\n\
            threading.Thread(target=other).start()\n\
            ctypes.CDLL(None).pthread_exit(None)";
        let Some(mut child) = python(program) else {
            return;
        };
        let pid = child.id();
        heard.until(|heard| heard.connector.headless.contains_key(&pid));
        assert_eq!(heard.steps(pid), [Step::StartedByUs, Step::Executed]);
        let steps = heard.until_ended(&mut child);
        let expected = [Step::StartedByUs, Step::Executed, Step::Ended(7 << 8)];
        assert_eq!(steps, expected);
    }

    #[test]
    fn a_thread_that_executes_is_the_process() {
        let test = "a_thread_that_executes_is_the_process";
        let Some(mut heard) = Heard::open(test) else {
            return;
        };
        let program = "import os, threading, time\n\
            def other():\n    os.execvp('sleep', ['sleep', '0.5'])\n\
            threading.Thread(target=other).start(); time.sleep(9)";
        let Some(mut child) = python(program) else {
            return;
        };
        let pid = child.id();
        let sleeps = |pid: u32| {
            let name = std::fs::read(format!("/proc/{pid}/comm"));
            name.is_ok_and(|name| name == b"sleep\n")
        };
        heard.until(|_| sleeps(pid));
        let steps = heard.until_ended(&mut child);
        let expected = [Step::StartedByUs, Step::Executed, Step::Ended(0)];
        assert_eq!(steps, expected);
    }

    #[test]
    fn loss_is_counted() {
        let Some(mut all) = Heard::open("loss_is_counted") else {
            return;
        };
        let Some(mut some) = Heard::of("loss_is_counted", ProcessConnector::with_room(8 << 10))
        else {
            return;
        };
        all.read();
        all.all.clear();
        let children = (0..50).map(|_| Command::new("true").spawn().unwrap());
        let mut children: Vec<_> = children.collect();
        for child in &mut children {
            all.until_ended(child);
        }
        some.read();
        assert_eq!(all.lost, 0);
        assert!(some.lost > 50, "{}", some.lost);
        assert!(some.all.len() >= 3, "{:?}", some.all);
        let told = some.all.len() + usize::try_from(some.lost).unwrap();
        assert!(told >= all.all.len(), "{told} of {}", all.all.len());
        // What comes after that is heard again.
        let mut child = Command::new("true").spawn().unwrap();
        let steps = some.until_ended(&mut child);
        let expected = [Step::StartedByUs, Step::Executed, Step::Ended(0)];
        assert_eq!(steps, expected);
    }
}

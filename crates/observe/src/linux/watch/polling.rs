//! Between two looks, where no BPF program can tell: sockets that go, and processes that come and
//! go, as far as the kernel tells of them over netlink.

use std::collections::{HashMap, HashSet};
use std::io;

use model::{
    ConnectionError, Detail, EventKind, Gap, Look, NetworkNamespace, Observed, Phase, Process,
    ProcessId, Protocol, SocketKey, Source, State, WhyUnknown,
};

use crate::linux::destroyed_sockets::{DestroyedSocket, DestroyedSockets};
use crate::linux::events::boot_nanos;
use crate::linux::namespaces::Namespaces;
use crate::linux::netlink::Lost;
use crate::linux::process::Processes;
use crate::linux::process_connector::{ProcessConnector, ProcessNews, asleep};
use crate::stamp::Stamp;

/// What is heard between looks.
pub(super) struct Polling {
    ended_sockets: HashMap<NetworkNamespace, DestroyedSockets>,
    processes: Option<ProcessConnector>,
    running: HashMap<u32, ProcessId>,
    cookies: HashSet<u64>,
    /// Ports that somebody listens on.
    listening: HashSet<(Option<NetworkNamespace>, u16)>,
    /// Why nobody tells whose the sockets are that come and go between two looks.
    no_owner: WhyUnknown,
    lost: u64,
}

impl Polling {
    /// Begins to listen; what cannot be heard is a gap. To be called before the first look: what is
    /// read when something is heard is never older than the look then.
    pub(super) fn begin(no_owner: WhyUnknown, gaps: &mut Vec<Gap>) -> Self {
        let processes = match ProcessConnector::open() {
            Ok(connector) => Some(connector),
            Err(error) => {
                gaps.push(Gap::standing(
                    "process_events",
                    Source::Netlink,
                    format!("the kernel's process connector tells us nothing: {error}"),
                    "processes that start and end between two looks",
                ));
                None
            }
        };
        let mut polling = Self {
            ended_sockets: HashMap::new(),
            processes,
            running: HashMap::new(),
            cookies: HashSet::new(),
            listening: HashSet::new(),
            no_owner,
            lost: 0,
        };
        if let Err(error) = polling.listen_everywhere() {
            gaps.push(Gap::standing(
                "socket_ends",
                Source::Netlink,
                format!("the kernel does not tell us of sockets that go (CAP_NET_ADMIN): {error}"),
                "connections that open and close between two looks",
            ));
        }
        polling
    }

    /// Takes over what a look has shown.
    pub(super) fn looked(&mut self, look: &Look) {
        // New namespaces are heard from now on; why not the old ones, has been told.
        let _ = self.listen_everywhere();
        let processes = look.processes.iter();
        self.running.extend(processes.map(|it| (it.id.pid, it.id)));
        let cookies = look.sockets.iter().filter_map(|socket| socket.key.cookie);
        self.cookies = cookies.collect();
        let listening = look.sockets.iter().filter(|it| it.state == State::Listen);
        self.listening = listening
            .filter_map(|socket| Some((socket.netns, socket.local.port?)))
            .collect();
    }

    /// Tells what has been heard since.
    pub(super) fn next(
        &mut self,
        stamp: &mut Stamp,
        read: impl FnOnce() -> io::Result<Processes>,
        seen: &mut Vec<Observed>,
    ) {
        let mut news = Vec::new();
        if let Some(connector) = &mut self.processes {
            let lost = connector.read(&mut news);
            if lost.is_err() {
                // Told once; it would fail again and again.
                self.processes = None;
            }
            self.note_lost(lost, "news of processes", stamp, seen);
        }
        self.tell_processes(&news, stamp, read, seen);
        let mut ended = Vec::new();
        let mut losses = Vec::new();
        for (netns, sockets) in &mut self.ended_sockets {
            let mut of_this = Vec::new();
            losses.push(sockets.read(&mut of_this));
            ended.extend(of_this.into_iter().map(|socket| (*netns, socket)));
        }
        for lost in losses {
            self.note_lost(lost, "ends of sockets", stamp, seen);
        }
        for (netns, socket) in ended {
            self.tell_end(netns, &socket, stamp, seen);
        }
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    fn listen_everywhere(&mut self) -> io::Result<()> {
        let pids = std::fs::read_dir("/proc")?.flatten();
        let pids: Vec<u32> = pids
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        let namespaces = Namespaces::find(&pids)?;
        let all: HashSet<_> = namespaces.all().into_iter().collect();
        self.ended_sockets.retain(|netns, _| all.contains(netns));
        let mut result = Ok(());
        for netns in all {
            if self.ended_sockets.contains_key(&netns) {
                continue;
            }
            match namespaces.inside(netns, DestroyedSockets::open).flatten() {
                Ok(sockets) => {
                    self.ended_sockets.insert(netns, sockets);
                }
                Err(error) => result = Err(error),
            }
        }
        result
    }

    fn tell_processes(
        &mut self,
        news: &[ProcessNews],
        stamp: &mut Stamp,
        read: impl FnOnce() -> io::Result<Processes>,
        seen: &mut Vec<Observed>,
    ) {
        let changed: HashSet<u32> = news
            .iter()
            .filter_map(|news| match news {
                ProcessNews::Started { pid, .. } | ProcessNews::Executed { pid, .. } => Some(*pid),
                ProcessNews::UserChanged { .. }
                | ProcessNews::Renamed { .. }
                | ProcessNews::Ended { .. } => None,
            })
            .collect();
        let mut found = HashMap::<u32, Process>::new();
        if let (false, Ok(mut processes)) = (changed.is_empty(), read()) {
            for pid in &changed {
                processes.read(*pid);
            }
            let all = processes.into_processes().into_iter();
            found.extend(all.map(|process| (process.id.pid, process)));
        }
        let now = boot_nanos();
        let asleep = asleep();
        let is_last = last_programs(news);
        for (news, is_last) in news.iter().zip(is_last) {
            let (pid, time, kind, detail) = match news {
                ProcessNews::Started {
                    pid, timestamp_ns, ..
                } => (
                    *pid,
                    timestamp_ns,
                    EventKind::ProcessStarted,
                    Detail::Nothing,
                ),
                ProcessNews::Executed { pid, timestamp_ns } => {
                    (*pid, timestamp_ns, EventKind::ProcessExec, Detail::Nothing)
                }
                ProcessNews::Ended {
                    pid,
                    timestamp_ns,
                    status,
                } => {
                    let status = Some(*status);
                    let detail = Detail::Exit { status };
                    (*pid, timestamp_ns, EventKind::ProcessEnded, detail)
                }
                ProcessNews::UserChanged { .. } | ProcessNews::Renamed { .. } => continue,
            };
            let time = time.saturating_add(asleep).min(now);
            // One that ended before it could be read has a pid and nothing else: that is no one.
            if let Some(process) = found.get(&pid)
                && kind != EventKind::ProcessEnded
            {
                self.running.insert(pid, process.id);
                if is_last {
                    seen.push(Observed::Process(process.clone().into()));
                }
            }
            let id = self.running.get(&pid).copied();
            // What ended before it began was another with its number.
            let is_over = |id: &ProcessId| stamp.process(pid, time).start_ticks < id.start_ticks;
            if kind == EventKind::ProcessEnded && id.as_ref().is_some_and(is_over) {
                continue;
            }
            if let Some(id) = id {
                let mut event = stamp.event(time, kind);
                event.source = Source::Netlink;
                event.process = Some(id);
                event.detail = detail;
                stamp.tell(event, seen);
            }
            if kind == EventKind::ProcessEnded {
                self.running.remove(&pid);
            }
        }
    }

    fn tell_end(
        &mut self,
        netns: NetworkNamespace,
        socket: &DestroyedSocket,
        stamp: &mut Stamp,
        seen: &mut Vec<Observed>,
    ) {
        let established = socket.tcp.is_none_or(|tcp| tcp.was_established);
        let why = self.no_owner;
        let begin = |stamp: &Stamp, kind| {
            let mut event = stamp.event(boot_nanos(), kind);
            event.source = Source::Netlink;
            event.netns = Some(netns);
            event.socket = Some(SocketKey {
                inode: None,
                cookie: Some(socket.cookie),
            });
            event.protocol = Some(socket.protocol);
            event.local = Some(socket.local);
            event.remote = socket.remote;
            event.detail = Detail::NoProcess { why };
            event
        };
        let known = self.cookies.remove(&socket.cookie);
        if !known {
            // It came and went between two looks. Without a remote end nobody was called.
            if socket.remote.is_none() {
                return;
            }
            let listener = socket.local.port.map(|port| (Some(netns), port));
            let is_served = listener.is_some_and(|it| self.listening.contains(&it));
            let opened_here = socket.tcp.and_then(|tcp| tcp.opened_here);
            let kind = match (socket.protocol, established, opened_here) {
                (Protocol::Tcp, false, _) => EventKind::Attempt,
                (Protocol::Tcp, true, Some(false)) => EventKind::Accepted,
                (Protocol::Tcp, true, None) if is_served => EventKind::Accepted,
                (Protocol::Tcp, true, Some(true) | None) => EventKind::Opened,
                _ => EventKind::FirstPacket,
            };
            let event = begin(stamp, kind);
            stamp.tell(event, seen);
        }
        let mut event = begin(stamp, EventKind::Closed);
        event.bytes_sent = socket.tcp.and_then(|tcp| tcp.bytes_sent);
        event.bytes_received = socket.tcp.and_then(|tcp| tcp.bytes_received);
        event.error = (!established).then_some(ConnectionError {
            errno: None,
            phase: Phase::Handshake,
        });
        if !socket.protocol.has_connections() {
            event.remote = None;
        }
        stamp.tell(event, seen);
    }

    fn note_lost(
        &mut self,
        lost: io::Result<Lost>,
        what: &str,
        stamp: &Stamp,
        seen: &mut Vec<Observed>,
    ) {
        let (why, count) = match lost {
            Ok(Lost { messages: 0 }) => return,
            Ok(lost) => (
                format!("{what} came faster than they could be taken"),
                lost.messages,
            ),
            Err(error) => (format!("{what} can no longer be heard: {error}"), 1),
        };
        self.lost += count;
        let now = stamp.time(boot_nanos());
        seen.push(Observed::Gap(Gap {
            id: "events_lost".to_owned(),
            source: Source::Netlink,
            why,
            missed: "connections and processes of that time".to_owned(),
            since: None,
            until: Some(now),
            count: Some(count),
        }));
    }
}

/// Of each of the news: whether a process began what it runs now with it, as far as that was heard.
/// What it ran before, nobody can read any more.
fn last_programs(news: &[ProcessNews]) -> Vec<bool> {
    let mut seen = HashSet::new();
    let is_last = news.iter().rev().map(|news| match news {
        ProcessNews::Started { pid, .. } | ProcessNews::Executed { pid, .. } => seen.insert(*pid),
        ProcessNews::UserChanged { .. }
        | ProcessNews::Renamed { .. }
        | ProcessNews::Ended { .. } => false,
    });
    let mut is_last: Vec<_> = is_last.collect();
    is_last.reverse();
    is_last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_of_the_last_program_that_was_heard_of() {
        let timestamp_ns = 7;
        let started = |pid| ProcessNews::Started {
            timestamp_ns,
            pid,
            parent: 1,
        };
        let executed = |pid| ProcessNews::Executed { timestamp_ns, pid };
        let ended = |pid| ProcessNews::Ended {
            timestamp_ns,
            pid,
            status: 0,
        };
        let news = [
            started(5),
            started(6),
            executed(5),
            executed(5),
            ended(5),
            ended(6),
        ];
        let last = [false, true, false, true, false, false];
        assert_eq!(last_programs(&news), last);
        assert_eq!(last_programs(&[]), [false; 0]);
    }
}

//! Network namespaces that appear while packets are captured: told by events of the processes in
//! them, and by the places where namespaces are mounted.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use model::{NetworkNamespace, Observed};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::parse::mount_info::{namespace_mount, namespace_number};

/// So many may wait to be looked at; one that is left out is told again by its next event.
const MOST_WAITING: usize = 1_024;
/// So many mounted namespaces are looked at.
const MOST_MOUNTED: usize = 4_096;

/// A process that seems to be in a network namespace of which no packets are captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) netns: NetworkNamespace,
    pub(super) pid: u32,
}

/// Those that need not be told: they are captured, or cannot be.
#[derive(Clone, Debug, Default)]
pub(super) struct Settled(Arc<Mutex<HashSet<NetworkNamespace>>>);

impl Settled {
    pub(super) fn add(&self, netns: NetworkNamespace) {
        self.locked().insert(netns);
    }

    pub(super) fn remove(&self, netns: NetworkNamespace) {
        self.locked().remove(&netns);
    }

    pub(super) fn contains(&self, netns: NetworkNamespace) -> bool {
        self.locked().contains(&netns)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashSet<NetworkNamespace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the packets, from what is observed, where they might be captured too.
pub(crate) struct Announcer {
    /// `None`: nobody listens any more.
    arrivals: Option<SyncSender<Arrival>>,
    settled: Settled,
}

/// Both ends: who tells, and who is told.
pub(super) fn channel(settled: Settled) -> (Announcer, Receiver<Arrival>) {
    let (sender, receiver) = sync_channel(MOST_WAITING);
    let announcer = Announcer {
        arrivals: Some(sender),
        settled,
    };
    (announcer, receiver)
}

impl Announcer {
    pub(crate) fn note(&mut self, seen: &[Observed]) {
        let mut last = None;
        for observed in seen {
            match observed {
                Observed::Event(event) => {
                    if let Some((netns, process)) = event.netns.zip(event.process) {
                        self.tell(netns, process.pid, &mut last);
                    }
                }
                Observed::Look(look) => {
                    for socket in &look.sockets {
                        let holder = socket.holders.first().map(|holder| holder.process.pid);
                        if let Some((netns, pid)) = socket.netns.zip(holder) {
                            self.tell(netns, pid, &mut last);
                        }
                    }
                }
                Observed::Process(_) | Observed::Counts(_) | Observed::Gap(_) => {}
            }
        }
    }

    fn tell(&mut self, netns: NetworkNamespace, pid: u32, last: &mut Option<Arrival>) {
        let arrival = Arrival { netns, pid };
        // Long rows of events are of one namespace.
        let is_same = last.is_some_and(|last| {
            last == arrival || (last.netns == netns && self.settled.contains(netns))
        });
        *last = Some(arrival);
        if is_same || self.settled.contains(netns) {
            return;
        }
        if let Some(arrivals) = &self.arrivals
            && let Err(TrySendError::Disconnected(_)) = arrivals.try_send(arrival)
        {
            self.arrivals = None;
        }
    }
}

/// The network namespaces that are mounted somewhere.
pub(super) struct Mounts {
    /// `/proc/self/mountinfo`, which says when it changes. `None`: it cannot be read.
    table: Option<File>,
    /// It was said that it has, which is said once.
    has_changed: bool,
    mounted: BTreeMap<NetworkNamespace, PathBuf>,
}

impl Mounts {
    pub(super) fn open() -> Self {
        let table = File::open("/proc/self/mountinfo").ok();
        let mut mounts = Self {
            table,
            has_changed: false,
            mounted: BTreeMap::new(),
        };
        mounts.read();
        mounts
    }

    /// What a change can be waited for with, by [`CHANGED`].
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.table.as_ref().map(AsFd::as_fd)
    }

    /// Looks whether mounts have changed; if so, true.
    pub(super) fn refresh(&mut self) -> bool {
        let Some(table) = &self.table else {
            return false;
        };
        let mut polled = [PollFd::new(table, CHANGED)];
        let now = Timespec::default();
        let changes = poll(&mut polled, Some(&now)).is_ok_and(|ready| ready > 0);
        let has_changed = std::mem::take(&mut self.has_changed) || changes;
        if has_changed {
            self.read();
        }
        has_changed
    }

    /// To be called by whoever has waited with [`Mounts::fd`], and was told.
    pub(super) fn changed(&mut self) {
        self.has_changed = true;
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (NetworkNamespace, &PathBuf)> {
        self.mounted.iter().map(|(netns, path)| (*netns, path))
    }

    pub(super) fn contains(&self, netns: NetworkNamespace) -> bool {
        self.mounted.contains_key(&netns)
    }

    fn read(&mut self) {
        let Some(table) = &mut self.table else {
            return;
        };
        if table.seek(SeekFrom::Start(0)).is_err() {
            return;
        }
        let lines = BufReader::new(&*table).split(b'\n').map_while(Result::ok);
        let found = lines.filter_map(|line| {
            let netns = NetworkNamespace(namespace_number(&line)?);
            Some((netns, OsString::from_vec(namespace_mount(&line)?).into()))
        });
        self.mounted = found.take(MOST_MOUNTED).collect();
    }
}

/// proc(5), `/proc/PID/mounts`.
pub(super) const CHANGED: PollFlags = PollFlags::PRI;

//! Sockets while they are collected: put together from descriptors and tables, then finished.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use model::{
    BootId, Gap, Holder, NetworkNamespace, ProcessId, Protocol, Socket, Source, State, Text,
    WhyUnknown,
};
use rustix::net::{AddressFamily, SocketType, netdevice, socket};

use super::Scene;
use crate::linux::bpf::BpfError;
use crate::linux::descriptors;
use crate::linux::iterators::{Iterators, Table};
use crate::linux::namespaces::Namespaces;
use crate::linux::process::Processes;
use crate::linux::tables::{self, Tables};
use crate::parse::socket_entry::{SocketEntry, is_in_use};
use crate::parse::socket_record::{SocketRecord, Whole};

/// Sockets as they are collected.
#[derive(Debug)]
pub(super) struct Collection {
    boot: BootId,
    boot_time_shift: i64,
    /// What tells of holders.
    source: Source,
    pub(super) sockets: Vec<Socket>,
    by_cookie: HashMap<u64, usize, BuildHasherDefault<CookieHasher>>,
    /// Held sockets of MPTCP, by inode: their cookies may not be asked for (bpf/socket_record.h).
    without_cookie: HashMap<u64, usize>,
    /// Made when it is first needed, and kept from then on.
    by_inode: Option<HashMap<u64, usize>>,
    /// Names of the holders, as they were when their sockets were read.
    names: HashMap<ProcessId, Text>,
    last_named: Option<ProcessId>,
    /// Interfaces that sockets are bound to: by index in `sockets`, the interface's own number.
    interfaces: HashMap<usize, u32>,
    pub(super) gaps: Vec<Gap>,
}

/// Cookies are numbered by the kernel, one after the other: they need no mixing.
#[derive(Debug, Default)]
struct CookieHasher(u64);

impl Hasher for CookieHasher {
    fn finish(&self) -> u64 {
        // The table looks at the highest bits, too.
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, cookie: u64) {
        self.0 = cookie;
    }
}

impl Collection {
    pub(super) fn new(scene: &Scene<'_>, source: Source) -> Self {
        Self {
            boot: scene.boot,
            boot_time_shift: scene.boot_time_shift,
            source,
            sockets: Vec::new(),
            by_cookie: HashMap::default(),
            without_cookie: HashMap::new(),
            by_inode: None,
            names: HashMap::new(),
            last_named: None,
            interfaces: HashMap::new(),
            gaps: Vec::new(),
        }
    }

    fn push(&mut self, entry: SocketEntry) {
        let index = self.sockets.len();
        if let Some(cookie) = entry.socket.key.cookie {
            self.by_cookie.insert(cookie, index);
        }
        if let (Some(by_inode), Some(inode)) = (&mut self.by_inode, entry.socket.key.inode) {
            by_inode.entry(inode).or_insert(index);
        }
        if let Some(interface) = entry.interface {
            self.interfaces.insert(index, interface);
        }
        self.sockets.push(entry.socket);
    }

    /// Adds a socket or, when it is known, one more holder. Gives the socket when it is new.
    pub(super) fn hold(&mut self, record: Whole<'_>) -> Option<&Socket> {
        let started = record.started().saturating_add_signed(self.boot_time_shift);
        let start_ticks = started / ProcessId::NANOS_PER_TICK;
        let process = ProcessId {
            boot: self.boot,
            pid: record.pid(),
            start_ticks,
        };
        let holder = Holder {
            process,
            source: self.source,
        };
        if self.last_named != Some(process) {
            self.last_named = Some(process);
            let name = || Text::from(record.name());
            self.names.entry(process).or_insert_with(name);
        }
        let known = match (record.cookie(), record.inode()) {
            (Some(cookie), _) => self.by_cookie.get(&cookie),
            (None, Some(inode)) => self.without_cookie.get(&inode),
            (None, None) => None,
        };
        if let Some(known) = known.and_then(|index| self.sockets.get_mut(*index)) {
            // The same process may hold it by several descriptors; they come one after the other.
            if known.holders.last() != Some(&holder) {
                known.holders.push(holder);
            }
            return None;
        }
        let mut entry = record.entry();
        entry.socket.holders = vec![holder];
        if let (None, Some(inode)) = (record.cookie(), record.inode()) {
            self.without_cookie.insert(inode, self.sockets.len());
        }
        self.push(entry);
        self.sockets.last()
    }

    /// Whether a socket with this cookie is among them.
    pub(super) fn has(&self, cookie: u64) -> bool {
        self.by_cookie.contains_key(&cookie)
    }

    /// Adds what the tables of a namespace know besides.
    pub(super) fn merge(&mut self, netns: NetworkNamespace, tables: Tables) {
        self.gaps.extend(tables.gaps);
        for mut entry in tables.entries {
            entry.socket.netns = Some(netns);
            let known = self.index_of(&entry);
            match known.and_then(|index| Some((index, self.sockets.get_mut(index)?))) {
                None => self.push(entry),
                Some((_, parent)) if parent.protocol == Protocol::Mptcp => {
                    entry.socket.holders = parent.holders.clone();
                    self.push(entry);
                }
                Some((index, known)) => {
                    complete(known, &entry.socket);
                    if let Some(interface) = entry.interface {
                        self.interfaces.insert(index, interface);
                    }
                }
            }
        }
    }

    /// By cookie or else by inode: text tables know no cookies, and an MPTCP subflow has the inode
    /// of its parent.
    fn index_of(&mut self, entry: &SocketEntry) -> Option<usize> {
        let key = entry.socket.key;
        let known = key.cookie.and_then(|cookie| self.by_cookie.get(&cookie));
        if let Some(index) = known {
            return Some(*index);
        }
        let inode = key.inode?;
        let by_inode = self.by_inode.get_or_insert_with(|| {
            let mut by_inode = HashMap::new();
            for (index, socket) in self.sockets.iter().enumerate() {
                if let Some(inode) = socket.key.inode {
                    by_inode.entry(inode).or_insert(index);
                }
            }
            by_inode
        });
        by_inode.get(&inode).copied()
    }

    /// Finds out about sockets that a descriptor should lead to and none did: opened since, held
    /// only inside the kernel, or closed since.
    pub(super) fn settle(
        &mut self,
        missing: &mut HashSet<u64>,
        iterators: &mut Iterators,
        scene: &Scene<'_>,
    ) -> Result<(), BpfError> {
        iterators.read(Table::Held, |record| {
            let SocketRecord::Held(record) = record else {
                return;
            };
            if record
                .cookie()
                .is_some_and(|cookie| missing.contains(&cookie))
            {
                self.hold(record);
            }
        })?;
        missing.retain(|cookie| !self.by_cookie.contains_key(cookie));
        if missing.is_empty() {
            return Ok(());
        }
        for netns in scene.namespaces.all() {
            let Ok(Ok(entries)) = scene.namespaces.inside(netns, tables::by_netlink_again) else {
                continue;
            };
            let still_there = |entry: &SocketEntry| {
                entry
                    .socket
                    .key
                    .cookie
                    .is_some_and(|cookie| missing.contains(&cookie))
            };
            let entries = entries.into_iter().filter(still_there).collect();
            self.merge(
                netns,
                Tables {
                    entries,
                    ..Tables::default()
                },
            );
        }
        Ok(())
    }

    /// An MPTCP socket stands for its subflows, which are listed themselves.
    pub(super) fn drop_mptcp_parents(&mut self) {
        let is_mptcp = |socket: &Socket| socket.protocol == Protocol::Mptcp;
        if !self.sockets.iter().any(is_mptcp) {
            return;
        }
        let subflows: HashSet<u64> = self
            .sockets
            .iter()
            .filter(|socket| socket.protocol == Protocol::Tcp)
            .filter_map(|socket| socket.key.inode)
            .collect();
        for socket in self.sockets.iter_mut().filter(|socket| is_mptcp(socket)) {
            if socket
                .key
                .inode
                .is_some_and(|inode| subflows.contains(&inode))
            {
                // Not in use: it goes with the others at the end.
                socket.state = State::Closed;
            }
        }
    }

    /// Adds the holders that were found, by inode.
    pub(super) fn held_by(&mut self, found: &HashMap<u64, Vec<ProcessId>>) {
        let source = self.source;
        for socket in &mut self.sockets {
            let holders = socket.key.inode.and_then(|inode| found.get(&inode));
            let holders = holders.into_iter().flatten().map(|process| Holder {
                process: *process,
                source,
            });
            socket.holders.extend(holders);
        }
    }

    /// Inodes of the sockets that somebody should hold and nobody was found to.
    pub(super) fn unheld(&self) -> HashSet<u64> {
        let unheld = self
            .sockets
            .iter()
            .filter(|socket| socket.holders.is_empty());
        unheld.filter_map(|socket| socket.key.inode).collect()
    }

    /// Lets go of sockets that were closed between reading the tables and the descriptors: they
    /// would otherwise stand there as held by nobody. Those of a namespace whose tables cannot be
    /// read again stay.
    pub(super) fn drop_closed_meanwhile(&mut self, scene: &Scene<'_>) {
        let unclear = |socket: &Socket| socket.holders.is_empty() && socket.key.inode.is_some();
        let unclear_in = self.sockets.iter().filter(|socket| unclear(socket));
        let unclear_in: HashSet<_> = unclear_in.filter_map(|socket| socket.netns).collect();
        let mut now = HashMap::new();
        for netns in unclear_in {
            if let Ok(Ok(entries)) = scene.namespaces.inside(netns, tables::by_netlink_again) {
                let sockets = entries.into_iter().map(|entry| entry.socket);
                let by_cookie = sockets.filter_map(|socket| Some((socket.key.cookie?, socket)));
                now.insert(netns, by_cookie.collect::<HashMap<_, _>>());
            }
        }
        self.sockets.retain_mut(|socket| {
            let read_again = matches!(socket.protocol, Protocol::Tcp | Protocol::Udp);
            let now = socket.netns.and_then(|netns| now.get(&netns));
            let (Some(now), Some(cookie)) = (now, socket.key.cookie) else {
                return true;
            };
            if !read_again || !unclear(socket) {
                return true;
            }
            let Some(seen) = now.get(&cookie) else {
                return false;
            };
            socket.state = seen.state;
            socket.key.inode = seen.key.inode;
            true
        });
    }

    /// Reads the holders, and says why nobody holds what is not held.
    pub(super) fn finish(
        mut self,
        scene: &Scene<'_>,
        processes: &mut Processes,
    ) -> (Vec<Socket>, Vec<Gap>) {
        let mut read = HashSet::new();
        // Another process may have been given the pid while its descriptors were read.
        let mut reused = HashSet::new();
        // Long rows of sockets belong to one process.
        let mut last = None;
        let mut hidden = None;
        let mut hidden =
            || *hidden.get_or_insert_with(|| descriptors::any_hidden(scene.pids) || scene.conceals);
        self.sockets.retain_mut(|socket| {
            if !is_in_use(socket) {
                return false;
            }
            if socket.holders.len() > 1 {
                // Threads with descriptors of their own come between those of other processes.
                socket.holders.sort_unstable_by_key(|holder| {
                    (holder.process.start_ticks, holder.process.pid)
                });
                socket.holders.dedup();
            }
            for holder in &socket.holders {
                let run = holder.process;
                if last != Some(run) && read.insert(run) {
                    let same = processes.read_same(run.pid, run.start_ticks);
                    match (same, self.names.get(&run)) {
                        (Some(_), _) => {}
                        (None, Some(name)) => processes.ended_meanwhile(run, name.clone()),
                        // It has ended, and what was read of it before stays true.
                        (None, None) if processes.read(run.pid).is_none() => {}
                        (None, None) => {
                            reused.insert(run);
                        }
                    }
                }
                last = Some(run);
            }
            let held = !socket.holders.is_empty();
            if !reused.is_empty() {
                socket
                    .holders
                    .retain(|holder| !reused.contains(&holder.process));
            }
            if held && socket.holders.is_empty() {
                socket.why_unheld = WhyUnknown::Lost;
            } else if !held && !is_of_kernel(socket) {
                socket.why_unheld = why_unheld(socket, scene.nested, &mut hidden);
            }
            true
        });
        (self.sockets, self.gaps)
    }

    pub(super) fn name_interfaces(&mut self, namespaces: &Namespaces) {
        let mut wanted = BTreeMap::<NetworkNamespace, HashMap<u32, Text>>::new();
        for (socket, interface) in &self.interfaces {
            if let Some(netns) = self.sockets.get(*socket).and_then(|socket| socket.netns) {
                // A packet socket keeps -1 when its interface is removed.
                let unnamed = || match interface.cast_signed() {
                    -1 => Text::from("(removed)"),
                    index => Text::from(format!("if{index}")),
                };
                wanted
                    .entry(netns)
                    .or_default()
                    .entry(*interface)
                    .or_insert_with(unnamed);
            }
        }
        for (netns, names) in &mut wanted {
            let indexes: Vec<u32> = names.keys().copied().collect();
            let read = namespaces.inside(*netns, || interface_names(&indexes));
            names.extend(read.unwrap_or_default());
        }
        for (socket, interface) in &self.interfaces {
            if let Some(socket) = self.sockets.get_mut(*socket) {
                let names = socket.netns.and_then(|netns| wanted.get(&netns));
                socket.interface = names.and_then(|names| names.get(interface)).cloned();
            }
        }
    }
}

/// Takes over what another source knows better: the frames of a packet socket.
fn complete(socket: &mut Socket, other: &Socket) {
    if matches!(socket.protocol, Protocol::Packet { .. }) {
        socket.protocol = other.protocol;
    }
    socket.uid = socket.uid.or(other.uid);
    socket.bytes_sent = socket.bytes_sent.or(other.bytes_sent);
    socket.bytes_received = socket.bytes_received.or(other.bytes_received);
    socket.key.inode = socket.key.inode.or(other.key.inode);
}

fn is_of_kernel(socket: &Socket) -> bool {
    matches!(
        socket.why_unheld,
        WhyUnknown::Kernel | WhyUnknown::WireGuard
    )
}

/// Why nobody holds it, in the words of the contract.
fn why_unheld(socket: &Socket, nested: bool, hidden: impl FnOnce() -> bool) -> WhyUnknown {
    if socket.key.inode.is_none() {
        match socket.state {
            // Its program closed it; the kernel finishes the conversation alone.
            State::FinWait1
            | State::FinWait2
            | State::Closing
            | State::LastAck
            | State::TimeWait => WhyUnknown::BeforeStart,
            // Half-open, or no program has accepted it yet.
            State::SynReceived
            | State::SynSent
            | State::Established
            | State::CloseWait
            | State::Listen
            | State::Closed
            | State::Open
            | State::Attempted
            | State::Failed
            | State::Unknown => WhyUnknown::NoHolder,
        }
    } else if hidden() {
        WhyUnknown::NoRights
    } else if nested {
        WhyUnknown::OutsideNamespace
    } else {
        WhyUnknown::NoHolder
    }
}

fn interface_names(indexes: &[u32]) -> Vec<(u32, Text)> {
    let Ok(any) = socket(AddressFamily::INET, SocketType::DGRAM, None) else {
        return Vec::new();
    };
    let name = |index: &u32| {
        let name = netdevice::index_to_name(&any, *index).ok()?;
        Some((*index, Text::from(name)))
    };
    indexes.iter().filter_map(name).collect()
}

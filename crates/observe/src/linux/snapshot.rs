//! One look at all sockets of this computer and the processes that hold them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::io;
use std::path::PathBuf;

use model::{
    BootId, Gap, Holder, NetworkNamespace, ProcessId, Protocol, Socket, Source, State, Text,
    WhyUnknown,
};
use rustix::net::{AddressFamily, SocketType, netdevice, socket};

use super::descriptors;
use super::iterators::{Iterators, IteratorsError, Table};
use super::namespaces::Namespaces;
use super::process::Processes;
use super::tables::{self, Held, Tables};
use crate::parse::socket_entry::{SocketEntry, is_in_use};
use crate::parse::socket_record::{SocketRecord, Whole};

/// What stands behind the reading: pids, namespaces, and where whocalls itself stands.
pub(crate) struct Scene<'a> {
    pub(crate) boot: BootId,
    pub(crate) pids: &'a [u32],
    pub(crate) namespaces: &'a Namespaces,
    /// There may be processes outside our PID namespace.
    pub(crate) nested: bool,
}

/// Sockets as they are collected.
#[derive(Debug)]
struct Collection {
    boot: BootId,
    /// What tells of holders.
    source: Source,
    sockets: Vec<Socket>,
    by_cookie: HashMap<u64, usize, BuildHasherDefault<CookieHasher>>,
    /// Interfaces that sockets are bound to: by index in `sockets`, the interface's own number.
    interfaces: HashMap<usize, u32>,
    gaps: Vec<Gap>,
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

const NANOS_PER_TICK: u64 = 10_000_000;

/// Reads with the BPF iterators: one pass over all descriptors of all processes, then the tables
/// of each namespace for what no descriptor holds.
pub(crate) fn with_iterators(
    iterators: &mut Iterators,
    scene: &Scene<'_>,
    processes: &mut Processes,
) -> Result<(Vec<Socket>, Vec<Gap>), IteratorsError> {
    let mut collection = Collection::new(scene.boot, Source::Ebpf);
    let mut held = BTreeMap::<NetworkNamespace, Held>::new();
    iterators.read(Table::Held, |record| {
        let SocketRecord::Held(record) = record else {
            return;
        };
        let held = held.entry(record.netns()).or_default();
        if let Some(new) = collection.hold(record) {
            held.tcp += u64::from(new.protocol == Protocol::Tcp && is_in_use(new));
        }
        held.half_open |= record.is_half_open();
    })?;

    let mut missing = HashSet::new();
    for netns in all_namespaces(scene.namespaces, held.keys()) {
        let held = held.get(&netns).copied();
        let read = scene.namespaces.inside(netns, || {
            tables::by_iterators(iterators, netns, held.unwrap_or_default())
        });
        match read {
            Ok(tables) => {
                let tables = tables?;
                missing.extend(
                    tables
                        .expected
                        .iter()
                        .filter(|cookie| !collection.by_cookie.contains_key(cookie)),
                );
                collection.merge(netns, tables);
            }
            // It has ended with all that was in it.
            Err(error) if error.kind() == io::ErrorKind::NotFound && held.is_none() => {}
            Err(error) => collection.gaps.push(not_entered(netns, &error)),
        }
    }
    if !missing.is_empty() {
        collection.settle(&mut missing, iterators, scene)?;
    }
    collection.name_interfaces(scene.namespaces);
    collection.drop_mptcp_parents();
    Ok(collection.finish(scene, processes))
}

/// Reads by netlink and /proc: the way that works on every kernel.
pub(crate) fn by_polling(scene: &Scene<'_>, processes: &mut Processes) -> (Vec<Socket>, Vec<Gap>) {
    let mut collection = Collection::new(scene.boot, Source::Netlink);
    for netns in scene.namespaces.all() {
        let entered = scene.namespaces.inside(netns, || tables::by_netlink(false));
        let tables = match (entered, text_tables(scene.namespaces, netns)) {
            (Ok(tables), _) => tables,
            // It has ended with all that was in it.
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => continue,
            (Err(error), folder) => {
                collection.gaps.push(not_entered(netns, &error));
                let entries = folder.map(|folder| tables::by_text(&folder, false));
                Tables {
                    entries: entries.unwrap_or_default(),
                    ..Tables::default()
                }
            }
        };
        collection.merge(netns, tables);
    }
    let found = descriptors::walk(scene.pids);
    let mut runs = HashMap::new();
    let mut run = |pid: u32| *runs.entry(pid).or_insert_with(|| processes.read(pid));
    for socket in &mut collection.sockets {
        let holders = socket.key.inode.and_then(|inode| found.get(&inode));
        let holders = holders.into_iter().flatten().filter_map(|pid| run(*pid));
        let source = collection.source;
        socket
            .holders
            .extend(holders.map(|process| Holder { process, source }));
    }
    collection.name_interfaces(scene.namespaces);
    collection.drop_closed_meanwhile(scene);
    collection.finish(scene, processes)
}

impl Collection {
    fn new(boot: BootId, source: Source) -> Self {
        Self {
            boot,
            source,
            sockets: Vec::new(),
            by_cookie: HashMap::default(),
            interfaces: HashMap::new(),
            gaps: Vec::new(),
        }
    }

    fn push(&mut self, entry: SocketEntry) {
        let index = self.sockets.len();
        if let Some(cookie) = entry.socket.key.cookie {
            self.by_cookie.insert(cookie, index);
        }
        if let Some(interface) = entry.interface {
            self.interfaces.insert(index, interface);
        }
        self.sockets.push(entry.socket);
    }

    /// Adds a socket or, when it is known, one more holder. Gives the socket when it is new.
    fn hold(&mut self, record: Whole<'_>) -> Option<&Socket> {
        let start_ticks = record.started() / NANOS_PER_TICK;
        let process = ProcessId {
            boot: self.boot,
            pid: record.pid(),
            start_ticks,
        };
        let holder = Holder {
            process,
            source: self.source,
        };
        let known = record
            .cookie()
            .and_then(|cookie| self.by_cookie.get(&cookie));
        if let Some(known) = known.and_then(|index| self.sockets.get_mut(*index)) {
            // The same process may hold it by several descriptors.
            if !known.holders.contains(&holder) {
                known.holders.push(holder);
            }
            return None;
        }
        let mut entry = record.entry();
        entry.socket.holders = vec![holder];
        self.push(entry);
        self.sockets.last()
    }

    /// Adds what the tables of a namespace know besides.
    fn merge(&mut self, netns: NetworkNamespace, tables: Tables) {
        self.gaps.extend(tables.gaps);
        let mut by_inode: Option<HashMap<u64, usize>> = None;
        for mut entry in tables.entries {
            entry.socket.netns = Some(netns);
            let key = entry.socket.key;
            let known = key
                .cookie
                .and_then(|cookie| self.by_cookie.get(&cookie).copied());
            // Text tables know no cookies, and an MPTCP subflow has the inode of its parent.
            let known = known.or_else(|| {
                let by_inode = by_inode.get_or_insert_with(|| self.by_inode());
                by_inode.get(&key.inode?).copied()
            });
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

    fn by_inode(&self) -> HashMap<u64, usize> {
        let inodes = self.sockets.iter().enumerate();
        inodes
            .filter_map(|(index, socket)| Some((socket.key.inode?, index)))
            .collect()
    }

    /// Finds out about sockets that a descriptor should lead to and none did: opened since, held
    /// only inside the kernel, or closed since.
    fn settle(
        &mut self,
        missing: &mut HashSet<u64>,
        iterators: &mut Iterators,
        scene: &Scene<'_>,
    ) -> Result<(), IteratorsError> {
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
            let Ok(entries) = scene.namespaces.inside(netns, tables::by_netlink_again) else {
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
    fn drop_mptcp_parents(&mut self) {
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

    /// Marks sockets that were closed between reading the tables and the descriptors: they would
    /// otherwise stand there as held by nobody.
    fn drop_closed_meanwhile(&mut self, scene: &Scene<'_>) {
        let unclear = |socket: &Socket| socket.holders.is_empty() && socket.key.inode.is_some();
        if !self.sockets.iter().any(unclear) {
            return;
        }
        let mut now = HashMap::new();
        for netns in scene.namespaces.all() {
            if let Ok(tables) = scene.namespaces.inside(netns, || tables::by_netlink(false)) {
                let sockets = tables.entries.into_iter().map(|entry| entry.socket);
                now.extend(sockets.filter_map(|socket| Some((socket.key.cookie?, socket))));
            }
        }
        self.sockets.retain_mut(|socket| {
            let Some(cookie) = socket.key.cookie.filter(|_| unclear(socket)) else {
                return true;
            };
            let Some(seen) = now.get(&cookie) else {
                return false;
            };
            socket.state = seen.state;
            socket.key.inode = seen.key.inode;
            true
        });
    }

    /// Checks that the holders still run, and says why nobody holds what is not held.
    fn finish(mut self, scene: &Scene<'_>, processes: &mut Processes) -> (Vec<Socket>, Vec<Gap>) {
        let mut runs = HashMap::<ProcessId, bool>::new();
        // Long rows of sockets belong to one process.
        let mut last = None;
        let mut runs = |run: ProcessId| {
            if let Some((last, runs)) = last
                && last == run
            {
                return runs;
            }
            let read = || processes.read_same(run.pid, run.start_ticks).is_some();
            let runs = *runs.entry(run).or_insert_with(read);
            last = Some((run, runs));
            runs
        };
        let mut hidden = None;
        let mut hidden = || *hidden.get_or_insert_with(|| descriptors::hidden(scene.pids) > 0);
        self.sockets.retain_mut(|socket| {
            if !is_in_use(socket) {
                return false;
            }
            let held = !socket.holders.is_empty();
            socket.holders.retain(|holder| runs(holder.process));
            if held && socket.holders.is_empty() {
                // Its process ended before it could be read.
                socket.why_unheld = WhyUnknown::Lost;
            } else if !held && socket.why_unheld != WhyUnknown::Kernel {
                socket.why_unheld = why_unheld(socket, scene.nested, &mut hidden);
            }
            true
        });
        (self.sockets, self.gaps)
    }

    fn name_interfaces(&mut self, namespaces: &Namespaces) {
        let mut wanted = BTreeMap::<NetworkNamespace, HashMap<u32, Text>>::new();
        for (socket, interface) in &self.interfaces {
            if let Some(netns) = self.sockets.get(*socket).and_then(|socket| socket.netns) {
                let unnamed = || Text::from(format!("if{interface}"));
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

/// Every namespace with a way in, and those that only a socket tells of.
fn all_namespaces<'a>(
    namespaces: &Namespaces,
    seen: impl Iterator<Item = &'a NetworkNamespace>,
) -> Vec<NetworkNamespace> {
    let mut all = namespaces.all();
    all.extend(seen);
    all.sort_unstable();
    all.dedup();
    all
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

fn not_entered(netns: NetworkNamespace, error: &io::Error) -> Gap {
    Gap::standing(
        "namespace_not_entered",
        Source::Netlink,
        format!("cannot enter network namespace {}: {error}", netns.0),
        "its sockets that no process holds, and their byte counts",
    )
}

/// Where to read the text tables of a namespace without entering it.
fn text_tables(namespaces: &Namespaces, netns: NetworkNamespace) -> Option<PathBuf> {
    let mut doors = namespaces.doors(netns).iter();
    // /proc/PID/ns/net -> /proc/PID/net
    let door = doors.find(|door| door.ends_with("ns/net"))?;
    Some(door.ancestors().nth(2)?.join("net"))
}

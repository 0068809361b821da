//! One look at all sockets of this computer and the processes that hold them.

mod collection;
mod tunnels;

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::PathBuf;

use model::{BootId, Gap, NetworkNamespace, Protocol, Socket, Source, State};

use self::collection::Collection;
use super::bpf::BpfError;
use super::descriptors;
use super::iterators::{Iterators, Table};
use super::namespaces::Namespaces;
use super::process::Processes;
use super::tables::{self, Census, Held};
use crate::parse::socket_entry::is_in_use;
use crate::parse::socket_record::SocketRecord;

/// What stands behind the reading: pids, namespaces, and where whocalls itself stands.
pub(crate) struct Scene<'a> {
    pub(crate) boot: BootId,
    pub(crate) pids: &'a [u32],
    pub(crate) namespaces: &'a Namespaces,
    /// There may be processes outside our PID namespace.
    pub(crate) nested: bool,
    /// See [`super::host::boot_time_shift`].
    pub(crate) boot_time_shift: i64,
    /// /proc leaves out processes of other users (hidepid).
    pub(crate) conceals: bool,
}

/// Reads with the BPF iterators: one pass over all descriptors of all processes, then the tables
/// of each namespace for what no descriptor holds.
pub(crate) fn with_iterators(
    iterators: &mut Iterators,
    scene: &Scene<'_>,
    processes: &mut Processes,
) -> Result<(Vec<Socket>, Vec<Gap>), BpfError> {
    let mut collection = Collection::new(scene, Source::Ebpf);
    let own = scene.namespaces.own();
    let before = Census::take();
    let mut held = BTreeMap::<NetworkNamespace, Held>::new();
    iterators.read(Table::Held, |record| {
        let SocketRecord::Held(record) = record else {
            return;
        };
        let held = held.entry(record.netns()).or_default();
        if let Some(new) = collection.hold(record)
            && new.protocol == Protocol::Tcp
            && is_in_use(new)
        {
            held.tcp += 1;
            if new.state == State::Listen {
                held.listeners.extend(new.key.cookie);
            }
        }
        held.half_open |= record.is_half_open();
    })?;

    let mut missing = HashSet::new();
    for netns in all_namespaces(scene.namespaces, held.keys()) {
        let nothing = Held::default();
        let held = held.get(&netns);
        let before = before.as_ref().filter(|_| netns == own);
        let read = scene.namespaces.inside(netns, || {
            tables::by_iterators(iterators, netns, held.unwrap_or(&nothing), before)
        });
        match read {
            Ok(tables) => {
                let tables = tables?;
                missing.extend(
                    tables
                        .expected
                        .iter()
                        .filter(|cookie| !collection.has(**cookie)),
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
    collection.name_tunnels(scene.namespaces);
    collection.drop_mptcp_parents();
    Ok(collection.finish(scene, processes))
}

/// Reads by netlink and /proc: the way that works on every kernel.
pub(crate) fn by_polling(scene: &Scene<'_>, processes: &mut Processes) -> (Vec<Socket>, Vec<Gap>) {
    let mut collection = Collection::new(scene, Source::Netlink);
    for netns in scene.namespaces.all() {
        let entered = scene.namespaces.inside(netns, || tables::by_netlink(false));
        let tables = match (entered, text_tables(scene.namespaces, netns)) {
            (Ok(tables), _) => tables,
            // It has ended with all that was in it.
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => continue,
            (Err(error), folder) => {
                collection.gaps.push(not_entered(netns, &error));
                let text = folder.map(|folder| tables::by_text(&folder, false));
                text.unwrap_or_default()
            }
        };
        collection.merge(netns, tables);
    }
    // Who a pid is, is asked before its descriptors are read and again at the end: pids are reused.
    let runs: Vec<_> = scene
        .pids
        .iter()
        .filter_map(|pid| processes.read(*pid))
        .collect();
    let found = descriptors::walk(&runs);
    collection.held_by(&found);
    let unheld = collection.unheld();
    if !unheld.is_empty() {
        collection.held_by(&descriptors::walk_threads(&runs, &unheld));
    }
    collection.name_interfaces(scene.namespaces);
    collection.drop_closed_meanwhile(scene);
    collection.name_tunnels(scene.namespaces);
    collection.finish(scene, processes)
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

fn not_entered(netns: NetworkNamespace, error: &io::Error) -> Gap {
    Gap::standing(
        "namespace_not_entered",
        Source::Netlink,
        format!("cannot enter network namespace {}: {error}", netns.0),
        "sockets in that namespace that no process we can see holds, and their byte counts",
    )
}

/// Where to read the text tables of a namespace without entering it.
fn text_tables(namespaces: &Namespaces, netns: NetworkNamespace) -> Option<PathBuf> {
    let mut doors = namespaces.doors(netns).iter();
    // /proc/PID/ns/net -> /proc/PID/net
    let door = doors.find(|door| door.ends_with("ns/net"))?;
    Some(door.ancestors().nth(2)?.join("net"))
}

//! Which connections and processes a list shows.

use std::collections::HashSet;
use std::sync::Arc;

use model::{Connection, Direction, Process, ProcessId, Protocol, Snapshot};
use show::filter::Filter;

use crate::arguments::{ListArguments, Sort};
use crate::commands::filter;

/// What is shown, and what is not.
pub(super) struct Picked<'a> {
    pub(super) shown: Vec<&'a Connection>,
    /// Listeners that match and were not asked for.
    pub(super) hidden: usize,
    /// What does not match, or is none of the listeners that were asked for.
    pub(super) others: usize,
}

pub(super) fn connections<'a>(
    snapshot: &'a Snapshot,
    list: &ListArguments,
    filter: &Filter,
) -> Picked<'a> {
    let mut picked = Picked {
        shown: Vec::new(),
        hidden: 0,
        others: 0,
    };
    for connection in &snapshot.connections {
        let matches = is_of_protocol(connection.protocol, list)
            && filter::wants(
                filter,
                connection,
                snapshot.taken,
                snapshot.user_of(connection),
                |id| snapshot.processes.get(&id).map(Arc::as_ref),
            );
        if !matches {
            picked.others += 1;
            continue;
        }
        let listening = connection.direction == Direction::Listening;
        let wanted = list.all || listening == list.listening;
        if wanted {
            picked.shown.push(connection);
        } else {
            picked.hidden += usize::from(listening);
            picked.others += usize::from(!listening);
        }
    }
    picked
}

fn is_of_protocol(protocol: Protocol, list: &ListArguments) -> bool {
    match protocol {
        Protocol::Tcp | Protocol::Mptcp => list.tcp || !list.udp,
        Protocol::Udp | Protocol::UdpLite => list.udp || !list.tcp,
        Protocol::Sctp
        | Protocol::Dccp
        | Protocol::Icmp(_)
        | Protocol::Raw { .. }
        | Protocol::Packet { .. }
        | Protocol::Other(_) => !list.tcp && !list.udp,
    }
}

/// Every process that matches, or those behind the connections, by pid.
pub(super) fn processes<'a>(
    snapshot: &'a Snapshot,
    list: &ListArguments,
    filter: &Filter,
    connections: &[&Connection],
) -> Vec<&'a Process> {
    if list.before {
        return Vec::new();
    }
    let mut processes: Vec<&Process> = if list.processes {
        let matches = |process: &&Process| filter.matches_process(process, snapshot.taken);
        let all = snapshot.processes.values().map(Arc::as_ref);
        all.filter(matches).collect()
    } else {
        let holders = connections.iter().flat_map(|connection| {
            connection
                .owner
                .process()
                .into_iter()
                .chain(connection.also_held_by.iter().copied())
        });
        let mut last = None;
        // Long rows of connections belong to one process.
        let new = holders.filter(|holder| last.replace(*holder) != Some(*holder));
        let holders: HashSet<ProcessId> = new.collect();
        holders
            .iter()
            .filter_map(|id| snapshot.processes.get(id).map(Arc::as_ref))
            .collect()
    };
    let run = |process: &&Process| (process.id.pid, process.id.start_ticks);
    processes.sort_unstable_by_key(run);
    match list.sort.filter(|_| list.processes) {
        Some(Sort::Process) => processes.sort_by(|one, other| one.name.cmp(&other.name)),
        Some(Sort::User) => processes.sort_by(|one, other| one.user.cmp(&other.user)),
        Some(
            Sort::Pid
            | Sort::Protocol
            | Sort::State
            | Sort::Local
            | Sort::Remote
            | Sort::Sent
            | Sort::Received,
        )
        | None => {}
    }
    if list.processes && list.reverse {
        processes.reverse();
    }
    processes
}

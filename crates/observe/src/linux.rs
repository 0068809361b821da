//! Linux: sockets from BPF iterators or netlink, processes from /proc.

pub(crate) mod actions;
mod bpf;
mod capabilities;
mod cgroup;
mod clock;
pub(crate) mod console;
mod descriptors;
mod destroyed_sockets;
mod displays;
mod doctor;
mod events;
mod examine;
mod examiner;
pub(crate) mod folder;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "not all questions are asked yet")
)]
mod helper;
mod host;
pub(crate) use self::host::host_name;
mod iterators;
mod namespaces;
mod netlink;
mod online;
mod packets;
pub(crate) mod places;
mod process;
mod process_connector;
mod remembered;
mod resolver_monitor;
mod rights;
pub(crate) mod runtime;
mod seats;
mod second;
pub(crate) mod signals;
mod snapshot;
mod sock_diag;
#[cfg(test)]
mod spawned;
pub(crate) mod system;
mod tables;
mod terminals;
mod users;
mod watch;
mod wireguard;
pub(crate) mod writer;

use std::collections::HashSet;
use std::process::ExitCode;

use model::{Gap, Host, Look, Remembered, Socket, Source, Tier, Timestamp, WhyUnknown};

use self::bpf::BpfError;
use self::iterators::Iterators;
use self::namespaces::Namespaces;
use self::process::Processes;
use self::snapshot::Scene;
use crate::{Error, LookOptions};

pub(crate) use self::clock::now;
pub(crate) use self::doctor::doctor;
pub(crate) use self::examiner::examine;
pub(crate) use self::helper::hash_programs;
pub(crate) use self::online::is_online;
pub(crate) use self::packets::Packets;
pub(crate) use self::second::{has_no_other_child, own_name};
pub(crate) use self::users::user;
pub(crate) use self::watch::Watch;

/// See [`crate::helped`].
pub(crate) fn helped() -> Option<ExitCode> {
    helper::helped()
        .or_else(examiner::helped)
        .or_else(seats::helped)
        .or_else(actions::helped)
        .or_else(packets::helped)
        .or_else(writer::helped)
        .or_else(folder::helped)
}

/// See [`crate::source`].
pub(crate) const TOLD_BY: Source = Source::Ebpf;
pub(crate) const LOOKED_AT_BY: Source = Source::Netlink;

/// Keeps what every look needs.
pub(crate) struct Observer {
    host: Host,
    boot_time: Timestamp,
    nested: bool,
    boot_time_shift: i64,
    /// `Err`: why they are not used; `None` when polling was asked for.
    iterators: Result<Iterators, Option<BpfError>>,
}

impl Observer {
    pub(crate) fn open(polling_only: bool) -> Result<Self, Error> {
        let nested = host::in_nested_pid_namespace();
        Ok(Self {
            host: host::host().map_err(failed("the name and boot of this computer"))?,
            boot_time: clock::boot_time(),
            boot_time_shift: host::boot_time_shift(),
            nested,
            iterators: if polling_only {
                Err(None)
            } else if capabilities::may_use_bpf() {
                Iterators::load(nested).map_err(Some)
            } else {
                Err(Some(BpfError::NoRights))
            },
        })
    }

    pub(crate) fn look(&mut self, options: LookOptions) -> Result<Look, Error> {
        let processes = Processes::open(self.host.boot, self.boot_time).map_err(failed("/proc"))?;
        self.look_after(processes, options)
    }

    /// Looks, and shows all processes that have been read before, too, also when they have ended.
    pub(crate) fn look_after(
        &mut self,
        mut processes: Processes,
        options: LookOptions,
    ) -> Result<Look, Error> {
        let taken = clock::now();
        let pids = processes.pids().map_err(failed("/proc"))?;
        let namespaces =
            Namespaces::find(&pids).map_err(failed("our network namespace: /proc/self/ns/net"))?;
        let (boot, nested) = (self.host.boot, self.nested);
        let scene = Scene {
            boot,
            pids: &pids,
            namespaces: &namespaces,
            nested,
            boot_time_shift: self.boot_time_shift,
            conceals: processes.conceals(),
        };

        let (tier, sockets, seen) = self.sockets(&scene, &mut processes);
        let mut gaps = standing_gaps(&scene);
        gaps.extend(seen);
        let mut remembered = Vec::new();
        if options.remembered {
            let (entries, missed) = remember(&namespaces);
            remembered = entries;
            gaps.extend(missed);
        }
        if options.every_process {
            for pid in &pids {
                processes.read(*pid);
            }
        }
        let mut said = gaps.iter().any(|gap| gap.id == NO_RIGHTS);
        let refused = |socket: &Socket| {
            socket.holders.is_empty() && socket.why_unheld == WhyUnknown::NoRights
        };
        if !said && sockets.iter().any(refused) {
            gaps.push(no_rights());
            said = true;
        }
        let of_processes = processes.gaps().into_iter();
        gaps.extend(of_processes.filter(|gap| !said || gap.id != "processes_not_readable"));
        let uids: HashSet<u32> = sockets.iter().filter_map(|socket| socket.uid).collect();
        let users = processes.users(uids.into_iter());
        said_once(&mut gaps);
        let processes = processes.into_processes();
        let (host, home_netns) = (self.host.clone(), Some(namespaces.own()));
        Ok(Look {
            host,
            home_netns,
            taken,
            tier,
            sockets,
            processes,
            users,
            remembered,
            gaps,
        })
    }

    /// The best way that works here.
    fn sockets(
        &mut self,
        scene: &Scene<'_>,
        processes: &mut Processes,
    ) -> (Tier, Vec<Socket>, Vec<Gap>) {
        let why = match &mut self.iterators {
            Ok(iterators) => match snapshot::with_iterators(iterators, scene, processes) {
                Ok((sockets, gaps)) => return (Tier::Full, sockets, gaps),
                Err(error) => no_iterators(&error),
            },
            Err(Some(why)) => no_iterators(why),
            Err(None) => no_iterators(&"polling was asked for"),
        };
        let (sockets, mut gaps) = snapshot::by_polling(scene, processes);
        gaps.push(why);
        (Tier::Polling, sockets, gaps)
    }
}

fn failed(what: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |source| Error::Read { what, source }
}

fn remember(namespaces: &Namespaces) -> (Vec<Remembered>, Vec<Gap>) {
    let (mut remembered, mut gaps) = remembered::by_resolvers(clock::now());
    for netns in namespaces.all() {
        // A namespace that cannot be entered has had its gap already.
        let read = namespaces.inside(netns, || remembered::in_this_namespace(netns, clock::now()));
        if let Ok((entries, missed)) = read {
            remembered.extend(entries);
            gaps.extend(missed);
        }
    }
    (remembered, gaps)
}

/// What holds wherever this process stands.
fn standing_gaps(scene: &Scene<'_>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if scene.nested {
        gaps.push(Gap::standing(
            "outside_namespace",
            Source::Proc,
            "whocalls runs in a PID namespace of its own, as in a container",
            "the processes outside of it; start it on the computer itself to see them",
        ));
    }
    if !scene.namespaces.hidden_processes.is_empty() {
        let hidden = &scene.namespaces.hidden_processes;
        let mut gap = no_rights().counted(hidden.len());
        // As root there are few, and who they are is the first question.
        if hidden.len() <= 5 {
            let pids: Vec<_> = hidden.iter().map(u32::to_string).collect();
            gap.why = format!("{}; process {}", gap.why, pids.join(", "));
        }
        gaps.push(gap);
    }
    gaps
}

fn no_rights() -> Gap {
    let why = if capabilities::missing().is_empty() {
        "some processes are closed even to root: a container or a security module protects them, \
         or they have rights that whocalls was not given"
    } else {
        "no right to look into the processes of other users; root has it: sudo whocalls"
    };
    Gap::standing(
        NO_RIGHTS,
        Source::Proc,
        why,
        "which sockets some processes hold, their program files, and the network namespaces \
         (containers) that only they are in",
    )
}

/// Some processes may not be looked into.
const NO_RIGHTS: &str = "no_rights";

fn no_iterators(why: &dyn std::fmt::Display) -> Gap {
    Gap::standing(
        "no_ebpf",
        Source::Ebpf,
        why.to_string(),
        "sockets that come and go during the look, and those of network namespaces that no \
         process is in and that are mounted nowhere",
    )
}

/// The same limit met in several namespaces is said once.
fn said_once(gaps: &mut Vec<Gap>) {
    let mut kept = Vec::<Gap>::new();
    for gap in gaps.drain(..) {
        if !kept.contains(&gap) {
            kept.push(gap);
        }
    }
    *gaps = kept;
}

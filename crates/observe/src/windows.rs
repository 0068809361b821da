//! Windows: what the IP helper and the processes tell. Nothing is installed, and no driver is needed.

pub(crate) mod actions;
mod bytes;
mod clock;
pub(crate) mod console;
mod doctor;
mod examine;
pub(crate) mod folder;
mod handle;
mod hashes;
mod host;
mod interfaces;
mod library;
mod local;
mod memory;
mod native;
mod online;
mod packets;
pub(crate) mod places;
mod process;
mod processes;
pub(crate) mod program;
mod remembered;
mod rights;
pub(crate) mod runtime;
mod services;
pub(crate) mod signals;
mod stop_event;
pub(crate) mod system;
mod tables;
mod threads;
mod tracing;
mod version;
mod watch;
mod wide;
pub(crate) mod writer;

pub(crate) use self::doctor::doctor;
pub(crate) use self::hashes::hash_programs;
pub(crate) use self::online::is_online;
pub(crate) use self::packets::Packets;
pub(crate) use self::watch::Watch;

use std::collections::{HashMap, HashSet};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use model::{Gap, Host, Look, Process, Socket, Source, Tier, Timestamp};

use self::bytes::Counters;
use self::processes::Processes;
use crate::{Depth, Error, LookOptions};

/// See [`crate::source`].
pub(crate) const TOLD_BY: Source = Source::Etw;
pub(crate) const LOOKED_AT_BY: Source = Source::IpHelper;

pub(crate) struct Observer {
    host: Host,
    /// What processes told of themselves in the look before.
    known: HashMap<u32, Process>,
    /// `None`: bytes are not counted here.
    counters: Option<Counters>,
}

impl Observer {
    pub(crate) fn open(_polling_only: bool) -> Result<Self, Error> {
        rights::look_into_others();
        Ok(Self {
            host: host::host(),
            known: HashMap::new(),
            counters: Counters::open(),
        })
    }

    /// From now on Windows is to count the bytes of connections.
    fn count_bytes(&mut self) {
        if let Some(counters) = &mut self.counters {
            counters.ask();
        }
    }

    pub(crate) fn look(&mut self, options: LookOptions) -> Result<Look, Error> {
        let mut gaps = Vec::new();
        let read = |source| Error::Read {
            what: "the list of processes",
            source,
        };
        let before = Processes::read(self.host.boot, &mut self.known).map_err(read)?;
        let sockets = tables::sockets(&before.by_pid(), self.counters.as_mut());
        let mut processes = before.all;
        if !options.every_process {
            keep_those_with_sockets(&mut processes, &sockets.sockets);
        }
        if before.silent > 0 {
            gaps.push(
                Gap::standing(
                    "no_rights",
                    Source::IpHelper,
                    "some processes tell nothing of themselves to this user; \
                     start whocalls as administrator",
                    "program, user and command line of these processes",
                )
                .counted(before.silent),
            );
        }
        if let Err(error) = services::name(&mut processes) {
            gaps.push(Gap::standing(
                "services_not_read",
                Source::IpHelper,
                format!("the services of Windows cannot be read: {error}"),
                "which services run in which process",
            ));
        }
        for (protocol, error) in sockets.failed {
            gaps.push(Gap::standing(
                "table_not_read",
                Source::IpHelper,
                format!("a table of {protocol} sockets cannot be read: {error}"),
                format!("sockets of {protocol}"),
            ));
        }
        gaps.push(Counters::gap(self.counters.as_ref()));
        let mut remembered = Vec::new();
        if options.remembered {
            let (rows, more) = remembered::read();
            remembered = rows;
            gaps.extend(more);
        }
        Ok(Look {
            host: self.host.clone(),
            home_netns: None,
            taken: now(),
            tier: Tier::Polling,
            sockets: sockets.sockets,
            processes,
            users: HashMap::new(),
            remembered,
            gaps,
        })
    }
}

/// And those above them.
fn keep_those_with_sockets(processes: &mut Vec<Process>, sockets: &[Socket]) {
    let holders = sockets.iter().flat_map(|socket| &socket.holders);
    let mut wanted: HashSet<u32> = holders.map(|holder| holder.process.pid).collect();
    for process in processes.iter() {
        if wanted.contains(&process.id.pid) {
            wanted.extend(process.parents.iter().map(|parent| parent.pid));
        }
    }
    processes.retain(|process| wanted.contains(&process.id.pid));
}

pub(crate) fn helped() -> Option<ExitCode> {
    None
}

pub(crate) fn host_name() -> model::Text {
    std::env::var("COMPUTERNAME").unwrap_or_default().into()
}

pub(crate) fn user() -> String {
    std::env::var("USERNAME").unwrap_or_default()
}

/// See [`crate::examine`].
pub(crate) fn examine(
    processes: &mut Vec<model::Process>,
    depth: Depth,
    until: std::time::Instant,
) -> usize {
    examine::examine(processes, depth, until)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where wall-clock time enters evidence"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_unix_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

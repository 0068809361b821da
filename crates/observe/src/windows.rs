//! Windows: what the IP helper and the processes tell. Nothing is installed, and no driver is needed.

pub(crate) mod actions;
pub(crate) mod folder;
mod handle;
mod library;
mod packets;
pub(crate) mod places;
mod process;
mod processes;
pub(crate) mod runtime;
pub(crate) mod signals;
pub(crate) mod system;
mod tables;
pub(crate) mod writer;

pub(crate) use self::packets::Packets;

use std::collections::{HashMap, HashSet};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::{
    BootId, Condition, Diagnosis, Doctor, Gap, Host, Look, Observed, Process, ProcessId, Socket,
    Source, Text, Tier, Timestamp,
};

use self::processes::Processes;
use crate::{Depth, Error, LookOptions, ProgramCopy, Totals, WatchOptions};

pub(crate) struct Observer;

impl Observer {
    pub(crate) fn open(_polling_only: bool) -> Result<Self, Error> {
        Ok(Self)
    }

    pub(crate) fn look(&mut self, options: LookOptions) -> Result<Look, Error> {
        let host = host();
        let mut gaps = Vec::new();
        let read = |source| Error::Read {
            what: "the list of processes",
            source,
        };
        let before = Processes::read(host.boot).map_err(read)?;
        let sockets = tables::sockets(&before.by_pid());
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
        for (protocol, error) in sockets.failed {
            gaps.push(Gap::standing(
                "table_not_read",
                Source::IpHelper,
                format!("a table of {protocol} sockets cannot be read: {error}"),
                format!("sockets of {protocol}"),
            ));
        }
        if options.remembered {
            gaps.push(Gap::standing(
                "remembered_not_read",
                Source::IpHelper,
                "this build does not read what Windows remembers yet",
                "the DNS cache, neighbours and SRUM",
            ));
        }
        Ok(Look {
            host,
            home_netns: None,
            taken: now(),
            tier: Tier::Polling,
            sockets: sockets.sockets,
            processes,
            users: HashMap::new(),
            remembered: Vec::new(),
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

fn host() -> Host {
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    Host {
        name: Text::from(name),
        boot: BootId([0; 16]),
    }
}

pub(crate) fn helped() -> Option<ExitCode> {
    None
}

/// Sees nothing happen; its first look says so.
pub(crate) struct Watch {
    host: Host,
    first: Option<Look>,
}

impl Watch {
    pub(crate) fn start(_options: WatchOptions) -> Result<Self, Error> {
        let look = Observer.look(LookOptions::default())?;
        Ok(Self {
            host: look.host.clone(),
            first: Some(look),
        })
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn tier(&self) -> Tier {
        Tier::Polling
    }

    pub(crate) fn actions(&mut self) -> Option<actions::Actions> {
        None
    }

    pub(crate) fn packets(&mut self) -> Option<Packets> {
        None
    }

    pub(crate) fn until(&self) -> u64 {
        0
    }

    pub(crate) fn next(&mut self, wait: Duration, seen: &mut Vec<Observed>) -> Result<(), Error> {
        match self.first.take() {
            Some(look) => seen.push(Observed::Look(Box::new(look))),
            None => std::thread::sleep(wait),
        }
        Ok(())
    }

    pub(crate) fn refresh(&mut self, _seen: &mut Vec<Observed>) -> Result<(), Error> {
        Ok(())
    }

    pub(crate) fn want_program(&mut self, _process: ProcessId) -> bool {
        false
    }

    pub(crate) fn programs(&mut self) -> Vec<ProgramCopy> {
        Vec::new()
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals::default()
    }
}

pub(crate) fn is_online() -> Option<bool> {
    None
}

pub(crate) fn host_name() -> model::Text {
    std::env::var("COMPUTERNAME").unwrap_or_default().into()
}

pub(crate) fn user() -> String {
    std::env::var("USERNAME").unwrap_or_default()
}

pub(crate) fn hash_programs(_: &mut [model::Process], _: std::time::Instant) -> usize {
    0
}

/// Nobody looks: they keep `None`.
pub(crate) fn examine(_: &mut Vec<model::Process>, _: Depth, _: std::time::Instant) -> usize {
    0
}

pub(crate) fn doctor() -> Result<Doctor, Error> {
    let look = Observer.look(LookOptions::default())?;
    let check = Diagnosis {
        what: "how sockets are read",
        found: "not at all: this build cannot read Windows yet".to_owned(),
        condition: Condition::Limits,
        help: None,
    };
    Ok(Doctor {
        tier: look.tier,
        checks: vec![check],
        gaps: look.gaps,
    })
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

//! Windows: not read yet; every look says so.

pub(crate) mod actions;
pub(crate) mod folder;
#[expect(dead_code, reason = "its callers are to come")]
mod library;
mod packets;
pub(crate) mod places;
pub(crate) mod runtime;
pub(crate) mod signals;
pub(crate) mod system;
pub(crate) mod writer;

pub(crate) use self::packets::Packets;

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::{
    BootId, Condition, Diagnosis, Doctor, Gap, Host, Look, Observed, ProcessId, Source, Text, Tier,
    Timestamp,
};

use crate::{Depth, Error, LookOptions, ProgramCopy, Totals, WatchOptions};

pub(crate) struct Observer;

impl Observer {
    pub(crate) fn open(_polling_only: bool) -> Result<Self, Error> {
        Ok(Self)
    }

    pub(crate) fn look(&mut self, _options: LookOptions) -> Result<Look, Error> {
        let name = std::env::var("COMPUTERNAME").unwrap_or_default();
        Ok(Look {
            host: Host {
                name: Text::from(name),
                boot: BootId([0; 16]),
            },
            home_netns: None,
            taken: now(),
            tier: Tier::Polling,
            sockets: Vec::new(),
            processes: Vec::new(),
            users: HashMap::new(),
            remembered: Vec::new(),
            gaps: vec![Gap::standing(
                "windows_not_read",
                Source::IpHelper,
                "this build cannot read Windows yet",
                "every connection and every process",
            )],
        })
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

//! Windows: not read yet; every look says so.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use model::{BootId, Check, Condition, Doctor, Gap, Host, Look, Source, Text, Tier, Timestamp};

use crate::{Error, LookOptions};

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

pub(crate) fn doctor() -> Result<Doctor, Error> {
    let look = Observer.look(LookOptions::default())?;
    let check = Check {
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

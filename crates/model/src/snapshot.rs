//! All that is known at one moment.

use std::collections::HashMap;

use crate::{
    Connection, Gap, Host, NetworkNamespace, Process, ProcessId, Remembered, Text, Tier, Timestamp,
};

/// All that is known at one moment: what every screen, report and rule reads.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub host: Host,
    /// The network namespace whocalls runs in. `None`: the platform has none.
    pub home_netns: Option<NetworkNamespace>,
    pub taken: Timestamp,
    pub tier: Tier,
    pub connections: Vec<Connection>,
    pub processes: HashMap<ProcessId, Process>,
    /// Names of the users who created sockets, as far as this computer lists them.
    pub users: HashMap<u32, Text>,
    pub remembered: Vec<Remembered>,
    pub gaps: Vec<Gap>,
}

impl Snapshot {
    /// The process behind a connection. `None`: unknown, `connection.owner` says why.
    pub fn owner_of(&self, connection: &Connection) -> Option<&Process> {
        self.processes.get(&connection.owner.process()?)
    }
}

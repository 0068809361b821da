//! All that is known at one moment.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{
    Addresses, Asked, Attendance, Connection, Device, DeviceId, Findings, Gap, Host,
    NetworkNamespace, Owner, Pair, Process, ProcessId, Remembered, Shelf, Text, Tier, Timestamp,
    WhyUnknown, Zone,
};

/// All that is known at one moment: what every screen, report and rule reads.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub host: Host,
    /// The network namespace whocalls runs in. `None`: the platform has none.
    pub home_netns: Option<NetworkNamespace>,
    /// `UNTOLD`: of a list that does not say when it was made.
    pub taken: Timestamp,
    /// Since when somebody watched. `UNTOLD`: it is a single look, or the source does not say.
    pub since: Timestamp,
    pub tier: Tier,
    /// Open ones, and the newest of those that have ended.
    pub connections: Shelf<Connection>,
    pub processes: Arc<HashMap<ProcessId, Arc<Process>>>,
    /// All calls over time, by program and destination; empty for a single look.
    pub pairs: Shelf<Pair>,
    /// Names of the users who created sockets, as far as this computer lists them.
    pub users: HashMap<u32, Text>,
    pub remembered: Vec<Remembered>,
    /// Devices of which the source knows no processes.
    pub devices: Arc<HashMap<DeviceId, Device>>,
    /// Names that were asked for, as far as they could be read.
    pub asked: Shelf<Asked>,
    /// The same, below each name that much was asked for, and by whom; empty for a single look.
    pub zones: Shelf<Arc<Zone>>,
    /// When somebody was at the computer; empty for a single look.
    pub attendance: Arc<Attendance>,
    pub gaps: Vec<Gap>,
    /// Pairs, zones and processes that were let go because there were too many.
    pub let_go: u64,
    /// What is known of the other ends without asking anybody; the program joins it.
    pub addresses: Addresses,
    /// What the rules say of it, or of one shortly before; the program joins it.
    pub findings: Findings,
}

impl Snapshot {
    /// The process behind a connection. `None`: unknown, `connection.owner` says why.
    pub fn owner_of(&self, connection: &Connection) -> Option<&Process> {
        self.processes
            .get(&connection.owner.process()?)
            .map(Arc::as_ref)
    }

    /// Whose connection it is: the user of the process, or the one who created the socket. `None`:
    /// unknown, or not listed on this computer.
    pub fn user_of(&self, connection: &Connection) -> Option<&Text> {
        match self.owner_of(connection) {
            Some(process) => process.user.as_ref(),
            None => self.users.get(&connection.uid?),
        }
    }

    /// How many connections and listeners each process holds; none stands for 0.
    pub fn connections_of_processes(&self) -> HashMap<ProcessId, usize> {
        let mut counts = HashMap::new();
        for connection in &self.connections {
            let owner = connection.owner.process();
            for process in owner.iter().chain(&connection.also_held_by) {
                *counts.entry(*process).or_default() += 1;
            }
        }
        counts
    }

    /// Whether we could see what sockets the process holds.
    pub fn shows_sockets_of(&self, process: &Process) -> bool {
        // One that has ended and was not fetched by its parent has neither arguments nor sockets.
        let over = process.command_line.as_ref().is_some_and(Vec::is_empty);
        process.kernel_thread || process.netns.is_some() || over
    }

    /// Connections whose owner got lost while they were read.
    pub fn lost(&self) -> usize {
        let why = WhyUnknown::Lost;
        let lost = |connection: &&Connection| connection.owner == Owner::Unknown { why };
        self.connections.iter().filter(lost).count()
    }
}

//! What was known at one moment of a run, said again so that a reader can begin there.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::{
    Connection, ConnectionId, Event, Gap, NameSource, NetworkNamespace, Process, ProcessId,
    Remembered, Text, Timestamp,
};

/// What was known at one moment, for whoever did not see what came before: what follows can be
/// folded on as if all of it had been seen. What has ended is left out, but for sockets that may
/// begin another connection and for those that were the last to go: something late may follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restated {
    /// When the newest of all was seen.
    pub taken: Timestamp,
    /// Of the newest event.
    pub time: Timestamp,
    pub boot_ns: u64,
    pub home_netns: Option<NetworkNamespace>,
    pub users: HashMap<u32, Text>,
    pub remembered: Vec<Remembered>,
    /// Of the newest look.
    pub gaps: Vec<Gap>,
    /// Those that came up while watching.
    pub later_gaps: Vec<Gap>,
    /// Something was lost, and no look has mended it yet.
    pub lost: bool,
    /// Those that are alive, and those that `connections` name.
    pub processes: Vec<Arc<Process>>,
    /// Those that have ended come first, in the order of their ends.
    pub connections: Vec<RestatedConnection>,
    /// Names that were answered for addresses, those that were used last at the end.
    pub answers: Vec<RestatedAnswer>,
    /// Names of connections that have not been told of yet, in the order in which they were seen.
    pub names: Vec<Event>,
}

/// A name that an asker was told for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestatedAnswer {
    pub netns: Option<NetworkNamespace>,
    pub ip: IpAddr,
    pub name: Text,
    pub source: NameSource,
    pub process: Option<ProcessId>,
    /// Address of the asker. `None`: this computer.
    pub from: Option<IpAddr>,
    pub first: Timestamp,
    pub last: Timestamp,
}

/// A connection, and what belongs to it that nobody is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestatedConnection {
    pub connection: Connection,
    /// The id of the first connection of the same socket and peer.
    pub first: ConnectionId,
    /// How many of the same socket and peer were before it.
    pub before: u32,
    /// Bytes sent and received, packets sent and received by those before it.
    pub counted_before: [u64; 4],
    /// Since boot: when something was last heard of it.
    pub used_ns: u64,
    /// A look has shown it.
    pub looked_at: bool,
    /// It is over because a look did not show it.
    pub missing: bool,
    /// It is over, and its socket is no more.
    pub gone: bool,
    /// Since boot: when to look whether it still lives.
    pub deadline_ns: Option<u64>,
}

//! All connections of one program to one destination, over time.

use crate::{Protocol, Text, Timestamp};

/// Which connections belong together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PairKey {
    /// Path of the program.
    pub program: Text,
    /// Name where one is known, else the address.
    pub destination: String,
    pub port: Option<u16>,
    pub protocol: Protocol,
}

/// All connections of one program to one destination, port and protocol: what pattern rules read.
/// The series is bounded; what was let go is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub key: PairKey,
    /// Grows with every change.
    pub revision: u64,
    pub connections: u64,
    pub attempts_failed: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// Start of each connection, in time order.
    pub opened: Vec<Timestamp>,
    /// Starts no longer in `opened`.
    pub let_go: u64,
}

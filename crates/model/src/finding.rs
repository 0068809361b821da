//! What a rule says, with its evidence. The machine finds; a verdict is only ever a person's.

use std::time::Duration;

use crate::{ConnectionId, Endpoint, ProcessId, Timestamp};

/// What a rule says about a process, its connections or a destination. The sentences for people
/// are made from `rule` and `facts` by `show`.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub id: FindingId,
    pub rule: &'static str,
    /// What it would mean if true.
    pub severity: Severity,
    /// How well the evidence separates guilty from innocent.
    pub confidence: Confidence,
    /// By name, in the order a person should read them.
    pub facts: Vec<(&'static str, Fact)>,
    pub evidence: Vec<Evidence>,
    /// MITRE ATT&CK techniques: `T1071.001`.
    pub attack: Vec<&'static str>,
    pub about: About,
}

/// 16 bytes of SHA-256 over rule and `about`: the same finding has the same id in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId(pub [u8; 16]);

/// What a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    pub process: Option<ProcessId>,
    pub connections: Vec<ConnectionId>,
    pub remote: Option<Endpoint>,
}

/// A measured fact, in its own unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    Count(u64),
    Bytes(u64),
    Share(f64),
    Duration(Duration),
    Time(Timestamp),
    Text(String),
}

/// Where a fact can be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// `seq` of an event.
    Event(u64),
    Connection(ConnectionId),
    Process(ProcessId),
}

/// What it would mean if true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

/// How well the evidence separates guilty from innocent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    Low,
    Medium,
    High,
}

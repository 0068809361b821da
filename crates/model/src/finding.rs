//! What a rule says, with its evidence. The machine finds; a verdict is only ever a person's.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::hex::write_hex;
use crate::identity::cut;
use crate::{
    Connection, ConnectionId, DeviceId, Endpoint, Process, ProcessId, Protocol, Text, Timestamp,
};

/// What a rule says about a process, its connections or a destination. The sentences for people
/// are made from `rule` and `facts` by `show`.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub id: FindingId,
    /// A word in `snake_case`.
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

impl Finding {
    /// The fact of this name. `None`: the rule has none here.
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        let named = self.facts.iter().find(|(known, _)| *known == name);
        named.map(|(_, fact)| fact)
    }
}

/// The same finding has the same id in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId(pub [u8; 16]);

impl FindingId {
    /// SHA-256, cut to 16 bytes, over the rule, the program (or the device in its place) and what fits:
    /// an entry of a list, an address, a kind. Which run of the program it was, and which connections,
    /// is no part of it, or it would be another finding with each of them.
    pub fn of(rule: &str, about: &About, thing: &str) -> Self {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            hash.update(length.to_le_bytes());
            hash.update(bytes);
        };
        add(rule.as_bytes());
        match (&about.program, about.device) {
            (Some(program), _) => {
                add(b"program");
                add(program.bytes());
            }
            (None, Some(DeviceId::Mac(mac))) => {
                add(b"mac");
                add(&mac);
            }
            (None, Some(DeviceId::Address(ip))) => {
                add(b"address");
                add(ip.to_string().as_bytes());
            }
            (None, None) => add(b"nobody"),
        }
        add(thing.as_bytes());
        Self(cut(hash))
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// What a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The first run of the program that it was found for. `None`: not known, or none is at fault.
    pub process: Option<ProcessId>,
    /// Path of the program, its name where the path is not known. `None`: not known.
    pub program: Option<Text>,
    /// In the place of the program, where the source knows devices and no processes.
    pub device: Option<DeviceId>,
    /// The first of them; the fact `connections` counts all.
    pub connections: Vec<ConnectionId>,
    /// `None`: no other side, or several.
    pub remote: Option<Endpoint>,
    /// Which connections of the program it is about, those beyond `connections` among them.
    pub reach: Reach,
}

impl About {
    /// Whether it is about this connection, which is that of `process`.
    pub fn covers(&self, connection: &Connection, process: Option<&Process>) -> bool {
        if self.connections.contains(&connection.id) {
            return true;
        }
        let same = match (&self.program, process) {
            (Some(program), Some(process)) => program == process.program(),
            (None, None) => self.device == connection.device,
            (Some(_), None) | (None, Some(_)) => false,
        };
        same && self.reach.has(connection)
    }
}

/// Which connections of a program a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// No other than those that it names.
    #[default]
    Named,
    /// All: the program itself is what was found.
    Program,
    /// Those of these runs of it, at most 1024.
    Processes(Vec<ProcessId>),
    /// Those whose other side has one of these addresses or one of these names.
    Remotes {
        addresses: Vec<IpAddr>,
        names: Vec<Text>,
        /// `None`: whatever they are for.
        service: Option<Service>,
    },
}

/// What connections with another side are for, as [`crate::PairKey`] tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    pub protocol: Protocol,
    /// Of the other side. `None`: it is the one who calls.
    pub port: Option<u16>,
    /// Of this side. `None`: it is the one who calls.
    pub local_port: Option<u16>,
}

impl Service {
    fn has(self, protocol: Protocol, port: Option<u16>, local_port: Option<u16>) -> bool {
        let is_same = |own: Option<u16>, other| own.is_none() || own == other;
        let is_protocol = match (self.protocol, protocol) {
            // Each ping has an id of its own.
            (Protocol::Icmp(_), Protocol::Icmp(_)) => true,
            (own, other) => own == other,
        };
        is_protocol && is_same(self.port, port) && is_same(self.local_port, local_port)
    }
}

impl Reach {
    fn has(&self, connection: &Connection) -> bool {
        match self {
            Self::Named => false,
            Self::Program => true,
            Self::Processes(processes) => {
                let owner = connection.owner.process();
                owner.is_some_and(|owner| processes.contains(&owner))
            }
            Self::Remotes {
                addresses, names, ..
            } => {
                let remote = connection.remote.and_then(|remote| remote.ip);
                let name = connection.name.as_ref();
                let is_there = remote.is_some_and(|ip| addresses.contains(&ip))
                    || name.is_some_and(|it| names.contains(&it.name));
                is_there && self.serves(connection)
            }
        }
    }

    /// Whether the connection is for what is told, wherever it goes. True where nothing is.
    pub fn serves(&self, connection: &Connection) -> bool {
        let port = connection.remote.and_then(|remote| remote.port);
        self.is_for(connection.protocol, port, connection.local.port)
    }

    /// The same by what tells connections apart.
    pub fn is_for(&self, protocol: Protocol, port: Option<u16>, local_port: Option<u16>) -> bool {
        match self {
            Self::Remotes {
                service: Some(service),
                ..
            } => service.has(protocol, port, local_port),
            Self::Named | Self::Program | Self::Processes(_) | Self::Remotes { .. } => true,
        }
    }
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

impl Severity {
    pub const ALL: [Self; 5] = [
        Self::Informational,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How well the evidence separates guilty from innocent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    Low,
    Medium,
    High,
}

impl Confidence {
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(program: Option<&str>) -> About {
        About {
            program: program.map(Text::from),
            ..About::default()
        }
    }

    #[test]
    fn an_id_is_of_rule_program_and_thing() {
        let curl = about(Some("/usr/bin/curl"));
        let id = FindingId::of("known_bad", &curl, "203.0.113.9");
        let later = About {
            connections: vec![ConnectionId([7; 16])],
            ..curl.clone()
        };
        assert_eq!(FindingId::of("known_bad", &later, "203.0.113.9"), id);
        assert_eq!(id.to_string().len(), 32);
        for other in [
            FindingId::of("drop_list", &curl, "203.0.113.9"),
            FindingId::of("known_bad", &curl, "203.0.113.8"),
            FindingId::of("known_bad", &about(None), "203.0.113.9"),
            FindingId::of("known_ba", &curl, "d203.0.113.9"),
        ] {
            assert_ne!(other, id);
        }
    }

    #[test]
    fn each_word_is_one_of_the_contract() {
        let words = Severity::ALL.map(Severity::word);
        assert_eq!(
            words,
            ["informational", "low", "medium", "high", "critical"]
        );
        assert_eq!(
            Confidence::ALL.map(Confidence::word),
            ["low", "medium", "high"]
        );
    }
}

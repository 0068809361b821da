//! What names the other sides of connections have, and why.
//!
//! The strongest comes first: the server name of a TLS greeting, the host of an HTTP request, an
//! answer that this program (or a resolver on its behalf) had for the address before it called, one
//! that somebody else had, and last what the other side or a log says. Nothing is ever asked for
//! here, and what an address is called backwards (PTR) names nothing.

mod answers;
mod asked;
mod greetings;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use model::{
    Connection, Device, DeviceId, Direction, NameSource, NameStrength, NetworkNamespace, ProcessId,
    RemoteName, Text, Timestamp,
};

pub(super) use self::answers::{Answers, Asker, Given};
pub(super) use self::asked::AllAsked;
pub(super) use self::greetings::{Greeted, Greetings, Whose, may_be_of};
use super::processes::Processes;

/// How much later than a connection an answer for it may be told to have come: the two are seen by
/// different means.
pub(super) const SLACK: Duration = Duration::from_millis(100);
/// The same of a log, which often has the time at which it was written.
const SLACK_OF_LOGS: Duration = Duration::from_secs(2);

/// The type of a question after the name of an address (RFC 1035, 3.2.2).
const PTR: u16 = 12;

/// So many processes are known to answer questions of others, at most.
const MOST_RESOLVERS: usize = 256;

/// Programs that ask for others and need not be seen to listen for questions.
const RESOLVERS: [&[u8]; 4] = [b"nscd", b"nsncd", b"systemd-resolved", b"dnsmasq"];
/// Where a program must lie for its name to say what it is: nobody but root writes there.
const SYSTEM: [&[u8]; 4] = [b"/usr/", b"/lib/", b"/sbin/", b"/nix/store/"];

/// All that names are taken from.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) answers: Answers,
    pub(super) greetings: Greetings,
    pub(super) asked: AllAsked,
    /// They have been seen to take questions, and where: in a network namespace of its own anybody
    /// may.
    resolvers: HashSet<(Option<NetworkNamespace>, ProcessId)>,
}

/// What else is known and tells to whom an answer was given.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) home: Option<NetworkNamespace>,
    pub(super) processes: &'a Processes,
    pub(super) devices: &'a HashMap<DeviceId, Device>,
}

impl Names {
    /// Takes note when a process takes questions of others.
    pub(super) fn note_resolver(
        &mut self,
        connection: &Connection,
        home: Option<NetworkNamespace>,
    ) {
        let takes_questions = connection.local.port == Some(53) && connection.remote.is_none();
        if let (true, Some(owner)) = (takes_questions, connection.owner.process())
            && self.resolvers.len() < MOST_RESOLVERS
        {
            self.resolvers.insert((connection.netns.or(home), owner));
        }
    }

    /// The best name among the answers for the other side. `None`: nobody was told one.
    pub(super) fn answered(&self, connection: &Connection, known: Known<'_>) -> Option<RemoteName> {
        let ip = connection.remote?.ip?;
        // Whoever calls here has not been asked for.
        if connection.direction == Direction::Inbound {
            return None;
        }
        let at = connection.netns.or(known.home);
        let elsewhere = Some(known.home).filter(|home| *home != at);
        let mut best: Option<(u8, Timestamp, RemoteName)> = None;
        for (netns, far) in [(Some(at), false), (elsewhere, true)] {
            let Some(names) = netns.and_then(|netns| self.answers.of((netns, ip))) else {
                continue;
            };
            for named in names {
                for given in &named.given {
                    let Some(before) = before(connection.opened, named.source, given) else {
                        continue;
                    };
                    let strength = if named.source == NameSource::Log {
                        NameStrength::Claimed
                    } else {
                        self.strength(connection, &named.given, given, far, known)
                    };
                    let rank = rank(named.source, strength);
                    let better = best.as_ref().is_none_or(|(than, then, name)| {
                        // The name itself comes last: what is equal must not hang on the order.
                        (rank, before, &name.name) > (*than, *then, &named.name)
                    });
                    if better {
                        let name = RemoteName {
                            name: named.name.clone(),
                            source: named.source,
                            strength,
                        };
                        best = Some((rank, before, name));
                    }
                }
            }
        }
        best.map(|(.., name)| name)
    }

    /// How well an answer that was given to somebody belongs to a connection.
    fn strength(
        &self,
        connection: &Connection,
        all: &[Given],
        given: &Given,
        far: bool,
        known: Known<'_>,
    ) -> NameStrength {
        let here = !far && same_device(connection, given.to.from, known.devices);
        let Some(owner) = connection.owner.process() else {
            return if here {
                NameStrength::AnsweredToDevice
            } else {
                NameStrength::AnsweredToAnother
            };
        };
        let at = connection.netns.or(known.home);
        let is_resolver = |process| self.is_resolver(process, at, known.processes);
        let holds = |process| owner == process || connection.also_held_by.contains(&process);
        let strength = match given.to.process {
            Some(asker) if holds(asker) => NameStrength::Answered,
            Some(asker) if is_resolver(asker) => {
                // Somebody else is known to have had it from the resolver.
                let others = all.iter().filter_map(|given| given.to.process);
                let mut others = others.filter(|it| !is_resolver(*it));
                if others.next().is_none() {
                    NameStrength::Answered
                } else {
                    NameStrength::AnsweredToAnother
                }
            }
            None if here => NameStrength::AnsweredToDevice,
            Some(_) | None => NameStrength::AnsweredToAnother,
        };
        // Whether it was given before the connection began is not known.
        match connection.opened {
            Some(_) => strength,
            None => strength.min(NameStrength::AnsweredToDevice),
        }
    }

    /// Whether a process asks for others that are in the network namespace `at`.
    pub(super) fn is_resolver(
        &self,
        process: ProcessId,
        at: Option<NetworkNamespace>,
        processes: &Processes,
    ) -> bool {
        if self.resolvers.contains(&(at, process)) {
            return true;
        }
        let path = processes.get(process).and_then(|it| it.path.as_ref());
        path.is_some_and(|path| {
            let path = path.bytes();
            let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            RESOLVERS.contains(&name) && SYSTEM.iter().any(|folder| path.starts_with(folder))
        })
    }
}

/// Whether a name of this rank says more than the one that a connection has.
pub(super) fn is_better(name: &RemoteName, than: Option<&RemoteName>) -> bool {
    let rank = |it: &RemoteName| rank(it.source, it.strength);
    than.is_none_or(|than| rank(name) > rank(than))
}

/// Whether it says all that an answer can say.
pub(super) fn is_settled(name: Option<&RemoteName>) -> bool {
    name.is_some_and(|name| name.strength >= NameStrength::Greeted)
}

/// The greater is the better.
fn rank(source: NameSource, strength: NameStrength) -> u8 {
    match (strength, source) {
        (NameStrength::Greeted, NameSource::Sni) => 7,
        (NameStrength::Greeted, _) => 6,
        (NameStrength::Answered, _) => 5,
        (NameStrength::AnsweredToDevice, _) => 4,
        (NameStrength::AnsweredToAnother, _) => 3,
        (NameStrength::Claimed, NameSource::Certificate) => 2,
        (NameStrength::Claimed, _) => 1,
    }
}

/// When an answer was given last before a connection began. `None`: only after it. What a log calls
/// an address holds at any time.
fn before(opened: Option<Timestamp>, source: NameSource, given: &Given) -> Option<Timestamp> {
    let Some(opened) = opened.filter(|_| source != NameSource::Log) else {
        return Some(given.last);
    };
    let slack = if source == NameSource::Resolver {
        SLACK_OF_LOGS
    } else {
        SLACK
    };
    let until = later(opened, slack);
    [given.last, given.first]
        .into_iter()
        .find(|time| *time <= until)
}

/// `None` stands for this computer.
fn same_device(
    connection: &Connection,
    asker: Option<IpAddr>,
    devices: &HashMap<DeviceId, Device>,
) -> bool {
    let Some(asker) = asker else {
        return true;
    };
    let device = connection.device.and_then(|id| devices.get(&id));
    connection.local.ip == Some(asker)
        || device.is_some_and(|device| device.addresses.contains(&asker))
}

/// Whether a question or its answer is about a name, and not about an address (RFC 1035, 3.5;
/// RFC 3596, 2.5).
pub(super) fn asks_for_name(name: &Text, question: Option<u16>) -> bool {
    let name = name.bytes();
    let name = name.strip_suffix(b".").unwrap_or(name);
    let backwards = [&b".in-addr.arpa"[..], b".ip6.arpa"].iter().any(|zone| {
        let start = name.len().checked_sub(zone.len());
        let end = start.and_then(|start| name.get(start..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(zone))
    });
    question != Some(PTR) && !backwards && !name.is_empty() && !is_address(name)
}

/// Whether what was greeted is an address, with or without a port: it names nothing.
pub(super) fn is_address(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else {
        return false;
    };
    let inner = name.strip_prefix('[').and_then(|it| it.split_once(']'));
    let without_port = name.split_once(':').map_or(name, |(host, _)| host);
    let bare = inner.map_or(name, |(inner, _)| inner);
    bare.parse::<IpAddr>().is_ok() || without_port.parse::<IpAddr>().is_ok()
}

pub(super) fn later(time: Timestamp, by: Duration) -> Timestamp {
    let by = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_unix_nanos(time.unix_nanos().saturating_add(by))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_names_nothing() {
        for (name, question, expected) in [
            ("example.com", Some(1), true),
            ("9.113.0.203.in-addr.arpa.", Some(1), false),
            ("8.b.d.IP6.ARPA", None, false),
            ("example.com", Some(12), false),
            ("", Some(1), false),
            ("203.0.113.9", Some(1), false),
        ] {
            let asks = asks_for_name(&Text::from(name), question);
            assert_eq!(asks, expected, "{name}");
        }
        for name in [
            "203.0.113.9",
            "203.0.113.9:80",
            "[2001:db8::1]:80",
            "2001:db8::1",
        ] {
            assert!(is_address(name.as_bytes()), "{name}");
        }
        assert!(!is_address(b"example.com:80") && !is_address(b"\xff"));
    }
}

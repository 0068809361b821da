//! What fits together, and the finding that it makes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::{About, ConnectionId, Evidence, Fact, Finding, FindingId, Place, ProcessId, Reach};

use crate::fit::{Part, Piece, Whose};
use crate::judge::HabitId;
use crate::rule;

/// So many connections are named in a finding; all are counted.
const MOST_CONNECTIONS: usize = 32;
/// So many runs of a program are named in a finding about them.
const MOST_PROCESSES: usize = 32;
/// So many addresses and names tell which further connections it is about.
const MOST_REMOTES: usize = 1024;

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Item {
    Pair(Place),
    Asked(Place),
    Process(ProcessId),
    Habit(HabitId),
    Zone(Place),
    /// By a number that was given to them.
    Echoes(u64),
}

/// What becomes one finding: the place of its rule, whose it is, and what fits.
pub(crate) type Key = (usize, Whose, String);

/// All pieces, by the finding that they make and by what they were found in.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pieces: BTreeMap<Key, BTreeMap<Item, Vec<Piece>>>,
    of_item: HashMap<Item, BTreeSet<Key>>,
    findings: BTreeMap<Key, Arc<Finding>>,
    dirty: BTreeSet<Key>,
}

impl Groups {
    /// What was found in an item, in the place of all that was found in it before.
    pub(crate) fn put(&mut self, item: Item, found: Vec<(Key, Piece)>) {
        let before = self.of_item.remove(&item).unwrap_or_default();
        for key in &before {
            if let Some(items) = self.pieces.get_mut(key) {
                items.remove(&item);
            }
        }
        let mut keys = BTreeSet::new();
        for (key, piece) in found {
            let items = self.pieces.entry(key.clone()).or_default();
            items.entry(item).or_default().push(piece);
            keys.insert(key);
        }
        self.dirty.extend(before);
        self.dirty.extend(keys.iter().cloned());
        if !keys.is_empty() {
            self.of_item.insert(item, keys);
        }
    }

    /// Makes the findings of all that changed. Whether that made a difference.
    pub(crate) fn tell(&mut self) -> bool {
        let mut changed = false;
        for key in std::mem::take(&mut self.dirty) {
            let items = self.pieces.get(&key).filter(|items| !items.is_empty());
            match items.and_then(|items| finding(&key, items)) {
                Some(finding) => {
                    let same = self.findings.get(&key).is_some_and(|it| **it == finding);
                    if !same {
                        self.findings.insert(key, Arc::new(finding));
                        changed = true;
                    }
                }
                None => {
                    self.pieces.remove(&key);
                    changed |= self.findings.remove(&key).is_some();
                }
            }
        }
        changed
    }

    pub(crate) fn findings(&self) -> impl Iterator<Item = &Arc<Finding>> {
        self.findings.values()
    }
}

/// `None`: nothing fits any more.
fn finding(key: &Key, items: &BTreeMap<Item, Vec<Piece>>) -> Option<Finding> {
    let (rule, whose, thing) = key;
    let rule = rule::rule(*rule)?;
    let mut pieces: Vec<&Piece> = items.values().flatten().collect();
    // Where things stand on a shelf is an accident.
    pieces.sort_by_cached_key(|it| {
        let first = it.connections.first().copied();
        (
            it.first,
            it.fit.seen.clone(),
            it.remote,
            first,
            it.processes.first().copied(),
        )
    });
    let told = rule.tell(whose, &pieces);
    let about = about(whose, &pieces);
    let mut facts = told.facts;
    let count = pieces
        .iter()
        .map(|it| it.count)
        .fold(0, u64::saturating_add);
    if count > 0 {
        facts.push(("connections", Fact::Count(count)));
    }
    let first = pieces.iter().filter_map(|it| it.first.told()).min();
    facts.extend(first.map(|first| ("first", Fact::Time(first))));
    let processes = match &about.reach {
        Reach::Processes(processes) => processes.iter().take(MOST_PROCESSES).copied().collect(),
        // No connection tells whose else it is.
        Reach::Remotes { .. } if about.connections.is_empty() => runs(&pieces),
        Reach::Named | Reach::Program | Reach::Remotes { .. } => Vec::from_iter(about.process),
    };
    let connections = about.connections.iter().copied();
    Some(Finding {
        id: FindingId::of(rule.word(), &about, thing),
        rule: rule.word(),
        severity: told.severity,
        confidence: told.confidence,
        facts,
        evidence: processes
            .into_iter()
            .map(Evidence::Process)
            .chain(connections.map(Evidence::Connection))
            .collect(),
        attack: told.attack,
        about,
    })
}

/// Each once; the first is that of [`about`].
fn runs(pieces: &[&Piece]) -> Vec<ProcessId> {
    let mut runs: Vec<ProcessId> = Vec::new();
    for id in pieces.iter().flat_map(|it| it.processes.iter()) {
        if runs.len() < MOST_PROCESSES && !runs.contains(id) {
            runs.push(*id);
        }
    }
    runs
}

fn about(whose: &Whose, pieces: &[&Piece]) -> About {
    let mut connections: Vec<ConnectionId> = Vec::new();
    for id in pieces.iter().flat_map(|it| it.connections.iter()) {
        if connections.len() < MOST_CONNECTIONS && !connections.contains(id) {
            connections.push(*id);
        }
    }
    let remotes: BTreeSet<_> = pieces.iter().filter_map(|it| it.remote).collect();
    let only = remotes.first().copied().filter(|_| remotes.len() == 1);
    About {
        process: pieces.iter().find_map(|it| it.processes.first().copied()),
        program: whose.program.clone(),
        device: whose.device,
        connections,
        remote: only,
        reach: reach(pieces),
    }
}

fn reach(pieces: &[&Piece]) -> Reach {
    let (mut addresses, mut names) = (BTreeSet::new(), BTreeSet::new());
    let mut processes = BTreeSet::new();
    for piece in pieces {
        match &piece.part {
            Part::Program => return Reach::Program,
            Part::Process if processes.len() < MOST_REMOTES => processes.extend(&piece.processes),
            Part::Address(ip) if addresses.len() < MOST_REMOTES => {
                addresses.insert(*ip);
            }
            Part::Name(name) if names.len() < MOST_REMOTES => {
                names.insert(name.clone());
            }
            Part::Address(_) | Part::Name(_) | Part::Process => {}
        }
    }
    if !processes.is_empty() {
        return Reach::Processes(processes.into_iter().collect());
    }
    let service = pieces.first().and_then(|it| it.service);
    Reach::Remotes {
        addresses: addresses.into_iter().collect(),
        names: names.into_iter().collect(),
        service: service.filter(|_| pieces.iter().all(|it| it.service == service)),
    }
}

#[cfg(test)]
mod tests {
    use model::{Confidence, Protocol, Service, Text, Timestamp};

    use super::*;
    use crate::fit::{Fit, Why};

    /// Pieces of one name, each with the port that it is for.
    fn service(ports: &[Option<u16>]) -> Option<Service> {
        let pieces = ports.iter().map(|port| Piece {
            fit: Fit {
                thing: String::new(),
                seen: String::new(),
                confidence: Confidence::Low,
                why: Why::Nothing,
                inbound: false,
            },
            first: Timestamp::UNTOLD,
            processes: Vec::new(),
            connections: Vec::new(),
            count: 1,
            remote: None,
            part: Part::Name(Text::from("news.example")),
            service: port.map(|port| Service {
                protocol: Protocol::Tcp,
                port: Some(port),
                local_port: None,
            }),
        });
        let pieces: Vec<Piece> = pieces.collect();
        let reach = reach(&pieces.iter().collect::<Vec<_>>());
        let Reach::Remotes { service, .. } = reach else {
            panic!("{reach:?}");
        };
        service
    }

    #[test]
    fn what_all_pieces_are_for_is_told() {
        let port = |ports: &[_]| service(ports).and_then(|it| it.port);
        assert_eq!(port(&[Some(443)]), Some(443));
        assert_eq!(port(&[Some(443), Some(443)]), Some(443));
        assert_eq!(port(&[Some(443), Some(8443)]), None);
        assert_eq!(port(&[Some(443), None]), None);
        assert_eq!(port(&[None]), None);
    }
}

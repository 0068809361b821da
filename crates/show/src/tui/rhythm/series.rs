//! Which calls are looked at together: those that a finding about a rhythm puts together, else those of
//! one pair.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::net::IpAddr;

use model::{Call, Connection, ConnectionId, Fact, Finding, Pair, PairKey, Place, Reach, Talk};

use super::Looked;
use crate::tui::rows::{Item, key_of};

/// Calls that belong together.
pub(super) struct Series<'a> {
    /// In the order of their keys; at least one.
    pub(super) pairs: Vec<&'a Pair>,
    /// Those that tell of a rhythm, what matters most first.
    pub(super) findings: Vec<&'a Finding>,
    /// The connection that was chosen, if it was one.
    pub(super) connection: Option<&'a Connection>,
}

impl<'a> Series<'a> {
    /// Those that are kept, in the order of their start.
    pub(super) fn calls(&self) -> Vec<&'a Call> {
        let calls = self.pairs.iter().flat_map(|pair| pair.calls.iter());
        let mut calls: Vec<&Call> = calls.collect();
        calls.sort_by_key(|call| call.opened);
        calls
    }

    /// When connections sent: of the pairs those with the most bursts, and the chosen one.
    pub(super) fn talks(&self) -> Vec<(ConnectionId, &'a Talk)> {
        let talks = self.pairs.iter().flat_map(|pair| pair.talks.iter());
        let mut talks: Vec<_> = talks.collect();
        let chosen = self.connection;
        let chosen = chosen.and_then(|it| Some((it.id, it.talk.as_deref()?)));
        talks.extend(chosen.filter(|it| talks.iter().all(|known| known.0 != it.0)));
        talks
    }

    /// So many of all pairs together.
    pub(super) fn count(&self, of: impl Fn(&Pair) -> u64) -> u64 {
        let counts = self.pairs.iter().map(|pair| of(pair));
        counts.fold(0, u64::saturating_add)
    }
}

/// All that the row is about. With a finding come first, then those with the most calls.
pub(super) fn all<'a>(looked: &Looked<'a>) -> Vec<Series<'a>> {
    let snapshot = looked.snapshot;
    let pairs = pairs(looked);
    let connection = if let Item::Connection(place) = looked.row.item {
        snapshot.connections.get(place)
    } else {
        None
    };
    let mut all: Vec<Series<'a>> = Vec::new();
    for finding in snapshot.findings.iter().filter(|it| is_of_rhythm(it)) {
        if !pairs.iter().any(|pair| concerns(finding, pair)) {
            continue;
        }
        let of_it = snapshot.pairs.iter().filter(|pair| concerns(finding, pair));
        let mut of_it: Vec<&Pair> = of_it.collect();
        of_it.sort_by(|one, other| order(one).cmp(&order(other)));
        let same = |it: &&mut Series<'_>| keys(&it.pairs).eq(keys(&of_it));
        match all.iter_mut().find(same) {
            Some(series) => series.findings.push(finding),
            None => all.push(Series {
                pairs: of_it,
                findings: vec![finding],
                connection,
            }),
        }
    }
    let known: HashSet<&PairKey> = all.iter().flat_map(|it| keys(&it.pairs)).collect();
    let mut others: Vec<&Pair> = pairs;
    others.retain(|pair| !known.contains(&pair.key));
    others.sort_by(|one, other| {
        let weight = |pair: &Pair| Reverse((pair.calls.len(), pair.connections));
        (weight(one), order(one)).cmp(&(weight(other), order(other)))
    });
    all.extend(others.into_iter().map(|pair| Series {
        pairs: vec![pair],
        findings: Vec::new(),
        connection,
    }));
    if let Item::Finding(index) = looked.row.item
        && let Some(found) = looked.picture.findings.get(index)
    {
        let has = |it: &Series<'_>| it.findings.iter().any(|known| known.id == found.finding.id);
        all.sort_by_key(|it| !has(it));
    }
    all
}

/// Pairs that the row is about, as the snapshot has them: a filter of the rows leaves out nothing of a
/// pair.
pub(super) fn pairs<'a>(looked: &Looked<'a>) -> Vec<&'a Pair> {
    let Looked {
        snapshot, picture, ..
    } = looked;
    if let Item::Finding(index) = looked.row.item {
        let found = picture.findings.get(index);
        let all = snapshot.pairs.iter();
        return match found {
            Some(found) => all.filter(|it| concerns(&found.finding, it)).collect(),
            None => Vec::new(),
        };
    }
    let (of_it, connections): (&[Place], &[Place]) = match &looked.row.item {
        Item::Program(index) | Item::StandsOut(index) => {
            let program = picture.programs.get(*index);
            (program.map_or(&[], |it| &it.pairs), &[])
        }
        Item::Gathered(index) => match picture.gathered.get(*index) {
            Some(gathered) => (&gathered.pairs, &gathered.connections),
            None => (&[], &[]),
        },
        Item::Name(index) => {
            let name = picture.names.get(*index);
            (&[], name.map_or(&[], |it| &it.connections))
        }
        Item::Process(id) => {
            let held = picture.held.get(id);
            (&[], held.map_or(&[], Vec::as_slice))
        }
        Item::Pair(place) => (std::slice::from_ref(place), &[]),
        Item::Connection(place) => (&[], std::slice::from_ref(place)),
        Item::Text(..) | Item::Headings(_) | Item::Finding(_) => (&[], &[]),
    };
    let process = if let Item::Process(id) = looked.row.item {
        Some(id)
    } else {
        None
    };
    let connections = connections
        .iter()
        .filter_map(|it| snapshot.connections.get(*it));
    let of_connections: HashSet<PairKey> =
        connections.filter_map(|it| key_of(snapshot, it)).collect();
    let of_pairs = of_it.iter().filter_map(|it| picture.pairs.get(*it));
    let of_pairs: HashSet<&PairKey> = of_pairs.map(|pair| &pair.key).collect();
    let is_of_it = |pair: &&Pair| {
        let mut runs = pair.members.processes.iter();
        of_pairs.contains(&pair.key)
            || of_connections.contains(&pair.key)
            || process.is_some_and(|id| runs.any(|(run, _)| *run == id))
    };
    snapshot.pairs.iter().filter(is_of_it).collect()
}

fn keys<'a>(pairs: &[&'a Pair]) -> impl Iterator<Item = &'a PairKey> {
    pairs.iter().map(|pair| &pair.key)
}

fn order(pair: &Pair) -> impl Ord {
    let key = &pair.key;
    let address: Option<IpAddr> = key.destination.parse().ok();
    (
        (address, key.destination.clone()),
        (key.port, key.local_port),
        (key.program.clone(), key.protocol.word()),
    )
}

/// Whether it tells how evenly something comes.
pub(super) fn is_of_rhythm(finding: &Finding) -> bool {
    let facts = ["period", "mean_gap", "heartbeat"];
    facts.iter().any(|name| finding.fact(name).is_some())
}

/// Whether it is about these calls.
pub(super) fn concerns(finding: &Finding, pair: &Pair) -> bool {
    let (about, key) = (&finding.about, &pair.key);
    if about.program != key.program || about.device != key.device {
        return false;
    }
    let is_port = |name: &str, port: Option<u16>| match finding.fact(name) {
        Some(Fact::Text(text)) => port.is_some_and(|port| port.to_string() == *text),
        Some(_) | None => true,
    };
    if !is_port("port", key.port) || !is_port("local_port", key.local_port) {
        return false;
    }
    let members = &pair.members;
    match &about.reach {
        Reach::Program => true,
        Reach::Processes(runs) => members.processes.iter().any(|(run, _)| runs.contains(run)),
        Reach::Named => {
            let mut ids = members.connections.ids();
            ids.any(|id| about.connections.contains(&id))
        }
        Reach::Remotes {
            addresses, names, ..
        } => {
            let address = key.destination.parse();
            address.is_ok_and(|ip: IpAddr| addresses.contains(&ip))
                || members.names.iter().any(|it| names.contains(&it.name))
        }
    }
}

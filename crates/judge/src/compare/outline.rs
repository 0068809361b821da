//! What is left of a snapshot when pids, sockets and times are left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use model::{
    Connection, Finding, FindingId, Findings, Knowledge, Knows, Owner, Pair, Process, ProcessId,
    Reach, Side, Snapshot, Text, Unchecked,
};

use super::destination::{Group, Network};
use super::listener::Door;
use super::program::{Program, ProgramKey};
use crate::seen::is_inbound;

/// So many groups are kept that a finding is about.
const MOST_GROUPS: usize = 64;

/// One side of a comparison: its programs, whom they call, where they wait, and what was found.
#[derive(Clone, Debug)]
pub struct Outline {
    pub(super) side: Side,
    pub(super) programs: BTreeMap<ProgramKey, Program>,
    pub(super) findings: Findings,
    /// Whom each finding is about, as destinations are compared.
    pub(super) about: BTreeMap<FindingId, BTreeSet<Group>>,
}

impl Outline {
    /// Of a snapshot that was judged. Of `side` it is said here what the snapshot shows; whether listeners
    /// and processes without a connection are in it, and what was left out, the caller knows.
    pub fn of(snapshot: &Snapshot, side: Side, knowledge: &Knowledge) -> Self {
        let mut outline = Self {
            side,
            programs: BTreeMap::new(),
            findings: snapshot.findings.clone(),
            about: BTreeMap::new(),
        };
        let mut groups = Groups::new(knowledge.ask());
        let keys = outline.add_processes(snapshot);
        for pair in &snapshot.pairs {
            outline.add_pair(pair, &keys, &mut groups);
        }
        for connection in &snapshot.connections {
            outline.add_listener(connection, &keys);
        }
        for program in outline.programs.values_mut() {
            program.join_random_ports();
        }
        outline.says_what_it_shows(snapshot);
        for finding in &snapshot.findings {
            let about = groups.of_finding(finding);
            outline.about.insert(finding.id, about);
        }
        outline
    }

    fn add_processes(&mut self, snapshot: &Snapshot) -> HashMap<ProcessId, ProgramKey> {
        let mut keys = HashMap::with_capacity(snapshot.processes.len());
        // Threads of the kernel are of no file and call nobody.
        let programs = snapshot.processes.values().filter(|it| !it.kernel_thread);
        for process in programs {
            let key = ProgramKey::of(process);
            let program = self.programs.entry(key.clone()).or_default();
            let ordinary = snapshot.findings.ordinary(process.id);
            program.add_process(process, ordinary.map(|it| it.not.as_slice()));
            self.side.shows.hashes |= process.sha256.is_some();
            self.side.shows.packages |= has_package(process);
            keys.insert(process.id, key);
        }
        let shows = &mut self.side.shows;
        shows.examined = self.programs.values().any(|it| it.examined);
        keys
    }

    fn add_pair(
        &mut self,
        pair: &Pair,
        keys: &HashMap<ProcessId, ProgramKey>,
        groups: &mut Groups<'_>,
    ) {
        let parts = groups.of_pair(pair);
        let mut owners: BTreeMap<ProgramKey, u64> = BTreeMap::new();
        for (id, count) in &pair.members.processes {
            if let (Some(now), Some(program)) = (keys.get(id), &pair.key.program) {
                let key = ProgramKey::of_program(program, Some(now));
                *owners.entry(key).or_default() += count;
            }
        }
        if owners.is_empty() {
            let program = pair.key.program.as_ref();
            let key = program.map(|it| ProgramKey::of_program(it, None));
            let key = key.unwrap_or(ProgramKey {
                device: pair.key.device,
                ..ProgramKey::default()
            });
            owners.insert(key, pair.connections);
        }
        let alone = owners.len() == 1;
        for (key, count) in owners {
            let count = if alone { pair.connections } else { count };
            let program = self.programs.entry(key).or_default();
            program.saw(Some(pair.first));
            program.connections = program.connections.saturating_add(count);
            let to = match is_inbound(pair) {
                true => &mut program.callers,
                false => &mut program.destinations,
            };
            for part in &parts {
                let destination = to.entry(part.group.clone()).or_default();
                let ids = part.ids.iter().copied();
                let network = part.network.as_ref();
                let connections = part.connections.min(count);
                destination.add(pair, part.ip, network, connections, ids);
                part.name.iter().for_each(|name| destination.name(name));
            }
        }
    }

    fn add_listener(&mut self, connection: &Connection, keys: &HashMap<ProcessId, ProgramKey>) {
        let key = || {
            let owner = connection.owner.process();
            let known = owner.and_then(|id| keys.get(&id).cloned());
            known.unwrap_or(ProgramKey {
                device: connection.device.filter(|_| owner.is_none()),
                ..ProgramKey::default()
            })
        };
        if let Some(door) = Door::of(connection) {
            self.side.shows.listeners = true;
            let program = self.programs.entry(key()).or_default();
            program.listeners.entry(door).or_default().add(connection);
            program.saw(connection.opened);
        }
    }

    fn says_what_it_shows(&mut self, snapshot: &Snapshot) {
        let unchecked = snapshot.findings.unchecked();
        let shows = &mut self.side.shows;
        shows.names = !unchecked.contains(&Unchecked::NoNames);
        let unknown = |it: &&Connection| {
            matches!(it.owner, Owner::Unknown { .. }) && it.device.is_none() && it.remote.is_some()
        };
        let unknown = snapshot.connections.iter().filter(unknown).count();
        shows.unknown_owners = u64::try_from(unknown).unwrap_or(u64::MAX);
        let nobody = |it: &ProgramKey| it.is_nobody();
        let mut busy = self.programs.iter().filter(|(_, it)| it.uses_network());
        let is_empty = !self.programs.values().any(Program::uses_network);
        shows.owners = is_empty || busy.any(|(key, _)| !nobody(key));
        shows.let_go = shows.let_go.saturating_add(snapshot.let_go);
    }
}

impl Outline {
    /// All programs together as one that nobody knows.
    pub(super) fn without_programs(&mut self) {
        let mut all = Program::default();
        for (_, program) in std::mem::take(&mut self.programs) {
            all.connections = all.connections.saturating_add(program.connections);
            all.saw(program.first);
            for (group, one) in &program.destinations {
                all.destinations.entry(group.clone()).or_default().join(one);
            }
            for (group, one) in &program.callers {
                all.callers.entry(group.clone()).or_default().join(one);
            }
            for (door, one) in &program.listeners {
                all.listeners.entry(*door).or_default().join(one);
            }
        }
        self.programs.insert(ProgramKey::default(), all);
    }

    /// As the other side is, which shows none.
    pub(super) fn without_listeners(&mut self) {
        for program in self.programs.values_mut() {
            program.listeners.clear();
        }
    }
}

fn has_package(process: &Process) -> bool {
    let examined = process.examined.as_deref();
    examined.is_some_and(|it| it.package.is_some())
}

/// A part of a pair that is of one group.
struct Part {
    group: Group,
    ip: Option<IpAddr>,
    network: Option<Network>,
    name: Option<String>,
    connections: u64,
    ids: Vec<model::ConnectionId>,
}

/// To which group names and addresses belong; each is asked for once.
struct Groups<'a> {
    knows: Option<&'a dyn Knows>,
    of_address: HashMap<IpAddr, (Group, Option<Network>)>,
    of_name: HashMap<Text, Option<String>>,
}

impl<'a> Groups<'a> {
    fn new(knows: Option<&'a dyn Knows>) -> Self {
        Self {
            knows,
            of_address: HashMap::new(),
            of_name: HashMap::new(),
        }
    }

    fn of_address(&mut self, ip: IpAddr) -> (Group, Option<Network>) {
        let found = self.of_address.entry(ip);
        found
            .or_insert_with(|| Group::of_address(ip, self.knows))
            .clone()
    }

    /// `None`: it is no name.
    fn of_name(&mut self, name: &Text) -> Option<Group> {
        let known = self.of_name.entry(name.clone());
        let domain = known.or_insert_with(|| {
            let plain = plain(name)?;
            let known = self.knows.map(|it| it.name(&plain)).unwrap_or_default();
            Some(known.registrable.unwrap_or(plain))
        });
        domain.clone().map(Group::Domain)
    }

    fn of_pair(&mut self, pair: &Pair) -> Vec<Part> {
        let ip: Option<IpAddr> = pair.key.destination.parse().ok();
        let (by_address, network) = match ip {
            Some(ip) => self.of_address(ip),
            None => (Group::Domain(pair.key.destination.clone()), None),
        };
        let mut parts = Vec::new();
        // Whose name it may be is not sure: another program was told it for the address.
        let sure = pair.members.names.iter();
        let sure = sure.filter(|it| !it.strength.is_unsure() && by_address.is_outside());
        for named in sure {
            if let Some(group) = self.of_name(&named.name) {
                parts.push(Part {
                    group,
                    ip,
                    network: network.clone(),
                    name: plain(&named.name),
                    connections: named.count,
                    ids: named.connections.ids().take(4).collect(),
                });
            }
        }
        // Those without a name beside others that have one are of the same.
        if parts.is_empty() {
            parts.push(Part {
                group: by_address,
                ip,
                network,
                name: None,
                connections: pair.connections,
                ids: pair.members.connections.ids().take(4).collect(),
            });
        }
        parts
    }

    fn of_finding(&mut self, finding: &Finding) -> BTreeSet<Group> {
        let about = &finding.about;
        let (addresses, names) = match &about.reach {
            Reach::Remotes {
                addresses, names, ..
            } => (addresses.as_slice(), names.as_slice()),
            Reach::Named | Reach::Program | Reach::Processes(_) => (&[][..], &[][..]),
        };
        let remote = about.remote.and_then(|it| it.ip);
        let addresses = addresses.iter().copied().chain(remote);
        let mut groups: BTreeSet<_> = addresses
            .take(MOST_GROUPS)
            .map(|ip| self.of_address(ip).0)
            .collect();
        for name in names.iter().take(MOST_GROUPS) {
            groups.extend(self.of_name(name));
        }
        groups
    }
}

/// In lower case, without a dot at its end. `None`: it is no text.
fn plain(name: &Text) -> Option<String> {
    let name = name.as_utf8()?.trim_end_matches('.');
    (!name.is_empty()).then(|| name.to_ascii_lowercase())
}

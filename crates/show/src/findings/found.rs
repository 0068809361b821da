//! Which connections findings are about, and which findings a connection has.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use model::{
    Connection, ConnectionId, DeviceId, Finding, FindingId, Findings, Place, Process, ProcessId,
    Reach, Severity, Snapshot, Text, Timestamp,
};

/// All findings, by what they are about: asked for each connection, it looks nothing through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    revision: u64,
    all: Vec<Arc<Finding>>,
    of_program: HashMap<Text, Reached>,
    /// Where no program is known.
    of_device: HashMap<Option<DeviceId>, Reached>,
    of_connection: HashMap<ConnectionId, Vec<usize>>,
}

/// The findings of one program, by the connections that they are about.
#[derive(Clone, Debug, Default)]
struct Reached {
    all: Vec<usize>,
    /// The program itself is what was found.
    whole: Vec<usize>,
    /// These runs of it are.
    processes: HashMap<ProcessId, Vec<usize>>,
    addresses: HashMap<IpAddr, Vec<usize>>,
    names: HashMap<Text, Vec<usize>>,
}

impl Reached {
    fn add(&mut self, index: usize, reach: &Reach) {
        self.all.push(index);
        match reach {
            Reach::Named => {}
            Reach::Program => self.whole.push(index),
            Reach::Processes(processes) => {
                for id in processes {
                    self.processes.entry(*id).or_default().push(index);
                }
            }
            Reach::Remotes {
                addresses, names, ..
            } => {
                for ip in addresses {
                    self.addresses.entry(*ip).or_default().push(index);
                }
                for name in names {
                    self.names.entry(name.clone()).or_default().push(index);
                }
            }
        }
    }

    fn of(
        &self,
        ip: Option<IpAddr>,
        name: Option<&Text>,
        owner: Option<ProcessId>,
    ) -> impl Iterator<Item = usize> {
        let of_process = owner.and_then(|id| self.processes.get(&id));
        let of_address = ip.and_then(|ip| self.addresses.get(&ip));
        let of_name = name.and_then(|name| self.names.get(name));
        let found = [Some(&self.whole), of_process, of_address, of_name];
        found.into_iter().flatten().flatten().copied()
    }
}

/// What a finding is about, in a snapshot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Concerned {
    /// Those that are kept.
    pub(crate) connections: Vec<Place>,
    pub(crate) since: Since,
}

/// When it was first seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Since {
    #[default]
    NotKnown,
    /// It was there when we began.
    Before,
    At(Timestamp),
}

impl Since {
    pub(crate) fn at(self) -> Option<Timestamp> {
        match self {
            Self::At(time) => Some(time),
            Self::Before | Self::NotKnown => None,
        }
    }

    fn add(&mut self, opened: Option<Timestamp>) {
        *self = match (*self, opened) {
            (Self::Before, _) | (_, None) => Self::Before,
            (Self::NotKnown, Some(opened)) => Self::At(opened),
            (Self::At(since), Some(opened)) => Self::At(since.min(opened)),
        };
    }
}

impl Found {
    pub(crate) fn of(findings: &Findings) -> Self {
        let mut found = Self {
            revision: findings.revision(),
            ..Self::default()
        };
        for (index, finding) in findings.iter().enumerate() {
            let about = &finding.about;
            let reached = match &about.program {
                Some(program) => found.of_program.entry(program.clone()).or_default(),
                None => found.of_device.entry(about.device).or_default(),
            };
            reached.add(index, &about.reach);
            for id in &about.connections {
                found.of_connection.entry(*id).or_default().push(index);
            }
            found.all.push(Arc::clone(finding));
        }
        found
    }

    /// Takes over others, where they are others.
    pub(crate) fn renew(&mut self, findings: &Findings) {
        if self.revision != findings.revision() || self.all.len() != findings.len() {
            *self = Self::of(findings);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The findings about a connection, which is that of `process`; what matters most comes first.
    pub(crate) fn about(
        &self,
        connection: &Connection,
        process: Option<&Process>,
    ) -> Vec<&Arc<Finding>> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut indices: Vec<usize> = self.indices(connection, process).collect();
        indices.sort_unstable();
        indices.dedup();
        indices.iter().filter_map(|it| self.all.get(*it)).collect()
    }

    /// That of the finding that matters most. `None`: there is none.
    pub(crate) fn worst(
        &self,
        connection: &Connection,
        process: Option<&Process>,
    ) -> Option<Severity> {
        if self.is_empty() {
            return None;
        }
        let indices = self.indices(connection, process);
        let severities = indices.filter_map(|it| Some(self.all.get(it)?.severity));
        severities.max()
    }

    /// The findings about a program, or about a device in its place.
    pub(crate) fn about_program(
        &self,
        program: Option<&Text>,
        device: Option<DeviceId>,
    ) -> impl Iterator<Item = &Arc<Finding>> {
        let indices = self.reached(program, device).map_or(&[][..], |it| &it.all);
        indices.iter().filter_map(|it| self.all.get(*it))
    }

    /// The findings about one run of a program.
    pub(crate) fn about_process(&self, process: &Process) -> impl Iterator<Item = &Arc<Finding>> {
        let id = process.id;
        let all = self.about_program(Some(process.program()), None);
        all.filter(move |finding| match &finding.about.reach {
            Reach::Processes(processes) => processes.contains(&id),
            Reach::Named | Reach::Program | Reach::Remotes { .. } => true,
        })
    }

    fn reach(&self, index: usize) -> Option<&Reach> {
        Some(&self.all.get(index)?.about.reach)
    }

    fn reached(&self, program: Option<&Text>, device: Option<DeviceId>) -> Option<&Reached> {
        match program {
            Some(program) => self.of_program.get(program),
            None => self.of_device.get(&device),
        }
    }

    fn indices<'a>(
        &'a self,
        connection: &'a Connection,
        process: Option<&'a Process>,
    ) -> impl Iterator<Item = usize> + 'a {
        let reached = self.reached(process.map(Process::program), connection.device);
        let ip = connection.remote.and_then(|remote| remote.ip);
        let name = connection.name.as_ref().map(|it| &it.name);
        let owner = connection.owner.process();
        let reached = reached
            .into_iter()
            .flat_map(move |it| it.of(ip, name, owner))
            .filter(|it| self.reach(*it).is_some_and(|it| it.serves(connection)));
        let named = self.of_connection.get(&connection.id);
        reached.chain(named.into_iter().flatten().copied())
    }
}

/// What each finding is about. `found` are those of the snapshot.
pub(crate) fn concerned(snapshot: &Snapshot, found: &Found) -> HashMap<FindingId, Concerned> {
    let mut all = vec![Concerned::default(); found.all.len()];
    if found.is_empty() {
        return HashMap::new();
    }
    for (place, connection) in snapshot.connections.places() {
        for index in found.indices(connection, snapshot.owner_of(connection)) {
            // It may be named, and be reached as well.
            let concerned = all.get_mut(index);
            let new = concerned.filter(|it| it.connections.last() != Some(&place));
            if let Some(concerned) = new {
                concerned.connections.push(place);
                concerned.since.add(connection.opened);
            }
        }
    }
    // What has ended and is no longer kept has left its first call.
    for pair in &snapshot.pairs {
        let Some(reached) = found.reached(pair.key.program.as_ref(), pair.key.device) else {
            continue;
        };
        let Some(first) = pair.first.told() else {
            continue;
        };
        let ip = pair.key.destination.parse().ok();
        let owners = pair.members.processes.iter().map(|(id, _)| *id);
        let of_owners = owners.filter_map(|id| reached.processes.get(&id));
        let of_owners = of_owners.flatten().copied();
        let key = &pair.key;
        let is_for = |reach: &Reach| reach.is_for(key.protocol, key.port, key.local_port);
        let of_pair = reached.of(ip, None, None).chain(of_owners);
        for index in of_pair.filter(|it| found.reach(*it).is_some_and(is_for)) {
            if let Some(concerned) = all.get_mut(index) {
                concerned.since.add(Some(first));
            }
        }
    }
    let ids = found.all.iter().map(|it| it.id);
    ids.zip(all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::sample;
    use crate::tui::evening;

    #[test]
    fn what_a_connection_has_is_what_findings_say_they_cover() {
        let mut snapshot = evening();
        snapshot.findings = sample::evening(&snapshot);
        let found = Found::of(&snapshot.findings);
        let mut some = 0;
        for connection in &snapshot.connections {
            let process = snapshot.owner_of(connection);
            let expected: Vec<FindingId> = snapshot
                .findings
                .of(connection, process)
                .map(|it| it.id)
                .collect();
            let told = found.about(connection, process);
            assert_eq!(told.iter().map(|it| it.id).collect::<Vec<_>>(), expected);
            some += expected.len();
        }
        assert!(some > 5, "{some}");
    }
}

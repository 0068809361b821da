//! Where something that others can be asked about was seen: when first, and by which programs.

use std::net::IpAddr;

use model::{FileHash, Process, Question, Snapshot, Text, Timestamp};

/// Where an item stands in a snapshot.
#[derive(Debug, Default)]
pub(super) struct Seen<'a> {
    /// `None`: it was there before, or is not in the snapshot.
    pub(super) first: Option<Timestamp>,
    /// Name and path, each once; the path is not always known.
    pub(super) programs: Vec<(Text, Option<&'a Text>)>,
    /// Whether it is the hash of a program that no package is known to have.
    pub(super) is_unpackaged: bool,
}

impl<'a> Seen<'a> {
    fn at(&mut self, time: Option<Timestamp>) {
        if let Some(time) = time.and_then(Timestamp::told) {
            self.first = Some(self.first.map_or(time, |it| it.min(time)));
        }
    }

    fn by(&mut self, process: Option<&'a Process>) {
        if let Some(process) = process {
            self.add(process.name.clone(), process.path.as_ref());
        }
    }

    fn add(&mut self, name: Text, path: Option<&'a Text>) {
        let program = (name, path);
        if !self.programs.contains(&program) {
            self.programs.push(program);
        }
    }
}

pub(super) fn seen<'a>(question: &Question, snapshot: &'a Snapshot) -> Seen<'a> {
    let mut seen = Seen::default();
    match question {
        Question::Address(ip) => address(*ip, snapshot, &mut seen),
        Question::Name(name) => self::name(name, snapshot, &mut seen),
        Question::Hash(hash) => file(*hash, snapshot, &mut seen),
        Question::Network(_) => {}
    }
    seen
}

fn address<'a>(ip: IpAddr, snapshot: &'a Snapshot, seen: &mut Seen<'a>) {
    for connection in snapshot.connections.iter() {
        let other = connection.remote.and_then(|it| it.ip);
        if other.is_some_and(|it| it.to_canonical() == ip) {
            seen.at(connection.opened);
            seen.by(snapshot.owner_of(connection));
        }
    }
    // Calls of which the connections are no longer kept.
    for pair in snapshot.pairs.iter() {
        let other = pair.key.destination.parse::<IpAddr>();
        if other.is_ok_and(|it| it.to_canonical() == ip) {
            seen.at(Some(pair.first));
            let path = pair.key.program.as_ref();
            let has = |path: &Text| seen.programs.iter().any(|it| it.1 == Some(path));
            if let Some(path) = path.filter(|it| !has(it)) {
                seen.add(last_part(path), Some(path));
            }
        }
    }
}

fn name<'a>(name: &str, snapshot: &'a Snapshot, seen: &mut Seen<'a>) {
    for asked in snapshot.asked.iter().filter(|it| is(&it.name, name)) {
        seen.at(Some(asked.first));
        seen.by(asked.process.and_then(|id| process(snapshot, id)));
    }
    for connection in snapshot.connections.iter() {
        if connection
            .name
            .as_ref()
            .is_some_and(|it| is(&it.name, name))
        {
            seen.at(connection.opened);
            seen.by(snapshot.owner_of(connection));
        }
    }
}

fn file<'a>(hash: FileHash, snapshot: &'a Snapshot, seen: &mut Seen<'a>) {
    let FileHash::Sha256(hash) = hash else {
        return;
    };
    let mut is_packaged = false;
    for process in snapshot.processes.values() {
        if process.sha256 == Some(hash) {
            seen.at(process.started);
            seen.by(Some(process));
            is_packaged |= super::is_packaged(process);
        }
    }
    seen.is_unpackaged = !is_packaged;
}

fn process(snapshot: &Snapshot, id: model::ProcessId) -> Option<&Process> {
    snapshot.processes.get(&id).map(AsRef::as_ref)
}

/// What an address is called by connections to it, each name once.
pub(super) fn names_of(ip: IpAddr, snapshot: &Snapshot) -> Vec<&Text> {
    let mut names = Vec::new();
    for connection in snapshot.connections.iter() {
        let other = connection.remote.and_then(|it| it.ip);
        if let Some(name) = connection.name.as_ref().filter(|_| other == Some(ip))
            && !names.contains(&&name.name)
        {
            names.push(&name.name);
        }
    }
    names
}

/// Whether a name as it was seen is this one.
fn is(seen: &Text, name: &str) -> bool {
    seen.lossy()
        .trim_end_matches('.')
        .eq_ignore_ascii_case(name)
}

fn last_part(path: &Text) -> Text {
    let path = path.lossy();
    Text::from(path.rsplit('/').next().unwrap_or(&path))
}

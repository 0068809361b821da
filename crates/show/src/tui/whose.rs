//! What of a row others could be asked about: the address at its other end and the names of it, a name
//! that was asked for, the file of a program.

mod page;
mod seen;

use std::net::IpAddr;

use model::{PackageState, Process, Question, Reach, Snapshot, Text, Timestamp, hex};

use self::seen::names_of;
use super::rows::{Item, Key, Picture, Row};
use crate::messages::whose as texts;

pub(super) use self::page::{fits, page, short};

/// A row is about no more.
const MOST: usize = 16;

/// What others can be asked about; where the list of it is kept, and what was on it before.
#[derive(Clone, Debug, Default)]
pub struct ToAsk {
    /// In the order in which they were added.
    pub items: Vec<ToAskItem>,
    pub kept: Kept,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToAskItem {
    pub question: Question,
    /// When others last answered. `None`: they never did, or were not asked.
    pub answered: Option<Timestamp>,
}

/// Where the list is kept; files by their names without folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// In memory, until the person saves it.
    #[default]
    Nowhere,
    AtOnce(String),
    /// When the recording is over.
    AtTheEnd(String),
}

/// One of the things that a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// As it was seen.
    pub(super) text: String,
    pub(super) kind: &'static str,
    /// Whether it is the hash of a program that no package is known to have.
    pub(super) is_unpackaged: bool,
}

impl Candidate {
    fn address(ip: IpAddr) -> Self {
        Self {
            text: ip.to_canonical().to_string(),
            kind: texts::ADDRESS,
            is_unpackaged: false,
        }
    }

    fn name(name: &Text) -> Self {
        Self {
            text: name.lossy().into_owned(),
            kind: texts::NAME,
            is_unpackaged: false,
        }
    }

    /// `None`: its hash is not known.
    fn file(process: &Process) -> Option<Self> {
        Some(Self {
            text: hex(&process.sha256?),
            kind: texts::FILE,
            is_unpackaged: !is_packaged(process),
        })
    }
}

/// Whether a package is known to have its file, as it is.
fn is_packaged(process: &Process) -> bool {
    let package = process.examined.as_ref().and_then(|it| it.package.as_ref());
    package.is_some_and(|it| it.state == PackageState::Intact)
}

/// What the row is about, what matters most first; each once.
pub(super) fn candidates(row: &Row, snapshot: &Snapshot, picture: &Picture) -> Vec<Candidate> {
    let mut all = All {
        snapshot,
        found: Vec::new(),
    };
    match &row.item {
        Item::Text(..) | Item::Headings(_) => {}
        Item::Connection(place) => {
            let connection = snapshot.connections.get(*place);
            if let Some(ip) = connection.and_then(|it| it.remote?.ip) {
                all.add(Candidate::address(ip));
            }
            let name = connection.and_then(|it| it.name.as_deref());
            all.extend(name.map(|it| Candidate::name(&it.name)));
        }
        Item::Process(id) => all.process(snapshot.processes.get(id).map(AsRef::as_ref)),
        Item::StandsOut(index) | Item::Program(index) => {
            let program = picture.programs.get(*index);
            let device = program.and_then(|it| snapshot.devices.get(&it.device?));
            let addresses = device.into_iter().flat_map(|it| &it.addresses);
            all.extend(addresses.map(|ip| Candidate::address(*ip)));
            for id in program.into_iter().flat_map(|it| &it.processes) {
                all.process(snapshot.processes.get(id).map(AsRef::as_ref));
            }
        }
        Item::Gathered(index) => match &row.key {
            Key::Destination(end) | Key::Toward(_, end) | Key::Caller(end, ..) => all.end(end),
            Key::Line(_)
            | Key::Rest
            | Key::Program(_)
            | Key::Process(_)
            | Key::Connection(_)
            | Key::Pair(_)
            | Key::StandsOut(_)
            | Key::Group(_)
            | Key::Name(_)
            | Key::Asker(..)
            | Key::Finding(_) => {
                let gathered = picture.gathered.get(*index);
                let places = gathered.into_iter().flat_map(|it| &it.connections);
                let connections = places.filter_map(|it| snapshot.connections.get(*it));
                let mut ends: Vec<_> = connections.filter_map(|it| it.remote?.ip).collect();
                ends.sort_unstable();
                ends.dedup();
                // Of several nobody can tell which is meant.
                if let [only] = ends.as_slice() {
                    all.end(&only.to_string());
                }
            }
        },
        Item::Pair(place) => {
            if let Some(pair) = picture.pairs.get(*place) {
                all.end(&pair.key.destination);
            }
        }
        Item::Name(index) => {
            if let Key::Name(name) | Key::Asker(name, _) = &row.key {
                all.add(Candidate::name(name));
            }
            let name = picture.names.get(*index);
            let asked = name.into_iter().flat_map(|it| &it.asked);
            for asked in asked.filter_map(|it| snapshot.asked.get(*it)) {
                all.extend(asked.addresses.iter().map(|ip| Candidate::address(*ip)));
            }
        }
        Item::Finding(index) => {
            if let Some(found) = picture.findings.get(*index) {
                let about = &found.finding.about;
                let remote = about.remote.and_then(|it| it.ip);
                all.extend(remote.map(Candidate::address));
                if let Reach::Remotes {
                    addresses, names, ..
                } = &about.reach
                {
                    all.extend(addresses.iter().map(|ip| Candidate::address(*ip)));
                    all.extend(names.iter().map(Candidate::name));
                }
                let process = about.process.and_then(|id| snapshot.processes.get(&id));
                all.process(process.map(AsRef::as_ref));
            }
        }
    }
    all.found
}

struct All<'a> {
    snapshot: &'a Snapshot,
    found: Vec<Candidate>,
}

impl All<'_> {
    fn add(&mut self, candidate: Candidate) {
        let is_known = self.found.iter().any(|it| it.text == candidate.text);
        if self.found.len() < MOST && !is_known {
            self.found.push(candidate);
        }
    }

    fn extend(&mut self, candidates: impl IntoIterator<Item = Candidate>) {
        for candidate in candidates {
            self.add(candidate);
        }
    }

    fn process(&mut self, process: Option<&Process>) {
        self.extend(process.and_then(Candidate::file));
    }

    /// Another end, and what it is called.
    fn end(&mut self, end: &str) {
        match end.parse::<IpAddr>() {
            Ok(ip) => {
                self.add(Candidate::address(ip));
                let names = names_of(ip, self.snapshot);
                self.extend(names.into_iter().map(Candidate::name));
            }
            Err(_) => self.add(Candidate::name(&Text::from(end))),
        }
    }
}

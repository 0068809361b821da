//! Names that were asked for: who asked, and who called what was answered.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use model::{
    Asked, Connection, DeviceId, Direction, Pair, Place, ProcessId, Snapshot, Text, Tier, Timestamp,
};

use super::{Context, Fold, Key, Picture, Row};
use crate::devices;
use crate::messages::rows as sentences;
use crate::program::program_name;
use crate::tui::columns::Kind;
use crate::tui::programs::program_of;
use crate::tui::sums::{Sums, rank_of_number};
use crate::visible::visible;

/// How much sooner than the question a connection may be told to have begun: the two are seen by
/// different means.
const SLACK: Duration = Duration::from_millis(100);

/// Who asked for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::tui) struct Asker {
    /// `None`: not known.
    pub(in crate::tui) process: Option<ProcessId>,
    /// `None`: the process says it, or not known.
    pub(in crate::tui) from: Option<IpAddr>,
}

impl Asker {
    pub(in crate::tui) fn of(asked: &Asked) -> Self {
        Self {
            process: asked.process,
            from: asked.from,
        }
    }
}

/// What askers are called.
pub(in crate::tui) struct Askers<'a> {
    snapshot: &'a Snapshot,
    device_at: HashMap<IpAddr, DeviceId>,
}

impl<'a> Askers<'a> {
    pub(in crate::tui) fn of(snapshot: &'a Snapshot) -> Self {
        let devices = snapshot.devices.iter();
        let all = devices.flat_map(|(id, it)| it.addresses.iter().map(move |ip| (*ip, *id)));
        Self {
            snapshot,
            device_at: all.collect(),
        }
    }

    pub(in crate::tui) fn name(&self, asker: Asker) -> String {
        if let Some(id) = asker.process {
            let process = self.snapshot.processes.get(&id);
            let program = process.map(|it| program_of(it));
            return sentences::process(&program_name(program), id.pid);
        }
        match asker.from {
            Some(ip) => match self.device_at.get(&ip) {
                Some(id) => devices::in_full(*id, &self.snapshot.devices),
                None => ip.to_string(),
            },
            None => sentences::NO_PROCESS_KNOWN.to_owned(),
        }
    }
}

/// A name that was asked for, by everybody or by one asker.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Name {
    /// The name, or who asked.
    pub(in crate::tui) title: String,
    /// `None`: it is about everybody.
    pub(in crate::tui) asker: Option<Asker>,
    /// Who asked, where it is about everybody.
    pub(in crate::tui) who: String,
    pub(in crate::tui) asked: Vec<Place>,
    pub(in crate::tui) questions: u64,
    pub(in crate::tui) first: Timestamp,
    pub(in crate::tui) last: Timestamp,
    /// Connections to the name that began after the question.
    pub(in crate::tui) connections: Vec<Place>,
    pub(in crate::tui) sums: Sums,
    /// Somebody called an address that was answered, as far as is known by another name.
    pub(in crate::tui) address_called: bool,
}

/// All about one name.
struct Gathered<'a> {
    /// As it was asked for first.
    name: &'a Text,
    askers: Vec<(Asker, Part<'a>)>,
    /// Connections of those who were not seen to ask.
    others: Vec<(Place, &'a Connection)>,
}

#[derive(Default)]
struct Part<'a> {
    asked: Vec<(Place, &'a Asked)>,
    connections: Vec<(Place, &'a Connection)>,
}

#[derive(Default)]
struct Names<'a> {
    all: Vec<Gathered<'a>>,
    of_name: HashMap<Vec<u8>, usize>,
    of_asker: HashMap<(usize, Asker), usize>,
}

pub(super) fn picture(context: &Context<'_>) -> Picture {
    let snapshot = context.snapshot;
    let mut names = Names::default();
    for (place, asked) in snapshot.asked.places() {
        names.add(place, asked);
    }
    for (place, connection) in snapshot.connections.places() {
        names.followed(place, connection, snapshot);
    }
    let called = called_addresses(snapshot);
    let askers = Askers::of(snapshot);
    let mut picture = Picture::default();
    let mut shown = Vec::new();
    for mut gathered in names.all {
        let before = gathered.askers.len();
        keep_wanted(context, &mut gathered);
        picture.hidden += before - gathered.askers.len();
        if gathered.askers.is_empty() {
            continue;
        }
        let parts = gathered.askers.iter().map(|(who, part)| Name {
            asker: Some(*who),
            ..name_of(
                askers.name(*who),
                &part.asked,
                &part.connections,
                &called,
                snapshot.tier,
            )
        });
        let mut parts: Vec<Name> = parts.collect();
        parts.sort_by(|one, other| (&one.title, one.asker).cmp(&(&other.title, other.asker)));
        let asked: Vec<_> = gathered
            .askers
            .iter()
            .flat_map(|it| it.1.asked.iter().copied())
            .collect();
        let own = gathered
            .askers
            .iter()
            .flat_map(|it| it.1.connections.iter().copied());
        let connections: Vec<_> = own.chain(gathered.others).collect();
        let mut name = name_of(
            visible(gathered.name).into_owned(),
            &asked,
            &connections,
            &called,
            snapshot.tier,
        );
        name.who = programs(&parts, snapshot);
        shown.push((Text::from(folded(gathered.name)), name, parts));
    }
    // The latest first, by when they were asked for first: rows that jump cannot be read.
    shown.sort_by_key(|(_, name, _)| Reverse(name.first));
    if let Some(kind) = context.sort {
        shown.sort_by_cached_key(|(_, name, _)| rank(kind, name));
    }
    if context.reverse {
        shown.reverse();
    }
    for (key, name, parts) in shown {
        add(context, key, name, parts, &mut picture);
    }
    picture
}

impl<'a> Names<'a> {
    fn add(&mut self, place: Place, asked: &'a Asked) {
        let next = self.all.len();
        let index = *self.of_name.entry(folded(&asked.name)).or_insert(next);
        if index == next {
            self.all.push(Gathered {
                name: &asked.name,
                askers: Vec::new(),
                others: Vec::new(),
            });
        }
        let Some(gathered) = self.all.get_mut(index) else {
            return;
        };
        let asker = Asker::of(asked);
        let next = gathered.askers.len();
        let number = *self.of_asker.entry((index, asker)).or_insert(next);
        if number == next {
            gathered.askers.push((asker, Part::default()));
        }
        if let Some((_, part)) = gathered.askers.get_mut(number) {
            part.asked.push((place, asked));
        }
    }

    /// Gives a connection to the name that it goes to, and there to who asked for it.
    fn followed(&mut self, place: Place, connection: &'a Connection, snapshot: &Snapshot) {
        let name = connection.name.as_ref().filter(|_| calls(connection));
        let index = name.and_then(|it| self.of_name.get(&folded(&it.name)));
        let Some((index, gathered)) = index.and_then(|it| Some((*it, self.all.get_mut(*it)?)))
        else {
            return;
        };
        let asker = askers_of(connection, snapshot)
            .find_map(|asker| self.of_asker.get(&(index, asker)))
            .and_then(|number| gathered.askers.get_mut(*number));
        match asker {
            Some((_, part)) => part.connections.push((place, connection)),
            None => gathered.others.push((place, connection)),
        }
    }
}

/// Leaves those whose question is wanted, or a connection that followed.
fn keep_wanted(context: &Context<'_>, gathered: &mut Gathered<'_>) {
    if context.filter.is_empty() {
        return;
    }
    let wants = |(_, connection): &(Place, &Connection)| context.matches(connection);
    if gathered.others.iter().any(wants) {
        return;
    }
    gathered.askers.retain(|(_, part)| {
        let asked = |(_, asked): &(Place, &Asked)| context.matches_asked(asked);
        part.asked.iter().any(asked) || part.connections.iter().any(wants)
    });
}

fn name_of(
    title: String,
    asked: &[(Place, &Asked)],
    connections: &[(Place, &Connection)],
    called: &HashSet<IpAddr>,
    tier: Tier,
) -> Name {
    let all = asked.iter().map(|(_, asked)| asked);
    let none = Timestamp::from_unix_nanos(0);
    let first = all.clone().map(|it| it.first).min().unwrap_or(none);
    let mut name = Name {
        title,
        asker: None,
        who: String::new(),
        asked: asked.iter().map(|(place, _)| *place).collect(),
        questions: all.clone().map(|it| times(it)).sum(),
        first,
        last: all.clone().map(|it| it.last).max().unwrap_or(none),
        connections: Vec::new(),
        sums: Sums::default(),
        address_called: false,
    };
    for (place, connection) in connections {
        if began_after(connection, first, tier) {
            name.connections.push(*place);
            name.sums.add(connection);
        }
    }
    let mut addresses = all.flat_map(|it| &it.addresses);
    name.address_called = name.connections.is_empty() && addresses.any(|ip| called.contains(ip));
    name
}

/// How often it was asked for: some logs tell the answers only.
pub(in crate::tui) fn times(asked: &Asked) -> u64 {
    asked.questions.max(asked.answers)
}

fn began_after(connection: &Connection, question: Timestamp, tier: Tier) -> bool {
    let slack = i64::try_from(SLACK.as_nanos()).unwrap_or(0);
    match connection.opened {
        Some(opened) => opened.unix_nanos().saturating_add(slack) >= question.unix_nanos(),
        // Other tools do not always tell; what was there before us followed no question we saw.
        None => tier == Tier::Import,
    }
}

/// Whether it is a call from here.
fn calls(connection: &Connection) -> bool {
    connection.direction != Direction::Inbound
}

/// What has been called, by anybody and at any time.
fn called_addresses(snapshot: &Snapshot) -> HashSet<IpAddr> {
    let connections = snapshot.connections.iter().filter(|it| calls(it));
    let kept = connections.filter_map(|it| it.remote?.ip);
    // Of those that are no longer kept, the address is.
    let is_call = |it: &&Pair| it.key.port.is_some() || !it.key.protocol.has_connections();
    let pairs = snapshot.pairs.iter().filter(is_call);
    let pairs = pairs.filter_map(|it| it.key.destination.parse().ok());
    kept.chain(pairs).collect()
}

/// As whom the owner of a connection may have asked.
fn askers_of(connection: &Connection, snapshot: &Snapshot) -> impl Iterator<Item = Asker> {
    let by_process = |process| Asker {
        process: Some(process),
        from: None,
    };
    let by_address = |ip| Asker {
        process: None,
        from: ip,
    };
    let device = connection.device.and_then(|id| snapshot.devices.get(&id));
    let addresses = device.map_or(&[][..], |it| &it.addresses);
    let addresses = connection.local.ip.iter().chain(addresses).copied();
    let addresses: Vec<IpAddr> = addresses.collect();
    let processes = connection.owner.process().into_iter();
    let processes = processes.chain(connection.also_held_by.iter().copied());
    let processes: Vec<ProcessId> = processes.collect();
    let asked_by = processes.into_iter().map(by_process);
    asked_by.chain(addresses.into_iter().map(move |ip| by_address(Some(ip))))
}

/// Who asked, each once.
fn programs(parts: &[Name], snapshot: &Snapshot) -> String {
    let mut names: Vec<String> = Vec::new();
    for part in parts {
        let process = part.asker.and_then(|it| it.process);
        let process = process.and_then(|id| snapshot.processes.get(&id));
        let name = match process {
            Some(process) => program_name(Some(program_of(process))),
            None => part.title.clone(),
        };
        // They are in the order of their names.
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn rank(kind: Kind, name: &Name) -> (Reverse<u64>, String) {
    let newest = |time: Timestamp| rank_of_number(time.unix_nanos().unsigned_abs());
    if kind == Kind::Who {
        (Reverse(0), name.who.clone())
    } else if kind == Kind::Asked {
        rank_of_number(name.questions)
    } else if kind == Kind::First {
        newest(name.first)
    } else if kind == Kind::Last {
        newest(name.last)
    } else if kind == Kind::Then {
        rank_of_number(name.sums.calls)
    } else {
        name.sums.rank(kind, &name.title)
    }
}

fn add(context: &Context<'_>, key: Text, name: Name, parts: Vec<Name>, picture: &mut Picture) {
    let of_name = Key::Name(key.clone());
    let fold = context.fold(&of_name);
    let item = picture.name(name);
    picture.rows.push(Row {
        key: of_name,
        depth: 0,
        fold,
        item,
    });
    if fold != Fold::Open {
        return;
    }
    for name in parts {
        let Some(asker) = name.asker else { continue };
        let of_asker = Key::Asker(key.clone(), asker);
        let fold = if name.connections.is_empty() {
            Fold::Leaf
        } else {
            context.fold(&of_asker)
        };
        let below = name.connections.clone();
        let item = picture.name(name);
        picture.rows.push(Row {
            key: of_asker,
            depth: 1,
            fold,
            item,
        });
        if fold == Fold::Open {
            picture.rows.extend(Row::of_connections(context, below, 2));
        }
    }
}

/// Names are the same in upper and lower case (RFC 4343), and with a dot at the end.
fn folded(name: &Text) -> Vec<u8> {
    let bytes = name.bytes();
    bytes
        .strip_suffix(b".")
        .unwrap_or(bytes)
        .to_ascii_lowercase()
}

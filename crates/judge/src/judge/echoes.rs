//! Packets between programs and addresses, put together out of all connections: echoes, and what goes to
//! where names are asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use model::{
    Connection, ConnectionId, Direction, Endpoint, Place, ProcessId, Protocol, Snapshot, Text,
    Tier, Timestamp,
};

use super::Judge;
use crate::fit::{Part, Piece, Whose};
use crate::groups::{Item, Key};
use crate::pattern::{EchoSums, Echoes as Seen, ToNameServer, echoes_of_tunnel, is_other_than_dns};
use crate::rule::rules;

/// IP protocols of raw sockets that send and receive echoes.
const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;
/// Types of messages: who asks for an echo (RFC 792; RFC 4443, 4.1).
const ECHO: u8 = 8;
const ECHO_V6: u8 = 128;

/// Where names are asked for (RFC 1035, 4.2).
const NAMES: u16 = 53;

/// So many connections are named.
const MOST_NAMED: usize = 32;

/// Of one program, or of one device, with one address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    whose: Whose,
    remote: IpAddr,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Echo,
    ToNameServer,
}

/// What is known of one connection.
#[derive(Clone, Debug)]
struct One {
    pair: Pair,
    id: ConnectionId,
    opened: Option<Timestamp>,
    process: Option<ProcessId>,
    sums: EchoSums,
}

/// All connections of a pair.
#[derive(Debug, Default)]
struct Kept {
    /// Stands for it.
    number: u64,
    places: BTreeSet<Place>,
    sums: EchoSums,
}

/// Kept from one look to the next.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    of_place: HashMap<Place, One>,
    pairs: BTreeMap<Pair, Kept>,
    of_process: HashMap<ProcessId, BTreeSet<Place>>,
    again: BTreeSet<Place>,
    /// Numbers that were given to pairs.
    count: u64,
    dirty: BTreeSet<Pair>,
    /// How many questions were asked of whom, by the place of what tells it.
    questions: BTreeMap<(Whose, IpAddr), BTreeMap<Place, u64>>,
    asked: HashMap<Place, (Whose, IpAddr)>,
    shows_names: bool,
}

impl Echoes {
    /// Whose its connections are hangs on what is known of a process.
    pub(super) fn changed_process(&mut self, id: ProcessId) {
        let places = self.of_process.get(&id).into_iter().flatten();
        self.again.extend(places);
    }

    /// Other rules have found something else about them.
    pub(super) fn reasoned(&mut self, whose: &Whose) {
        let of_whose = self.pairs.keys().filter(|pair| pair.whose == *whose);
        self.dirty.extend(of_whose.cloned());
    }

    /// Questions of somebody to a server, in the place of those that were there before.
    pub(super) fn ask(&mut self, place: Place, asked: Option<(Whose, IpAddr, u64)>) {
        let before = self.asked.remove(&place);
        if let Some(before) = &before
            && let Some(places) = self.questions.get_mut(before)
        {
            places.remove(&place);
            if places.is_empty() {
                self.questions.remove(before);
            }
        }
        let now = asked.map(|(whose, remote, questions)| {
            let now = (whose, remote);
            let places = self.questions.entry(now.clone()).or_default();
            places.insert(place, questions);
            self.asked.insert(place, now.clone());
            now
        });
        self.dirty
            .extend(before.into_iter().chain(now).map(|it| Pair {
                whose: it.0,
                remote: it.1,
                kind: Kind::ToNameServer,
            }));
    }

    fn put(&mut self, place: Place, one: Option<One>) {
        let before = match one.clone() {
            Some(one) => self.of_place.insert(place, one),
            None => self.of_place.remove(&place),
        };
        if let Some(before) = before {
            if let Some(kept) = self.pairs.get_mut(&before.pair) {
                kept.places.remove(&place);
                kept.sums = kept.sums.without(before.sums);
            }
            if let Some(id) = before.process
                && let Some(places) = self.of_process.get_mut(&id)
            {
                places.remove(&place);
                if places.is_empty() {
                    self.of_process.remove(&id);
                }
            }
            self.dirty.insert(before.pair);
        }
        if let Some(one) = one {
            if let Some(process) = one.process {
                self.of_process.entry(process).or_default().insert(place);
            }
            let count = &mut self.count;
            let kept = self.pairs.entry(one.pair.clone()).or_insert_with(|| {
                *count += 1;
                Kept {
                    number: *count,
                    ..Kept::default()
                }
            });
            kept.places.insert(place);
            kept.sums = kept.sums.and(one.sums);
            self.dirty.insert(one.pair);
        }
    }
}

impl Judge {
    /// Takes in a connection that changed; all but echoes are passed by.
    pub(super) fn echo(
        &mut self,
        place: Place,
        connection: Option<&Connection>,
        snapshot: &Snapshot,
    ) {
        let one = connection.and_then(|it| one(it, snapshot));
        if one.is_some() || self.echoes.of_place.contains_key(&place) {
            self.echoes.put(place, one);
        }
    }

    /// Looks at all that changed.
    pub(super) fn update_echoes(&mut self, snapshot: &Snapshot) {
        for place in std::mem::take(&mut self.echoes.again) {
            self.echo(place, snapshot.connections.get(place), snapshot);
        }
        if self.echoes.shows_names != self.shows_names {
            self.echoes.shows_names = self.shows_names;
            let pairs: Vec<_> = self.echoes.pairs.keys().cloned().collect();
            self.echoes.dirty.extend(pairs);
        }
        for pair in std::mem::take(&mut self.echoes.dirty) {
            let Some(kept) = self.echoes.pairs.get(&pair) else {
                continue;
            };
            let item = Item::Echoes(kept.number);
            let found = self.found(&pair, kept, snapshot);
            if kept.places.is_empty() {
                self.echoes.pairs.remove(&pair);
            }
            self.groups.put(item, found);
        }
    }

    fn found(&self, pair: &Pair, kept: &Kept, snapshot: &Snapshot) -> Vec<(Key, Piece)> {
        let (remote, sums) = (pair.remote, kept.sums);
        let asked = (pair.whose.clone(), remote);
        let questions = self.echoes.questions.get(&asked);
        let questions = questions.map(|it| it.values().sum::<u64>());
        // A log of connections may have no log of names beside it.
        let tells = self.shows_names && (questions.is_some() || snapshot.tier != Tier::Import);
        let questions = questions.unwrap_or(0);
        let may_matter = match pair.kind {
            Kind::Echo => echoes_of_tunnel(&sums).is_some(),
            Kind::ToNameServer => tells && is_other_than_dns(&sums, questions),
        };
        if !may_matter {
            return Vec::new();
        }
        let places = kept.places.iter();
        let all = places.filter_map(|it| self.echoes.of_place.get(it));
        let mut all: Vec<&One> = all.collect();
        all.sort_by_key(|it| (it.opened, it.id));
        let mut processes: Vec<ProcessId> = Vec::new();
        for id in all.iter().filter_map(|it| it.process) {
            if !processes.contains(&id) && processes.len() < MOST_NAMED {
                processes.push(id);
            }
        }
        let goes_to = |addresses: &[IpAddr], _: &[Text]| addresses.contains(&remote);
        let asker = self.known_asker(&pair.whose, &processes, goes_to, snapshot);
        let first = all.first().and_then(|it| it.opened);
        let sent = ToNameServer {
            remote,
            asker: asker.clone(),
            sums,
            questions,
        };
        let echoes = Seen {
            remote,
            asker,
            sums,
        };
        let mut found = Vec::new();
        for (number, rule) in rules().enumerate() {
            let mut fits = Vec::new();
            match pair.kind {
                Kind::Echo => rule.echoes(&echoes, &mut fits),
                Kind::ToNameServer => rule.to_name_server(&sent, &mut fits),
            }
            found.extend(fits.into_iter().map(|fit| {
                let key = (number, pair.whose.clone(), fit.thing.clone());
                let piece = Piece {
                    fit,
                    first: first.unwrap_or(Timestamp::UNTOLD),
                    processes: processes.clone(),
                    connections: all.iter().take(MOST_NAMED).map(|it| it.id).collect(),
                    count: u64::try_from(all.len()).unwrap_or(u64::MAX),
                    remote: Some(Endpoint {
                        ip: Some(remote),
                        port: (pair.kind == Kind::ToNameServer).then_some(NAMES),
                    }),
                    part: Part::Address(pair.remote),
                    service: None,
                };
                (key, piece)
            }));
        }
        found
    }
}

/// `None`: it is neither.
fn one(connection: &Connection, snapshot: &Snapshot) -> Option<One> {
    let end = connection.remote?;
    let is_asked = end.port == Some(NAMES) && connection.direction != Direction::Inbound;
    let is_echo = |it: u8| it == ECHO || it == ECHO_V6;
    let kind = match connection.protocol {
        Protocol::Icmp(icmp) => icmp.kind.is_none_or(is_echo).then_some(Kind::Echo),
        Protocol::Raw {
            ip_protocol: ICMP | ICMP_V6,
        } => Some(Kind::Echo),
        Protocol::Udp => is_asked.then_some(Kind::ToNameServer),
        Protocol::Tcp
        | Protocol::Mptcp
        | Protocol::UdpLite
        | Protocol::Sctp
        | Protocol::Dccp
        | Protocol::Raw { .. }
        | Protocol::Packet { .. }
        | Protocol::Other(_) => None,
    }?;
    let remote = end.ip?;
    let is_of_many = remote.is_multicast() || remote.is_unspecified();
    let process = connection.owner.process();
    let known = process.and_then(|id| snapshot.processes.get(&id));
    let whose = Whose {
        program: known.map(|it| it.program().clone()),
        device: connection.device.filter(|_| process.is_none()),
    };
    (!is_of_many).then_some(One {
        pair: Pair {
            whose,
            remote,
            kind,
        },
        id: connection.id,
        opened: connection.opened,
        process,
        sums: EchoSums::of(connection)?,
    })
}

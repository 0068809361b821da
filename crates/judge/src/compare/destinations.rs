//! Whom programs call: only of those that used the network on both sides. What a new program calls is told
//! with the program.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use model::{Difference, DifferenceChange, DifferenceKind, Doubt, Fact, Same, Severity, Which};

use super::destination::{Destination, Group, Service, is_web, service_name};
use super::matching::{Keyed, Matched};
use super::outline::Outline;
use super::program::{ProgramKey, Standing};
use super::programs::confidence;
use super::{Sides, change, other};

/// Who calls so many calls everywhere: a browser. One more says nothing.
const EVERYWHERE: usize = 20;

pub(super) fn differ(
    sides: Sides<'_>,
    pair: &Matched<'_>,
    differences: &mut Vec<Difference>,
    same: &mut Same,
) {
    let Some(key) = pair.key() else {
        return;
    };
    let both = pair.before.zip(pair.after);
    let both = both.filter(|(one, other)| one.1.uses_network() && other.1.uses_network());
    // Of nobody it is never known whether there was somebody before.
    let is_compared = both.is_some() || key.is_nobody();
    // By address or network one may be two of the other side.
    let mut most = 0_u64;
    let mut moved = BTreeMap::new();
    for which in Which::BOTH.into_iter().filter(|_| is_compared) {
        let Some((_, program)) = pair.of(which) else {
            continue;
        };
        let there = pair.of(other(which)).map(|it| &it.1.destinations);
        let none = BTreeMap::new();
        let there = There::of(there.unwrap_or(&none), sides.other(which));
        let mut known = 0_u64;
        for (group, destination) in &program.destinations {
            let whose = Whose {
                sides,
                which,
                own: (key, program),
                busy: there.groups.len() >= EVERYWHERE,
            };
            match there.knows(group, destination, sides.of(which)) {
                Some(How::Same | How::ByAddress | How::ByNetwork) => {
                    known += 1;
                    if let Some(other) = there.groups.get(group) {
                        whose.ports(group, destination, other, differences);
                    }
                }
                // Either side may be the one that shows it; what is there afterwards is told.
                Some(How::OtherAddress { asn, by_network }) => {
                    let difference = whose.moved(group, destination, asn, by_network);
                    moved.insert(asn, difference);
                }
                None if is_of_unknown(sides, which, key, group) => {}
                None => differences.push(whose.difference(group, destination)),
            }
        }
        most = most.max(known);
    }
    same.destinations += most;
    differences.extend(moved.into_values());
}

/// Whether somebody calls it on the other side of whom it is not known who it is; or it is not known of
/// this one.
pub(super) fn is_of_unknown(
    sides: Sides<'_>,
    which: Which,
    key: &ProgramKey,
    group: &Group,
) -> bool {
    let missing = &sides.other(which).programs;
    let calls = |it: &super::program::Program| {
        it.destinations.contains_key(group) || it.callers.contains_key(group)
    };
    if key.is_nobody() {
        return missing.values().any(calls);
    }
    missing.get(&ProgramKey::default()).is_some_and(calls)
}

/// How a destination is known on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Same,
    /// One side has a name for it, and the address is the same.
    ByAddress,
    /// One side shows no names, and it is the same network.
    ByNetwork,
    /// The same network, in which anybody can rent a server, and none of its addresses is the same.
    OtherAddress {
        asn: u32,
        /// One side has a name for it.
        by_network: bool,
    },
}

/// What the other side knows of one program.
pub(super) struct There<'a> {
    pub(super) groups: &'a BTreeMap<Group, Destination>,
    shows_names: bool,
    /// With and without a name.
    addresses: HashSet<(bool, IpAddr)>,
    networks: HashSet<(bool, u32)>,
}

impl<'a> There<'a> {
    pub(super) fn of(groups: &'a BTreeMap<Group, Destination>, outline: &Outline) -> Self {
        let (mut addresses, mut networks) = (HashSet::new(), HashSet::new());
        for (group, destination) in groups {
            let named = group.is_named();
            addresses.extend(destination.addresses.iter().map(|it| (named, *it)));
            networks.extend(destination.networks.iter().map(|it| (named, it.0)));
        }
        Self {
            groups,
            shows_names: outline.side.shows.names,
            addresses,
            networks,
        }
    }

    /// `None`: it is not known there. Asked the other way round it gives the same.
    pub(super) fn knows(
        &self,
        group: &Group,
        destination: &Destination,
        own: &Outline,
    ) -> Option<How> {
        let named = group.is_named();
        let has = |named: bool, ip: &IpAddr| self.addresses.contains(&(named, *ip));
        if let Some(known) = self.groups.get(group) {
            let moved = destination.addresses.is_disjoint(&known.addresses);
            let rented = |asn: &u32| destination.networks.contains(&(*asn, true));
            return Some(match group {
                Group::Network(asn) if moved && rented(asn) => How::OtherAddress {
                    asn: *asn,
                    by_network: false,
                },
                Group::Network(_)
                | Group::Domain(_)
                | Group::Block(_)
                | Group::Address(_)
                | Group::Loopback
                | Group::Many => How::Same,
            });
        }
        if destination.addresses.iter().any(|ip| has(!named, ip)) {
            return Some(How::ByAddress);
        }
        // Whoever lacks names has only networks.
        let lacks_names = if named {
            !self.shows_names
        } else {
            !own.side.shows.names
        };
        let mut networks = destination.networks.iter().filter(|_| lacks_names);
        let shared = networks.find(|(asn, _)| self.networks.contains(&(!named, *asn)));
        shared.map(|(asn, is_rented)| match is_rented {
            true => How::OtherAddress {
                asn: *asn,
                by_network: true,
            },
            false => How::ByNetwork,
        })
    }
}

/// Whose destinations are held against the other side, and on which side.
struct Whose<'a> {
    sides: Sides<'a>,
    which: Which,
    own: Keyed<'a>,
    /// It calls everywhere on the other side.
    busy: bool,
}

impl Whose<'_> {
    fn difference(&self, group: &Group, destination: &Destination) -> Difference {
        let (key, program) = self.own;
        let standing = program.standing(key);
        let mut doubts = Vec::new();
        let missing = &self.sides.other(self.which).side;
        if self.sides.is_short(other(self.which)) {
            doubts.push(Doubt::TooShort);
        }
        if missing.shows.unknown_owners > 0 && !key.is_nobody() {
            doubts.push(Doubt::OwnersNotKnown);
        }
        if !missing.shows.names && group.is_named() {
            doubts.push(Doubt::NamesNotSeen);
        }
        if missing.shows.let_go > 0 {
            doubts.push(Doubt::LetGo);
        }
        let here = self.sides.of(self.which).side.shows;
        let (grave, ordinary) = severity(standing, group, self.busy, here.names);
        self.told(DifferenceKind::Destination, group.thing(), destination)
            .facts(destination.facts(group))
            .weighs(grave, confidence(&doubts), ordinary)
            .doubts(doubts)
            .done(self.which)
    }

    /// In the same rented network it is another server.
    fn moved(
        &self,
        group: &Group,
        destination: &Destination,
        asn: u32,
        by_network: bool,
    ) -> Difference {
        let (key, program) = self.own;
        let standing = program.standing(key);
        let thing = Group::Network(asn).thing();
        let doubts = if by_network {
            vec![Doubt::ByNetwork]
        } else {
            Vec::new()
        };
        let ordinary = standing == Standing::Ordinary || self.busy;
        let grave = if ordinary {
            Severity::Informational
        } else {
            Severity::Low
        };
        self.told(DifferenceKind::Destination, thing, destination)
            .facts(destination.facts(group))
            .weighs(grave, confidence(&doubts), ordinary)
            .doubts(doubts)
            .changed(self.which)
    }

    /// The same destination by another port.
    fn ports(
        &self,
        group: &Group,
        destination: &Destination,
        known: &Destination,
        differences: &mut Vec<Difference>,
    ) {
        let standing = self.own.1.standing(self.own.0);
        let has_web = |all: &Destination| all.services.iter().any(|it| is_web(*it));
        let is_known = |service: &Service| {
            known.services.contains(service) || is_web(*service) && has_web(known)
        };
        let other_ones = destination.services.iter().filter(|it| !is_known(it));
        for service in other_ones {
            let ordinary = standing == Standing::Ordinary || self.busy || !group.is_outside();
            let grave = if ordinary {
                Severity::Informational
            } else {
                Severity::Low
            };
            let mut doubts = Vec::new();
            if self.sides.is_short(other(self.which)) {
                doubts.push(Doubt::TooShort);
            }
            let port = service_name(*service);
            let thing = format!("{} {port}", group.thing());
            let mut facts = destination.facts(group);
            facts.push(("port", Fact::Text(port)));
            let difference = self
                .told(DifferenceKind::DestinationPort, thing, destination)
                .facts(facts)
                .weighs(grave, confidence(&doubts), ordinary)
                .doubts(doubts)
                .done(self.which);
            differences.push(difference);
        }
    }

    fn told(&self, kind: DifferenceKind, thing: String, destination: &Destination) -> Telling {
        let (key, program) = self.own;
        let script = key.script.as_deref().unwrap_or_default();
        Telling {
            difference: Difference {
                kind,
                change: DifferenceChange::Changed,
                severity: Severity::Informational,
                confidence: model::Confidence::Low,
                ordinary: false,
                program: key.program.clone(),
                device: key.device,
                thing: [script, &thing].join(" ").trim().to_owned(),
                facts: program.facts(key),
                doubts: Vec::new(),
                before: Vec::new(),
                after: destination.evidence(),
                finding: None,
            },
        }
    }
}

/// A difference that is being told.
pub(super) struct Telling {
    pub(super) difference: Difference,
}

impl Telling {
    pub(super) fn facts(mut self, facts: Vec<(&'static str, Fact)>) -> Self {
        self.difference.facts.extend(facts);
        self
    }

    pub(super) fn weighs(
        mut self,
        severity: Severity,
        confidence: model::Confidence,
        ordinary: bool,
    ) -> Self {
        self.difference.severity = severity;
        self.difference.confidence = confidence;
        self.difference.ordinary = ordinary;
        self
    }

    pub(super) fn doubts(mut self, doubts: Vec<Doubt>) -> Self {
        self.difference.doubts = doubts;
        self
    }

    /// It is only there on this side. What is gone of whom somebody calls is folded away: connections end.
    pub(super) fn done(mut self, which: Which) -> Difference {
        self.difference.change = change(which);
        if which == Which::Before {
            self.difference.severity = Severity::Informational;
            self.difference.ordinary = true;
            self.difference.before = std::mem::take(&mut self.difference.after);
        }
        self.difference
    }

    /// It is there on both, and otherwise; this side shows it.
    fn changed(mut self, which: Which) -> Difference {
        if which == Which::Before {
            self.difference.before = std::mem::take(&mut self.difference.after);
        }
        self.difference
    }
}

/// With whether it may be folded away.
fn severity(standing: Standing, group: &Group, busy: bool, shows_names: bool) -> (Severity, bool) {
    if !group.is_outside() || busy || standing == Standing::Ordinary {
        return (Severity::Informational, true);
    }
    // Most programs call by name.
    let nameless = matches!(group, Group::Network(_) | Group::Block(_)) && shows_names;
    if standing.is_odd() && nameless {
        return (Severity::Medium, false);
    }
    (Severity::Low, false)
}

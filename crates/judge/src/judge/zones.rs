//! Questions below names, and who asked them: only what may matter to a rule is kept, and is looked at
//! again when something changes that its findings hang on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use model::{AllNames, Endpoint, Place, ProcessId, Reach, Snapshot, Text, Tier, Timestamp, Zone};

use super::Judge;
use super::called::Called;
use super::habits::{OF_RUNTIMES, plain, standing_of};
use super::score::Scores;
use crate::fit::{Part, Piece, Whose};
use crate::groups::{Item, Key};
use crate::pattern::{
    Asker, Domain, MadeName, MadeNames, Questions, Standing, asks_as_told, may_matter,
};
use crate::rule::rules;

/// Where names are asked for (RFC 1035, 4.2).
const PORT: u16 = 53;

#[derive(Debug, Default)]
pub(super) struct Zones {
    revision: u64,
    pub(super) called: Called,
    /// Whether names of connections can be seen.
    shows_called: bool,
    /// Those that may matter.
    all: HashMap<Place, Known>,
    of_process: HashMap<ProcessId, BTreeSet<Place>>,
    of_number: HashMap<u64, BTreeSet<Place>>,
    /// By what is common to their names.
    below: HashMap<Text, BTreeSet<Place>>,
    of_whose: BTreeMap<Whose, BTreeSet<Place>>,
    again: BTreeSet<Place>,
}

/// What the findings of a zone hang on.
#[derive(Debug)]
struct Known {
    processes: Vec<ProcessId>,
    /// Of its domain, in [`Called`].
    number: Option<u64>,
    below: Text,
    by_address: bool,
    on_behalf: bool,
    whose: Whose,
}

impl Zones {
    /// Other rules have found something else about them.
    pub(super) fn reasoned(&mut self, whose: &Whose) {
        self.again
            .extend(self.of_whose.get(whose).into_iter().flatten());
    }

    pub(super) fn changed_process(&mut self, id: ProcessId) {
        self.again
            .extend(self.of_process.get(&id).into_iter().flatten());
    }

    pub(super) fn changed_devices(&mut self) {
        let by_address = self.all.iter().filter(|(_, it)| it.by_address);
        self.again.extend(by_address.map(|(place, _)| *place));
    }

    /// Those of others that ask on behalf of somebody, below the same name.
    fn changed_below(&mut self, below: &Text) {
        let same = self.below.get(below).into_iter().flatten();
        let on_behalf = |place: &&Place| self.all.get(place).is_some_and(|it| it.on_behalf);
        self.again.extend(same.filter(on_behalf));
    }

    fn forget(&mut self, place: Place) -> bool {
        let Some(known) = self.all.remove(&place) else {
            return false;
        };
        for id in &known.processes {
            take(&mut self.of_process, id, place);
        }
        if let Some(number) = known.number {
            take(&mut self.of_number, &number, place);
        }
        take(&mut self.below, &known.below, place);
        if let Some(places) = self.of_whose.get_mut(&known.whose) {
            places.remove(&place);
            if places.is_empty() {
                self.of_whose.remove(&known.whose);
            }
        }
        self.changed_below(&known.below);
        true
    }

    fn keep(&mut self, place: Place, known: Known) {
        for id in &known.processes {
            self.of_process.entry(*id).or_default().insert(place);
        }
        if let Some(number) = known.number {
            self.of_number.entry(number).or_default().insert(place);
        }
        self.below
            .entry(known.below.clone())
            .or_default()
            .insert(place);
        let of_whose = self.of_whose.entry(known.whose.clone()).or_default();
        of_whose.insert(place);
        self.changed_below(&known.below);
        self.all.insert(place, known);
    }
}

fn take<K: Eq + std::hash::Hash>(of: &mut HashMap<K, BTreeSet<Place>>, key: &K, place: Place) {
    if let Some(places) = of.get_mut(key) {
        places.remove(&place);
        if places.is_empty() {
            of.remove(key);
        }
    }
}

impl Judge {
    /// After all others: what they have found is asked for.
    pub(super) fn look_at_questions(&mut self, changed: &[ProcessId], snapshot: &Snapshot) {
        for id in changed {
            self.zones.changed_process(*id);
            self.echoes.changed_process(*id);
        }
        for whose in self.habits.take_reasoned() {
            self.zones.reasoned(&whose);
            self.echoes.reasoned(&whose);
        }
        self.update_zones(snapshot);
        self.update_echoes(snapshot);
    }

    /// Who a program is, by these runs of it, and what other rules have found of it or of where it goes.
    pub(super) fn known_asker(
        &self,
        whose: &Whose,
        runs: &[ProcessId],
        goes_to: impl Fn(&[IpAddr], &[Text]) -> bool,
        snapshot: &Snapshot,
    ) -> Asker {
        let known = runs.iter().filter_map(|id| snapshot.processes.get(id));
        let program = whose.program.as_ref().map(Text::lossy);
        let mut standing = standing_of(known.map(Arc::as_ref));
        if standing == Standing::Ordinary && program.is_some_and(|it| asks_as_told(&it)) {
            standing = Standing::Packaged;
        }
        let mut reasons = self.habits.reasons_where(whose, |reach| match reach {
            Reach::Program => true,
            Reach::Named => false,
            Reach::Processes(others) => runs.iter().any(|run| others.contains(run)),
            Reach::Remotes {
                addresses, names, ..
            } => goes_to(addresses, names),
        });
        if standing == Standing::Unpackaged {
            reasons.retain(|it| !OF_RUNTIMES.contains(it));
        }
        Asker { standing, reasons }
    }

    /// Looks at all zones that changed, and at those of which something else did.
    fn update_zones(&mut self, snapshot: &Snapshot) {
        let shows_called = snapshot.tier != Tier::Import || self.counts.named > 0;
        if shows_called != self.zones.shows_called {
            self.zones.shows_called = shows_called;
            self.zones.again.extend(self.zones.all.keys());
        }
        for number in self.zones.called.take_changed() {
            let places = self.zones.of_number.get(&number);
            self.zones.again.extend(places.into_iter().flatten());
        }
        for (place, zone) in snapshot.zones.changes_since(self.zones.revision) {
            self.zones.again.remove(&place);
            self.zone(place, zone.map(Arc::as_ref), snapshot);
        }
        self.zones.revision = snapshot.zones.revision();
        // Those that ask on behalf of others come to be looked at once more, and change nothing else.
        for place in std::mem::take(&mut self.zones.again) {
            self.zone(place, snapshot.zones.get(place).map(Arc::as_ref), snapshot);
        }
        self.zones.again.clear();
    }

    fn zone(&mut self, place: Place, zone: Option<&Zone>, snapshot: &Snapshot) {
        let item = Item::Zone(place);
        let was_kept = self.zones.forget(place);
        let Some(zone) = zone.filter(|zone| zone.all.is_some() || may_matter(zone)) else {
            if was_kept {
                self.groups.put(item, Vec::new());
                self.echoes.ask(place, None);
            }
            return;
        };
        let whose = self.whose(zone, snapshot);
        let resolver = zone.key.resolver;
        let asked = resolver.map(|ip| (whose.clone(), ip, zone.questions));
        self.echoes.ask(place, asked);
        let domain = if may_matter(zone) {
            self.scores.domain_of(zone)
        } else {
            None
        };
        let by = Some(&whose).filter(|_| !zone.on_behalf);
        let number = domain.as_ref().and_then(Domain::name);
        let number = number.map(|domain| self.zones.called.number(by, domain));
        let runs = zone.processes.iter().chain(&zone.key.process).copied();
        let runs: Vec<ProcessId> = runs.collect();
        let known = Known {
            processes: runs.clone(),
            number,
            below: zone.key.below.clone(),
            by_address: zone.key.from.is_some(),
            on_behalf: zone.on_behalf,
            whose: whose.clone(),
        };
        self.zones.keep(place, known);
        let domain = domain.filter(|_| {
            let of_another = zone.on_behalf && self.is_of_another(place, zone, snapshot);
            !of_another
        });
        let found = domain.map(|domain| {
            let count = number.map(|number| self.zones.called.count(number));
            let label = domain.name().map(str::to_owned);
            let goes_to = |addresses: &[IpAddr], names: &[Text]| {
                zone.resolvers.iter().any(|ip| addresses.contains(ip))
                    || names.iter().any(|name| is_below(name, label.as_deref()))
            };
            let questions = Questions {
                zone,
                asker: self.known_asker(&whose, &runs, goes_to, snapshot),
                domain,
                called: count.filter(|_| self.zones.shows_called),
            };
            found(&questions, &whose)
        });
        self.groups.put(item, found.unwrap_or_default());
    }

    /// Whose questions they are.
    fn whose(&self, zone: &Zone, snapshot: &Snapshot) -> Whose {
        let key = &zone.key;
        let process = key.process.and_then(|id| snapshot.processes.get(&id));
        let known = process.map(|it| it.program().clone());
        Whose {
            program: key.program.clone().or(known),
            device: key.from.and_then(|from| self.device_of.get(&from).copied()),
        }
    }

    /// Whether somebody else is seen to have asked for the most of these.
    fn is_of_another(&self, place: Place, zone: &Zone, snapshot: &Snapshot) -> bool {
        let same = self.zones.below.get(&zone.key.below);
        let mut others = same.into_iter().flatten().filter(|it| **it != place);
        others.any(|other| {
            let other = snapshot.zones.get(*other);
            let other = other.filter(|it| !it.on_behalf);
            other.is_some_and(|other| match (&zone.all, &other.all) {
                (Some(all), Some(others)) => has_the_most(all, others),
                _ => other.names.different * 2 >= zone.names.different,
            })
        })
    }
}

/// Whether a name is a domain, or below it. `None`: there is none.
fn is_below(name: &Text, domain: Option<&str>) -> bool {
    let name = plain(name);
    let before = domain.and_then(|domain| name.strip_suffix(domain));
    before.is_some_and(|it| it.is_empty() || it.ends_with('.'))
}

/// Whether most of the names that matter are among those of another.
fn has_the_most(all: &AllNames, others: &AllNames) -> bool {
    let names = |it: &AllNames| -> BTreeSet<Vec<u8>> {
        let untold = it.missing.iter().chain(&it.pending).map(|it| &it.1);
        let lower = untold.chain(&it.with_new_ends);
        lower.map(|it| it.bytes().to_ascii_lowercase()).collect()
    };
    let (all, others) = (names(all), names(others));
    all.intersection(&others).count() * 2 >= all.len()
}

/// What the rules say of questions.
fn found(questions: &Questions<'_>, whose: &Whose) -> Vec<(Key, Piece)> {
    let zone = questions.zone;
    let mut found = Vec::new();
    for (number, rule) in rules().enumerate() {
        let mut fits = Vec::new();
        rule.questions(questions, &mut fits);
        found.extend(fits.into_iter().map(|fit| {
            let key = (number, whose.clone(), fit.thing.clone());
            let processes: Vec<_> = zone
                .processes
                .iter()
                .chain(&zone.key.process)
                .copied()
                .collect();
            let part = match questions.domain() {
                Some(domain) => Part::Name(Text::from(domain)),
                None => Part::Process,
            };
            let resolver = zone.key.resolver.or(match zone.resolvers.as_slice() {
                [only] => Some(*only),
                _ => None,
            });
            let piece = Piece {
                fit,
                first: zone.first,
                processes,
                connections: Vec::new(),
                count: 0,
                remote: resolver.map(|ip| Endpoint::new(ip, PORT)),
                part,
                service: None,
            };
            (key, piece)
        }));
    }
    found
}

impl Scores {
    /// What all names of a zone have in common. `None`: nothing that is anybody's alone, or nobody
    /// knows where names end.
    fn domain_of(&mut self, zone: &Zone) -> Option<Domain> {
        self.knows()?;
        if let Some(all) = &zone.all {
            let mut made = |time: Timestamp, name: &Arc<Text>| MadeName {
                time,
                name: Arc::clone(name),
                registered: self.registered(name),
            };
            let ends = all.with_new_ends.iter();
            let made = MadeNames {
                with_new_ends: ends.map(|name| made(zone.last, name)).collect(),
                missing: all
                    .missing
                    .iter()
                    .map(|(time, it)| made(*time, it))
                    .collect(),
                pending: all
                    .pending
                    .iter()
                    .map(|(time, it)| made(*time, it))
                    .collect(),
            };
            return Some(Domain::All(Box::new(made)));
        }
        let below = zone.key.below.lossy().into_owned();
        let labels = below.split('.').count();
        let kept = zone.first_names.iter().chain(&zone.newest_names);
        let mut domains = kept.map(|name| self.registered(name));
        let first = domains.next()?;
        match first {
            Some(domain) if domain == below => Some(Domain::Registered(below)),
            // Names of the registry have more labels than are kept apart.
            Some(domain) if labels == MOST_LABELS && domain.len() > below.len() => {
                let all = domains.all(|it| it.as_ref() == Some(&domain));
                all.then_some(Domain::Registered(domain))
            }
            Some(_) => None,
            None if labels == 2 => Some(Domain::Unlisted(below)),
            None if labels == 1 => Some(Domain::UnlistedEnd(below)),
            None => None,
        }
    }

    /// What of a name somebody registered at a registry. `None`: no registry has such names.
    fn registered(&mut self, name: &Text) -> Option<String> {
        self.name(name).registered.clone()
    }

    /// The same, and where no registry has such names the last two labels.
    pub(super) fn domain(&mut self, name: &Text) -> String {
        if let Some(registered) = self.registered(name) {
            return registered;
        }
        let name = plain(name);
        let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
        let start = dots.nth(1).map_or(0, |dot| dot + 1);
        name.get(start..).unwrap_or_default().to_owned()
    }
}

/// Of names that are kept apart by their last labels.
const MOST_LABELS: usize = 3;

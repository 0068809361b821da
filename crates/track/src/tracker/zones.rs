//! Questions to the name system, by who asks and below which names.
//!
//! What an attacker pulls through names makes a new one with each question. So a zone that has been
//! asked for a few times only is let go for others of its kind, and never for one that is asked for
//! again and again the other way round.

mod behalf;
mod look;
mod recent;

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::Arc;

use model::{
    AllNames, Answer, Kinds, Mix, NameSource, Names, Place, ProcessId, Shape, Shelf, Text,
    Timestamp, Zone, ZoneKey,
};

use self::behalf::Behalf;
use self::look::{Labels, kind_of};
use self::recent::Recent;

/// The same wherever it is folded, so that a case tells what was told live.
const MOST: Most = Most {
    young: 3_072,
    grown: 1_024,
    names_each: 2_048,
    names: 500_000,
};
/// One that was asked for so often is no longer young.
const GROWN: u64 = 10;
/// The part of them that is let go at once when there are too many: finding the oldest means going
/// through all.
const PART_LET_GO: usize = 16;

const MOST_PROCESSES: usize = 16;
const MOST_RESOLVERS: usize = 4;
const MOST_TIMES: usize = 256;
/// Of the first names, and of the newest.
const MOST_NAMES: usize = 8;
/// Of all names of an asker: those with new ends, and those of which it matters whether they exist.
const MOST_NEW_ENDS: usize = 32;
const MOST_UNTOLD: usize = 64;

/// No such name (RFC 1035, 4.1.1).
const NO_SUCH_NAME: u8 = 3;
/// Names within NetBIOS have the form of DNS, and are none of it (RFC 1002, 4.2).
const NETBIOS: u16 = 137;
/// Labels of names that are kept apart.
const MOST_BELOW: usize = 3;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
struct Most {
    young: usize,
    grown: usize,
    /// Names that are told apart in each, and in all grown ones together.
    names_each: usize,
    names: usize,
}

/// A question, or what was answered to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) time: Timestamp,
    pub(super) name: &'a Text,
    pub(super) source: NameSource,
    pub(super) question: Option<u16>,
    pub(super) answer: Option<&'a Answer>,
    pub(super) asker: Asker<'a>,
    pub(super) resolver: Option<model::Endpoint>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) process: Option<ProcessId>,
    pub(super) program: Option<&'a Text>,
    pub(super) from: Option<IpAddr>,
    /// It takes questions of others.
    pub(super) on_behalf: bool,
}

#[derive(Debug)]
pub(super) struct Zones {
    shelf: Shelf<Arc<Zone>>,
    of: HashMap<ZoneKey, Standing, Mix>,
    mix: Mix,
    most: Most,
    are_kept: bool,
    /// How many of them are no longer young, and how many names these tell apart.
    grown: usize,
    names: usize,
    /// Counts questions.
    count: u64,
    /// Of those that were no longer young.
    let_go: u64,
    labels: Labels,
    behalf: Behalf,
}

#[derive(Debug)]
struct Standing {
    place: Place,
    /// Grows from use to use.
    used: u64,
    is_grown: bool,
    /// Hashes of names, each with a bit for each kind of question.
    known: HashMap<u64, u8, Mix>,
    newest: Recent,
    /// `None`: these are not all names.
    all: Option<Box<StandingOfAll>>,
}

impl Standing {
    fn new(place: Place, mix: &Mix, is_of_all: bool) -> Self {
        Self {
            place,
            used: 0,
            is_grown: false,
            known: HashMap::with_hasher(mix.clone()),
            newest: Recent::default(),
            all: is_of_all.then(Box::default),
        }
    }
}

#[derive(Debug, Default)]
struct StandingOfAll {
    ends: HashSet<u64, Mix>,
    new_ends: Recent,
    missing: Recent,
    pending: Recent,
}

impl Zones {
    pub(super) fn new(are_kept: bool) -> Self {
        Self {
            shelf: Shelf::default(),
            of: HashMap::default(),
            mix: Mix::default(),
            most: MOST,
            are_kept,
            grown: 0,
            names: 0,
            count: 0,
            let_go: 0,
            labels: Labels::default(),
            behalf: Behalf::default(),
        }
    }

    pub(super) fn shelf(&self) -> &Shelf<Arc<Zone>> {
        &self.shelf
    }

    pub(super) fn let_go(&self) -> u64 {
        self.let_go
    }

    /// Takes in a question or its answer; anything else is no question.
    pub(super) fn add(&mut self, asked: &Asked<'_>) {
        let is_question = matches!(asked.source, NameSource::Dns | NameSource::Resolver);
        let of_netbios = asked.resolver.and_then(|it| it.port) == Some(NETBIOS);
        if !self.are_kept || !is_question || of_netbios || !self.labels.read(asked.name) {
            return;
        }
        let labels = std::mem::take(&mut self.labels);
        let hash = self.mix.hash_one(labels.lower());
        self.add_to_all(asked, &labels, hash);
        match (asked.source, asked.answer) {
            (NameSource::Resolver, None) => {
                if let Some(answer) = self.behalf.asked(hash, asked) {
                    let answer = Some(&answer);
                    self.add_to_all(&Asked { answer, ..*asked }, &labels, hash);
                }
            }
            (_, Some(answer)) if asked.asker.on_behalf => {
                for asker in self.behalf.answered(hash, asked, answer) {
                    let theirs = Asked {
                        source: NameSource::Resolver,
                        asker: asker.borrowed(),
                        ..*asked
                    };
                    self.add_to_all(&theirs, &labels, hash);
                }
            }
            (_, Some(_) | None) => {}
        }
        self.labels = labels;
    }

    fn add_to_all(&mut self, asked: &Asked<'_>, labels: &Labels, hash: u64) {
        let asker = asked.asker;
        // Of some processes nothing is known, not even a name.
        let program = asker.program.filter(|it| !it.is_empty());
        let mut key = ZoneKey {
            program: program.cloned(),
            process: asker.process.filter(|_| program.is_none()),
            from: asker.from.filter(|_| asker.process.is_none()),
            below: Text::default(),
            resolver: resolver_of(asked),
        };
        let mut name = None;
        self.add_to(&key, asked, labels, 0, hash, &mut name);
        key.resolver = None;
        for count in 1..=MOST_BELOW {
            let Some(below) = labels.last(count) else {
                return;
            };
            key.below = Text::from(below);
            self.add_to(&key, asked, labels, count, hash, &mut name);
        }
    }

    /// `count`: of the labels that are common to all names of the zone.
    fn add_to(
        &mut self,
        key: &ZoneKey,
        asked: &Asked<'_>,
        labels: &Labels,
        count: usize,
        hash: u64,
        name: &mut Option<Arc<Text>>,
    ) {
        self.count += 1;
        let standing = match self.of.get_mut(key) {
            Some(standing) => standing,
            None => {
                self.make_room();
                let place = self.shelf.put(Arc::new(empty(key.clone(), asked.time)));
                let standing = Standing::new(place, &self.mix, key.below.is_empty());
                self.of.entry(key.clone()).or_insert(standing)
            }
        };
        standing.used = self.count;
        let Some(zone) = self.shelf.change(standing.place).map(Arc::make_mut) else {
            return;
        };
        let is_asked = counted(zone, asked);
        let mut name = || Arc::clone(name.get_or_insert_with(|| Arc::new(asked.name.clone())));
        if is_asked {
            let before = standing.known.len();
            tell_apart(zone, standing, hash, asked.question, self.most.names_each);
            if standing.is_grown {
                self.names += standing.known.len() - before;
            }
            look::count(&mut zone.kinds, asked.question);
            shape(&mut zone.shape, labels, count);
            let is_odd = kind_of(asked.question).is_odd();
            if is_odd && !labels.is_service() {
                put_in_time(&mut zone.odd_times, asked.time);
            }
            standing
                .newest
                .note(hash, MOST_NAMES, &mut zone.newest_names, || {
                    let name = name();
                    if zone.first_names.len() < MOST_NAMES && !zone.first_names.contains(&name) {
                        zone.first_names.push(Arc::clone(&name));
                    }
                    name
                });
        }
        if let (Some(all), Some(standing)) = (&mut zone.all, &mut standing.all) {
            let end = is_asked.then(|| self.mix.hash_one(labels.end()));
            let most = self.most.names_each;
            take_in(all, standing, asked, end, hash, most, &mut name);
        }
        if !standing.is_grown && zone.questions >= GROWN {
            standing.is_grown = true;
            self.grown += 1;
            self.names += standing.known.len();
        }
    }

    fn make_room(&mut self) {
        if self.of.len() - self.grown >= self.most.young {
            self.let_go_of(false, self.most.young / PART_LET_GO);
        }
        while self.grown >= self.most.grown || self.names >= self.most.names {
            let gone = self.let_go_of(true, self.most.grown / PART_LET_GO);
            self.let_go += u64::try_from(gone).unwrap_or(u64::MAX);
            if gone == 0 {
                return;
            }
        }
    }

    /// Those that were not asked for longest, of the young or of the others. Gives how many.
    fn let_go_of(&mut self, grown: bool, part: usize) -> usize {
        let those = self.of.iter().filter(|(_, it)| it.is_grown == grown);
        let mut times: Vec<u64> = those.map(|(_, it)| it.used).collect();
        if times.is_empty() {
            return 0;
        }
        let last = part.max(1).min(times.len()) - 1;
        let (_, newest, _) = times.select_nth_unstable(last);
        let newest = *newest;
        let mut gone = 0;
        let shelf = &mut self.shelf;
        let names = &mut self.names;
        self.of.retain(|_, it| {
            let goes = it.is_grown == grown && it.used <= newest;
            if goes {
                gone += 1;
                *names -= if grown { it.known.len() } else { 0 };
                shelf.take(it.place);
            }
            !goes
        });
        self.grown -= if grown { gone } else { 0 };
        gone
    }
}

/// `None`: that of this computer, without a packet; or it is not known.
fn resolver_of(asked: &Asked<'_>) -> Option<IpAddr> {
    let by_packet = asked.source == NameSource::Dns;
    asked.resolver.filter(|_| by_packet)?.ip
}

fn empty(key: ZoneKey, time: Timestamp) -> Zone {
    let all = key.below.is_empty().then(Box::<AllNames>::default);
    Zone {
        key,
        processes: Vec::new(),
        resolvers: Vec::new(),
        on_behalf: false,
        first: time,
        last: time,
        questions: 0,
        answers: 0,
        no_such_name: 0,
        failed: 0,
        unheard: 0,
        kinds: Kinds::default(),
        names: Names::default(),
        shape: Shape::default(),
        answer_bytes: 0,
        text_ttl: None,
        odd_times: Vec::new(),
        first_names: Vec::new(),
        newest_names: std::collections::VecDeque::new(),
        all,
    }
}

/// Counts it, and says whether it is to be taken for a question: where both are told in one, an answer
/// is.
fn counted(zone: &mut Zone, asked: &Asked<'_>) -> bool {
    zone.first = zone.first.min(asked.time);
    zone.last = zone.last.max(asked.time);
    zone.on_behalf |= asked.asker.on_behalf;
    if let Some(process) = asked.asker.process
        && zone.processes.len() < MOST_PROCESSES
        && !zone.processes.contains(&process)
    {
        zone.processes.push(process);
    }
    if let Some(resolver) = resolver_of(asked)
        && zone.resolvers.len() < MOST_RESOLVERS
        && !zone.resolvers.contains(&resolver)
    {
        zone.resolvers.push(resolver);
    }
    let Some(answer) = asked.answer else {
        zone.questions += 1;
        zone.unheard += u64::from(asked.source == NameSource::Resolver);
        return true;
    };
    zone.answers += 1;
    zone.no_such_name += u64::from(answer.code == NO_SUCH_NAME);
    zone.failed += u64::from(answer.code != 0 && answer.code != NO_SUCH_NAME);
    zone.answer_bytes = zone.answer_bytes.saturating_add(answer.bytes.into());
    zone.text_ttl = zone.text_ttl.max(answer.text_ttl);
    if zone.answers > zone.questions {
        zone.questions = zone.answers;
        return true;
    }
    false
}

fn tell_apart(
    zone: &mut Zone,
    standing: &mut Standing,
    hash: u64,
    question: Option<u16>,
    most: usize,
) {
    let names = &mut zone.names;
    if names.is_full {
        return;
    }
    names.among += 1;
    let is_new = !standing.known.contains_key(&hash);
    if is_new && standing.known.len() >= most {
        names.is_full = true;
        names.different += 1;
        names.with_kinds += 1;
        return;
    }
    let bit = kind_of(question).bit();
    let bits = standing.known.entry(hash).or_default();
    names.different += u64::from(is_new);
    names.with_kinds += u64::from(*bits & bit == 0);
    *bits |= bit;
}

fn shape(shape: &mut Shape, labels: &Labels, count: usize) {
    let add = |sum: &mut u64, length: usize| *sum += u64::try_from(length).unwrap_or(0);
    add(&mut shape.lengths, labels.lower().len());
    if let Some(millibits) = labels.long_before(count) {
        shape.long += 1;
        shape.millibits += millibits;
    }
    shape.reversed += u64::from(labels.is_reversed());
    shape.hashes += u64::from(labels.is_hash());
    shape.service += u64::from(labels.is_service());
}

/// Imports may tell of an older question after a newer one.
fn put_in_time(times: &mut Vec<Timestamp>, time: Timestamp) {
    let place = times.partition_point(|it| *it <= time);
    if times.len() < MOST_TIMES {
        times.insert(place, time);
    } else if place > 0 {
        times.remove(0);
        times.insert(place - 1, time);
    }
}

/// Of all names of an asker: those with new ends, and whether they exist.
fn take_in(
    all: &mut AllNames,
    standing: &mut StandingOfAll,
    asked: &Asked<'_>,
    new_end: Option<u64>,
    hash: u64,
    most: usize,
    name: &mut dyn FnMut() -> Arc<Text>,
) {
    if let Some(end) = new_end.filter(|_| standing.ends.len() < most)
        && standing.ends.insert(end)
    {
        all.ends += 1;
        let new_ends = &mut standing.new_ends;
        new_ends.note(hash, MOST_NEW_ENDS, &mut all.with_new_ends, &mut *name);
    }
    let StandingOfAll {
        missing, pending, ..
    } = standing;
    match asked.answer.map(|answer| answer.code) {
        Some(code @ (0 | NO_SUCH_NAME)) => {
            all.told = all.told.max(Some(asked.time));
            pending.forget(hash, &mut all.pending);
            if code == NO_SUCH_NAME {
                let new = || (asked.time, name());
                missing.note(hash, MOST_UNTOLD, &mut all.missing, new);
            }
        }
        // What makes no packet has no answer that could be seen.
        None | Some(_) if asked.source == NameSource::Dns => {
            let new = || (asked.time, name());
            pending.note(hash, MOST_UNTOLD, &mut all.pending, new);
        }
        None | Some(_) => {}
    }
}

#[cfg(test)]
mod tests;

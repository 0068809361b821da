//! What is kept between two looks, so that only what changed is scored again.

mod called;
mod echoes;
mod habits;
mod lives;
mod score;
#[cfg(test)]
mod tests;
mod zones;

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use model::{
    Attendance, Check, Device, DeviceId, Findings, Knowledge, Outcome, Place, Process, ProcessId,
    Snapshot,
};

use self::echoes::Echoes;
pub(crate) use self::habits::HabitId;
use self::habits::{Around, Habits};
use self::lives::Lives;
use self::score::Scores;
use self::zones::Zones;
use crate::destination::RAW_ADDRESS;
use crate::fit::Piece;
use crate::groups::{Groups, Item, Key};
use crate::ordinary::ordinary;
use crate::rule;
use crate::seen::has_its_names;
use crate::unchecked::{self, Counts};

/// All rules, and what they found so far in what one tracker told.
#[derive(Debug)]
pub struct Judge {
    scores: Scores,
    lives: Lives,
    habits: Habits,
    groups: Groups,
    findings: Findings,
    /// Of the shelves, when they were looked at last.
    pairs: u64,
    asked: u64,
    connections: u64,
    processes: HashMap<ProcessId, Arc<Process>>,
    /// The whole of them, as it was.
    all_processes: Option<Arc<HashMap<ProcessId, Arc<Process>>>>,
    /// Names that fit something and were asked for by this process: whose finding it is hangs on what
    /// is known of it.
    asked_by: HashMap<ProcessId, BTreeSet<Place>>,
    /// The same of those of which only the address of the asker is known.
    asked_from: BTreeSet<Place>,
    devices: Arc<HashMap<DeviceId, Device>>,
    device_of: HashMap<IpAddr, DeviceId>,
    /// What was found of pairs that only counts while names can be seen.
    nameless: HashMap<Place, Vec<(Key, Piece)>>,
    /// Pairs that may still get a name.
    young: BTreeSet<Place>,
    shows_names: bool,
    attendance: Arc<Attendance>,
    tallies: HashMap<Item, Counts>,
    counts: Counts,
    zones: Zones,
    echoes: Echoes,
}

impl Judge {
    pub fn new(knowledge: Knowledge) -> Self {
        Self {
            scores: Scores::new(knowledge),
            lives: Lives::default(),
            habits: Habits::default(),
            groups: Groups::default(),
            findings: Findings::default(),
            pairs: 0,
            asked: 0,
            connections: 0,
            processes: HashMap::new(),
            all_processes: None,
            asked_by: HashMap::new(),
            asked_from: BTreeSet::new(),
            devices: Arc::default(),
            device_of: HashMap::new(),
            nameless: HashMap::new(),
            young: BTreeSet::new(),
            shows_names: false,
            attendance: Arc::default(),
            tallies: HashMap::new(),
            counts: Counts::default(),
            zones: Zones::default(),
            echoes: Echoes::default(),
        }
    }

    /// What holds at the moment of `snapshot`, which is a later one of the same tracker than those
    /// before. Costs as much as has changed since.
    pub fn update(&mut self, snapshot: &Snapshot) -> Findings {
        let changed_processes = self.processes(snapshot);
        let devices_changed = self.devices(snapshot);
        for (place, pair) in snapshot.pairs.changes_since(self.pairs) {
            self.pair(place, pair, snapshot);
            self.lives.pair(place, pair);
            self.habits.pair(place, pair, &mut self.scores);
            self.zones.called.put(place, pair, &mut self.scores);
        }
        self.pairs = snapshot.pairs.revision();
        for place in std::mem::take(&mut self.young) {
            self.pair(place, snapshot.pairs.get(place), snapshot);
        }
        for (place, connection) in snapshot.connections.changes_since(self.connections) {
            self.lives.connection(place, connection);
            self.echo(place, connection, snapshot);
        }
        self.connections = snapshot.connections.revision();
        let lived = self.lives.take_dirty(&snapshot.processes);
        for id in &lived {
            self.process(*id, snapshot);
        }
        for (place, asked) in snapshot.asked.changes_since(self.asked) {
            self.asked(place, asked, snapshot);
        }
        self.asked = snapshot.asked.revision();
        let again = changed_processes
            .iter()
            .filter_map(|id| self.asked_by.get(id));
        let mut again: BTreeSet<Place> = again.flatten().copied().collect();
        if devices_changed {
            again.extend(&self.asked_from);
            self.zones.changed_devices();
        }
        for place in again {
            self.asked(place, snapshot.asked.get(place), snapshot);
        }
        let shows_names = unchecked::shows_names(snapshot, self.counts);
        if shows_names != self.shows_names {
            self.shows_names = shows_names;
            self.habits.all_anew();
            let places: Vec<_> = self.nameless.keys().copied().collect();
            for place in places {
                self.pair(place, snapshot.pairs.get(place), snapshot);
            }
        }
        if self.attendance != snapshot.attendance {
            self.attendance = Arc::clone(&snapshot.attendance);
            self.habits.all_anew();
        }
        let known = changed_processes.iter().chain(&lived);
        let known = known.filter_map(|id| snapshot.processes.get(id));
        self.habits.processes(known.map(Arc::as_ref));
        let mut changed = self.groups.tell();
        if changed {
            let findings = self.groups.findings().map(Arc::as_ref);
            self.habits.found(findings);
        }
        self.look_at_habits(snapshot);
        self.look_at_questions(&changed_processes, snapshot);
        changed |= self.groups.tell();
        let knows = self.scores.knows();
        let unchecked = unchecked::of(snapshot, self.counts, shows_names, knows);
        // That nothing was found is a result, too.
        let is_first = self.findings.revision() == 0;
        if is_first || changed || unchecked != self.findings.unchecked() {
            let all = self.groups.findings().map(Arc::clone).collect();
            let revision = self.findings.revision() + 1;
            let ordinary = Arc::clone(self.findings.all_ordinary());
            self.findings = Findings::new(revision, all, unchecked).with_ordinary(ordinary);
        }
        if is_first || changed {
            let all: Vec<_> = snapshot.processes.keys().copied().collect();
            self.ordinary(&all, snapshot);
        } else {
            self.ordinary(&changed_processes, snapshot);
        }
        self.findings.clone()
    }

    /// After all others: what they have found is asked for.
    fn look_at_habits(&mut self, snapshot: &Snapshot) {
        let (dirty, gone) = self.habits.take_dirty(snapshot);
        for id in gone {
            self.groups.put(Item::Habit(id), Vec::new());
        }
        let around = Around {
            lives: &self.lives,
            shows_names: self.shows_names,
        };
        for key in dirty {
            if let Some((id, found)) = self.habits.look(&key, snapshot, &around, &mut self.scores) {
                self.groups.put(Item::Habit(id), found);
            }
        }
    }

    /// Which of these may be folded away.
    fn ordinary(&mut self, processes: &[ProcessId], snapshot: &Snapshot) {
        if processes.is_empty() {
            return;
        }
        let mut all = Arc::clone(self.findings.all_ordinary());
        let known = Arc::make_mut(&mut all);
        for id in processes {
            match snapshot.processes.get(id) {
                Some(process) => known.insert(*id, ordinary(process, &self.findings)),
                None => known.remove(id),
            };
        }
        self.findings = self.findings.clone().with_ordinary(all);
    }

    fn pair(&mut self, place: Place, pair: Option<&model::Pair>, snapshot: &Snapshot) {
        let item = Item::Pair(place);
        self.nameless.remove(&place);
        self.young.remove(&place);
        let Some(pair) = pair else {
            self.groups.put(item, Vec::new());
            self.count(item, None);
            return;
        };
        let (mut found, without_name) = self.scores.pair(pair);
        if !without_name.is_empty() {
            if !has_its_names(pair, snapshot.taken, snapshot.tier) {
                self.young.insert(place);
            } else if self.shows_names {
                found.extend(without_name.iter().cloned());
            }
            self.nameless.insert(place, without_name);
        }
        self.groups.put(item, found);
        let nobody = pair.key.program.is_none() && pair.key.device.is_none();
        let counts = Counts {
            named: u64::from(!pair.members.names.is_empty()),
            unknown: if nobody { pair.connections } else { 0 },
            ..Counts::default()
        };
        self.count(item, Some(counts));
    }

    fn asked(&mut self, place: Place, asked: Option<&model::Asked>, snapshot: &Snapshot) {
        let item = Item::Asked(place);
        for places in self.asked_by.values_mut() {
            places.remove(&place);
        }
        self.asked_by.retain(|_, places| !places.is_empty());
        self.asked_from.remove(&place);
        let Some(asked) = asked else {
            self.groups.put(item, Vec::new());
            return;
        };
        let process = asked.process.and_then(|id| snapshot.processes.get(&id));
        let device = asked
            .from
            .and_then(|from| self.device_of.get(&from).copied());
        let found = self.scores.asked(asked, process.map(Arc::as_ref), device);
        if asked.from.is_some() && !found.is_empty() {
            self.asked_from.insert(place);
        }
        if let Some(id) = asked.process.filter(|_| !found.is_empty()) {
            self.asked_by.entry(id).or_default().insert(place);
        }
        self.groups.put(item, found);
    }

    /// Whether they are others than before.
    fn devices(&mut self, snapshot: &Snapshot) -> bool {
        if Arc::ptr_eq(&self.devices, &snapshot.devices) {
            return false;
        }
        self.devices = Arc::clone(&snapshot.devices);
        let all = snapshot.devices.values();
        let mut all: Vec<_> = all
            .flat_map(|device| device.addresses.iter().map(|ip| (*ip, device.id)))
            .collect();
        // An address that several have had is that of the same one each time.
        all.sort_unstable_by(|one, other| other.cmp(one));
        self.device_of = all.into_iter().collect();
        true
    }

    /// Gives those that changed.
    fn processes(&mut self, snapshot: &Snapshot) -> Vec<ProcessId> {
        let now = &snapshot.processes;
        if self
            .all_processes
            .as_ref()
            .is_some_and(|it| Arc::ptr_eq(it, now))
        {
            return Vec::new();
        }
        let gone = self.processes.keys().filter(|id| !now.contains_key(id));
        let mut changed: Vec<_> = gone.copied().collect();
        for (id, process) in now.iter() {
            let same = self
                .processes
                .get(id)
                .is_some_and(|it| Arc::ptr_eq(it, process));
            if !same {
                changed.push(*id);
            }
        }
        for id in &changed {
            match now.get(id) {
                Some(process) => self.processes.insert(*id, Arc::clone(process)),
                None => self.processes.remove(id),
            };
        }
        self.lives.processes(&changed, now);
        self.all_processes = Some(Arc::clone(now));
        changed
    }

    fn process(&mut self, id: ProcessId, snapshot: &Snapshot) {
        let item = Item::Process(id);
        let Some(process) = snapshot.processes.get(&id) else {
            self.groups.put(item, Vec::new());
            self.count(item, None);
            return;
        };
        let mut found = self.scores.program(process);
        let life = self.lives.of(process, &snapshot.processes);
        found.extend(score::process(process, life));
        self.groups.put(item, found);
        let is_program = !process.kernel_thread;
        let counts = Counts {
            unhashed: u64::from(is_program && process.path.is_some() && process.sha256.is_none()),
            pathless: u64::from(is_program && process.path.is_none()),
            unexamined: u64::from(is_program && !is_examined(process)),
            ..Counts::default()
        };
        self.count(item, Some(counts));
    }

    /// Counts an item in the place of what was counted of it before.
    fn count(&mut self, item: Item, counts: Option<Counts>) {
        let counts = counts.filter(|it| *it != Counts::default());
        let before = match counts {
            Some(counts) => self.tallies.insert(item, counts),
            None => self.tallies.remove(&item),
        };
        let (before, now) = (before.unwrap_or_default(), counts.unwrap_or_default());
        let change = |all: &mut u64, before: u64, now: u64| {
            *all = all.saturating_add(now).saturating_sub(before);
        };
        change(&mut self.counts.named, before.named, now.named);
        change(&mut self.counts.unknown, before.unknown, now.unknown);
        change(&mut self.counts.unhashed, before.unhashed, now.unhashed);
        change(&mut self.counts.pathless, before.pathless, now.pathless);
        let (before, now) = (before.unexamined, now.unexamined);
        change(&mut self.counts.unexamined, before, now);
    }
}

/// Whether somebody could look into its memory.
fn is_examined(process: &Process) -> bool {
    let examined = process.examined.as_ref();
    let outcome = examined.and_then(|it| it.outcome(Check::CodeChanged));
    matches!(outcome, Some(Outcome::NothingFound | Outcome::Found { .. }))
}

/// The place of the rule that only counts while names can be seen.
fn raw_address() -> Option<usize> {
    rule::rules().position(|rule| rule.word() == RAW_ADDRESS)
}

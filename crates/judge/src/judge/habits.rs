//! Pairs put together to habits: which belong together, whom else their rules ask about, and which have to
//! be looked at anew.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{
    Confidence, DeviceId, Display, Endpoint, Finding, NameStrength, PackageState, Pair, Place,
    Process, ProcessId, Protocol, Reach, Service, Severity, Snapshot, Text, Tier, Timestamp,
};

use super::lives::Lives;
use super::score::Scores;
use crate::fit::{Part, Piece, Whose};
use crate::groups::Key;
use crate::ordinary::is_for_anything;
use crate::pattern::{self, Callers, Habit, Standing, is_pattern, usual};
use crate::process::programs::is_login_tool;
use crate::seen::{has_its_names, is_inbound};

/// Time passes for habits in steps: it is a reason to look at all of them again.
const STEP: Duration = Duration::from_secs(10);
const LATER_STEP: Duration = Duration::from_secs(60);
const LATER: Duration = Duration::from_secs(600);

/// Of a pair that has a name so many of ten connections have it.
const NAMED: u64 = 8;
/// What sends more to one destination is compared with what the program sends to others.
const LARGE: u64 = 1_000_000;

/// So many destinations of a program are counted.
const MOST_COUNTED: usize = 16;
/// So many destinations of one provider are many.
const MOST_OF_PROVIDER: usize = 5;

/// What every program finds about itself that brings its own engine for scripts: of those of no package it is
/// no second reason.
pub(super) const OF_RUNTIMES: [&str; 1] = ["executable_memory"];

/// So many runs and connections are named of one habit.
const MOST_NAMED: usize = 32;

/// Which pairs are one habit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HabitKey {
    whose: Whose,
    /// The name, or the address.
    label: String,
    port: Option<u16>,
    local_port: Option<u16>,
    protocol: Protocol,
}

/// A habit as long as it is kept.
pub(crate) type HabitId = u64;

#[derive(Debug, Default)]
pub(super) struct Habits {
    of_pair: HashMap<Place, HabitKey>,
    kept: BTreeMap<HabitKey, Kept>,
    by_label: HashMap<String, BTreeSet<HabitKey>>,
    /// Those of a program in the networks of one provider.
    by_provider: BTreeMap<(Whose, u32), BTreeSet<HabitKey>>,
    /// Devices that called somebody, with how many habits they have.
    devices: BTreeMap<DeviceId, usize>,
    /// Those that sent much.
    large: BTreeSet<HabitKey>,
    reasons: BTreeMap<Whose, Vec<Reasoned>>,
    /// Those of whom they are others since this was last asked.
    reasoned: BTreeSet<Whose>,
    dirty: BTreeSet<HabitKey>,
    /// All that call one of these, too: another number of them does.
    dirty_labels: HashSet<String>,
    /// Those that are gone since.
    gone: Vec<HabitId>,
    now: Option<Timestamp>,
    count: HabitId,
}

#[derive(Debug)]
struct Kept {
    id: HabitId,
    pairs: BTreeSet<Place>,
    /// Who announces the address of its first pair.
    provider: Option<u32>,
}

/// What of all else is asked for.
pub(super) struct Around<'a> {
    pub(super) lives: &'a Lives,
    /// Whether names can be seen.
    pub(super) shows_names: bool,
}

/// What another rule has found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reasoned {
    rule: &'static str,
    reach: Reach,
}

impl Habits {
    /// A pair is there, has changed, or is gone.
    pub(super) fn pair(&mut self, place: Place, pair: Option<&Pair>, scores: &mut Scores) {
        let key = pair.map(key_of);
        let before = self.of_pair.get(&place);
        if before != key.as_ref()
            && let Some(before) = self.of_pair.remove(&place)
        {
            self.leave(place, &before);
        }
        let (Some(key), Some(pair)) = (key, pair) else {
            return;
        };
        if !self.kept.contains_key(&key) {
            let known = address(pair).map(|ip| scores.address(ip));
            let announced = known.as_ref().and_then(|it| it.facts.announced_by.as_ref());
            self.begin(&key, announced.map(|it| it.asn));
        }
        if let Some(kept) = self.kept.get_mut(&key) {
            kept.pairs.insert(place);
        }
        self.of_pair.insert(place, key.clone());
        if pair.bytes_sent >= LARGE || pair.open > 0 {
            self.large.insert(key.clone());
        }
        self.dirty.insert(key);
    }

    fn begin(&mut self, key: &HabitKey, provider: Option<u32>) {
        self.count += 1;
        let kept = Kept {
            id: self.count,
            pairs: BTreeSet::new(),
            provider,
        };
        self.kept.insert(key.clone(), kept);
        if key.local_port.is_none() {
            self.calls_others(&key.whose);
            if let Some(provider) = provider {
                let of_it = self.by_provider.entry((key.whose.clone(), provider));
                let of_it = of_it.or_default();
                of_it.insert(key.clone());
                self.dirty
                    .extend(of_it.iter().take(MOST_OF_PROVIDER + 1).cloned());
            }
            let label = self.by_label.entry(key.label.clone()).or_default();
            label.insert(key.clone());
            // One more calls there.
            if label.len() > 1 && !self.dirty_labels.contains(&key.label) {
                self.dirty_labels.insert(key.label.clone());
            }
            if let Some(device) = key.whose.device {
                *self.devices.entry(device).or_default() += 1;
            }
        }
    }

    fn leave(&mut self, place: Place, key: &HabitKey) {
        let Some(kept) = self.kept.get_mut(key) else {
            return;
        };
        kept.pairs.remove(&place);
        if !kept.pairs.is_empty() {
            self.dirty.insert(key.clone());
            return;
        }
        let provider = kept.provider;
        self.gone.push(kept.id);
        self.kept.remove(key);
        self.dirty.remove(key);
        self.large.remove(key);
        if key.local_port.is_none() {
            self.calls_others(&key.whose);
            if let Some(provider) = provider {
                let provider = (key.whose.clone(), provider);
                if let Some(of_it) = self.by_provider.get_mut(&provider) {
                    of_it.remove(key);
                    self.dirty
                        .extend(of_it.iter().take(MOST_OF_PROVIDER + 1).cloned());
                    if of_it.is_empty() {
                        self.by_provider.remove(&provider);
                    }
                }
            }
            if let Some(label) = self.by_label.get_mut(&key.label) {
                label.remove(key);
                if label.is_empty() {
                    self.by_label.remove(&key.label);
                } else if !self.dirty_labels.contains(&key.label) {
                    self.dirty_labels.insert(key.label.clone());
                }
            }
            if let Some(device) = key.whose.device
                && let Some(count) = self.devices.get_mut(&device)
            {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.devices.remove(&device);
                }
            }
        }
    }

    /// What is asked for of all of them has changed: whether names can be seen, whether somebody is there.
    pub(super) fn all_anew(&mut self) {
        self.dirty.extend(self.kept.keys().cloned());
    }

    /// More is known of runs of programs.
    pub(super) fn processes<'a>(&mut self, programs: impl Iterator<Item = &'a Process>) {
        let programs: BTreeSet<_> = programs.map(|it| it.program().clone()).collect();
        for program in programs {
            self.program(&Whose {
                program: Some(program),
                device: None,
            });
        }
    }

    /// A program calls one more, or one less: with few that makes a difference.
    fn calls_others(&mut self, whose: &Whose) {
        if self.of_program(whose).take(MOST_COUNTED).count() < MOST_COUNTED {
            self.program(whose);
        }
    }

    fn program(&mut self, whose: &Whose) {
        let keys: Vec<_> = self.of_program(whose).cloned().collect();
        self.dirty.extend(keys);
    }

    fn of_program(&self, whose: &Whose) -> impl Iterator<Item = &HabitKey> {
        let first = HabitKey {
            whose: whose.clone(),
            label: String::new(),
            port: None,
            local_port: None,
            protocol: Protocol::Tcp,
        };
        let whose = whose.clone();
        let from = self.kept.range(first..).map(|(key, _)| key);
        from.take_while(move |key| key.whose == whose)
    }

    /// What other rules have found by now.
    pub(super) fn found<'a>(&mut self, findings: impl Iterator<Item = &'a Finding>) {
        let mut reasons: BTreeMap<Whose, Vec<Reasoned>> = BTreeMap::new();
        for finding in findings {
            let counts = finding.severity >= Severity::Medium
                && finding.confidence >= Confidence::Medium
                && !is_pattern(finding.rule);
            let about = &finding.about;
            if !counts || about.program.is_none() && about.device.is_none() {
                continue;
            }
            let whose = Whose {
                program: about.program.clone(),
                device: about.device,
            };
            let of_it = reasons.entry(whose).or_default();
            of_it.push(Reasoned {
                rule: finding.rule,
                reach: about.reach.clone(),
            });
        }
        let all: BTreeSet<Whose> = reasons.keys().chain(self.reasons.keys()).cloned().collect();
        for whose in all {
            if reasons.get(&whose) != self.reasons.get(&whose) {
                self.program(&whose);
                self.reasoned.insert(whose);
            }
        }
        self.reasons = reasons;
    }

    /// Those of whom other rules have found something else since this was last asked.
    pub(super) fn take_reasoned(&mut self) -> BTreeSet<Whose> {
        std::mem::take(&mut self.reasoned)
    }

    /// Those that have to be looked at anew, and those that are gone.
    pub(super) fn take_dirty(&mut self, snapshot: &Snapshot) -> (Vec<HabitKey>, Vec<HabitId>) {
        let now = now(snapshot);
        let devices = self.devices.len();
        if self.now != Some(now) {
            self.now = Some(now);
            self.dirty.extend(self.kept.keys().cloned());
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        for label in std::mem::take(&mut self.dirty_labels) {
            dirty.extend(self.by_label.get(&label).into_iter().flatten().cloned());
        }
        let programs: BTreeSet<_> = dirty.iter().map(|key| key.whose.clone()).collect();
        let large = self.large.iter();
        dirty.extend(large.filter(|key| programs.contains(&key.whose)).cloned());
        if self.kept.len() > dirty.len() && devices > 0 {
            // Each device makes another share of all of them.
            let of_devices = self.kept.keys().filter(|key| key.whose.device.is_some());
            dirty.extend(of_devices.cloned());
        }
        dirty.retain(|key| self.kept.contains_key(key));
        (dirty.into_iter().collect(), std::mem::take(&mut self.gone))
    }

    /// What the rules say of one.
    pub(super) fn look(
        &self,
        key: &HabitKey,
        snapshot: &Snapshot,
        around: &Around<'_>,
        scores: &mut Scores,
    ) -> Option<(HabitId, Vec<(Key, Piece)>)> {
        let kept = self.kept.get(key)?;
        let places = kept.pairs.iter();
        let mut pairs: Vec<&Pair> = places
            .filter_map(|place| snapshot.pairs.get(*place))
            .collect();
        pairs.sort_unstable_by(|one, other| one.key.destination.cmp(&other.key.destination));
        let addresses = pairs.iter().filter_map(|pair| address(pair));
        let addresses: Vec<IpAddr> = addresses.collect();
        let is_name = addresses.first().map(ToString::to_string).as_ref() != Some(&key.label);
        let name = Text::from(key.label.as_str());
        let last = pairs.iter().map(|pair| pair.last).max()?;
        let standing = standing(key, &pairs, snapshot);
        let mut reasons = self.reasons_of(key, &addresses, &pairs);
        if standing == Standing::Unpackaged {
            reasons.retain(|it| !OF_RUNTIMES.contains(it));
        }
        let habit = Habit {
            label: &key.label,
            known: addresses.iter().map(|ip| scores.address(*ip)).collect(),
            name: is_name.then(|| scores.name(&name)),
            standing,
            shows: shows(&pairs, snapshot, around.lives),
            reasons,
            callers: Callers {
                of_program: self.destinations(key),
                of_provider: self.of_provider(key),
                ..self.callers(key)
            },
            names_seen: around.shows_names && pairs.iter().all(|pair| is_nameless(pair, snapshot)),
            runs_for: runs_for(&pairs, snapshot),
            attendance: Arc::clone(&snapshot.attendance),
            logs_in: logs_in(&key.label, &pairs, snapshot),
            usual_sent: self.usual_sent(key, snapshot),
            since: snapshot.since,
            taken: now(snapshot).max(last),
            pairs,
        };
        let fits = pattern::look(&habit);
        let service = Service {
            protocol: key.protocol,
            port: key.port,
            local_port: key.local_port,
        };
        let piece = piece(&habit, &addresses, is_name, Some(service));
        let found = fits.into_iter().map(|(number, fit)| {
            let key = (number, key.whose.clone(), fit.thing.clone());
            let piece = Piece {
                fit,
                ..piece.clone()
            };
            (key, piece)
        });
        Some((kept.id, found.collect()))
    }

    fn reasons_of(
        &self,
        key: &HabitKey,
        addresses: &[IpAddr],
        pairs: &[&Pair],
    ) -> Vec<&'static str> {
        self.reasons_where(&key.whose, |reach| match reach {
            Reach::Program => true,
            Reach::Named => false,
            // Another script of the same interpreter is another thing.
            Reach::Processes(runs) => runs_of(pairs).any(|run| runs.contains(&run)),
            Reach::Remotes {
                addresses: listed,
                names,
                ..
            } => {
                addresses.iter().any(|ip| listed.contains(ip))
                    || names.iter().any(|name| plain(name) == key.label)
            }
        })
    }

    /// What other rules have found that reaches so far.
    pub(super) fn reasons_where(
        &self,
        whose: &Whose,
        reaches: impl Fn(&Reach) -> bool,
    ) -> Vec<&'static str> {
        let all = self.reasons.get(whose).into_iter().flatten();
        let here = all.filter(|it| reaches(&it.reach));
        let mut words: Vec<_> = here.map(|it| it.rule).collect();
        words.dedup();
        words
    }

    fn callers(&self, key: &HabitKey) -> Callers {
        let all = self.by_label.get(&key.label).into_iter().flatten();
        // Whoever has another business there says nothing of this one.
        let alike = all.filter(|it| it.port == key.port && it.protocol == key.protocol);
        let whose: BTreeSet<&Whose> = alike.map(|it| &it.whose).collect();
        Callers {
            here: whose.len(),
            devices: self.devices.len(),
            of_program: 0,
            of_provider: 0,
        }
    }

    /// How many it calls, up to one more than are few.
    fn destinations(&self, key: &HabitKey) -> usize {
        let outbound = self.of_program(&key.whose);
        let outbound = outbound.filter(|it| it.local_port.is_none());
        let labels = outbound.take(MOST_COUNTED).map(|it| it.label.as_str());
        labels.collect::<BTreeSet<_>>().len()
    }

    fn of_provider(&self, key: &HabitKey) -> usize {
        let provider = self.kept.get(key).and_then(|it| it.provider);
        let of_it = provider.and_then(|it| self.by_provider.get(&(key.whose.clone(), it)));
        of_it.map_or(0, |it| it.len().min(MOST_OF_PROVIDER))
    }

    /// `None`: it sent little, or has nobody else to send to.
    #[expect(clippy::cast_precision_loss, reason = "sums need no more digits")]
    fn usual_sent(&self, key: &HabitKey, snapshot: &Snapshot) -> Option<f64> {
        if !self.large.contains(key) {
            return None;
        }
        let others = self.of_program(&key.whose).filter(|it| *it != key);
        let sent = others.filter_map(|it| {
            let places = self.kept.get(it)?.pairs.iter();
            let pairs = places.filter_map(|place| snapshot.pairs.get(*place));
            let sent = pairs.map(|pair| pair.bytes_sent);
            Some(sent.fold(0, u64::saturating_add) as f64)
        });
        let sent: Vec<f64> = sent.collect();
        (!sent.is_empty()).then(|| usual(&sent))
    }
}

/// What is the same of all pieces of a habit.
fn piece(
    habit: &Habit<'_>,
    addresses: &[IpAddr],
    is_name: bool,
    service: Option<Service>,
) -> Piece {
    let firsts = habit.pairs.iter().map(|pair| pair.first);
    let runs = habit.pairs.iter().flat_map(|it| &it.members.processes);
    let runs: BTreeSet<ProcessId> = runs.map(|(id, _)| *id).collect();
    let connections = habit
        .pairs
        .iter()
        .flat_map(|it| it.members.connections.ids());
    let only = addresses.first().copied().filter(|_| addresses.len() == 1);
    let label = Text::from(habit.label);
    Piece {
        fit: crate::fit::Fit {
            thing: String::new(),
            seen: String::new(),
            confidence: Confidence::Low,
            why: crate::fit::Why::Nothing,
            inbound: false,
        },
        first: firsts.min().unwrap_or(Timestamp::UNTOLD),
        processes: runs.into_iter().take(MOST_NAMED).collect(),
        connections: connections.take(MOST_NAMED).collect(),
        count: habit.connections(),
        remote: only.map(|ip| Endpoint {
            ip: Some(ip),
            port: habit.port(),
        }),
        part: match addresses.first() {
            Some(ip) if !is_name => Part::Address(*ip),
            Some(_) | None => Part::Name(label),
        },
        service,
    }
}

/// What time it is for habits.
fn now(snapshot: &Snapshot) -> Timestamp {
    let Some(taken) = snapshot.taken.told() else {
        return snapshot.taken;
    };
    if snapshot.tier == Tier::Import {
        return taken;
    }
    let watched = snapshot.since.told().map_or(LATER, |it| it.until(taken));
    let step = if watched < LATER { STEP } else { LATER_STEP };
    let step = i64::try_from(step.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_unix_nanos(taken.unix_nanos() / step * step)
}

fn key_of(pair: &Pair) -> HabitKey {
    let label = match name_of(pair) {
        Some(name) => plain(name),
        None => pair.key.destination.clone(),
    };
    HabitKey {
        whose: Whose {
            program: pair.key.program.clone(),
            device: pair.key.device,
        },
        label,
        port: pair.key.port,
        local_port: pair.key.local_port,
        protocol: pair.key.protocol,
    }
}

/// The name that nearly all of its connections have. `None`: there is no such name.
fn name_of(pair: &Pair) -> Option<&Text> {
    if is_inbound(pair) {
        return None;
    }
    let sure = pair.members.names.iter();
    let sure = sure.filter(|it| it.strength >= NameStrength::AnsweredToDevice);
    let most = sure.max_by_key(|it| it.count)?;
    let enough = most.count.saturating_mul(10) >= pair.connections.saturating_mul(NAMED);
    enough.then_some(&most.name)
}

/// In lower case, without a dot at its end.
pub(super) fn plain(name: &Text) -> String {
    let name = name.lossy().to_ascii_lowercase();
    name.strip_suffix('.').map(str::to_owned).unwrap_or(name)
}

fn address(pair: &Pair) -> Option<IpAddr> {
    pair.key.destination.parse().ok()
}

fn runs_of<'a>(pairs: &'a [&'a Pair]) -> impl Iterator<Item = ProcessId> + 'a {
    let runs = pairs.iter().flat_map(|it| &it.members.processes);
    runs.map(|(id, _)| *id)
}

/// Whether a run of it shows on a display, or can be opened in a browser here.
fn shows(pairs: &[&Pair], snapshot: &Snapshot, lives: &Lives) -> bool {
    if runs_of(pairs).any(|id| lives.serves_here(id)) {
        return true;
    }
    let runs = runs_of(pairs).filter_map(|id| snapshot.processes.get(&id));
    let mut displays = runs.filter_map(|it| it.examined.as_deref()?.display.as_ref());
    displays.any(|it| matches!(it, Display::Shown))
}

/// Whether all of it began while names could be seen, and had none.
fn is_nameless(pair: &Pair, snapshot: &Snapshot) -> bool {
    let members = &pair.members;
    let named = !members.names.is_empty() || members.names_let_go > 0;
    !named && members.present == 0 && has_its_names(pair, snapshot.taken, snapshot.tier)
}

/// Whether each run is told in its arguments to log in there, and to hand on nothing that comes from there.
fn logs_in(label: &str, pairs: &[&Pair], snapshot: &Snapshot) -> bool {
    let program = pairs.first().and_then(|it| it.key.program.as_ref());
    if !program.is_some_and(|it| is_login_tool(&it.lossy())) {
        return false;
    }
    let is_told = |process: &Arc<Process>| {
        let arguments = process.command_line.iter().flatten().skip(1);
        let arguments: Vec<_> = arguments.map(Text::lossy).collect();
        is_told_to_log_in(label, &arguments)
    };
    let mut runs = runs_of(pairs)
        .map(|id| snapshot.processes.get(&id))
        .peekable();
    runs.peek().is_some() && runs.all(|it| it.is_some_and(is_told))
}

/// ssh(1): `-R`, also among other letters. Of rsync the letter means something else, and costs no more than
/// a look.
fn is_told_to_log_in(label: &str, arguments: &[impl AsRef<str>]) -> bool {
    let letters = |it: &str| it.strip_prefix('-').is_some_and(|it| !it.starts_with('-'));
    let hands_on = |it: &str| letters(it) && it.contains('R') || it.contains("RemoteForward");
    let mut arguments_of = arguments.iter().map(AsRef::as_ref);
    let is_named = arguments_of.any(|it: &str| it.contains(label));
    is_named && !arguments.iter().any(|it| hands_on(it.as_ref()))
}

/// For how long the oldest of its runs that still goes on has run.
fn runs_for(pairs: &[&Pair], snapshot: &Snapshot) -> Option<Duration> {
    let runs = runs_of(pairs).filter_map(|id| snapshot.processes.get(&id));
    let going = runs.filter(|it| it.ended.is_none());
    let started = going.filter_map(|it| it.started).min()?;
    Some(started.until(now(snapshot)))
}

/// Of all runs that call, the one that is trusted least.
fn standing(key: &HabitKey, pairs: &[&Pair], snapshot: &Snapshot) -> Standing {
    if key.whose.program.is_none() {
        return Standing::Unknown;
    }
    let runs: BTreeSet<ProcessId> = runs_of(pairs).collect();
    let runs = runs.iter().filter_map(|id| snapshot.processes.get(id));
    standing_of(runs.map(Arc::as_ref))
}

/// The same of runs of one program.
pub(super) fn standing_of<'a>(runs: impl Iterator<Item = &'a Process>) -> Standing {
    let of_run = |process: &Process| {
        let examined = process.examined.as_deref();
        let package = examined.and_then(|it| it.package.as_ref());
        match package.map(|it| it.state) {
            Some(PackageState::ThisTool) => Standing::Ours,
            Some(PackageState::Unpackaged | PackageState::Modified) => Standing::Unpackaged,
            Some(PackageState::Intact) if is_for_anything(process) => Standing::Packaged,
            Some(PackageState::Intact) => Standing::Ordinary,
            Some(PackageState::NotTestable) | None => Standing::Unknown,
        }
    };
    // A run that is over before its package is known says nothing against what the others are.
    let known = runs.map(of_run).filter(|it| *it != Standing::Unknown);
    known.max().unwrap_or(Standing::Unknown)
}

#[cfg(test)]
mod tests {
    use super::is_told_to_log_in;

    #[test]
    fn who_is_told_where_to_log_in() {
        for (arguments, expected) in [
            ("-N -o ServerAliveInterval=15 root@45.61.140.9", true),
            ("-a /home/lena/work rsync://45.61.140.9/backup", true),
            ("root@host-in-the-settings", false),
            ("-N -R 2222:127.0.0.1:22 root@45.61.140.9", false),
            ("-fNR 2222:127.0.0.1:22 root@45.61.140.9", false),
            ("-N -oRemoteForward=2222 root@45.61.140.9", false),
        ] {
            let all: Vec<_> = arguments.split(' ').collect();
            assert_eq!(
                is_told_to_log_in("45.61.140.9", &all),
                expected,
                "{arguments}"
            );
        }
    }
}

//! Programs that came or went, and those that began or ceased to use the network.

use model::{Confidence, Difference, DifferenceKind, Doubt, Fact, Same, Severity, Which};

use super::destination::{Destination, Group};
use super::matching::{Keyed, Matched};
use super::program::{Standing, severity};
use super::{Sides, change, other};

/// So many destinations of a program are named.
const MOST_NAMED: usize = 3;

pub(super) fn differ(
    sides: Sides<'_>,
    pair: &Matched<'_>,
    differences: &mut Vec<Difference>,
    same: &mut Same,
) {
    let Some(key) = pair.key().filter(|it| !it.is_nobody()) else {
        return;
    };
    let uses = |keyed: Option<Keyed<'_>>| keyed.is_some_and(|(_, it)| it.uses_network());
    match (uses(pair.before), uses(pair.after)) {
        (true, true) => {
            same.programs += 1;
            if let Some(both) = pair.both()
                && both.before.0.program != both.after.0.program
                && super::place::is_path_of(both.before.0)
                && super::place::is_path_of(both.after.0)
            {
                differences.push(moved(both));
            }
        }
        (false, false) => {
            let every =
                sides.before.side.shows.every_process && sides.after.side.shows.every_process;
            for which in Which::BOTH.into_iter().filter(|_| every) {
                if let (Some(own), None) = (pair.of(which), pair.of(other(which))) {
                    differences.push(without_network(sides, which, own));
                }
            }
        }
        (is_before, _) => {
            let which = if is_before {
                Which::Before
            } else {
                Which::After
            };
            if let Some(own) = pair.of(which) {
                let ran = pair.of(other(which));
                differences.push(with_network(sides, which, (key, own.1), ran));
            }
        }
    }
}

fn with_network(
    sides: Sides<'_>,
    which: Which,
    (key, program): Keyed<'_>,
    ran: Option<Keyed<'_>>,
) -> Difference {
    let standing = program.standing(key);
    let missing = sides.other(which);
    let mut facts = program.facts(key);
    if !program.destinations.is_empty() {
        let count = u64::try_from(program.destinations.len()).unwrap_or(u64::MAX);
        facts.push(("destinations", Fact::Count(count)));
        facts.push(("to", Fact::Text(named(&program.destinations))));
    }
    if !program.listeners.is_empty() {
        let doors = program.listeners.values().flat_map(|it| &it.ends);
        let doors: Vec<_> = doors.take(MOST_NAMED).map(String::as_str).collect();
        facts.push(("waits", Fact::Text(doors.join(", "))));
    }
    if !program.callers.is_empty() {
        facts.push(("callers", Fact::Text(named(&program.callers))));
    }
    facts.push(("connections", Fact::Count(program.connections)));
    facts.extend(program.first.map(|first| ("first", Fact::Time(first))));
    let hash = program.files.hashes.first();
    facts.extend(hash.map(|it| ("sha256", Fact::Text(model::hex(it)))));
    if ran.is_some() {
        facts.push(("ran", Fact::Text("yes".to_owned())));
    } else if started_before(sides, which, program) {
        facts.push(("began_earlier", Fact::Text("yes".to_owned())));
    }
    let mut doubts = Vec::new();
    // What it does, somebody unknown did there.
    let nobody = missing.programs.get(&super::program::ProgramKey::default());
    let is_known = nobody.is_some_and(|nobody| {
        let calls = program.destinations.keys();
        let mut calls = calls.chain(program.callers.keys());
        let all =
            |it: &Group| nobody.destinations.contains_key(it) || nobody.callers.contains_key(it);
        calls.all(all)
            && program
                .listeners
                .keys()
                .all(|it| nobody.listeners.contains_key(it))
    });
    if nobody.is_some_and(|it| it.uses_network()) {
        doubts.push(Doubt::OwnersNotKnown);
    }
    if sides.is_short(other(which)) {
        doubts.push(Doubt::TooShort);
    }
    if missing.side.shows.let_go > 0 {
        doubts.push(Doubt::LetGo);
    }
    let grave = match which {
        Which::Before => Severity::Informational,
        // Who talks to nobody outside of this computer is less to fear.
        Which::After if !program.reaches_outside() => severity(standing).min(Severity::Low),
        Which::After => severity(standing),
    };
    Difference {
        kind: DifferenceKind::Program,
        change: change(which),
        severity: if is_known {
            grave.min(Severity::Low)
        } else {
            grave
        },
        confidence: confidence(&doubts),
        ordinary: standing == Standing::Ordinary || is_known,
        program: key.program.clone(),
        device: key.device,
        thing: key.script.clone().unwrap_or_default(),
        facts,
        doubts,
        before: evidence(which, Which::Before, program),
        after: evidence(which, Which::After, program),
        finding: None,
    }
}

/// Programs that do nothing with the network come and go; only those that no package answers for are worth
/// a word.
fn without_network(sides: Sides<'_>, which: Which, (key, program): Keyed<'_>) -> Difference {
    let standing = program.standing(key);
    let mut facts = program.facts(key);
    facts.extend(program.first.map(|first| ("first", Fact::Time(first))));
    facts.push(("without_network", Fact::Text("yes".to_owned())));
    let mut doubts = Vec::new();
    if sides.is_short(other(which)) {
        doubts.push(Doubt::TooShort);
    }
    let grave = match which {
        Which::After if standing.is_odd() => Severity::Low,
        Which::Before | Which::After => Severity::Informational,
    };
    Difference {
        kind: DifferenceKind::Program,
        change: change(which),
        severity: grave,
        confidence: confidence(&doubts),
        // Programs end.
        ordinary: !standing.is_odd() || which == Which::Before,
        program: key.program.clone(),
        device: None,
        thing: key.script.clone().unwrap_or_default(),
        facts,
        doubts,
        before: evidence(which, Which::Before, program),
        after: evidence(which, Which::After, program),
        finding: None,
    }
}

/// Two versions of a program lie in two places.
fn moved(both: super::matching::Both<'_>) -> Difference {
    let (key, program) = (both.key(), both.after.1);
    let standing = program
        .standing(key)
        .max(both.before.1.standing(both.before.0));
    let was = both.before.0.program.as_ref();
    let mut facts = program.facts(key);
    let was = was.map(|it| it.lossy().into_owned()).unwrap_or_default();
    facts.push(("was", Fact::Text(was)));
    Difference {
        kind: DifferenceKind::Program,
        change: model::DifferenceChange::Changed,
        severity: if standing.is_odd() {
            Severity::Low
        } else {
            Severity::Informational
        },
        confidence: Confidence::Medium,
        ordinary: !standing.is_odd(),
        program: key.program.clone(),
        device: None,
        thing: key.script.clone().unwrap_or_default(),
        facts,
        doubts: Vec::new(),
        before: both.before.1.evidence(),
        after: program.evidence(),
        finding: None,
    }
}

/// A run of it was there already while the other side was looked at, and was not seen to use the network.
fn started_before(sides: Sides<'_>, which: Which, program: &super::program::Program) -> bool {
    let (own, missing) = (sides.of(which), sides.other(which));
    let one_start = own.side.boot.is_some() && own.side.boot == missing.side.boot;
    let until = missing.side.span.map(|(_, until)| until);
    let started = program.processes.first().and_then(|(started, _)| *started);
    let earlier = started
        .zip(until)
        .is_some_and(|(started, until)| started < until);
    one_start && which == Which::After && earlier
}

fn named(all: &std::collections::BTreeMap<Group, Destination>) -> String {
    let mut most: Vec<_> = all.iter().collect();
    most.sort_by_key(|(group, it)| (std::cmp::Reverse(it.connections), (*group).clone()));
    let first: Vec<_> = most
        .iter()
        .take(MOST_NAMED)
        .map(|(group, it)| it.brief(group))
        .collect();
    first.join(", ")
}

/// Runs of it, and what they do.
fn evidence(which: Which, side: Which, program: &super::program::Program) -> Vec<model::Evidence> {
    if which != side {
        return Vec::new();
    }
    let mut evidence = program.evidence();
    let calls = program
        .destinations
        .values()
        .chain(program.callers.values());
    let calls = calls.flat_map(Destination::evidence);
    let waits = program.listeners.values().flat_map(|it| it.evidence());
    evidence.extend(calls.chain(waits).take(super::program::MOST_EVIDENCE));
    evidence
}

/// How well what is missing on one side is known to have been missing.
pub(super) fn confidence(doubts: &[Doubt]) -> Confidence {
    match doubts {
        [] => Confidence::High,
        [_] => Confidence::Medium,
        [..] => Confidence::Low,
    }
}

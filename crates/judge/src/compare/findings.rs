//! What rules say on one side only, or say with another weight. A finding is the same one by its rule, its
//! program and what it is about, whichever run of the program and whichever address of a network it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::{
    Difference, DifferenceChange, DifferenceKind, Doubt, Fact, Finding, Same, Severity, Text, Which,
};

use super::destination::Group;
use super::matching::Matched;
use super::outline::Outline;
use super::programs::confidence;
use super::{Sides, change, other};
use crate::process;

/// What is new to one side is told by whom the program calls.
const FIRST_CONTACT: &str = "first_contact";
/// A rhythm has to be seen so often before anything is said of it.
const BEATS: u32 = 6;

/// Rule and program; which program it is on both sides has a number.
type Whose = (
    &'static str,
    Option<usize>,
    Option<Text>,
    Option<model::DeviceId>,
);

pub(super) fn differ(
    sides: Sides<'_>,
    pairs: &[Matched<'_>],
    differences: &mut Vec<Difference>,
    same: &mut Same,
) {
    let numbers = numbers(pairs);
    let (old, new) = (
        All::of(sides.before, &numbers),
        All::of(sides.after, &numbers),
    );
    for which in Which::BOTH {
        let (here, there) = match which {
            Which::Before => (&old, &new),
            Which::After => (&new, &old),
        };
        for (finding, whose) in &here.findings {
            let groups = sides.of(which).about.get(&finding.id);
            match there.find(finding, whose, groups) {
                None => differences.push(only_here(sides, which, finding)),
                Some(known) if which == Which::After => {
                    same.findings += 1;
                    if known.severity != finding.severity {
                        differences.push(changed(known, finding));
                    }
                }
                Some(_) => {}
            }
        }
    }
}

/// Which program has which number, by its path on either side.
fn numbers(pairs: &[Matched<'_>]) -> BTreeMap<Text, usize> {
    let mut numbers = BTreeMap::new();
    for (number, pair) in pairs.iter().enumerate() {
        for (key, _) in [pair.before, pair.after].into_iter().flatten() {
            if let Some(program) = &key.program {
                numbers.entry(program.clone()).or_insert(number);
            }
        }
    }
    numbers
}

/// The findings of a side.
struct All<'a> {
    findings: Vec<(&'a Arc<Finding>, Whose)>,
    outline: &'a Outline,
    of_whose: BTreeMap<Whose, Vec<&'a Arc<Finding>>>,
}

impl<'a> All<'a> {
    fn of(outline: &'a Outline, numbers: &BTreeMap<Text, usize>) -> Self {
        let mut all = Self {
            findings: Vec::new(),
            outline,
            of_whose: BTreeMap::new(),
        };
        for finding in &outline.findings {
            let program = finding.about.program.as_ref();
            let number = program.and_then(|it| numbers.get(it).copied());
            let unnumbered = program.filter(|_| number.is_none()).cloned();
            let whose = (finding.rule, number, unnumbered, finding.about.device);
            all.of_whose.entry(whose.clone()).or_default().push(finding);
            all.findings.push((finding, whose));
        }
        all
    }

    fn find(
        &self,
        finding: &Finding,
        whose: &Whose,
        groups: Option<&BTreeSet<Group>>,
    ) -> Option<&'a Arc<Finding>> {
        let of_whose = self.of_whose.get(whose)?;
        if let Some(same) = of_whose.iter().find(|it| it.id == finding.id) {
            return Some(same);
        }
        let groups = groups.filter(|it| !it.is_empty())?;
        let shares = |it: &&&Arc<Finding>| {
            let others = self.outline.about.get(&it.id);
            others.is_some_and(|others| !others.is_disjoint(groups))
        };
        of_whose.iter().find(shares).copied()
    }
}

fn only_here(sides: Sides<'_>, which: Which, finding: &Arc<Finding>) -> Difference {
    let missing = sides.other(which);
    let mut doubts = Vec::new();
    let is_of_process = process::RULES.iter().any(|rule| rule.is(finding.rule));
    if is_of_process && !was_examined(sides.of(which), missing, finding) {
        doubts.push(Doubt::NotExamined);
    }
    let has_name = finding.fact("name").is_some() || is_about_names(finding);
    if !is_of_process && has_name && !missing.side.shows.names {
        doubts.push(Doubt::NamesNotSeen);
    }
    if !is_of_process && is_too_short(sides, which, finding) {
        doubts.push(Doubt::TooShort);
    }
    if !is_of_process && missing.side.shows.unknown_owners > 0 {
        doubts.push(Doubt::OwnersNotKnown);
    }
    let grave = match which {
        Which::Before => Severity::Informational,
        Which::After => finding.severity,
    };
    let evidence = |side| match which == side {
        true => finding.evidence.clone(),
        false => Vec::new(),
    };
    Difference {
        kind: DifferenceKind::Finding,
        change: change(which),
        severity: grave,
        confidence: confidence(&doubts).min(finding.confidence),
        ordinary: finding.severity <= Severity::Informational || finding.rule == FIRST_CONTACT,
        doubts,
        before: evidence(Which::Before),
        after: evidence(Which::After),
        ..of(finding)
    }
}

fn changed(known: &Finding, finding: &Arc<Finding>) -> Difference {
    let is_worse = finding.severity > known.severity;
    let mut facts = vec![(
        "severity_before",
        Fact::Text(known.severity.word().to_owned()),
    )];
    facts.push((
        "severity_after",
        Fact::Text(finding.severity.word().to_owned()),
    ));
    Difference {
        change: DifferenceChange::Changed,
        severity: if is_worse {
            finding.severity
        } else {
            Severity::Informational
        },
        confidence: finding.confidence,
        ordinary: !is_worse,
        facts,
        before: known.evidence.clone(),
        after: finding.evidence.clone(),
        ..of(finding)
    }
}

fn of(finding: &Arc<Finding>) -> Difference {
    Difference {
        kind: DifferenceKind::Finding,
        change: DifferenceChange::Changed,
        severity: finding.severity,
        confidence: finding.confidence,
        ordinary: false,
        program: finding.about.program.clone(),
        device: finding.about.device,
        thing: finding.rule.to_owned(),
        facts: Vec::new(),
        doubts: Vec::new(),
        before: Vec::new(),
        after: Vec::new(),
        finding: Some(Arc::clone(finding)),
    }
}

/// Whether somebody has looked into a run of the program, as deep as on the side where it was found; none
/// was there to look into where the program is new.
fn was_examined(own: &Outline, missing: &Outline, finding: &Finding) -> bool {
    let program = finding.about.program.as_ref();
    let of = |outline: &'_ Outline| {
        let mut all = outline.programs.iter();
        let known = all.find(|(key, _)| key.program.is_some() && key.program.as_ref() == program);
        known.map(|(_, it)| (it.examined, it.package_state.is_some()))
    };
    let has_package = of(own).is_some_and(|it| it.1);
    match of(missing) {
        Some((examined, package)) => examined && (package || !has_package),
        None => missing.side.shows.examined || program.is_some(),
    }
}

fn is_about_names(finding: &Finding) -> bool {
    match &finding.about.reach {
        model::Reach::Remotes { names, .. } => !names.is_empty(),
        model::Reach::Named | model::Reach::Program | model::Reach::Processes(_) => false,
    }
}

/// A rhythm cannot be seen in less time than some beats take; and of one moment nothing can be said at all
/// that takes time.
fn is_too_short(sides: Sides<'_>, which: Which, finding: &Finding) -> bool {
    let span = sides.other(which).side.span;
    let length = span.map_or(Duration::ZERO, |(from, until)| from.until(until));
    match finding.fact("period") {
        Some(Fact::Duration(period)) => length < period.saturating_mul(BEATS),
        Some(_) | None => sides.is_short(other(which)),
    }
}

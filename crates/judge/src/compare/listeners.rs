//! Sockets that wait for others: new ones, those that are gone, those that others can reach now, and those
//! that another program holds now.

use model::{
    Difference, DifferenceChange, DifferenceKind, Doubt, Fact, Same, Severity, Text, Which,
};

use super::listener::{Door, Waiting};
use super::matching::{Keyed, Matched};
use super::program::{Program, ProgramKey, Standing};
use super::programs::confidence;
use super::{Sides, change, other};

pub(super) fn differ(
    sides: Sides<'_>,
    pair: &Matched<'_>,
    differences: &mut Vec<Difference>,
    same: &mut Same,
) {
    for which in Which::BOTH {
        let Some((key, program)) = pair.of(which) else {
            continue;
        };
        let there = pair.of(other(which)).map(|it| it.1);
        for (door, waiting) in &program.listeners {
            // One port of those that are chosen at random, where the other side had several.
            let is_random = *door == door.at_random() && door.may_be_random();
            let has_one = |it: &Program| it.listeners.keys().any(|it| it.at_random() == *door);
            if there.is_some_and(|it| it.waits_at(*door) || is_random && has_one(it)) {
                let exact = there.is_some_and(|it| it.listeners.contains_key(door));
                same.listeners += u64::from(which == Which::After && exact);
                continue;
            }
            if is_of_unknown(sides, which, key, *door) {
                continue;
            }
            let named = pair.key().unwrap_or(key);
            let found = (*door, waiting, there);
            differences.push(difference(sides, which, (named, program), found));
        }
    }
}

/// Whether somebody waits there on the other side of whom it is not known who it is; or it is not known of
/// this one.
fn is_of_unknown(sides: Sides<'_>, which: Which, key: &ProgramKey, door: Door) -> bool {
    let missing = &sides.other(which).programs;
    if key.is_nobody() {
        return missing.values().any(|it| it.listeners.contains_key(&door));
    }
    let nobody = missing.get(&ProgramKey::default());
    nobody.is_some_and(|it| it.listeners.contains_key(&door))
}

fn difference(
    sides: Sides<'_>,
    which: Which,
    (key, program): Keyed<'_>,
    (door, waiting, there): (Door, &Waiting, Option<&Program>),
) -> Difference {
    let standing = program.standing(key);
    let mut facts = program.facts(key);
    let ends: Vec<_> = waiting.ends.iter().take(4).map(String::as_str).collect();
    facts.push(("waits", Fact::Text(ends.join(", "))));
    facts.push(("protocol", Fact::Text(door.protocol.to_owned())));
    facts.extend(door.port.map(|it| ("port", Fact::Count(it.into()))));
    let word = |is: bool| Fact::Text(if is { "yes" } else { "no" }.to_owned());
    facts.push(("outside", word(door.outside)));
    if door.is_remote_control() {
        facts.push(("remote_control", word(true)));
    }
    if door.is_sniffer() {
        facts.push(("reads_packets", word(true)));
    }
    let inner = Door {
        outside: false,
        ..door
    };
    // Only programs of this computer could call it before.
    let widened = door.outside && there.is_some_and(|it| it.listeners.contains_key(&inner));
    if widened && which == Which::After {
        facts.push(("was_loopback", word(true)));
    }
    facts.extend(waiting.first.map(|first| ("first", Fact::Time(first))));
    let mut doubts = Vec::new();
    if sides.other(which).side.shows.unknown_owners > 0 && there.is_none() {
        doubts.push(Doubt::OwnersNotKnown);
    }
    if sides.other(which).side.shows.let_go > 0 {
        doubts.push(Doubt::LetGo);
    }
    let (grave, ordinary) = severity(standing, door);
    let outer = Door {
        outside: true,
        ..door
    };
    // That it waits there for others, too, is told of the other one; that a program is gone, of the program.
    let is_told = !door.outside && there.is_some_and(|it| it.listeners.contains_key(&outer));
    let evidence = |side| match which == side {
        true => waiting.evidence(),
        false => Vec::new(),
    };
    Difference {
        kind: DifferenceKind::Listener,
        change: change(which),
        severity: match which {
            Which::Before => Severity::Informational,
            Which::After => grave,
        },
        confidence: confidence(&doubts),
        ordinary: ordinary || is_told || which == Which::Before && there.is_none(),
        program: key.program.clone(),
        device: key.device,
        thing: [key.script.as_deref().unwrap_or_default(), &door.thing()]
            .join(" ")
            .trim()
            .to_owned(),
        facts,
        doubts,
        before: evidence(Which::Before),
        after: evidence(Which::After),
        finding: None,
    }
}

/// With whether it may be folded away.
fn severity(standing: Standing, door: Door) -> (Severity, bool) {
    if door.is_sniffer() {
        let odd = standing.is_odd();
        let grave = if odd { Severity::Medium } else { Severity::Low };
        return (grave, false);
    }
    if door.may_be_random() {
        let ordinary = standing == Standing::Ordinary;
        let grave = if ordinary || !door.outside {
            Severity::Informational
        } else {
            Severity::Low
        };
        return (grave, ordinary);
    }
    match (door.outside, standing) {
        (true, _) if door.is_remote_control() => (Severity::Medium, false),
        (true, standing) if standing.is_odd() || standing == Standing::Told => {
            (Severity::Medium, false)
        }
        (true, _) => (
            Severity::Low,
            door.given_out && standing == Standing::Ordinary,
        ),
        (false, standing) if standing.is_odd() => (Severity::Low, false),
        (false, standing) => (Severity::Informational, standing == Standing::Ordinary),
    }
}

/// Of a listener that is new it is said who waited there before, where that one does so no more.
pub(super) fn taken_over(sides: Sides<'_>, differences: &mut [Difference]) {
    let of = |difference: &Difference, change: DifferenceChange| {
        difference.kind == DifferenceKind::Listener && difference.change == change
    };
    let door = |it: &Difference| {
        let name = |name| match it.fact(name) {
            Some(Fact::Text(text)) => text.clone(),
            Some(_) | None => String::new(),
        };
        let port = match it.fact("port") {
            Some(Fact::Count(port)) => Some(*port),
            Some(_) | None => None,
        };
        port.map(|port| (name("protocol"), port))
    };
    let gone: Vec<_> = differences
        .iter()
        .filter(|it| of(it, DifferenceChange::Gone))
        .filter_map(|it| Some((door(it)?, it.program.clone()?)))
        .collect();
    let here = &sides.after.programs;
    for new in differences
        .iter_mut()
        .filter(|it| of(it, DifferenceChange::New))
    {
        let own = new.program.clone();
        let Some(place) = door(new) else { continue };
        let former: Option<&Text> = gone
            .iter()
            .filter(|(door, program)| *door == place && Some(program) != own.as_ref())
            .map(|(_, program)| program)
            .min();
        if let Some(former) = former {
            let former = former.lossy().into_owned();
            new.facts.push(("held_before_by", Fact::Text(former)));
            // It takes calls that were meant for another program.
            let mut of_program = here.iter().filter(|(key, _)| key.program == own);
            let odd = of_program.any(|(key, program)| program.standing(key).is_odd());
            new.severity = new
                .severity
                .max(if odd { Severity::High } else { Severity::Low });
            new.ordinary = false;
        }
    }
}

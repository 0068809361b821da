//! Who calls the programs of this computer.

use std::collections::BTreeMap;

use model::{Difference, DifferenceKind, Doubt, Fact, Severity, Which};

use super::destination::{Destination, Group};
use super::destinations::{Telling, There, is_of_unknown};
use super::listener::Door;
use super::matching::{Keyed, Matched};
use super::program::Standing;
use super::programs::confidence;
use super::{Sides, other};

pub(super) fn differ(sides: Sides<'_>, pair: &Matched<'_>, differences: &mut Vec<Difference>) {
    let Some(key) = pair.key() else {
        return;
    };
    let both = pair.before.zip(pair.after);
    let both = both.filter(|(one, other)| one.1.uses_network() && other.1.uses_network());
    let is_compared = both.is_some() || key.is_nobody();
    for which in Which::BOTH.into_iter().filter(|_| is_compared) {
        let Some((_, program)) = pair.of(which) else {
            continue;
        };
        let none = BTreeMap::new();
        let there = pair.of(other(which)).map(|it| &it.1.callers);
        let there = There::of(there.unwrap_or(&none), sides.other(which));
        for (group, caller) in &program.callers {
            let known = there.knows(group, caller, sides.of(which));
            // Of a caller another address of its network is no news.
            if known.is_none() && !is_of_unknown(sides, which, key, group) {
                differences.push(difference(sides, which, (key, program), (group, caller)));
            }
        }
    }
}

fn difference(
    sides: Sides<'_>,
    which: Which,
    (key, program): Keyed<'_>,
    (group, caller): (&Group, &Destination),
) -> Difference {
    let standing = program.standing(key);
    let is_control = caller.services.iter().any(|(protocol, port)| {
        let door = Door {
            protocol,
            port: *port,
            given_out: false,
            outside: true,
        };
        door.is_remote_control()
    });
    let mut facts = program.facts(key);
    let of_caller = caller.facts(group).into_iter();
    facts.extend(of_caller.map(|(name, fact)| (if name == "to" { "from" } else { name }, fact)));
    if is_control {
        facts.push(("remote_control", Fact::Text("yes".to_owned())));
    }
    let mut doubts = Vec::new();
    if sides.is_short(other(which)) {
        doubts.push(Doubt::TooShort);
    }
    let ordinary = !group.is_outside() || standing == Standing::Ordinary && !is_control;
    let grave = if ordinary {
        Severity::Informational
    } else {
        Severity::Low
    };
    let script = key.script.as_deref().unwrap_or_default();
    let told = Telling {
        difference: Difference {
            kind: DifferenceKind::Caller,
            change: model::DifferenceChange::Changed,
            severity: grave,
            confidence: confidence(&doubts),
            ordinary,
            program: key.program.clone(),
            device: key.device,
            thing: [script, &group.thing()].join(" ").trim().to_owned(),
            facts,
            doubts,
            before: Vec::new(),
            after: caller.evidence(),
            finding: None,
        },
    };
    told.done(which)
}

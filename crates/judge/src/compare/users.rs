//! Who a program runs as. Of two computers only whether it has all rights: their users have other names.

use model::{Difference, DifferenceKind, Doubt, Fact, Severity, Which};

use super::matching::Both;
use super::program::{Standing, User};
use super::programs::confidence;
use super::{Sides, change, other};

pub(super) fn differ(sides: Sides<'_>, both: Both<'_>, differences: &mut Vec<Difference>) {
    let (old, new) = (&both.before.1.users, &both.after.1.users);
    // One side does not tell, or the program has nothing to do with the network.
    let uses = both.before.1.uses_network() || both.after.1.uses_network();
    if old.is_empty() || new.is_empty() || !uses {
        return;
    }
    for which in Which::BOTH {
        let (here, there) = match which {
            Which::Before => (old, new),
            Which::After => (new, old),
        };
        for user in here {
            if !is_there(user, there, sides.one_computer()) {
                differences.push(difference(sides, both, which, user));
            }
        }
    }
}

fn is_there(user: &User, there: &std::collections::BTreeSet<User>, one_computer: bool) -> bool {
    match one_computer {
        true => there.contains(user),
        false => there.iter().any(|it| it.is_root == user.is_root),
    }
}

fn difference(sides: Sides<'_>, both: Both<'_>, which: Which, user: &User) -> Difference {
    let (key, program) = match which {
        Which::Before => both.before,
        Which::After => both.after,
    };
    let standing = program.standing(key);
    let mut facts = program.facts(key);
    facts.retain(|(name, _)| *name != "users");
    // Of another computer the name of the user is no sign.
    let name = match sides.one_computer() || user.is_root {
        true => user.name.clone(),
        false => "not root".to_owned(),
    };
    facts.push(("user", Fact::Text(name.clone())));
    if user.is_root {
        facts.push(("root", Fact::Text("yes".to_owned())));
    }
    let mut doubts = Vec::new();
    if sides.is_short(other(which)) {
        doubts.push(Doubt::TooShort);
    }
    let grave = match (which, user.is_root, standing) {
        (Which::Before, ..) => Severity::Informational,
        (Which::After, true, standing) if standing.is_odd() => Severity::Medium,
        (Which::After, true, _) => Severity::Low,
        (Which::After, false, Standing::Ordinary) => Severity::Informational,
        (Which::After, false, _) => Severity::Low,
    };
    let evidence = |side| match which == side {
        true => program.evidence(),
        false => Vec::new(),
    };
    Difference {
        kind: DifferenceKind::ProgramUser,
        change: change(which),
        severity: grave,
        confidence: confidence(&doubts),
        ordinary: !user.is_root && standing == Standing::Ordinary,
        program: both.key().program.clone(),
        device: None,
        thing: [both.key().script.as_deref().unwrap_or_default(), &name]
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

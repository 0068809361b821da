//! How many checks of a process found something, and how many nothing.

use std::collections::BTreeMap;

use model::{Examined, Outcome, Process};

use crate::messages::checks as texts;

/// Of all checks of one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    found: usize,
    nothing: usize,
    untested: usize,
}

fn tally(examined: &Examined) -> Tally {
    let mut tally = Tally::default();
    for checked in &examined.checks {
        match checked.outcome {
            Outcome::NothingFound => tally.nothing += 1,
            Outcome::Found { .. } => tally.found += 1,
            Outcome::NotTestable(_) => tally.untested += 1,
        }
    }
    tally
}

/// `· 14/17`. `kernel`: a thread of the kernel, which has no program that could be looked into. `-`: nobody
/// has looked.
pub(crate) fn in_short(process: &Process) -> String {
    if process.kernel_thread {
        return texts::KERNEL.to_owned();
    }
    let Some(examined) = &process.examined else {
        return "-".to_owned();
    };
    let Tally {
        found,
        nothing,
        untested,
    } = tally(examined);
    texts::in_short(found, nothing, found + nothing + untested)
}

/// `nothing found by 14 checks, 3 not testable (no rights)`.
pub(crate) fn summary(examined: &Examined) -> String {
    let Tally { found, nothing, .. } = tally(examined);
    let mut untested: BTreeMap<&str, usize> = BTreeMap::new();
    for checked in &examined.checks {
        if let Outcome::NotTestable(why) = checked.outcome {
            *untested.entry(why.word()).or_default() += 1;
        }
    }
    let untested: Vec<_> = untested.into_iter().collect();
    texts::summary(found, nothing, &untested)
}

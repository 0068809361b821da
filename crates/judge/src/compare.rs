//! What two sides differ in, by what stays the same from start to start of a computer: the path of a
//! program, the name or the network that it calls, the port where it waits. Pids, sockets, times and the
//! addresses of a network that has many are left out.
//!
//! An [`Outline`] is what is left of a snapshot then; it is small, so that one side can be let go before
//! the other is read. [`compare`] holds two of them against each other: it finds in `after` and `before`
//! what it finds in `before` and `after` the other way round.

mod callers;
mod destination;
mod destinations;
mod files;
mod findings;
mod limits;
mod listener;
mod listeners;
mod matching;
mod outline;
mod place;
mod program;
mod programs;
#[cfg(test)]
mod tests;
mod users;

use std::cmp::Reverse;
use std::time::Duration;

use model::{Comparison, Difference, DifferenceChange, Same, SideKind, Which};

use self::matching::matched;
pub use self::outline::Outline;

/// Of a time that is shorter by so much it is not said that what is missing in it was not there.
const SHORTER: u32 = 4;
/// Nor of one that is so short itself: much is done once in some minutes.
const SHORT: Duration = Duration::from_secs(10 * 60);

/// What differs. Whoever wants the older side first names it first.
pub fn compare(before: Outline, after: Outline) -> Comparison {
    let not_compared = limits::not_compared(&before.side, &after.side);
    let (mut before, mut after) = (before, after);
    if !(before.side.shows.owners && after.side.shows.owners) {
        // Nobody can tell whose a connection is on one side: all are held against all.
        before.without_programs();
        after.without_programs();
    }
    if !(before.side.shows.listeners && after.side.shows.listeners) {
        before.without_listeners();
        after.without_listeners();
    }
    let sides = Sides {
        before: &before,
        after: &after,
    };
    let mut differences = Vec::new();
    let mut same = Same::default();
    let pairs = matched(&before.programs, &after.programs);
    for pair in pairs.iter().filter(|it| !it.is_this_tool()) {
        programs::differ(sides, pair, &mut differences, &mut same);
        if let Some(both) = pair.both() {
            files::differ(sides, both, &mut differences);
            users::differ(sides, both, &mut differences);
        }
        listeners::differ(sides, pair, &mut differences, &mut same);
        destinations::differ(sides, pair, &mut differences, &mut same);
        callers::differ(sides, pair, &mut differences);
    }
    listeners::taken_over(sides, &mut differences);
    findings::differ(sides, &pairs, &mut differences, &mut same);
    sort(&mut differences);
    Comparison {
        before: before.side,
        after: after.side,
        differences,
        same,
        not_compared,
    }
}

/// Both sides, and how they are held against each other.
#[derive(Clone, Copy)]
struct Sides<'a> {
    before: &'a Outline,
    after: &'a Outline,
}

impl<'a> Sides<'a> {
    fn of(self, which: Which) -> &'a Outline {
        match which {
            Which::Before => self.before,
            Which::After => self.after,
        }
    }

    fn other(self, which: Which) -> &'a Outline {
        match which {
            Which::Before => self.after,
            Which::After => self.before,
        }
    }

    /// Whether both are of one computer, as far as they say.
    fn one_computer(self) -> bool {
        let (one, other) = (&self.before.side.host, &self.after.side.host);
        one.is_some() && one == other
    }

    /// Whether the side tells of one moment, of a short time, or of so much less than the other that what is
    /// missing there means little.
    fn is_short(self, which: Which) -> bool {
        let length = |which| {
            let (from, until) = self.of(which).side.span?;
            Some(from.until(until)).filter(|it| !it.is_zero())
        };
        let kind = self.of(which).side.kind;
        if matches!(kind, SideKind::Now | SideKind::Look) {
            return true;
        }
        match (length(which), length(other(which))) {
            (None, _) => true,
            (Some(own), _) if own < SHORT => true,
            (Some(own), Some(other)) => own.saturating_mul(SHORTER) < other,
            (Some(_), None) => false,
        }
    }
}

fn other(which: Which) -> Which {
    match which {
        Which::Before => Which::After,
        Which::After => Which::Before,
    }
}

/// What is only there on one side: `new` where it is there afterwards.
fn change(which: Which) -> DifferenceChange {
    match which {
        Which::Before => DifferenceChange::Gone,
        Which::After => DifferenceChange::New,
    }
}

/// What matters most first; what is gone after what has come.
fn sort(differences: &mut [Difference]) {
    differences.sort_by(|one, other| key(one).cmp(&key(other)));
}

type Key<'a> = (
    Reverse<(model::Severity, model::Confidence)>,
    DifferenceChange,
    model::DifferenceKind,
    (Option<&'a model::Text>, Option<model::DeviceId>, &'a str),
    Option<model::FindingId>,
);

fn key(difference: &Difference) -> Key<'_> {
    (
        Reverse((difference.severity, difference.confidence)),
        difference.change,
        difference.kind,
        (
            difference.program.as_ref(),
            difference.device,
            difference.thing.as_str(),
        ),
        difference.finding.as_ref().map(|it| it.id),
    )
}

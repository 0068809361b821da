//! What could not be compared, or only in part: said beside every result.

use std::time::Duration;

use model::{NotCompared, Side, SideKind, Which};

use super::SHORT;

/// Of two times that differ by no more it is not said that one is short.
const ALIKE: u32 = 2;

pub(super) fn not_compared(before: &Side, after: &Side) -> Vec<NotCompared> {
    let mut all = Vec::new();
    let hosts = before.host.as_ref().zip(after.host.as_ref());
    if hosts.is_some_and(|(one, other)| one != other) {
        all.push(NotCompared::OtherComputer);
    }
    let begins = before.span.zip(after.span);
    if begins.is_some_and(|(one, other)| other.1 < one.0) {
        all.push(NotCompared::Reversed);
    }
    let tiers = before.tier.zip(after.tier);
    if tiers.is_some_and(|(one, other)| one != other) {
        all.push(NotCompared::OtherTier);
    }
    for which in Which::BOTH {
        let (side, other) = match which {
            Which::Before => (before, after),
            Which::After => (after, before),
        };
        all.extend(time(which, side, other));
        all.extend(sight(which, side, other));
    }
    all
}

fn time(which: Which, side: &Side, other: &Side) -> Option<NotCompared> {
    let length = |side: &Side| side.span.map(|(from, until)| from.until(until));
    match (length(side), length(other)) {
        (None, _) => Some(NotCompared::NoTimes(which)),
        (Some(_), _) if matches!(side.kind, SideKind::Now | SideKind::Look) => {
            Some(NotCompared::Moment(which))
        }
        (Some(Duration::ZERO), _) => Some(NotCompared::Moment(which)),
        (Some(own), _) if own < SHORT => Some(NotCompared::ShortTime(which)),
        (Some(own), Some(other)) if own.saturating_mul(ALIKE) < other => {
            Some(NotCompared::ShortTime(which))
        }
        (Some(_), _) => None,
    }
}

/// What one side shows and the other does not; and what neither can be sure of.
fn sight(which: Which, side: &Side, other: &Side) -> Vec<NotCompared> {
    let (shows, others) = (side.shows, other.shows);
    let lacks = [
        (!shows.owners, NotCompared::NoOwners(which)),
        (
            shows.owners && shows.unknown_owners > 0,
            NotCompared::UnknownOwners(which, shows.unknown_owners),
        ),
        (!shows.listeners, NotCompared::NoListeners(which)),
        (!shows.names, NotCompared::NoNames(which)),
        (!shows.packages, NotCompared::NoPackages(which)),
        (!shows.hashes, NotCompared::NoHashes(which)),
        (!shows.examined, NotCompared::NotExamined(which)),
        (
            !shows.every_process && others.every_process,
            NotCompared::OnlyWithConnections(which),
        ),
        (
            shows.left_out > 0,
            NotCompared::LeftOut(which, shows.left_out),
        ),
        (shows.let_go > 0, NotCompared::LetGo(which, shows.let_go)),
    ];
    lacks.into_iter().filter(|it| it.0).map(|it| it.1).collect()
}

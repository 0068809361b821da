//! What the rules could not look at.

use std::time::Duration;

use model::{Gap, Knows, Snapshot, Tier, Timestamp, Unchecked};

/// Lists and tables older than that miss much of what is known meanwhile.
const OLD: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// Ids of gaps with which a name may have been asked for that nobody saw.
const WITHOUT_NAMES: [&str; 4] = ["name_not_visible", "events_lost", "no_events", "polling"];
/// The same of a capture, which has nothing but packets to read names of.
const WITHOUT_PACKETS: [&str; 2] = ["packets_lost", "packets_cut"];

/// In seconds.
const DAY: u64 = 24 * 60 * 60;
const WATCHED: [u64; 15] = [
    0, 60, 120, 180, 300, 450, 600, 900, 1800, 2700, 3600, 7200, 14_400, 43_200, DAY,
];
/// So many calls have a rhythm.
const BEATS: u64 = 6;

/// What was counted of the items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Pairs in which there was a name.
    pub(crate) named: u64,
    /// Connections whose program is not known, nor a device in its place.
    pub(crate) unknown: u64,
    /// Programs whose path is known and whose file was not hashed.
    pub(crate) unhashed: u64,
    /// Programs whose path is not known.
    pub(crate) pathless: u64,
    /// Processes whose memory nobody could look into.
    pub(crate) unexamined: u64,
}

/// Whether a connection without a name is one that nobody asked a name for. A file of another tool may
/// not tell names at all.
pub(crate) fn shows_names(snapshot: &Snapshot, counts: Counts) -> bool {
    let hides = |gap: &Gap| {
        let (id, of_capture) = (gap.id.as_str(), snapshot.tier == Tier::Import);
        WITHOUT_NAMES.contains(&id) || of_capture && WITHOUT_PACKETS.contains(&id)
    };
    if snapshot.gaps.iter().any(hides) {
        return false;
    }
    match snapshot.tier {
        Tier::Full | Tier::NoBtf => true,
        Tier::Import => has_names(snapshot, counts),
        Tier::Polling => false,
    }
}

fn has_names(snapshot: &Snapshot, counts: Counts) -> bool {
    counts.named > 0 || !snapshot.asked.is_empty()
}

/// Seconds: who calls less often has not called often enough to have a rhythm. 0: nobody watched. `None`:
/// a day and more was watched.
fn seldom(since: Timestamp, taken: Timestamp) -> Option<u64> {
    let watched = since.told().zip(taken.told());
    let watched = watched.map_or(Duration::ZERO, |(since, taken)| since.until(taken));
    // In steps: it would be another one with each second.
    let step = WATCHED.iter().rev().find(|it| **it <= watched.as_secs())?;
    (*step < DAY).then_some(step / BEATS)
}

pub(crate) fn of(
    snapshot: &Snapshot,
    counts: Counts,
    shows_names: bool,
    knows: Option<&dyn Knows>,
) -> Vec<Unchecked> {
    let mut unchecked = Vec::new();
    if !has_names(snapshot, counts) {
        unchecked.push(Unchecked::NoNames);
    }
    if !shows_names {
        unchecked.push(Unchecked::NamesNotSeen);
    }
    let seldom = seldom(snapshot.since, snapshot.taken);
    unchecked.extend(seldom.map(Unchecked::Seldom));
    let counted = [
        (counts.unknown, Unchecked::UnknownOwners(counts.unknown)),
        (counts.unhashed, Unchecked::NoHash(counts.unhashed)),
        (counts.pathless, Unchecked::NoPath(counts.pathless)),
        (counts.unexamined, Unchecked::NotExamined(counts.unexamined)),
        (snapshot.let_go, Unchecked::LetGo(snapshot.let_go)),
    ];
    unchecked.extend(counted.into_iter().filter(|it| it.0 > 0).map(|it| it.1));
    if let Some(knows) = knows {
        let others = knows.unchecked_indicators();
        unchecked.extend((others > 0).then_some(Unchecked::Indicators(others)));
        let newest = knows.newest();
        let old = newest.filter(|newest| {
            let taken = snapshot.taken.told();
            taken.is_some_and(|taken| newest.until(taken) > OLD)
        });
        unchecked.extend(old.map(Unchecked::Old));
    }
    unchecked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_calls_too_seldom_for_what_was_watched() {
        let check = |seconds: i64, expected| {
            let at =
                |seconds| Timestamp::from_unix_nanos((1_790_000_000 + seconds) * 1_000_000_000);
            assert_eq!(seldom(at(0), at(seconds)), expected, "{seconds}");
        };
        check(0, Some(0));
        check(59, Some(0));
        check(60, Some(10));
        check(179, Some(20));
        check(184, Some(30));
        check(86_399, Some(7200));
        check(86_400, None);
        // Of a single look nothing else is told.
        let taken = Timestamp::from_unix_nanos(1_790_000_000_000_000_000);
        assert_eq!(seldom(Timestamp::UNTOLD, taken), Some(0));
    }
}

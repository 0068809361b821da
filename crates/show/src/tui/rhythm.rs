//! The rhythm panel: how often and how evenly a program calls. It is made of what a snapshot keeps of
//! calls and of what the rules say of them, and judges nothing itself.

mod bars;
mod histogram;
mod hours;
mod page;
mod series;
mod spread;
mod talk;

use model::{Pair, PairKey, Snapshot, Timestamp};

pub(super) use self::page::Page;
use self::series::Series;
use super::axis::Axis;
use super::rows::{Picture, Row};
use crate::messages::rhythm as texts;

/// What the panel is made from.
pub(super) struct Looked<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) picture: &'a Picture,
    pub(super) row: &'a Row,
    /// Knows when nobody watched.
    pub(super) axis: &'a Axis,
    /// When watching began.
    pub(super) since: Timestamp,
}

/// Whether there are calls to look at.
pub(super) fn is_there(looked: &Looked<'_>) -> bool {
    !series::pairs(looked).is_empty()
}

/// About what the row is about. `of`: a pair of the calls that were chosen; where there are none such, those
/// that matter most. `None`: there are no calls to look at.
pub(super) fn page(looked: &Looked<'_>, of: Option<&PairKey>, width: usize) -> Option<Page> {
    let all = series::all(looked);
    let place = place(&all, of);
    let chosen = all.get(place)?;
    Some(page::page(looked, chosen, (place, all.len()), width))
}

/// A pair of the calls before or after those that were chosen; after the last come the first.
pub(super) fn beside(looked: &Looked<'_>, of: Option<&PairKey>, after: bool) -> Option<PairKey> {
    let all = series::all(looked);
    let count = all.len().max(1);
    let step = if after { 1 } else { count - 1 };
    let beside = all.get((place(&all, of) + step) % count)?;
    beside.pairs.first().map(|pair| pair.key.clone())
}

/// What is found of the calls of one pair, in a few words.
pub(super) fn in_short(snapshot: &Snapshot, pair: &Pair) -> String {
    let findings = snapshot.findings.iter();
    let found = findings.filter(|it| series::is_of_rhythm(it) && series::concerns(it, pair));
    let mut found = found.filter_map(|it| page::found(it).or_else(|| page::heartbeat(it)));
    match found.next() {
        Some((_, every)) => texts::shown_by_key(&every),
        None if snapshot.findings.revision() == 0 => texts::NOT_JUDGED_IN_SHORT.to_owned(),
        None => texts::NONE_IN_SHORT.to_owned(),
    }
}

fn place(all: &[Series<'_>], of: Option<&PairKey>) -> usize {
    let has = |it: &Series<'_>| it.pairs.iter().any(|pair| Some(&pair.key) == of);
    all.iter().position(has).unwrap_or(0)
}

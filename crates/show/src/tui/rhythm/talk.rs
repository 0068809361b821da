//! Bursts inside connections: the connection whose pace is the best, or the one that was chosen.

use std::cmp::Reverse;

use model::{ConnectionId, Talk};

use super::series::Series;
use super::spread::{Spread, nanos};

/// Fewer gaps have no pace.
const LEAST: usize = 2;

/// When one connection sent.
pub(super) struct Pace<'a> {
    pub(super) connection: ConnectionId,
    pub(super) talk: &'a Talk,
    /// Between the begins of its bursts, in nanoseconds and in order.
    pub(super) gaps: Vec<u64>,
}

impl<'a> Pace<'a> {
    fn of(connection: ConnectionId, talk: &'a Talk) -> Option<Self> {
        let begins = talk.bursts().map(|it| it.first);
        let next = talk.bursts().skip(1).map(|it| it.first);
        let gaps = begins.zip(next).map(|(one, next)| nanos(one.until(next)));
        let mut gaps: Vec<u64> = gaps.collect();
        gaps.sort_unstable();
        (gaps.len() >= LEAST).then_some(Self {
            connection,
            talk,
            gaps,
        })
    }

    /// How far from the period that was found, and how uneven.
    fn unevenness(&self, period: Option<u64>) -> (u64, u64) {
        let spread = Spread::of(&self.gaps);
        let middle = spread.map_or(0, |it| it.middle);
        let off = period.map_or(0, |it| it.abs_diff(middle));
        let jitter = spread.and_then(|it| it.jitter());
        (off, jitter.unwrap_or(u64::MAX))
    }
}

/// And how many others there are. `period`: what a rule has found inside one of them, in nanoseconds.
/// `None`: no connection sent often enough.
pub(super) fn best<'a>(series: &Series<'a>, period: Option<u64>) -> Option<(Pace<'a>, usize)> {
    let all = series
        .talks()
        .into_iter()
        .filter_map(|(id, talk)| Pace::of(id, talk));
    let mut all: Vec<Pace<'_>> = all.collect();
    all.sort_by_key(|it| {
        let is_chosen = series
            .connection
            .is_some_and(|chosen| chosen.id == it.connection);
        (!is_chosen, it.unevenness(period), Reverse(it.gaps.len()))
    });
    let others = all.len().saturating_sub(1);
    all.into_iter().next().map(|pace| (pace, others))
}

//! Texts that are asked for again and again below one domain: a program that has its orders there looks
//! at a steady pace whether there are new ones.

use std::time::Duration;

use model::{Confidence, Fact, Severity, Timestamp};

use super::dns_tunnel;
use super::fit;
use super::questions::{Domain, Questions, share};
use super::reputation::is_reputation;
use crate::fit::{Fit, Piece, Told, Whose};
use crate::reason::{Reason, tell};
use crate::rule::Rule;

const FEWEST: usize = 20;
/// The quartiles of the pauses lie so close: (upper - lower) / (upper + lower). A pace that varies by half
/// of it has 0.25, chance 0.66; of 40 times that come by chance 2 in 100 pass, and of more fewer.
const STEADY: f64 = 0.33;
const VERY_STEADY: f64 = 0.15;
/// A resolver asks again when what it kept is over.
const KEPT: f64 = 0.1;
/// With so many names, what is asked for is numbered.
const SEVERAL_NAMES: u64 = 3;

pub(super) struct DnsCommands;

impl Rule for DnsCommands {
    fn word(&self) -> &'static str {
        "dns_commands"
    }

    fn questions(&self, questions: &Questions<'_>, fits: &mut Vec<Fit>) {
        let (Domain::Registered(domain) | Domain::Unlisted(domain)) = &questions.domain else {
            return;
        };
        let zone = questions.zone;
        let carries = zone.kinds.text + zone.kinds.raw;
        let Some(pace) = pace(&zone.odd_times) else {
            return;
        };
        let kept = zone.text_ttl.filter(|ttl| *ttl > 0).is_some_and(|ttl| {
            let ttl = f64::from(ttl);
            (pace.pause.as_secs_f64() / ttl - 1.0).abs() <= KEPT
        });
        let few = carries < u64::try_from(FEWEST).unwrap_or(0);
        let is_list = questions.reversed() >= 0.5 || is_reputation(domain);
        // The other rule says more of it.
        let is_tunnel = dns_tunnel::points(questions).is_some();
        if few || kept || is_list || is_tunnel || questions.service() >= 0.5 {
            return;
        }
        let several = zone.names.different >= SEVERAL_NAMES;
        // Other programs, too, ask one name from time to time: for a version, or for their own address.
        let other_than_others = several || questions.asker.is_known_strange();
        let points = 30
            + if other_than_others { 15 } else { 0 }
            + if pace.spread <= VERY_STEADY { 5 } else { 0 }
            + if zone.kinds.raw > 0 { 10 } else { 0 };
        let trusted = if questions.asker.is_trusted() { 10 } else { 0 };
        let weight = (Severity::Low, Confidence::Low);
        let reason = Reason::new(domain, weight, &["T1071.004"])
            .text("name", domain.as_str())
            .with([
                ("texts", Fact::Count(carries)),
                ("pause", Fact::Duration(pace.pause)),
                ("spread", Fact::Share(pace.spread)),
            ])
            .with(questions.facts());
        if let Some(reason) = questions.weighed(points - trusted, reason) {
            fits.push(fit(reason, domain.clone()));
        }
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        tell(pieces)
    }
}

/// How steadily something comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// The pause in the middle of all.
    pub(super) pause: Duration,
    /// 0: all pauses are the same.
    pub(super) spread: f64,
}

/// That of the steadiest part of them: of half of them, and of twenty at least. What a program does at
/// first may be no pace yet. `None`: there are fewer, or no part is steady.
pub(super) fn pace(times: &[Timestamp]) -> Option<Pace> {
    let rows = AT_ONCE.into_iter().flat_map(|at_once| {
        let times = beats(times, at_once);
        let length = FEWEST.max(times.len() / 2);
        let last = times.len().checked_sub(length);
        let starts = last.into_iter().flat_map(|last| (0..=last).rev());
        let starts = starts.step_by(length / 4);
        let rows = starts.filter_map(|start| row(times.get(start..start + length)?));
        let rows: Vec<Pace> = rows.filter(|it| it.pause >= at_once * 3).collect();
        rows
    });
    let best = rows.min_by(|one, other| one.spread.total_cmp(&other.spread))?;
    (best.spread <= STEADY).then_some(best)
}

/// What comes within so long a time is one and the same: it may ask for several things at once.
const AT_ONCE: [Duration; 3] = [
    Duration::from_millis(150),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// The first of all times that lie so close together.
fn beats(times: &[Timestamp], at_once: Duration) -> Vec<Timestamp> {
    let mut beats: Vec<Timestamp> = Vec::new();
    let mut before = None;
    for time in times {
        let is_new = before.is_none_or(|it: Timestamp| it.until(*time) > at_once);
        if is_new {
            beats.push(*time);
        }
        before = Some(*time);
    }
    beats
}

fn row(times: &[Timestamp]) -> Option<Pace> {
    let pauses = times.iter().zip(times.iter().skip(1));
    let mut pauses: Vec<Duration> = pauses.map(|(one, next)| one.until(*next)).collect();
    pauses.sort_unstable();
    let at = |part: usize| pauses.get(pauses.len() * part / 4).copied();
    let (lower, middle, upper) = (at(1)?, at(2)?, at(3)?);
    let nanos = |it: Duration| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX);
    let (low, high) = (nanos(lower), nanos(upper));
    Some(Pace {
        pause: middle,
        spread: share(high - low, high.saturating_add(low)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pauses in thousandths of a second, one after the other; the middle pause, or 0.
    #[track_caller]
    fn check(pauses: impl IntoIterator<Item = i64>, expected: u128) {
        let mut time = 0;
        let times = pauses.into_iter().map(|pause| {
            time += pause * 1_000_000;
            Timestamp::from_unix_nanos(time)
        });
        let times: Vec<_> = times.collect();
        let found = pace(&times).map_or(0, |it| it.pause.as_millis());
        assert_eq!(found, expected);
    }

    /// Numbers that look like chance, from 0 to 99.
    fn chance(count: i64) -> impl Iterator<Item = i64> {
        (1..=count).map(|it| it * it * 7_919 % 10_007 % 100)
    }

    #[test]
    fn a_steady_pace_is_found() {
        check([60_000; 20], 60_000);
        check([60_000; 19], 0);
        // It varies by a fifth; each time it asks twice; it began with something else.
        check(chance(40).map(|it| 54_000 + it * 120), 60_000);
        check([60_000, 80].repeat(20), 60_080);
        let mut pauses = vec![200; 20];
        pauses.extend([30_000; 25]);
        check(pauses, 30_000);
    }

    #[test]
    fn chance_has_no_pace() {
        // As unlike as pauses between things that have nothing to do with each other.
        let log =
            |it: i64| [1, 4, 9, 14, 20, 28, 40, 60, 95, 180][usize::try_from(it / 10).unwrap()];
        check(chance(60).map(|it| log(it) * 1_000), 0);
        // As much as there is, as fast as it goes.
        check([20; 200], 0);
    }
}

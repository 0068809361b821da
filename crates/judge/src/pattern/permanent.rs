//! A connection that is always there: open since before anybody looked, or opened again each time it ends.
//! Judged by how long it lasted and by how long somebody watched.

use model::{Confidence, Fact, NetworkKind, Severity, Timestamp};

use super::alone::is_alone;
use super::beacon::span;
use super::habit::{Habit, Standing, seconds};
use super::heartbeat;
use super::rhythm;
use super::weight::{FEW, LOOK, NOTE, confidence, weighed};
use crate::reason::Reason;

/// In seconds: 10 and 30 minutes, 1, 4, 8, 12 and 24 hours, 3 and 7 days. As Zeek's long-connections has
/// them.
const LADDER: [f64; 9] = [
    600.0, 1800.0, 3600.0, 14_400.0, 28_800.0, 43_200.0, 86_400.0, 259_200.0, 604_800.0,
];
/// Who has nobody else to talk to need not stand for longer.
const STANDS_ALONE: f64 = 300.0;
/// What lasted so long counts although it is over.
const LONG: f64 = 3600.0;
const DAY: f64 = 86_400.0;
/// Whoever calls again within this has not been away.
const AWAY: f64 = 60.0;
/// Of the time from the first to the last of a row of connections one must have stood for this part.
const CONNECTED: f64 = 0.5;
/// So large a part of the time watched is all of it.
const ALWAYS: f64 = 0.9;
/// What stood to the end of a short look, and for half of it, may stand for good.
const SHORT_LOOK: f64 = 0.5;
const SHORTEST: f64 = 30.0;
/// Bytes a second: less is idle.
const IDLE: f64 = 100.0;

pub(super) struct Stood {
    pub(super) lasted: f64,
    pub(super) is_open: bool,
    pub(super) calls: usize,
}

pub(super) fn look(habit: &Habit<'_>) -> Vec<Reason> {
    let usual = habit.standing <= Standing::Ordinary && habit.reasons.is_empty();
    if habit.is_of_many() || habit.comes_by_itself() || usual || habit.standing == Standing::Ours {
        return Vec::new();
    }
    let watched = habit.watched();
    let Some(stood) = stood(habit) else {
        return Vec::new();
    };
    let share = (stood.lasted / watched.max(1.0)).min(1.0);
    let is_long = stood.lasted >= LADDER[0];
    let stands_for_half =
        stood.is_open && habit.open() > 0 && stood.lasted >= SHORTEST && share >= SHORT_LOOK;
    if !is_long && !stands_for_half {
        return Vec::new();
    }
    let pairs = habit.pairs.iter();
    let best = rhythm::best(pairs.map(|pair| heartbeat::beats_in(pair)));
    let best = best.filter(|it| it.score >= NOTE);
    let ladder = ((stood.lasted / LADDER[0]).ln() / (DAY / LADDER[0]).ln()).clamp(0.0, 1.0);
    let plus = |is: bool, points: f64| if is { points } else { 0.0 };
    let rate = habit.rate(stood.lasted);
    let score = 100.0 * ladder
        + plus(stood.is_open, 15.0)
        + plus(share >= ALWAYS, 10.0)
        + plus(best.is_some(), 15.0)
        + plus(rate.is_some_and(|rate| rate < IDLE), 10.0)
        + plus(habit.name.is_none(), 10.0);
    let score = weighed(score.min(100.0), None, habit);
    let stands = stood.is_open || share >= ALWAYS || stood.lasted >= LONG;
    // Its heartbeat is a finding of its own.
    let is_still = best.is_none() && stands && is_alone(habit);
    let (severity, confidence) = match weight(score, stood.lasted, stands, habit) {
        (Severity::Low, confidence) if is_still && stood.lasted >= STANDS_ALONE => {
            (Severity::Medium, confidence)
        }
        weight => weight,
    };
    // Pages that were open for a while are many, and say nothing.
    let is_page = habit.name.is_some() && matches!(habit.port(), Some(80 | 443));
    if severity == Severity::Informational && is_page {
        return Vec::new();
    }
    let rung = LADDER.iter().rev().find(|it| **it <= stood.lasted);
    let reason = Reason::new(&habit.thing(), (severity, confidence), &["T1571", "T1071"])
        .with(rung.map(|rung| ("at_least", span(*rung))))
        .with([("of_the_look", Fact::Share((share * 20.0).floor() / 20.0))])
        .with(heartbeat::pace(best.as_ref()))
        .with(habit.facts());
    let again = stood.calls > 1;
    vec![if again {
        reason.count("opened_again", stood.calls - 1)
    } else {
        reason
    }]
}

/// Time alone makes nothing medium: mail, chat, VPNs and whatever pushes news stand for good.
fn weight(score: f64, lasted: f64, stands: bool, habit: &Habit<'_>) -> (Severity, Confidence) {
    let is_unpackaged = habit.standing == Standing::Unpackaged;
    let severity = match habit.reasons.is_empty() {
        false if score >= NOTE && !habit.is_inbound() => Severity::High,
        false if lasted >= LADDER[0] => Severity::Medium,
        false => Severity::Low,
        true if is_unpackaged && score >= LOOK && is_rare(habit) => Severity::Medium,
        true if is_unpackaged || stands && lasted >= LADDER[0] => Severity::Low,
        true => Severity::Informational,
    };
    (severity, confidence(habit))
}

/// An address without a name, of a program that calls few others: what people use asks for names, and what
/// hides people from others (Tor) calls many.
fn is_rare(habit: &Habit<'_>) -> bool {
    let tor = [NetworkKind::Tor, NetworkKind::Relay, NetworkKind::Vpn];
    let few = habit.callers.of_program <= FEW;
    habit.name.is_none() && few && !habit.is_inbound() && !habit.has_kind(&tor)
}

/// The longest time without a pause in which one of its connections was there, if it reaches to the end
/// of what is known or fills nearly all of it.
fn stood(habit: &Habit<'_>) -> Option<Stood> {
    let calls = habit.calls();
    // Of those that are open, more than were seen to begin.
    let begun = calls.iter().filter(|it| it.closed.is_none() && !it.failed);
    let before = habit.open() > u64::try_from(begun.count()).unwrap_or(u64::MAX)
        && habit.pairs.iter().any(|pair| pair.members.present > 0);
    let since = habit.since.told();
    let mut spans: Vec<(Timestamp, Timestamp, bool)> = Vec::new();
    if before && let Some(since) = since {
        // It stood before anybody looked, and nobody saw it end.
        spans.push((since, habit.taken, true));
    }
    // Where none is open, nobody knows of those without an end when they ended.
    let stands = habit.open() > 0;
    spans.extend(calls.iter().filter(|it| !it.failed).map(|call| {
        let until = call.closed.or(Some(habit.taken).filter(|_| stands));
        let until = until.unwrap_or(call.opened);
        // What went on until the end of the look was not seen to end.
        let to_the_end = seconds(until, habit.taken) <= AWAY && call.closed != Some(call.opened);
        let is_open = call.closed.is_none() && stands || call.closed.is_some() && to_the_end;
        (call.opened, until, is_open)
    }));
    spans.sort_unstable();
    let mut row: Option<Row> = None;
    let mut rows: Vec<Row> = Vec::new();
    for (from, until, is_open) in spans {
        match &mut row {
            Some(row) if seconds(row.last, from) <= AWAY => row.add(from, until, is_open),
            _ => rows.extend(row.replace(Row::new(from, until, is_open))),
        }
    }
    rows.extend(row);
    // Short calls that follow each other closely are a rhythm, and no connection that stands.
    let rows = rows.into_iter().filter(|row| {
        let lasted = seconds(row.first, row.last);
        row.connected >= lasted * CONNECTED
    });
    let longest = rows.max_by(|one, other| {
        seconds(one.first, one.last).total_cmp(&seconds(other.first, other.last))
    })?;
    Some(Stood {
        lasted: seconds(longest.first, longest.last),
        is_open: longest.is_open,
        calls: longest.calls,
    })
}

/// Connections of which each began before, or soon after, the one before it was over.
struct Row {
    first: Timestamp,
    last: Timestamp,
    is_open: bool,
    calls: usize,
    /// For how many seconds one of them stood.
    connected: f64,
}

impl Row {
    fn new(from: Timestamp, until: Timestamp, is_open: bool) -> Self {
        Self {
            first: from,
            last: until,
            is_open,
            calls: 1,
            connected: seconds(from, until),
        }
    }

    /// In the order of their beginnings.
    fn add(&mut self, from: Timestamp, until: Timestamp, is_open: bool) {
        self.connected += seconds(from.max(self.last), until);
        self.last = self.last.max(until);
        self.is_open |= is_open;
        self.calls += 1;
    }
}

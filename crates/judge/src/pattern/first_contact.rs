//! A program that is of no package and called somebody for the first time while somebody watched.

use model::{Confidence, Severity};

use super::alone::{is_alone, says_the_same};
use super::habit::{Habit, Standing, seconds};
use super::{beacon, dead_server, heartbeat, permanent, upload};
use crate::reason::Reason;

/// What was there when watching began shows up within this.
const BEGIN: f64 = 2.0;

pub(super) fn look(habit: &Habit<'_>) -> Vec<Reason> {
    let first = habit
        .pairs
        .iter()
        .filter_map(|pair| pair.first.told())
        .min();
    let (Some(first), Some(since)) = (first, habit.since.told()) else {
        return Vec::new();
    };
    let present = habit.pairs.iter().any(|pair| pair.members.present > 0);
    let is_new = seconds(since, first) >= BEGIN && !present;
    let is_other = habit.standing == Standing::Unpackaged;
    if !is_new || !is_other || habit.is_inbound() || habit.is_of_many() || habit.comes_by_itself() {
        return Vec::new();
    }
    let is_odd = is_alone(habit) && says_the_same(habit) && !is_said(habit);
    let (severity, alone) = if is_odd {
        (Severity::Medium, Some(("calls", "nobody else")))
    } else {
        (Severity::Low, None)
    };
    // One for each program: what is new are its calls, not each of them.
    let reason = Reason::new("", (severity, Confidence::Low), &["T1071"]).with(habit.facts());
    vec![match alone {
        Some((name, text)) => reason.text(name, text),
        None => reason,
    }]
}

/// Whether another rule asks somebody to look at it: once is enough.
fn is_said(habit: &Habit<'_>) -> bool {
    let others = [
        beacon::look,
        heartbeat::look,
        permanent::look,
        dead_server::look,
        upload::look,
    ];
    let mut reasons = others.into_iter().flat_map(|look| look(habit));
    reasons.any(|it| it.severity >= Severity::Medium)
}

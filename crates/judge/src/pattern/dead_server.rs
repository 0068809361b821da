//! A program that keeps calling a server that never answers: the server was taken down, and what calls it
//! is still here.

use model::Severity;

use super::beacon;
use super::habit::{Habit, Standing};
use super::rhythm::{self, rhythm};
use super::weight::{NOTE, is_told, weighed};
use crate::reason::Reason;

/// Fewer tries are a person's, or a restart's.
const LEAST: usize = 10;
/// So many need no rhythm.
const MANY: usize = 20;

pub(super) fn look(habit: &Habit<'_>) -> Vec<Reason> {
    if habit.is_inbound() || habit.is_of_many() || habit.comes_by_itself() {
        return Vec::new();
    }
    let calls = habit.calls();
    let failed = calls.iter().filter(|it| it.failed).count();
    let answered = calls.iter().any(|it| !it.failed && it.closed.is_some())
        || habit.open() > 0
        || habit.failed() < habit.connections();
    if failed < LEAST || answered || habit.standing == Standing::Ours {
        return Vec::new();
    }
    let watched = habit.watched();
    let rows = habit.rows();
    let best = rhythm::best(rows.iter().map(|row| rhythm(row, watched)));
    let score = best.map_or(0.0, |it| weighed(it.score, None, habit));
    if score < NOTE && failed < MANY {
        return Vec::new();
    }
    let severity = match (habit.standing, habit.reasons.is_empty()) {
        (Standing::Ordinary, true) => Severity::Informational,
        (_, false) => Severity::High,
        (Standing::Unpackaged, true) => Severity::Medium,
        // A computer of the house that is off, a service that has moved.
        (_, true) if is_told(habit) => Severity::Low,
        (_, true) if score >= NOTE => Severity::Medium,
        (_, true) => Severity::Low,
    };
    let confidence = super::weight::confidence(habit);
    let reason = Reason::new(&habit.thing(), (severity, confidence), &["T1008", "T1071"])
        .count("failed", failed)
        .with(habit.facts());
    vec![match best.filter(|_| score >= NOTE) {
        Some(best) => reason.with(beacon::facts(&best, score)),
        None => reason,
    }]
}

//! A program that calls one destination again and again in a rhythm that no person keeps.

use std::time::Duration;

use model::{Confidence, Fact, Severity};

use super::dead_server;
use super::habit::{Habit, Standing};
use super::rhythm::{self, Kind, Rhythm, rhythm};
use super::weight::{LOOK, severity, weighed};
use crate::reason::Reason;

pub(super) fn look(habit: &Habit<'_>) -> Vec<Reason> {
    // Where nobody ever answers, that is what there is to say.
    let is_other = habit.is_inbound() || habit.is_of_many() || habit.comes_by_itself();
    if is_other || !dead_server::look(habit).is_empty() {
        return Vec::new();
    }
    let watched = habit.watched();
    let rows = habit.rows();
    let best = rhythm::best(rows.iter().map(|row| rhythm(row, watched)));
    let Some(best) = best else {
        return Vec::new();
    };
    let score = weighed(best.score, Some(&best), habit);
    let weight = severity(score, Some(&best), habit);
    let Some(weight) = weight.or_else(|| explained(&best, habit)) else {
        return Vec::new();
    };
    let technique: &[&str] = match habit.port() {
        Some(80 | 443 | 8080 | 8443) => &["T1071.001"],
        Some(_) | None => &["T1571"],
    };
    vec![
        Reason::new(&habit.thing(), weight, technique)
            .with(facts(&best, score))
            .with(habit.while_away())
            .with(habit.facts()),
    ]
}

/// As regular as can be, and there is a harmless reason for it: worth knowing, where nobody vouches for the
/// program.
fn explained(rhythm: &Rhythm, habit: &Habit<'_>) -> Option<(Severity, Confidence)> {
    let is_known = matches!(habit.standing, Standing::Ordinary | Standing::Ours);
    let is_plain = rhythm.score >= LOOK && !is_known && !habit.is_made_to_call();
    is_plain.then_some((Severity::Informational, Confidence::Low))
}

/// What was measured, in the order in which a person reads it.
pub(super) fn facts(rhythm: &Rhythm, score: f64) -> Vec<(&'static str, Fact)> {
    let count = |number: usize| Fact::Count(u64::try_from(number).unwrap_or(u64::MAX));
    let mut facts = vec![("beats", count(rhythm.beats))];
    if rhythm.kind == Kind::Beat {
        facts.push(("expected", count(rhythm.expected)));
        facts.push(("period", span(rhythm.period)));
        facts.push(("jitter", Fact::Share(round(rhythm.jitter))));
        facts.push(("chance", Fact::Share(rhythm.chance)));
    } else {
        facts.push(("mean_gap", span(rhythm.period)));
    }
    facts.push(("active", span(rhythm.active)));
    facts.push(("alike", Fact::Share(round(rhythm.alike))));
    if rhythm.bytes > 0.0 {
        facts.push(("bytes_each", Fact::Bytes(whole(rhythm.bytes))));
    }
    facts.push(("points", Fact::Count(whole(score))));
    facts
}

pub(super) fn span(seconds: f64) -> Fact {
    Fact::Duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

fn round(share: f64) -> f64 {
    (share * 1000.0).round() / 1000.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and sizes, never below 0"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

//! A program that says something at a steady pace inside one connection: whoever counts connections sees
//! one, and no rhythm.

use model::{Fact, Pair, Talk};

use super::beacon::facts;
use super::habit::{Habit, Standing, beat, seconds};
use super::rhythm::{self, Beat, Kind, Rhythm, rhythm_after};
use super::weight::{severity, weighed};
use crate::reason::Reason;

/// What is said without being asked is short.
const SHORT: u64 = 300;
/// So much more where nearly all is short and alike.
const ALIKE: f64 = 10.0;
/// Who answers packet by packet has a pace of less, and it is that of the other side.
const LEAST_SECONDS: f64 = 0.9;
/// Counters that are read every second see no pace that is not longer than that.
const RESOLUTIONS: f64 = 1.9;

pub(super) fn look(habit: &Habit<'_>) -> Vec<Reason> {
    // Mail, chat and whatever pushes news keeps its line alive.
    let usual = habit.standing == Standing::Ordinary && habit.reasons.is_empty();
    if habit.is_inbound() || habit.is_of_many() || habit.comes_by_itself() || usual {
        return Vec::new();
    }
    let talks = habit.pairs.iter().flat_map(|pair| pair.talks.iter());
    let Some(best) = rhythm::best(talks.map(|(_, talk)| of_talk(talk))) else {
        return Vec::new();
    };
    let score = weighed(best.score, Some(&best), habit);
    let Some(weight) = severity(score, Some(&best), habit) else {
        return Vec::new();
    };
    vec![
        Reason::new(&habit.thing(), weight, &["T1071", "T1571"])
            .with(facts(&best, score))
            .with(habit.facts()),
    ]
}

/// The best of any connection of a pair.
pub(super) fn beats_in(pair: &Pair) -> Option<Rhythm> {
    rhythm::best(pair.talks.iter().map(|(_, talk)| of_talk(talk)))
}

fn of_talk(talk: &Talk) -> Option<Rhythm> {
    let zero = talk.bursts().next()?.first;
    let row: Vec<Beat> = talk
        .bursts()
        .map(|it| beat(zero, it.first, it.bytes))
        .collect();
    let watched = talk.bursts().last().map(|it| seconds(zero, it.last))?;
    let found = rhythm_after(&row, watched, talk.pause().as_secs_f64())?;
    let least = (RESOLUTIONS * talk.resolution().as_secs_f64()).max(LEAST_SECONDS);
    if found.kind != Kind::Beat || found.period < least {
        return None;
    }
    let short = talk.bursts().filter(|it| {
        #[expect(clippy::cast_precision_loss, reason = "short ones only")]
        let bytes = it.bytes as f64;
        it.bytes <= SHORT && (bytes - found.bytes).abs() <= 0.2 * found.bytes
    });
    let is_alike = short.count() * 5 >= talk.bursts().len() * 4;
    let more = if is_alike { ALIKE } else { 0.0 };
    Some(Rhythm {
        score: (found.score + more).min(100.0),
        ..found
    })
}

/// The same as facts of another finding. Empty: there is none.
pub(super) fn pace(rhythm: Option<&Rhythm>) -> Option<(&'static str, Fact)> {
    rhythm.map(|it| ("heartbeat", super::beacon::span(it.period)))
}

//! A program that sends much more than it gets: files that leave, screenshots, keystrokes. Judged by what
//! is usual for the program itself.

use model::{Fact, Severity};

use super::beacon;
use super::habit::{Called, Habit, Standing};
use super::regularity::count;
use super::rhythm::{Beat, rhythm};
use super::statistics::{median, middle};
use super::weight::{LOOK, NOTE, severity, weighed};
use crate::reason::Reason;

/// Sent less received, as a part of both ("producer/consumer ratio"): from here on it sends.
const SENDS: f64 = 0.5;
const SENDS_A_LITTLE: f64 = 0.3;
const LARGE: f64 = 1_000_000.0;
/// Pictures of a screen.
const PICTURE: u64 = 50_000;
const PICTURES: usize = 3;
const PICTURES_SPREAD: f64 = 0.5;
/// What somebody types in a minute.
const KEYS: u64 = 2_000;
const MANY_KEYS: usize = 20;
/// Ports that everything uses: files, mail, pages, copies.
const USUAL: [u16; 17] = [
    20, 21, 22, 25, 80, 110, 143, 443, 445, 465, 587, 873, 993, 995, 2049, 8080, 8443,
];
/// So many times what it usually sends to one destination.
const UNUSUAL: f64 = 10.0;

pub(super) fn look(habit: &Habit<'_>) -> Vec<Reason> {
    if habit.is_inbound() || habit.is_of_many() || habit.comes_by_itself() {
        return Vec::new();
    }
    let calls = habit.calls();
    let (sent, received) = habit.bytes();
    let ratio = (sent - received) / (sent + received).max(1.0);
    let Some((kind, score, rhythm)) = kind(habit, &calls, (sent, received), ratio) else {
        return Vec::new();
    };
    let score = weighed(score, None, habit);
    let Some((severity, confidence)) = severity(score, None, habit) else {
        return Vec::new();
    };
    // What is large alone is a backup as often.
    let severity = match kind {
        "large" if habit.reasons.is_empty() && !is_odd(habit) => severity.min(Severity::Low),
        _ => severity,
    };
    let facts = rhythm.map(|it| beacon::facts(&it, score));
    vec![
        Reason::new(&habit.thing(), (severity, confidence), &["T1041"])
            .text("kind", kind)
            .with([
                ("sent", Fact::Bytes(whole(sent))),
                ("received", Fact::Bytes(whole(received))),
            ])
            .with(facts.unwrap_or_default())
            .with(habit.while_away())
            .with(habit.facts()),
    ]
}

/// A program of no package; or, where nobody knows the program, to nobody's name and to no usual port.
fn is_odd(habit: &Habit<'_>) -> bool {
    let usual = habit.port().is_none_or(|port| USUAL.contains(&port));
    match habit.standing {
        Standing::Unpackaged => true,
        Standing::Unknown => habit.name.is_none() && !usual,
        Standing::Ordinary | Standing::Packaged | Standing::Ours => false,
    }
}

/// Of so many of them nearly all have one size.
const SAME_SIZE: f64 = 0.95;

type Found = (&'static str, f64, Option<super::rhythm::Rhythm>);

fn kind(
    habit: &Habit<'_>,
    calls: &[Called],
    (sent, received): (f64, f64),
    ratio: f64,
) -> Option<Found> {
    if ratio < SENDS_A_LITTLE {
        return None;
    }
    let pictures = similar(calls, |it| it.bytes_sent >= PICTURE);
    if pictures.len() >= PICTURES && ratio >= SENDS && spread(&pictures) < PICTURES_SPREAD {
        let found = rhythm(&pictures, habit.watched());
        let score = found.map_or(0.0, |it| it.score);
        let by_number = NOTE + 20.0 * (1.0 - (-count(pictures.len()) / 8.0).exp());
        return Some((
            "pictures",
            score.max(by_number),
            found.filter(|it| it.score >= NOTE),
        ));
    }
    let keys = similar(calls, |it| it.bytes_sent > 0 && it.bytes_sent <= KEYS);
    if keys.len() >= MANY_KEYS && keys.len() * 5 >= calls.len() * 4 {
        let found = rhythm(&keys, habit.watched());
        // Nobody types as much each time.
        if let Some(found) = found.filter(|it| it.score >= LOOK && it.alike < SAME_SIZE) {
            return Some(("keystrokes", found.score, Some(found)));
        }
    }
    // What one that is open has received is not known before it ends.
    let is_half_known = habit.open() > 0 && received <= 0.0;
    let large = if is_half_known { 10.0 * LARGE } else { LARGE };
    let usual = habit.usual_sent.filter(|it| *it > 0.0);
    let is_unusual = usual.is_none_or(|usual| sent >= UNUSUAL * usual);
    let few = habit.callers.here <= 1;
    let is_large = sent >= large && ratio >= SENDS && few && is_unusual;
    is_large.then(|| {
        let score = LOOK + 5.0 * (sent / LARGE).log10().clamp(0.0, 6.0);
        ("large", score, None)
    })
}

fn similar(calls: &[Called], wanted: impl Fn(&Called) -> bool) -> Vec<Beat> {
    let Some(zero) = calls.first().map(|it| it.opened) else {
        return Vec::new();
    };
    let calls = calls.iter().filter(|it| wanted(it));
    calls
        .map(|it| super::habit::beat(zero, it.opened, it.bytes_sent))
        .collect()
}

/// Standard deviation of the sizes, as a part of their mean.
fn spread(row: &[Beat]) -> f64 {
    let number = count(row.len().max(1));
    let mean = row.iter().map(|it| it.bytes).sum::<f64>() / number;
    let squares = row.iter().map(|it| (it.bytes - mean) * (it.bytes - mean));
    (squares.sum::<f64>() / number).sqrt() / mean.max(1.0)
}

/// What a program usually sends to one destination, of those that it sent anything to.
pub(crate) fn usual(sent: &[f64]) -> f64 {
    let sent: Vec<f64> = sent.iter().copied().filter(|it| *it > 0.0).collect();
    median(&middle::sorted(&sent))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sums of bytes, never below 0"
)]
fn whole(bytes: f64) -> u64 {
    bytes as u64
}

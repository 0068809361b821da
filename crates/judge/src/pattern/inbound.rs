//! Who calls here, again and again: guesses at passwords, and callers with a rhythm.

use model::{Confidence, Severity};

use super::beacon;
use super::habit::Habit;
use super::rhythm::{self, rhythm};
use super::weight::LOOK;
use crate::reason::Reason;

/// Where one logs in: FTP, SSH, Telnet, mail, Windows, databases, remote screens.
const LOGINS: [u16; 21] = [
    21, 22, 23, 25, 110, 143, 445, 465, 587, 993, 995, 1433, 1723, 2222, 3306, 3389, 5432, 5900,
    5985, 5986, 6379,
];
/// A person forgets a password less often.
const GUESSES: u64 = 20;

pub(super) fn guessing(habit: &Habit<'_>) -> Vec<Reason> {
    let port = habit.pairs.first().and_then(|pair| pair.key.local_port);
    let is_login = port.is_some_and(|port| LOGINS.contains(&port));
    let connections = habit.connections();
    if !habit.is_inbound() || habit.is_of_many() || !is_login || connections < GUESSES {
        return Vec::new();
    }
    let weight = (Severity::Informational, Confidence::Low);
    let port = port.map_or_else(String::new, |port| port.to_string());
    vec![
        Reason::new(&port, weight, &["T1110"])
            .text("local_port", port.clone())
            .with(habit.facts()),
    ]
}

pub(super) fn caller(habit: &Habit<'_>) -> Vec<Reason> {
    let port = habit.pairs.first().and_then(|pair| pair.key.local_port);
    let is_login = port.is_some_and(|port| LOGINS.contains(&port));
    if !habit.is_inbound() || habit.is_of_many() || is_login {
        return Vec::new();
    }
    let watched = habit.watched();
    let rows = habit.rows();
    let best = rhythm::best(rows.iter().map(|row| rhythm(row, watched)));
    let Some(best) = best.filter(|it| it.score >= LOOK) else {
        return Vec::new();
    };
    let severity = match habit.reasons.is_empty() {
        true => Severity::Low,
        false => Severity::Medium,
    };
    vec![
        Reason::new(&habit.thing(), (severity, Confidence::Low), &["T1071"])
            .with(beacon::facts(&best, best.score))
            .with(port.map(|port| ("local_port", model::Fact::Text(port.to_string()))))
            .with(habit.facts()),
    ]
}

//! Rules about habits: what a program does to one destination over time. One file for each. They read
//! [`Habit`]s, which are made of pairs, and never single connections.

mod beacon;
mod dead_server;
#[cfg(test)]
mod dice;
mod first_contact;
pub(crate) mod habit;
mod heartbeat;
mod inbound;
mod makers;
mod permanent;
mod regularity;
mod rhythm;
mod statistics;
#[cfg(test)]
mod tests;
mod upload;
mod weight;

pub(crate) use self::habit::{Callers, Habit, Standing};
pub(crate) use self::upload::usual;

use crate::fit::{Fit, Piece, Told, Whose, Why};
use crate::reason::{Reason, tell};
use crate::rule::{self, Rule};

/// A rule about habits: its word, and its file.
pub(crate) struct PatternRule {
    word: &'static str,
    look: fn(&Habit<'_>) -> Vec<Reason>,
}

const fn rule(word: &'static str, look: fn(&Habit<'_>) -> Vec<Reason>) -> PatternRule {
    PatternRule { word, look }
}

pub(crate) static RULES: [PatternRule; 8] = [
    rule("beacon", beacon::look),
    rule("heartbeat", heartbeat::look),
    rule("permanent", permanent::look),
    rule("dead_server", dead_server::look),
    rule("upload", upload::look),
    rule("guessing", inbound::guessing),
    rule("regular_caller", inbound::caller),
    rule("first_contact", first_contact::look),
];

/// Whether a finding of this rule is about a habit: it is no reason for another one.
pub(crate) fn is_pattern(word: &str) -> bool {
    RULES.iter().any(|rule| rule.word == word)
}

impl Rule for PatternRule {
    fn word(&self) -> &'static str {
        self.word
    }

    fn habit(&self, habit: &Habit<'_>) -> Vec<Reason> {
        (self.look)(habit)
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        tell(pieces)
    }
}

/// What all rules say of one habit, each with the number of its rule.
pub(crate) fn look(habit: &Habit<'_>) -> Vec<(usize, Fit)> {
    let mut fits = Vec::new();
    for (number, rule) in rule::rules().enumerate() {
        fits.extend(rule.habit(habit).into_iter().map(|reason| {
            let fit = Fit {
                thing: reason.thing.clone(),
                seen: habit.label.to_owned(),
                confidence: reason.confidence,
                why: Why::Reason(Box::new(reason)),
                inbound: habit.is_inbound(),
            };
            (number, fit)
        }));
    }
    fits
}

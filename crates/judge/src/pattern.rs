//! Rules about habits: what a program does to one destination over time. One file for each. They read
//! [`Habit`]s, which are made of pairs, and never single connections.
//!
//! And rules about what goes through questions for names and through echoes: they read [`Questions`],
//! which are made of zones, and sums of connections.

mod alone;
mod asker;
mod beacon;
mod dead_server;
mod dga;
#[cfg(test)]
mod dice;
mod dns_commands;
mod dns_direct;
mod dns_tunnel;
mod echoes;
mod first_contact;
pub(crate) mod habit;
mod heartbeat;
mod icmp_tunnel;
mod inbound;
mod language;
mod makers;
mod not_dns;
mod permanent;
mod questions;
mod regularity;
mod reputation;
mod rhythm;
mod statistics;
#[cfg(test)]
mod tests;
mod upload;
mod weight;

pub(crate) use self::asker::{Asker, asks_as_told};
pub(crate) use self::echoes::{EchoSums, Echoes, ToNameServer};
pub(crate) use self::habit::{Callers, Habit, Standing};
pub(crate) use self::icmp_tunnel::terms as echoes_of_tunnel;
pub(crate) use self::not_dns::is_other as is_other_than_dns;
pub(crate) use self::questions::{Domain, MadeName, MadeNames, Questions, may_matter};
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

/// Those about questions for names, and about packets.
pub(crate) static TUNNELS: [&dyn Rule; 6] = [
    &dns_tunnel::DnsTunnel,
    &dns_direct::DnsDirect,
    &dns_commands::DnsCommands,
    &not_dns::NotDns,
    &dga::Dga,
    &icmp_tunnel::IcmpTunnel,
];

/// Whether a finding of this rule is about a habit, or about questions: it is no reason for another one.
pub(crate) fn is_pattern(word: &str) -> bool {
    RULES.iter().any(|rule| rule.word == word) || TUNNELS.iter().any(|rule| rule.word() == word)
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

/// What a rule about questions or packets says.
fn fit(reason: Reason, seen: String) -> Fit {
    Fit {
        thing: reason.thing.clone(),
        seen,
        confidence: reason.confidence,
        why: Why::Reason(Box::new(reason)),
        inbound: false,
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

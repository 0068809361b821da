//! Many names that do not exist, of domains that nobody would call so: a program makes up names by a
//! rule and looks which one its master has registered today. The same while nobody answers at all.

use std::collections::BTreeMap;

use model::{Confidence, Fact, Severity, Text};

use super::fit;
use super::language;
use super::questions::{Domain, MadeName, Questions, examples, resolver, share};
use crate::fit::{Fit, Piece, Told, Whose};
use crate::reason::{Reason, tell};
use crate::rule::Rule;

const FEWEST: usize = 10;
/// So many show a pattern that few do not.
const MANY: usize = 20;
/// The bits of a letter, on average over all: so much, and more the fewer they are. Names that people
/// made, ten at a time, cost up to 5.0; 20 up to 4.8 (measured on 5,000).
const COST: f64 = 4.45;
const COST_OF_FEW: f64 = 1.6;
/// Names that can be spoken and are all of one length.
const SPOKEN_COST: f64 = 4.2;
const SAME_LENGTH: f64 = 1.0;

pub(super) struct Dga;

impl Rule for Dga {
    fn word(&self) -> &'static str {
        "dga"
    }

    fn questions(&self, questions: &Questions<'_>, fits: &mut Vec<Fit>) {
        let (Domain::All(made), Some(all)) = (&questions.domain, &questions.zone.all) else {
            return;
        };
        let missing = Made::of(&made.missing);
        // Nobody has told anything since the oldest of them was asked for.
        let since = made.pending.iter().map(|it| it.time).min();
        let silent = all
            .told
            .is_none_or(|told| since.is_some_and(|since| told < since));
        let pending = Made::of(&made.pending).filter(|_| silent);
        let (found, is_answered) = match (missing.filter(Made::is_made_up), pending) {
            (Some(missing), _) => (missing, true),
            (None, Some(pending)) if pending.is_made_up() => (pending, false),
            (None, _) => return,
        };
        let count = u64::try_from(found.domains).unwrap_or(u64::MAX);
        let points = match found.domains {
            30.. => 75,
            MANY.. => 65,
            _ => 55,
        };
        let trusted = if questions.asker.is_trusted() { 20 } else { 0 };
        let confidence = if found.domains >= MANY && is_answered {
            Confidence::Medium
        } else {
            Confidence::Low
        };
        let reason = Reason::new("", (Severity::Low, confidence), &["T1568.002"])
            .with([("domains", Fact::Count(count))])
            .text(
                "answered",
                if is_answered {
                    "no such name"
                } else {
                    "nothing"
                },
            )
            .with([
                ("bits", Fact::Text(format!("{:.1}", found.cost))),
                ("examples", examples(found.examples.iter().copied())),
            ])
            .with(resolver(questions.zone));
        if let Some(reason) = questions.weighed(points - trusted, reason) {
            fits.push(fit(reason, String::new()));
        }
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        tell(pieces)
    }
}

/// Names, as far as they tell whether a rule made them up.
struct Made<'a> {
    domains: usize,
    /// The bits of a letter, on average over all domains.
    cost: f64,
    /// How far their lengths are apart (standard deviation).
    lengths: f64,
    examples: Vec<&'a Text>,
}

impl<'a> Made<'a> {
    /// `None`: too few.
    fn of(names: &'a [MadeName]) -> Option<Self> {
        let mut domains: BTreeMap<&str, &Text> = BTreeMap::new();
        for made in names {
            if let Some(domain) = &made.registered {
                domains.entry(domain).or_insert(&made.name);
            }
        }
        let told = domains.iter().filter_map(|(domain, name)| {
            let word = domain.split('.').next()?;
            Some((language::cost(word)?, word.len(), *name))
        });
        let told: Vec<_> = told.collect();
        if told.len() < FEWEST {
            return None;
        }
        let count = share(u64::try_from(told.len()).unwrap_or(1), 1);
        let length = |it: usize| share(u64::try_from(it).unwrap_or(0), 1);
        let cost = told.iter().map(|it| it.0).sum::<f64>() / count;
        let mean = told.iter().map(|it| length(it.1)).sum::<f64>() / count;
        let squares = told.iter().map(|it| (length(it.1) - mean).powi(2));
        Some(Self {
            domains: told.len(),
            cost,
            lengths: (squares.sum::<f64>() / count).sqrt(),
            examples: told.iter().take(4).map(|it| it.2).collect(),
        })
    }

    fn is_made_up(&self) -> bool {
        let count = share(u64::try_from(self.domains).unwrap_or(1), 1);
        let random = self.cost >= COST + COST_OF_FEW / count.sqrt();
        let spoken = self.cost >= SPOKEN_COST && self.lengths <= SAME_LENGTH;
        random || spoken && self.domains >= MANY
    }
}

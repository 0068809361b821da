//! Data that goes through the name system: each question for a name below one domain carries a piece of
//! it, and each answer brings some back. Whoever has the domain reads it.

use model::{Confidence, Severity};

use super::fit;
use super::questions::{Domain, Questions};
use super::reputation::is_reputation;
use crate::fit::{Fit, Piece, Told, Whose};
use crate::reason::{Reason, tell};
use crate::rule::Rule;

const FEWEST_NAMES: u64 = 25;
/// The part of the questions that asks for something new, at least. Resolvers ask again when nobody
/// answers.
const FRESH: f64 = 0.8;
/// A tunnel of which a name in so many was called is none: content comes from there.
const CALLED: u64 = 50;

/// Names that carry data are as long as they can be.
const LONG: f64 = 35.0;
/// Bits of each letter: words have less, random digits up to 4. Of the long labels, which so many of
/// the names have: most questions of a tunnel only ask whether there is something new.
const RANDOM: f64 = 3.2;
const WITH_LONG_LABEL: f64 = 0.2;
/// With so many hashes among the names, what they look like says nothing.
const HASHES: f64 = 0.8;
const ODD: f64 = 0.5;
const MUCH_SENT: u64 = 20_000;
/// Answers with addresses have 60 to 150 bytes.
const LARGE_ANSWER: f64 = 240.0;
/// So many of these have to be there.
const FEWEST_TERMS: usize = 2;

pub(super) struct DnsTunnel;

impl Rule for DnsTunnel {
    fn word(&self) -> &'static str {
        "dns_tunnel"
    }

    fn questions(&self, questions: &Questions<'_>, fits: &mut Vec<Fit>) {
        let Some((points, terms)) = points(questions) else {
            return;
        };
        let Some(domain) = questions.domain() else {
            return;
        };
        let raw = questions.zone.kinds.raw * 2 >= questions.zone.questions;
        let confidence = match terms.len() {
            _ if raw => Confidence::High,
            4.. => Confidence::High,
            3 => Confidence::Medium,
            _ => Confidence::Low,
        };
        let reason = Reason::new(domain, (Severity::Low, confidence), &["T1071.004", "T1572"])
            .text("name", domain)
            .text("signs", terms.join(", "))
            .with(questions.facts());
        if let Some(reason) = questions.weighed(points, reason) {
            fits.push(fit(reason, domain.to_owned()));
        }
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        tell(pieces)
    }
}

/// Its points and what speaks for it. `None`: it is no tunnel.
pub(super) fn points(questions: &Questions<'_>) -> Option<(u32, Vec<&'static str>)> {
    let domain = match &questions.domain {
        Domain::Registered(domain) | Domain::Unlisted(domain) => domain,
        Domain::UnlistedEnd(_) | Domain::All(_) => return None,
    };
    let names = questions.zone.names.different;
    let is_called = questions.called.is_some_and(|it| it * CALLED >= names);
    let is_list = questions.reversed() >= 0.5 || is_reputation(domain);
    // Neither a browser nor a mail program asks for these.
    let odd = questions.odd();
    if names < FEWEST_NAMES || questions.fresh() < FRESH || is_list || is_called && odd < ODD {
        return None;
    }
    let is_data = questions.hashes() < HASHES;
    let is_random = questions.bits() >= RANDOM && questions.long() >= WITH_LONG_LABEL;
    let sent = questions.zone.shape.lengths;
    let terms = [
        ("long names", is_data && questions.length() >= LONG),
        ("random letters", is_data && is_random),
        ("odd kinds", odd >= ODD),
        ("much sent", is_data && sent >= MUCH_SENT),
        (
            "large answers",
            questions.answer().is_some_and(|it| it >= LARGE_ANSWER),
        ),
        ("nothing called", questions.called == Some(0)),
    ];
    let terms: Vec<_> = terms
        .into_iter()
        .filter_map(|(word, is)| is.then_some(word))
        .collect();
    let more = terms.len().checked_sub(FEWEST_TERMS)?;
    let base: u32 = match names {
        1000.. => 85,
        500.. => 75,
        100.. => 65,
        _ => 50,
    };
    let more = 5 * u32::try_from(more).unwrap_or(0);
    // Programs that protect ask for what they found, in names of their own making; not for odd kinds.
    let is_trusted = questions.asker.is_trusted() && odd < ODD;
    let trusted = if is_trusted { 20 } else { 0 };
    Some(((base + more).saturating_sub(trusted), terms))
}

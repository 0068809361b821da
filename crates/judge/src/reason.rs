//! What a rule says of something by itself, before it is asked what stands beside it.

use std::collections::BTreeSet;

use model::{Confidence, Fact, Severity};

use crate::fit::{Piece, Told, Why};

/// What a rule says of one process, or of one habit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reason {
    /// What belongs together in one finding: never a pid or an address of memory, or it would be
    /// another finding in each run.
    pub(crate) thing: String,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) raised: Raised,
    pub(crate) facts: Vec<(&'static str, Fact)>,
    pub(crate) attack: Vec<&'static str>,
}

/// When a reason weighs more than by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raised {
    Never,
    /// From medium to high, beside another one of medium.
    BesideGrave,
    /// From low to medium, where the process was also tampered with.
    BesideTampering,
}

impl Reason {
    pub(crate) fn new(
        thing: &str,
        weight: (Severity, Confidence),
        attack: &'static [&'static str],
    ) -> Self {
        Self {
            thing: thing.to_owned(),
            severity: weight.0,
            confidence: weight.1,
            raised: Raised::Never,
            facts: Vec::new(),
            attack: attack.to_vec(),
        }
    }

    pub(crate) fn raised(self, raised: Raised) -> Self {
        Self { raised, ..self }
    }

    pub(crate) fn technique(mut self, technique: &'static str) -> Self {
        self.attack.push(technique);
        self
    }

    pub(crate) fn with(mut self, facts: impl IntoIterator<Item = (&'static str, Fact)>) -> Self {
        self.facts.extend(facts);
        self
    }

    pub(crate) fn text(self, name: &'static str, text: impl Into<String>) -> Self {
        self.with([(name, Fact::Text(text.into()))])
    }

    pub(crate) fn count(self, name: &'static str, count: usize) -> Self {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.with([(name, Fact::Count(count))])
    }
}

/// What is worst of all pieces, and in how many runs of the program something was found.
pub(crate) fn tell(pieces: &[&Piece]) -> Told {
    let reasons = pieces.iter().filter_map(|piece| match &piece.fit.why {
        Why::Reason(reason) => Some(reason),
        Why::Matched(_)
        | Why::Listed(_)
        | Why::LooksLike { .. }
        | Why::Suffix(_)
        | Why::Nothing => None,
    });
    let weight = |it: &Reason| (it.severity, it.confidence);
    // The first of those that weigh the same.
    let worst = reasons.reduce(|one, other| {
        if weight(other) > weight(one) {
            other
        } else {
            one
        }
    });
    let (mut facts, attack) =
        worst.map_or_else(Default::default, |it| (it.facts.clone(), it.attack.clone()));
    let processes: BTreeSet<_> = pieces.iter().flat_map(|it| &it.processes).collect();
    if processes.len() > 1 {
        let count = u64::try_from(processes.len()).unwrap_or(u64::MAX);
        facts.push(("processes", Fact::Count(count)));
    }
    Told {
        severity: worst.map_or(Severity::Informational, |it| it.severity),
        confidence: worst.map_or(Confidence::Low, |it| it.confidence),
        facts,
        attack,
    }
}

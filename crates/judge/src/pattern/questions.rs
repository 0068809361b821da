//! Questions below one name, as rules look at them.

use std::fmt::Write as _;
use std::sync::Arc;

use model::{Fact, Text, Timestamp, Zone};

use super::asker::Asker;
use crate::reason::Reason;

/// Fewer questions, or names, say nothing to any rule.
const FEWEST: u64 = 20;
const FEWEST_UNTOLD: usize = 10;
/// So many names stand in a finding.
const MOST_EXAMPLES: usize = 4;

/// Whether a rule may say something of it.
pub(crate) fn may_matter(zone: &Zone) -> bool {
    match &zone.all {
        None => zone.questions >= FEWEST,
        Some(all) => {
            all.ends >= FEWEST
                || all.missing.len() >= FEWEST_UNTOLD
                || all.pending.len() >= FEWEST_UNTOLD
        }
    }
}

/// What one asker asked below one name, and what is known of it.
pub(crate) struct Questions<'a> {
    pub(crate) zone: &'a Zone,
    pub(crate) domain: Domain,
    pub(crate) asker: Asker,
    /// How many names below it were called. `None`: names of connections cannot be seen here.
    pub(crate) called: Option<u64>,
}

/// What all names of a zone have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Somebody registered it.
    Registered(String),
    /// No registry has names that end so; it has two labels.
    Unlisted(String),
    /// The same, and it is one label.
    UnlistedEnd(String),
    /// Nothing: these are all names of an asker.
    All(Box<MadeNames>),
}

/// Names that matter by themselves, of all names of an asker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MadeNames {
    /// With a last label that no name before had.
    pub(crate) with_new_ends: Vec<MadeName>,
    /// They do not exist.
    pub(crate) missing: Vec<MadeName>,
    /// Nobody has told whether they exist.
    pub(crate) pending: Vec<MadeName>,
}

impl Domain {
    /// `None`: these are all names.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Registered(name) | Self::Unlisted(name) | Self::UnlistedEnd(name) => Some(name),
            Self::All(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MadeName {
    pub(crate) time: Timestamp,
    pub(crate) name: Arc<Text>,
    /// The part of it that somebody registered at a registry. `None`: no registry has such names.
    pub(crate) registered: Option<String>,
}

impl Questions<'_> {
    /// The domain. `None`: these are all names.
    pub(crate) fn domain(&self) -> Option<&str> {
        self.domain.name()
    }

    /// The part of the questions that asked for something new: a name, or another kind of it.
    pub(super) fn fresh(&self) -> f64 {
        share(self.zone.names.with_kinds, self.zone.names.among)
    }

    /// The part of the questions of kinds that can carry much and that few programs ask for.
    pub(super) fn odd(&self) -> f64 {
        share(self.zone.kinds.odd(), self.zone.questions)
    }

    /// The mean length of the names, in bytes.
    pub(super) fn length(&self) -> f64 {
        share(self.zone.shape.lengths, self.zone.questions)
    }

    /// The part of the names with a label of 20 bytes and more.
    pub(super) fn long(&self) -> f64 {
        share(self.zone.shape.long, self.zone.questions)
    }

    /// The bits that each letter of such labels tells, on average.
    pub(super) fn bits(&self) -> f64 {
        share(self.zone.shape.millibits, self.zone.shape.long) / 1000.0
    }

    /// The mean length of an answer, in bytes. `None`: not told.
    pub(super) fn answer(&self) -> Option<f64> {
        let bytes = self.zone.answer_bytes;
        (bytes > 0).then(|| share(bytes, self.zone.answers))
    }

    /// The part of the names that are hashes and numbers of things: they are asked about, and carry
    /// nothing else.
    pub(super) fn hashes(&self) -> f64 {
        share(self.zone.shape.hashes, self.zone.questions)
    }

    pub(super) fn reversed(&self) -> f64 {
        share(self.zone.shape.reversed, self.zone.questions)
    }

    pub(super) fn service(&self) -> f64 {
        share(self.zone.shape.service, self.zone.questions)
    }

    /// What was asked, and how often, as facts.
    pub(super) fn facts(&self) -> Vec<(&'static str, Fact)> {
        let zone = self.zone;
        let names = if zone.names.is_full {
            "names_at_least"
        } else {
            "names"
        };
        let mut facts = vec![
            (names, Fact::Count(zone.names.different)),
            ("questions", Fact::Count(zone.questions)),
            ("new_share", Fact::Share(self.fresh())),
            ("mean_length", Fact::Count(whole(self.length()))),
            ("kinds", Fact::Text(kinds(zone))),
            ("sent_in_names", Fact::Bytes(zone.shape.lengths)),
        ];
        if zone.answer_bytes > 0 {
            facts.push(("answered_bytes", Fact::Bytes(zone.answer_bytes)));
        }
        let first = zone.first_names.iter().take(MOST_EXAMPLES / 2);
        let newest = zone.newest_names.iter().rev().take(MOST_EXAMPLES / 2);
        facts.push(("examples", examples(first.chain(newest).map(Arc::as_ref))));
        facts.extend(resolver(zone));
        facts
    }

    /// The reason with its severity for this program. `None`: it weighs too little.
    pub(super) fn weighed(&self, points: u32, reason: Reason) -> Option<Reason> {
        weighed(&self.asker, points, reason)
    }
}

/// The reason with its severity for this program. `None`: it weighs too little.
pub(super) fn weighed(asker: &Asker, points: u32, reason: Reason) -> Option<Reason> {
    let severity = asker.weigh(points)?;
    let second = asker.reasons.first();
    let second = second.map(|rule| ("second_reason", Fact::Text((*rule).to_owned())));
    let reason = Reason { severity, ..reason };
    Some(reason.with(second))
}

/// Who was asked: the first, where there are several.
pub(super) fn resolver(zone: &Zone) -> Option<(&'static str, Fact)> {
    let ip = zone.key.resolver.or(zone.resolvers.first().copied())?;
    Some(("resolver", Fact::Text(ip.to_string())))
}

/// Names, each once, with blanks between them.
pub(super) fn examples<'a>(names: impl Iterator<Item = &'a Text>) -> Fact {
    let mut seen: Vec<&Text> = Vec::new();
    let mut text = String::new();
    for name in names {
        if !seen.contains(&name) {
            let blank = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{blank}{}", name.lossy());
            seen.push(name);
        }
    }
    Fact::Text(text)
}

/// `TXT 60 %, A 40 %`: the kinds that are most asked for.
fn kinds(zone: &Zone) -> String {
    let kinds = &zone.kinds;
    let mut all = [
        ("A", kinds.address),
        ("AAAA", kinds.address6),
        ("TXT", kinds.text),
        ("NULL", kinds.raw),
        ("CNAME, MX, SRV or KEY", kinds.other_odd),
        ("others", kinds.plain),
    ];
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let asked = all.iter().filter(|(_, count)| *count > 0);
    let asked = asked.map(|(word, count)| {
        let share = share(*count, zone.questions) * 100.0;
        format!("{word} {share:.0} %")
    });
    asked.collect::<Vec<_>>().join(", ")
}

/// 0 of none.
pub(super) fn share(part: u64, all: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
    let share = part as f64 / all.max(1) as f64;
    share
}

pub(super) fn whole(number: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "lengths of names and packets"
    )]
    let whole = number.max(0.0).round() as u64;
    whole
}

#[cfg(test)]
mod tests;

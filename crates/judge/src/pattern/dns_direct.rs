//! Names that end as no name of the internet does: whoever asks for them does not mean the name system,
//! but one server, which is asked directly.

use model::{Confidence, Severity};

use super::fit;
use super::questions::{Domain, MadeNames, Questions, examples, resolver, share, whole};
use crate::fit::{Fit, Piece, Told, Whose};
use crate::reason::{Reason, tell};
use crate::rule::Rule;

const FEWEST_NAMES: f64 = 20.0;
/// The part of names with a last label of their own that no registry has.
const OF_NOBODY: f64 = 0.8;
const FRESH: f64 = 0.9;
/// Computers of a house or of a company have shorter names.
const LONG: f64 = 20.0;
const WITH_LONG_LABEL: f64 = 0.2;
const ODD: f64 = 0.5;
/// The part of the kept names that differ before their last label.
const SCATTERED: f64 = 0.5;

pub(super) struct DnsDirect;

impl Rule for DnsDirect {
    fn word(&self) -> &'static str {
        "dns_direct"
    }

    fn questions(&self, questions: &Questions<'_>, fits: &mut Vec<Fit>) {
        let found = match &questions.domain {
            Domain::All(made) => with_any_end(questions, made),
            Domain::UnlistedEnd(end) => with_one_end(questions, end),
            Domain::Registered(_) | Domain::Unlisted(_) => None,
        };
        let Some((points, reason)) = found else {
            return;
        };
        let reason = reason.with(resolver(questions.zone));
        if let Some(reason) = questions.weighed(points, reason) {
            let thing = reason.thing.clone();
            fits.push(fit(reason, thing));
        }
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        tell(pieces)
    }
}

fn reason(thing: &str) -> Reason {
    let weight = (Severity::Low, Confidence::Medium);
    Reason::new(thing, weight, &["T1071.004", "T1572"])
}

/// Each name has an end of its own.
fn with_any_end(questions: &Questions<'_>, made: &MadeNames) -> Option<(u32, Reason)> {
    let all = questions.zone.all.as_deref()?;
    let newest = &made.with_new_ends;
    let nobodys: Vec<_> = newest.iter().filter(|it| it.registered.is_none()).collect();
    let count = |it: usize| u64::try_from(it).unwrap_or(u64::MAX);
    let of_nobody = share(count(nobodys.len()), count(newest.len()));
    let names = of_nobody * share(all.ends, 1);
    let lengths: usize = nobodys.iter().map(|it| it.name.bytes().len()).sum();
    let length = share(count(lengths), count(nobodys.len()));
    let looks = length >= LONG || questions.odd() >= ODD;
    if names < FEWEST_NAMES || of_nobody < OF_NOBODY || !looks {
        return None;
    }
    let points = if names >= 100.0 { 75 } else { 60 };
    let names_told = nobodys.iter().rev().take(3).map(|it| it.name.as_ref());
    let reason = reason("").with([
        ("names", model::Fact::Count(whole(names))),
        ("mean_length", model::Fact::Count(whole(length))),
        ("examples", examples(names_told)),
    ]);
    Some((points, reason))
}

/// All end in the same label.
fn with_one_end(questions: &Questions<'_>, end: &str) -> Option<(u32, Reason)> {
    let zone = questions.zone;
    let names = share(zone.names.different, 1);
    let kept = zone.first_names.iter().chain(&zone.newest_names);
    let kept: Vec<_> = kept.map(|name| before_end(name.bytes())).collect();
    let different: std::collections::BTreeSet<_> = kept.iter().collect();
    let count = |it: usize| u64::try_from(it).unwrap_or(u64::MAX);
    let scattered = share(count(different.len()), count(kept.len()));
    let looks = questions.length() >= LONG && questions.long() >= WITH_LONG_LABEL;
    if names < FEWEST_NAMES
        || questions.fresh() < FRESH
        || questions.service() >= 0.5
        || questions.reversed() >= 0.5
        || scattered < SCATTERED
        || !(looks || questions.odd() >= ODD)
    {
        return None;
    }
    let points = if names >= 100.0 { 75 } else { 60 };
    let reason = reason(end).text("name", end).with(questions.facts());
    Some((points, reason))
}

/// The last label but one, in lower case.
fn before_end(name: &[u8]) -> Vec<u8> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let mut labels = name.rsplit(|byte| *byte == b'.').skip(1);
    labels.next().unwrap_or_default().to_ascii_lowercase()
}

//! An address, a name, a file or a program that somebody publishes as used for an attack or by spying
//! software. Source: the lists within the program and those that a person added.

use std::cmp::Reverse;

use model::{
    Confidence, Fact, IndicatorKind, IndicatorValue, ListMeaning, Matched, MatchedBy, NameStrength,
    NetworkKind, Severity,
};

use super::{confidence, is_inbound, seen};
use crate::fit::{Fit, Piece, Told, Whose, Why};
use crate::rule::Rule;
use crate::seen::{Destination, Name, Program};

pub(super) struct KnownBad;

impl Rule for KnownBad {
    fn word(&self) -> &'static str {
        "known_bad"
    }

    fn destination(&self, destination: &Destination<'_>, fits: &mut Vec<Fit>) {
        if destination.is_of_many() {
            return;
        }
        let address = destination.ip.to_string();
        for matched in bad(&destination.known.matched) {
            // Addresses change hands, and many may share one.
            let most = Confidence::Medium;
            fits.push(fit(matched, &address, most, destination.is_inbound()));
        }
    }

    fn name(&self, name: &Name<'_>, fits: &mut Vec<Fit>) {
        let most = match name.strength {
            // The other side says it, or somebody else was told that the address has this name.
            Some(NameStrength::Claimed | NameStrength::AnsweredToAnother) => Confidence::Low,
            Some(NameStrength::AnsweredToDevice) => Confidence::Medium,
            Some(NameStrength::Answered | NameStrength::Greeted) | None => Confidence::High,
        };
        let whole = name.urls.iter().map(|it| &it.indicator.value);
        let whole: Vec<_> = whole.collect();
        // Of a URL that was met whole nothing is said by its host alone.
        let names = bad(&name.known.matched).filter(|it| !whole.contains(&&it.indicator.value));
        // Where anybody may put up something, the host of a URL says nothing without the rest.
        let shared = is_of_many_people(name);
        let names = names.filter(|it| !(shared && it.by == MatchedBy::UrlHost));
        for matched in bad(name.urls).chain(names) {
            fits.push(fit(matched, name.name, most, false));
        }
    }

    fn program(&self, program: &Program<'_>, fits: &mut Vec<Fit>) {
        let process = program.process;
        for matched in bad(program.matched) {
            let by_name = matched.indicator.value.kind() == IndicatorKind::ProcessName;
            let seen = if by_name {
                process.name.lossy()
            } else {
                process.program().lossy()
            };
            fits.push(fit(matched, &seen, Confidence::High, false));
        }
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        let matched = pieces.iter().filter_map(|piece| match &piece.fit.why {
            Why::Matched(matched) => Some((piece, matched)),
            Why::Listed(_)
            | Why::LooksLike { .. }
            | Why::Suffix(_)
            | Why::Reason(_)
            | Why::Nothing => None,
        });
        let matched: Vec<_> = matched.collect();
        let best = matched.iter().max_by_key(|(piece, it)| {
            let known = it.publisher.is_some();
            (piece.fit.confidence, known, Reverse(&it.list))
        });
        let mut facts = Vec::new();
        if let Some((_, best)) = best {
            let text = |text: &str| Fact::Text(text.to_owned());
            if let Some(publisher) = &best.publisher {
                facts.push(("publisher", text(publisher)));
            }
            facts.push(("list", text(&best.list)));
            if let Some(published) = best.indicator.published.or(best.published) {
                facts.push(("published", Fact::Time(published)));
            }
            facts.push(("kind", text(best.indicator.value.kind().word())));
            facts.push(("indicator", text(&best.indicator.value.to_string())));
            facts.push(("matched_by", text(best.by.word())));
            facts.push(("seen", seen(pieces)));
            if let Some(about) = &best.indicator.about {
                facts.push(("about", text(about)));
            }
            let lists = matched.iter().map(|(_, it)| &it.list);
            let lists: std::collections::BTreeSet<_> = lists.collect();
            if lists.len() > 1 {
                let lists = u64::try_from(lists.len()).unwrap_or(u64::MAX);
                facts.push(("lists", Fact::Count(lists)));
            }
        }
        if is_inbound(pieces) {
            facts.push(("direction", Fact::Text("inbound".to_owned())));
        }
        Told {
            severity: Severity::High,
            confidence: confidence(pieces),
            facts,
            attack: Vec::new(),
        }
    }
}

/// Whether others than those who are meant by a list have something under the same name. What lies below
/// a platform as a name that somebody has registered there is that one's alone.
fn is_of_many_people(name: &Name<'_>) -> bool {
    let shared = [
        NetworkKind::SharedPlatform,
        NetworkKind::UrlShortener,
        NetworkKind::LinkPage,
    ];
    let known = name.known;
    let registered = known.registrable.as_deref().unwrap_or(name.name);
    let is_of_one = |platform: &str| {
        let above = registered.strip_suffix(platform);
        let below = above.and_then(|it| it.strip_suffix('.'));
        below.is_some_and(|label| label != "www")
    };
    let listed = known.listed.iter().filter(|it| shared.contains(&it.kind));
    let mut listed = listed.map(|it| it.entry.clone());
    let meaning = ListMeaning::SharedPlatform;
    let matched = known.matched.iter().filter(|it| it.meaning == meaning);
    let mut matched = matched.filter_map(|it| {
        let IndicatorValue::Name { name, .. } = &it.indicator.value else {
            return None;
        };
        Some(name.clone())
    });
    listed.any(|it| !is_of_one(&it)) || matched.any(|it| !is_of_one(&it))
}

fn bad(matched: &[Matched]) -> impl Iterator<Item = &Matched> {
    let bad = |it: &&Matched| it.meaning == ListMeaning::KnownBad;
    matched.iter().filter(bad)
}

fn fit(matched: &Matched, seen: &str, most: Confidence, inbound: bool) -> Fit {
    let value = &matched.indicator.value;
    let way = if inbound { "from" } else { "to" };
    // Of one host thousands of pages may be listed, of which none was seen.
    let thing = if matched.by == MatchedBy::UrlHost {
        format!("{way} host {seen}")
    } else {
        format!("{way} {} {value}", value.kind().word())
    };
    Fit {
        thing,
        seen: seen.to_owned(),
        confidence: matched.confidence.min(most),
        why: Why::Matched(matched.clone()),
        inbound,
    }
}

//! A server that somebody took over from attackers: whoever calls it may be infected.

use model::{Confidence, Fact, ListMeaning, NetworkKind, Severity};

use super::{seen, sources, why};
use crate::fit::{Fit, Piece, Told, Whose, Why};
use crate::rule::Rule;
use crate::seen::{Destination, Name};

pub(super) struct Sinkhole;

impl Rule for Sinkhole {
    fn word(&self) -> &'static str {
        "sinkhole"
    }

    fn destination(&self, destination: &Destination<'_>, fits: &mut Vec<Fit>) {
        if !destination.is_public() || destination.is_inbound() {
            return;
        }
        let known = destination.known;
        let seen = destination.ip.to_string();
        fits.extend(of(&known.listed, &known.matched).map(|why| fit("address", &seen, why)));
    }

    fn name(&self, name: &Name<'_>, fits: &mut Vec<Fit>) {
        let all = of(&name.known.listed, &name.known.matched);
        fits.extend(all.map(|why| fit("name", name.name, why)));
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        let mut facts = sources(pieces);
        let first = pieces.first();
        let kind = first.and_then(|it| it.fit.thing.split(' ').next());
        facts.push(("kind", Fact::Text(kind.unwrap_or_default().to_owned())));
        facts.push(("seen", seen(pieces)));
        let operator = first.and_then(|it| match &it.fit.why {
            Why::Listed(listed) => Some(listed.provider.clone()),
            Why::Matched(matched) => matched.indicator.about.as_deref().map(str::to_owned),
            Why::LooksLike { .. } | Why::Suffix(_) | Why::Reason(_) | Why::Nothing => None,
        });
        if let Some(operator) = operator.filter(|it| !it.is_empty()) {
            facts.push(("operator", Fact::Text(operator)));
        }
        Told {
            severity: Severity::High,
            confidence: Confidence::Medium,
            facts,
            attack: Vec::new(),
        }
    }
}

fn of<'a>(
    listed: &'a [model::ListedKind],
    matched: &'a [model::Matched],
) -> impl Iterator<Item = Why> + 'a {
    why(
        listed,
        matched,
        NetworkKind::Sinkhole,
        ListMeaning::Sinkhole,
    )
}

fn fit(kind: &str, seen: &str, why: Why) -> Fit {
    Fit {
        thing: format!("{kind} {seen}"),
        seen: seen.to_owned(),
        confidence: Confidence::Medium,
        why,
        inbound: false,
    }
}

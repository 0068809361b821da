//! What the network on the other side is for: to know of, no more.

use model::{Confidence, Fact, ListMeaning, NetworkKind, Severity};

use super::{different, sources, why};
use crate::fit::{Fit, Piece, Told, Whose, Why};
use crate::rule::Rule;
use crate::seen::Destination;

/// Servers of a service that hides who its users are from those they call.
pub(super) struct Vpn;

/// Servers that anybody can rent by the hour.
pub(super) struct Hosting;

/// Relays of a service of two parties, of which neither knows both sides (iCloud Private Relay).
pub(super) struct Relay;

impl Rule for Vpn {
    fn word(&self) -> &'static str {
        "vpn"
    }

    fn destination(&self, destination: &Destination<'_>, fits: &mut Vec<Fit>) {
        self::fits(destination, NetworkKind::Vpn, ListMeaning::Vpn, fits);
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        to_know(pieces)
    }
}

impl Rule for Hosting {
    fn word(&self) -> &'static str {
        "hosting"
    }

    fn destination(&self, destination: &Destination<'_>, fits: &mut Vec<Fit>) {
        self::fits(
            destination,
            NetworkKind::Hosting,
            ListMeaning::Hosting,
            fits,
        );
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        to_know(pieces)
    }
}

impl Rule for Relay {
    fn word(&self) -> &'static str {
        "relay"
    }

    fn destination(&self, destination: &Destination<'_>, fits: &mut Vec<Fit>) {
        if !destination.is_public() || destination.is_inbound() {
            return;
        }
        let listed = destination.known.listed.iter();
        if let Some(relay) = listed.into_iter().find(|it| it.kind == NetworkKind::Relay) {
            fits.push(fit(destination, Why::Listed(relay.clone())));
        }
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        to_know(pieces)
    }
}

/// Of those that this computer calls, and one finding for a program with all of them.
pub(super) fn fits(
    destination: &Destination<'_>,
    kind: NetworkKind,
    meaning: ListMeaning,
    fits: &mut Vec<Fit>,
) {
    if !destination.is_public() || destination.is_inbound() {
        return;
    }
    let known = destination.known;
    let first = why(&known.listed, &known.matched, kind, meaning).next();
    let by_kind = known.facts.kinds.contains(&kind).then_some(Why::Nothing);
    if let Some(why) = first.or(by_kind) {
        fits.push(fit(destination, why));
    }
}

fn fit(destination: &Destination<'_>, why: Why) -> Fit {
    Fit {
        thing: String::new(),
        seen: destination.ip.to_string(),
        confidence: Confidence::Low,
        why,
        inbound: false,
    }
}

fn to_know(pieces: &[&Piece]) -> Told {
    let mut facts = sources(pieces);
    let provider = pieces.first().and_then(|it| match &it.fit.why {
        Why::Listed(listed) => Some(&listed.provider).filter(|it| !it.is_empty()),
        Why::Matched(_)
        | Why::LooksLike { .. }
        | Why::Suffix(_)
        | Why::Reason(_)
        | Why::Nothing => None,
    });
    if let Some(provider) = provider {
        facts.push(("provider", Fact::Text(provider.clone())));
    }
    facts.push(("addresses", Fact::Count(different(pieces))));
    Told {
        severity: Severity::Informational,
        confidence: Confidence::Low,
        facts,
        attack: Vec::new(),
    }
}

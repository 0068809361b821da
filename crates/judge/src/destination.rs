//! Rules about the other side: one file for each.

mod address_echo;
mod drop_list;
mod dynamic_dns;
mod kinds;
mod known_bad;
mod lookalike;
mod raw_address;
mod sinkhole;
mod tor;

use model::{Confidence, Fact, ListMeaning, ListedKind, Matched, NetworkKind};

use crate::fit::{Piece, Why};
use crate::rule::Rule;

pub(crate) static RULES: [&dyn Rule; 11] = [
    &known_bad::KnownBad,
    &drop_list::DropList,
    &sinkhole::Sinkhole,
    &tor::Tor,
    &kinds::Vpn,
    &kinds::Hosting,
    &kinds::Relay,
    &dynamic_dns::DynamicDns,
    &address_echo::AddressEcho,
    &raw_address::RawAddress,
    &lookalike::Lookalike,
];

/// The word of the rule that hangs on whether names could be seen.
pub(crate) const RAW_ADDRESS: &str = "raw_address";

/// What lists, tables or indicators, have it as `kind`, or as what people add lists of with `meaning`.
fn why<'a>(
    listed: &'a [ListedKind],
    matched: &'a [Matched],
    kind: NetworkKind,
    meaning: ListMeaning,
) -> impl Iterator<Item = Why> + 'a {
    let listed = listed.iter().filter(move |it| it.kind == kind);
    let matched = matched.iter().filter(move |it| it.meaning == meaning);
    let listed = listed.map(|it| Why::Listed(it.clone()));
    listed.chain(matched.map(|it| Why::Matched(it.clone())))
}

/// Who says so, by the first piece.
fn sources(pieces: &[&Piece]) -> Vec<(&'static str, Fact)> {
    let mut facts = Vec::new();
    let text = |text: &str| Fact::Text(text.to_owned());
    match pieces.first().map(|piece| &piece.fit.why) {
        Some(Why::Matched(matched)) => {
            if let Some(publisher) = &matched.publisher {
                facts.push(("publisher", text(publisher)));
            }
            facts.push(("list", text(&matched.list)));
        }
        Some(Why::Listed(listed)) => {
            facts.push(("publisher", text(&listed.publisher)));
            facts.push(("list", text(&listed.list)));
        }
        Some(Why::LooksLike { .. } | Why::Suffix(_) | Why::Reason(_) | Why::Nothing) | None => {}
    }
    facts
}

/// How many different things were seen.
fn different(pieces: &[&Piece]) -> u64 {
    let seen: std::collections::BTreeSet<_> = pieces.iter().map(|it| &it.fit.seen).collect();
    u64::try_from(seen.len()).unwrap_or(u64::MAX)
}

/// The first thing that was seen.
fn seen(pieces: &[&Piece]) -> Fact {
    Fact::Text(
        pieces
            .first()
            .map_or_else(String::new, |it| it.fit.seen.clone()),
    )
}

/// The best of any piece.
fn confidence(pieces: &[&Piece]) -> Confidence {
    let all = pieces.iter().map(|piece| piece.fit.confidence);
    all.max().unwrap_or(Confidence::Low)
}

/// Whether the other side called, each time.
fn is_inbound(pieces: &[&Piece]) -> bool {
    pieces.iter().all(|piece| piece.fit.inbound)
}

//! A network that no traffic should go to at all, says who publishes it (Spamhaus DROP and its like).
//! Who is called from there is told apart: such networks call everybody.

use model::{Confidence, Fact, ListMeaning, NetworkKind, Severity};

use super::{is_inbound, seen, sources, why};
use crate::fit::{Fit, Piece, Told, Whose, Why};
use crate::rule::Rule;
use crate::seen::Destination;

pub(super) struct DropList;

impl Rule for DropList {
    fn word(&self) -> &'static str {
        "drop_list"
    }

    fn destination(&self, destination: &Destination<'_>, fits: &mut Vec<Fit>) {
        if !destination.is_public() {
            return;
        }
        let inbound = destination.is_inbound();
        let matched = &destination.known.matched;
        // No kind of the tables says this.
        for why in why(&[], matched, NetworkKind::Service, ListMeaning::Drop) {
            let Why::Matched(matched) = &why else {
                continue;
            };
            let way = if inbound { "from" } else { "to" };
            fits.push(Fit {
                thing: format!("{way} {}", matched.indicator.value),
                seen: destination.ip.to_string(),
                confidence: Confidence::Medium,
                why,
                inbound,
            });
        }
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        let mut facts = sources(pieces);
        if let Some(Why::Matched(matched)) = pieces.first().map(|piece| &piece.fit.why) {
            let network = matched.indicator.value.to_string();
            facts.push(("network", Fact::Text(network)));
        }
        facts.push(("address", seen(pieces)));
        let inbound = is_inbound(pieces);
        if inbound {
            facts.push(("direction", Fact::Text("inbound".to_owned())));
        }
        Told {
            severity: if inbound {
                Severity::Low
            } else {
                Severity::Medium
            },
            confidence: Confidence::Medium,
            facts,
            attack: Vec::new(),
        }
    }
}

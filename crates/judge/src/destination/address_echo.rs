//! A service that tells whoever asks which address they come from. Much software asks it, and spying
//! software does to know where it runs.

use model::{Confidence, Fact, ListMeaning, ListedKind, Matched, NetworkKind, Severity};

use super::{seen, why};
use crate::fit::{Fit, Piece, Told, Whose, Why};
use crate::rule::Rule;
use crate::seen::{Destination, Name};

pub(super) struct AddressEcho;

impl Rule for AddressEcho {
    fn word(&self) -> &'static str {
        "address_echo"
    }

    fn destination(&self, destination: &Destination<'_>, fits: &mut Vec<Fit>) {
        if !destination.is_public() || destination.is_inbound() {
            return;
        }
        let known = destination.known;
        fits.extend(fit(
            "address",
            &destination.ip.to_string(),
            &known.listed,
            &known.matched,
        ));
    }

    fn name(&self, name: &Name<'_>, fits: &mut Vec<Fit>) {
        fits.extend(fit(
            "name",
            name.name,
            &name.known.listed,
            &name.known.matched,
        ));
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        let first = pieces.first();
        let is_name = first.is_some_and(|it| it.fit.thing.starts_with("name "));
        let mut facts = vec![(if is_name { "name" } else { "address" }, seen(pieces))];
        let service = first.and_then(|it| match &it.fit.why {
            Why::Listed(listed) => Some(&listed.provider).filter(|it| !it.is_empty()),
            Why::Matched(_)
            | Why::LooksLike { .. }
            | Why::Suffix(_)
            | Why::Reason(_)
            | Why::Nothing => None,
        });
        if let Some(service) = service {
            facts.push(("service", Fact::Text(service.clone())));
        }
        Told {
            severity: Severity::Low,
            confidence: Confidence::Low,
            facts,
            attack: vec!["T1016"],
        }
    }
}

fn fit(part: &str, seen: &str, listed: &[ListedKind], matched: &[Matched]) -> Option<Fit> {
    let (kind, meaning) = (NetworkKind::AddressEcho, ListMeaning::AddressEcho);
    let why = why(listed, matched, kind, meaning).next()?;
    Some(Fit {
        thing: format!("{part} {seen}"),
        seen: seen.to_owned(),
        confidence: Confidence::Low,
        why,
        inbound: false,
    })
}

//! A name of a service that gives names to computers whose address changes: people at home use it, and
//! so do attackers who move often.

use model::{Confidence, Fact, ListMeaning, NetworkKind, Severity};

use super::{seen, why};
use crate::fit::{Fit, Piece, Told, Whose, Why};
use crate::rule::Rule;
use crate::seen::Name;

pub(super) struct DynamicDns;

impl Rule for DynamicDns {
    fn word(&self) -> &'static str {
        "dynamic_dns"
    }

    fn name(&self, name: &Name<'_>, fits: &mut Vec<Fit>) {
        let known = name.known;
        let (kind, meaning) = (NetworkKind::DynamicDns, ListMeaning::DynamicDns);
        if why(&known.listed, &known.matched, kind, meaning)
            .next()
            .is_none()
        {
            return;
        }
        let registered = known.registrable.as_deref().unwrap_or(name.name);
        // Where the service gives out names, these are what is registered.
        let above = registered.split_once('.').map(|(_, above)| above);
        let suffix = above.filter(|it| it.contains('.')).unwrap_or(registered);
        fits.push(Fit {
            thing: name.name.to_owned(),
            seen: name.name.to_owned(),
            confidence: Confidence::Low,
            why: Why::Suffix(suffix.to_owned()),
            inbound: false,
        });
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        let mut facts = vec![("name", seen(pieces))];
        if let Some(Why::Suffix(suffix)) = pieces.first().map(|piece| &piece.fit.why) {
            facts.push(("suffix", Fact::Text(suffix.clone())));
        }
        Told {
            severity: Severity::Low,
            confidence: Confidence::Low,
            facts,
            attack: vec!["T1568"],
        }
    }
}

//! A name with letters of another script that pass for those of ASCII.

use model::{Confidence, Fact, Severity};

use crate::fit::{Fit, Piece, Told, Whose, Why};
use crate::rule::Rule;
use crate::seen::Name;

pub(super) struct Lookalike;

impl Rule for Lookalike {
    fn word(&self) -> &'static str {
        "lookalike"
    }

    fn name(&self, name: &Name<'_>, fits: &mut Vec<Fit>) {
        if let Some((shown, like)) = &name.known.lookalike {
            fits.push(Fit {
                thing: name.name.to_owned(),
                seen: name.name.to_owned(),
                confidence: Confidence::Low,
                why: Why::LooksLike {
                    shown: shown.clone(),
                    like: like.clone(),
                },
                inbound: false,
            });
        }
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        let mut facts = Vec::new();
        if let Some(piece) = pieces.first()
            && let Why::LooksLike { shown, like } = &piece.fit.why
        {
            facts.push(("name", Fact::Text(piece.fit.seen.clone())));
            facts.push(("shown", Fact::Text(shown.clone())));
            facts.push(("looks_like", Fact::Text(like.clone())));
        }
        Told {
            severity: Severity::Low,
            confidence: Confidence::Low,
            facts,
            attack: Vec::new(),
        }
    }
}

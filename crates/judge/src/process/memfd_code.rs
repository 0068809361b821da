//! Executable memory out of a file that lives in memory only. A library in it came from nowhere; code
//! without the head of a library is what some engines make (.NET).

use model::{Check, Confidence, Severity, Sign};

use super::engine::{Explained, explained};
use super::looked::{Looked, facts};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let libraries = process.signs(Check::MemfdCode, Sign::ElfInMemory);
    reasons.extend(libraries.first().map(|first| {
        let weight = (Severity::Medium, Confidence::High);
        Reason::new("library", weight, &["T1620"])
            .raised(Raised::BesideGrave)
            .text("kind", first.sign.word())
            .with(facts(first))
    }));
    let code = process.signs(Check::MemfdCode, Sign::CodeInMemory);
    let weight = match explained(process) {
        Explained::Yes | Explained::NotYet => None,
        Explained::Perhaps | Explained::ByHelper => Some((Severity::Low, Confidence::Low)),
        Explained::No => Some((Severity::Medium, Confidence::Medium)),
    };
    if let (Some(first), Some(weight)) = (code.first(), weight) {
        let reason = Reason::new("code", weight, &["T1055"])
            .raised(Raised::BesideTampering)
            .text("kind", first.sign.word())
            .with(facts(first));
        reasons.push(reason);
    }
    reasons
}

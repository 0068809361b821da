//! Executable memory that belongs to no file. Programs with an engine (JIT) have it; that excuses only an
//! engine that is the one of its package.

use model::{Check, Confidence, Fact, Severity, Sign};

use super::engine::{Explained, explained};
use super::looked::{Looked, facts, length};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.traces(Check::ExecutableMemory).iter();
    let traces: Vec<_> = traces.filter(|it| it.sign != Sign::Engine).collect();
    let Some(first) = traces.first() else {
        return Vec::new();
    };
    let reason = match explained(process) {
        Explained::Yes | Explained::NotYet => return Vec::new(),
        Explained::Perhaps | Explained::ByHelper => {
            let engines = process.signs(Check::ExecutableMemory, Sign::Engine);
            let engine = engines.first().and_then(|it| it.path.as_ref());
            let engine = engine.map(|it| ("engine", Fact::Text(it.lossy().into_owned())));
            Reason::new("", (Severity::Low, Confidence::Low), &["T1055"])
                .raised(Raised::BesideTampering)
                .with(engine)
        }
        Explained::No => Reason::new("", (Severity::Medium, Confidence::Medium), &["T1055"]),
    };
    vec![
        reason
            .text("kind", first.sign.word())
            .with(facts(first))
            .with([("size", Fact::Bytes(length(&traces)))])
            .count(
                "regions",
                traces
                    .len()
                    .saturating_add(process.more(Check::ExecutableMemory)),
            ),
    ]
}

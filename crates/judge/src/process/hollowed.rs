//! The file of the program is not in the memory of its process, or the program began elsewhere: another
//! one runs under its name.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::Reason;

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    // Of a program that the loader was called for by hand, the file of the process is the loader.
    let by_loader = !process.traces(Check::Loader).is_empty();
    let traces = process.traces(Check::ProgramMapping).iter();
    let mut traces = traces.filter(|it| it.sign == Sign::NotMapped || !by_loader);
    let first = traces.next().map(|first| {
        Reason::new("", (Severity::High, Confidence::High), &["T1055.012"])
            .text("kind", first.sign.word())
            .with(facts(first))
    });
    first.into_iter().collect()
}

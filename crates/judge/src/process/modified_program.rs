//! A program or a library of a package with other bytes than those in the list of that package.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let kinds = [
        ("program", Sign::ModifiedProgram),
        ("library", Sign::ModifiedLibrary),
    ];
    let reasons = kinds.into_iter().filter_map(|(kind, sign)| {
        let traces = process.signs(Check::Package, sign);
        let first = traces.first()?;
        Some(
            Reason::new(kind, (Severity::Medium, Confidence::Medium), &["T1554"])
                .raised(Raised::BesideGrave)
                .text("kind", kind)
                .with(facts(first))
                .count("files", traces.len()),
        )
    });
    reasons.collect()
}

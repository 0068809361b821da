//! A library in memory whose file is gone. Updates leave such behind, of folders that only root can write
//! to.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts, path_of};
use super::paths::is_of_root;
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let of_root = |sign: Sign, wanted: bool| {
        let traces = process.signs(Check::LibraryFiles, sign).into_iter();
        let traces = traces.filter(move |it| is_of_root(&path_of(it)) == wanted);
        traces.collect::<Vec<_>>()
    };
    let mut replaced = of_root(Sign::Replaced, true);
    replaced.extend(of_root(Sign::Replaced, false));
    let (medium, low) = (Severity::Medium, Severity::Low);
    let kinds = [
        (
            "elsewhere",
            of_root(Sign::Deleted, false),
            medium,
            Confidence::Medium,
        ),
        (
            "deleted",
            of_root(Sign::Deleted, true),
            low,
            Confidence::Low,
        ),
        (
            "replaced",
            replaced,
            Severity::Informational,
            Confidence::Low,
        ),
    ];
    let mut kinds = kinds.into_iter();
    let worst = kinds.find_map(|(kind, traces, severity, confidence)| {
        let first = traces.first()?;
        let severity = if kind == "elsewhere" && process.brings(&path_of(first)) {
            low
        } else {
            severity
        };
        Some(
            Reason::new("", (severity, confidence), &["T1070.004"])
                .raised(if kind == "replaced" {
                    Raised::Never
                } else {
                    Raised::BesideTampering
                })
                .text("kind", first.sign.word())
                .with(facts(first))
                .count("libraries", traces.len()),
        )
    });
    worst.into_iter().collect()
}

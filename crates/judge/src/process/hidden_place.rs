//! A program, a library or a script in a folder, or of a name, that begins with a dot; or so deep in folders
//! that nothing shows its path.

use model::{Check, Confidence, Fact, Severity, Sign, Text, Trace};

use super::looked::{Looked, facts, path_of};
use super::paths::{file_name, is_oddly_hidden};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let kinds = [
        ("program", Sign::HiddenProgram),
        ("library", Sign::HiddenLibrary),
        ("script", Sign::HiddenScript),
    ];
    let reasons = kinds.into_iter().filter_map(|(kind, sign)| {
        let traces = process.signs(Check::Places, sign);
        // That of the oddest place.
        let odd = traces.iter().find(|it| is_oddly_hidden(&path_of(it)));
        let first = odd.or(traces.first())?;
        let path = path_of(first);
        let by_name = file_name(&path).starts_with('.');
        let grave = match kind {
            "script" => odd.is_some(),
            "program" => by_name,
            _ => false,
        };
        let weight = if grave {
            (Severity::Medium, Confidence::Medium)
        } else {
            (Severity::Low, Confidence::Low)
        };
        // An interpreter runs many: each script is a finding of its own.
        let thing = match kind {
            "script" => format!("script {path}"),
            _ => kind.to_owned(),
        };
        Some(
            Reason::new(&thing, weight, &["T1564.001"])
                .raised(Raised::BesideGrave)
                .text("kind", kind)
                .with(facts(first)),
        )
    });
    let overlong = process.signs(Check::Places, Sign::OverlongPath);
    reasons.chain(overlong.first().map(|it| deep(it))).collect()
}

/// Nobody makes so many folders to keep a program in.
fn deep(trace: &Trace) -> Reason {
    let what = trace.name.as_ref().map(Text::lossy);
    let what = what.map_or_else(|| "program".to_owned(), |it| it.into_owned());
    let length = trace.length.map(|it| ("path_bytes", Fact::Bytes(it)));
    Reason::new(
        "overlong",
        (Severity::Medium, Confidence::Medium),
        &["T1564.001"],
    )
    .raised(Raised::BesideGrave)
    .text("kind", "overlong")
    .text("what", what)
    .with(
        trace
            .path
            .as_ref()
            .map(|it| ("path", Fact::Text(it.lossy().into_owned()))),
    )
    .with(length)
}

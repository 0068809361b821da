//! A library that was put before all others, so that it can answer in their place.

use model::{Check, Confidence, Severity, Sign, Trace};

use super::looked::{Looked, facts, path_of};
use super::{Raised, Reason, paths};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.traces(Check::Preload).iter();
    let reasons = traces.map(|trace| {
        let path = path_of(trace);
        let weight = match of_package(process, trace) {
            Some(true) => (Severity::Informational, Confidence::Low),
            // It comes with the program.
            _ if process.brings(&path) => (Severity::Low, Confidence::Low),
            Some(false) => (Severity::Medium, Confidence::Medium),
            None if process.ended_before_files() => (Severity::Informational, Confidence::Low),
            None => (Severity::Low, Confidence::Low),
        };
        Reason::new(&format!("{} {path}", trace.sign), weight, &["T1574.006"])
            .raised(Raised::BesideGrave)
            .text("kind", trace.sign.word())
            .with(facts(trace))
    });
    reasons.collect()
}

/// Whether the library is one of a package. `None`: not known.
fn of_package(process: &Looked<'_>, trace: &Trace) -> Option<bool> {
    let path = path_of(trace);
    let foreign = process.traces(Check::Package).iter();
    let mut foreign = foreign.filter(|it| {
        let libraries = [Sign::UnpackagedLibrary, Sign::ModifiedLibrary];
        libraries.contains(&it.sign)
    });
    if foreign.any(|it| path_of(it) == path) {
        return Some(false);
    }
    if trace.package.is_some() {
        return Some(true);
    }
    // By its name alone it is looked for where only root puts libraries.
    let by_name = !path.contains('/');
    if !by_name && !paths::is_of_root(&path) {
        return Some(false);
    }
    // All libraries of a program of a package were compared, and this one was among them.
    let compared = process.is_intact() && process.more(Check::Package) == 0;
    (compared && trace.sign != Sign::PreloadedEverywhere).then_some(true)
}

//! A program that never was in a file system. Container runtimes start themselves so, sealed.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use super::paths::is_of_root;
use super::programs::is_container_runtime;
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.traces(Check::ProgramFile).iter();
    let mut memfd = traces.filter(|it| matches!(it.sign, Sign::Memfd | Sign::SealedMemfd));
    let reason = memfd.next().map(|first| {
        let runtime = runtime(process).filter(|_| first.sign == Sign::SealedMemfd);
        let weight = match runtime {
            Some(_) => (Severity::Low, Confidence::Low),
            None => (Severity::Medium, Confidence::Medium),
        };
        let runtime = runtime.map(|it| ("runtime", model::Fact::Text(it)));
        Reason::new("", weight, &["T1620"])
            .raised(Raised::BesideGrave)
            .text("kind", first.sign.word())
            .with(facts(first))
            .with(runtime)
    });
    reason.into_iter().collect()
}

/// A container runtime above it, from a folder that only root can write to. Nothing else excuses: below the
/// first process stands also whoever has lost its parent.
fn runtime(process: &Looked<'_>) -> Option<String> {
    let paths = process
        .process
        .parents
        .iter()
        .filter_map(|it| it.path.as_ref());
    let mut paths = paths.map(|it| it.lossy().into_owned());
    paths.find(|path| is_of_root(path) && is_container_runtime(path))
}

//! A program that never was in a file system. Container runtimes start themselves so, sealed.

use model::{Check, Confidence, Severity, Sign};

use super::looked::{Looked, facts};
use super::paths::is_of_root;
use super::programs::{is_container_runtime, is_init};
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

/// What starts programs so, above it: a container runtime from a folder that only root can write to, or
/// the first process of a container or a virtual machine that was made for one task.
fn runtime(process: &Looked<'_>) -> Option<String> {
    let all = &process.process.parents;
    let paths = all.iter().filter_map(|it| it.path.as_ref());
    let mut paths = paths.map(|it| it.lossy().into_owned());
    let runtime = paths.find(|path| is_of_root(path) && is_container_runtime(path));
    if runtime.is_some() {
        return runtime;
    }
    // Below others of the same program.
    let own = process.process.path.as_ref();
    let starter = all.iter().find(|it| it.path.as_ref() != own)?;
    // An ordinary first process adopts whoever has lost its parent.
    let name = starter.name.lossy();
    let path = starter.path.as_ref().map(model::Text::lossy);
    let adopts = is_init(&name) || path.is_some_and(|path| is_init(&path));
    (starter.pid == 1 && !adopts).then(|| name.clone().into_owned())
}

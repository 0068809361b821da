//! Executable memory that belongs to no file. Browsers, .NET and Java make code while they run: where a
//! library of that kind is loaded, it is named as well.

use std::collections::BTreeSet;

use model::{Outcome, Sign, Text, Trace, Untested};

use super::files;
use super::kept::Kept;
use super::subject::{Kind, Region, Subject};
use crate::parse::windows_engine::is_engine;

/// So much room for traces of engines is kept.
const MOST_ENGINES: usize = Outcome::MOST_TRACES / 2;

pub(super) fn check(subject: &Subject, _: &Kept) -> Outcome {
    look(subject).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject) -> Result<Outcome, Untested> {
    let regions = subject.regions()?.iter();
    let own = regions.filter(|it| it.executable && it.kind != Kind::Image);
    let own: Vec<_> = own.map(|it| trace(subject, it)).collect();
    // What is a whole program or library was made by no engine.
    let is_explainable = own.iter().all(|it| it.sign != Sign::PeInMemory);
    let mut traces = Vec::new();
    if is_explainable && !own.is_empty() {
        traces = engines(subject)?;
    }
    traces.extend(own);
    Ok(Outcome::of(traces))
}

/// Engines first: what there is no room for is more of the same memory.
fn engines(subject: &Subject) -> Result<Vec<Trace>, Untested> {
    let regions = subject.regions()?.iter();
    let modules = regions.filter(|it| it.kind == Kind::Image);
    let modules: BTreeSet<u64> = modules.map(|it| it.allocation).collect();
    let paths = modules
        .into_iter()
        .filter_map(|it| files::path_at(subject, it));
    let engines = paths.filter(|it| is_engine(it)).take(MOST_ENGINES);
    let traces = engines.map(|it| Trace::of_file(Sign::Engine, Text::from(it)));
    Ok(traces.collect())
}

fn trace(subject: &Subject, region: &Region) -> Trace {
    let bytes = subject.read(region.start, Trace::MOST_BYTES);
    let sign = if bytes.starts_with(b"MZ") {
        Sign::PeInMemory
    } else if region.writable {
        Sign::WritableAndExecutable
    } else {
        Sign::Executable
    };
    Trace {
        address: Some(region.start),
        length: Some(region.length),
        bytes: Some(bytes).filter(|it| !it.is_empty()),
        ..Trace::new(sign)
    }
}

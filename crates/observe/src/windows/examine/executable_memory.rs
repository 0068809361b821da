//! Executable memory that belongs to no file. Browsers, .NET and Java make code while they run: where a
//! library of that kind is loaded, it is named as well.

use std::collections::BTreeSet;

use model::{Outcome, Sign, Text, Trace, Untested};

use super::files;
use super::kept::Kept;
use super::subject::Subject;
use crate::parse::windows_engine::is_engine;
use crate::parse::wine::{is_delegating, is_heap};
use crate::windows::memory::{Kind, Region};

/// So much room for traces of engines is kept.
const MOST_ENGINES: usize = Outcome::MOST_TRACES / 2;

/// What so many pieces begin with is looked at; no engine makes as many.
const MOST_READ: usize = 4096;

/// Wine makes such for calls to other processes, and no more of it in one piece.
const MOST_STUBS: usize = 64 * 1024;
/// Of Wine: drivers are loaded by it into a process of their own, which has a heap that may run.
const OF_DRIVERS: &str = "ntoskrnl.exe";

pub(super) fn check(subject: &Subject, kept: &Kept) -> Outcome {
    look(subject, kept).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject, kept: &Kept) -> Result<Outcome, Untested> {
    let regions = subject.regions()?.iter();
    let own = regions.filter(|it| it.executable && it.kind != Kind::Image);
    let own: Vec<_> = own.collect();
    let (read, others) = own.split_at(own.len().min(MOST_READ));
    let read = read.iter();
    let read = read.filter(|it| !(kept.is_wine && is_of_wine(subject, it)));
    let own = read.map(|it| trace(subject, it));
    let own: Vec<_> = own.chain(others.iter().map(|it| unread(it))).collect();
    // What is a whole program or library was made by no engine.
    let is_program = own.iter().any(|it| it.sign == Sign::PeInMemory);
    let is_explainable = !is_program && others.is_empty();
    let mut traces = Vec::new();
    if is_explainable && !own.is_empty() {
        traces = engines(subject)?;
        if kept.is_wine && own.iter().all(|it| is_heap_of(subject, it)) {
            traces.extend(named(subject, |path| is_called(path, OF_DRIVERS))?);
        }
    }
    traces.extend(own);
    Ok(Outcome::of(traces))
}

/// Engines first: what there is no room for is more of the same memory.
fn engines(subject: &Subject) -> Result<Vec<Trace>, Untested> {
    named(subject, is_engine)
}

/// Of the files that are loaded, those that a test names.
fn named(subject: &Subject, is_one: impl Fn(&str) -> bool) -> Result<Vec<Trace>, Untested> {
    let regions = subject.regions()?.iter();
    let modules = regions.filter(|it| it.kind == Kind::Image);
    let modules: BTreeSet<u64> = modules.map(|it| it.allocation).collect();
    let paths = modules
        .into_iter()
        .filter_map(|it| files::path_at(subject, it));
    let engines = paths.filter(|it| is_one(it)).take(MOST_ENGINES);
    let traces = engines.map(|it| Trace::of_file(Sign::Engine, Text::from(it)));
    Ok(traces.collect())
}

fn is_called(path: &str, name: &str) -> bool {
    let last = path.rsplit('\\').next();
    last.is_some_and(|last| last.eq_ignore_ascii_case(name))
}

fn is_of_wine(subject: &Subject, region: &Region) -> bool {
    let length = usize::try_from(region.length).unwrap_or(usize::MAX);
    length <= MOST_STUBS && is_delegating(&subject.read(region.start, length))
}

fn is_heap_of(subject: &Subject, trace: &Trace) -> bool {
    let start = trace.address.unwrap_or_default();
    is_heap(&subject.read(start, 64))
}

fn trace(subject: &Subject, region: &Region) -> Trace {
    // A guard is left alone.
    let bytes = match region.guarded {
        true => Vec::new(),
        false => subject.read(region.start, Trace::MOST_BYTES),
    };
    // The head of a program has other rights than its code.
    let begins_as_program = || subject.read(region.allocation, 2) == b"MZ";
    let mut trace = unread(region);
    if bytes.starts_with(b"MZ") || begins_as_program() {
        trace.sign = Sign::PeInMemory;
    }
    trace.bytes = Some(bytes).filter(|it| !it.is_empty());
    trace
}

fn unread(region: &Region) -> Trace {
    let sign = match region.writable {
        true => Sign::WritableAndExecutable,
        false => Sign::Executable,
    };
    Trace {
        address: Some(region.start),
        length: Some(region.length),
        ..Trace::new(sign)
    }
}

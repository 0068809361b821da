//! Whether something starts the program whenever somebody logs in, or the computer starts.
//!
//! All files that start programs are read once, and again when one of them has changed. What is found says
//! only that a program, or the script that an interpreter runs, is named in one of them: which of them
//! matter, rules decide.

mod files;
mod script;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::{Outcome, Sign, Text, Trace, Untested};

use self::files::Index;
use super::root::Root;
use super::{Kept, Subject, package};

/// So long they are not looked at again.
const PAUSE: Duration = Duration::from_secs(30);
const DELETED: &[u8] = b" (deleted)";

/// Everything that is started so.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    index: Option<Index>,
    looked: Option<Instant>,
}

/// By the path of what is started: what kind of file names it, and which.
type Started = HashMap<Vec<u8>, Vec<(Sign, usize)>>;

/// What each package puts there for the services that it brings: of these it says nothing.
const OF_PACKAGES: [&[u8]; 2] = [b"/etc/init.d/", b"/etc/rc.d/init.d/"];

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    match found(subject, kept) {
        Ok(outcome) => outcome,
        Err(why) => Outcome::NotTestable(why),
    }
}

fn found(subject: &Subject, kept: &mut Kept) -> Result<Outcome, Untested> {
    let program = subject.program()?;
    let root = Root::of(subject)?;
    // What starts programs in there was not read.
    if !root.is_own() {
        return Err(Untested::OtherNamespace);
    }
    let index = kept.starts.current(&root)?;
    let link = program.link.bytes();
    // The name of a file that is gone starts what comes next; that it is called so still tells.
    let mut paths = vec![link.strip_suffix(DELETED).unwrap_or(link).to_vec()];
    let mut untested = index.untested;
    match script::of(subject, &root) {
        Ok(scripts) => paths.extend(scripts),
        Err(why) => untested = Some(why),
    }
    let told = paths.into_iter().map(|path| {
        let mut traces = Vec::new();
        index.add(&path, &mut traces);
        (path, traces)
    });
    let told: Vec<_> = told.collect();
    let mut traces = Vec::new();
    for (path, its) in told {
        // Where nobody can say whose it is, it is told.
        let is_packaged = || package::owner(subject, &path, kept).is_ok_and(|it| it.is_some());
        for trace in without_services(its, is_packaged) {
            if !traces.contains(&trace) {
                traces.push(trace);
            }
        }
    }
    Ok(match untested {
        Some(why) if traces.is_empty() => Outcome::NotTestable(why),
        Some(_) | None => Outcome::of(traces),
    })
}

/// What starts a file, without what the package of that file has for it.
fn without_services(traces: Vec<Trace>, is_packaged: impl FnOnce() -> bool) -> Vec<Trace> {
    let is_service = |trace: &Trace| {
        let path = trace.path.as_ref().map(Text::bytes).unwrap_or_default();
        OF_PACKAGES.iter().any(|folder| path.starts_with(folder))
    };
    if !traces.iter().any(is_service) || !is_packaged() {
        return traces;
    }
    let others = traces.into_iter().filter(|it| !is_service(it));
    others.collect()
}

impl Starts {
    fn current(&mut self, root: &Root) -> Result<&Index, Untested> {
        let is_new = self.looked.is_some_and(|at| at.elapsed() < PAUSE);
        if !is_new || self.index.is_none() {
            let current = self.index.take().filter(|index| index.is_current(root));
            let index = match current {
                Some(index) => index,
                None => Index::read(root)?,
            };
            self.index = Some(index);
            self.looked = Some(Instant::now());
        }
        self.index.as_ref().ok_or(Untested::Unreadable)
    }
}

impl Index {
    /// Adds what starts the file at this path, each starting file once.
    fn add(&self, path: &[u8], traces: &mut Vec<Trace>) {
        for (sign, file) in self.started.get(path).into_iter().flatten() {
            let Some(file) = self.files.get(*file) else {
                continue;
            };
            let trace = Trace::of_file(*sign, file.as_slice());
            if !traces.contains(&trace) {
                traces.push(trace);
            }
        }
    }
}

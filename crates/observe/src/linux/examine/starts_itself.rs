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

use model::{Outcome, Sign, Trace, Untested};

use self::files::Index;
use super::root::Root;
use super::{Kept, Subject};

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

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    match found(subject, &mut kept.starts) {
        Ok(outcome) => outcome,
        Err(why) => Outcome::NotTestable(why),
    }
}

fn found(subject: &Subject, starts: &mut Starts) -> Result<Outcome, Untested> {
    let program = subject.program()?;
    let root = Root::of(subject)?;
    // What starts programs in there was not read.
    if !root.is_own() {
        return Err(Untested::OtherNamespace);
    }
    let index = starts.current(&root)?;
    let link = program.link.bytes();
    let mut traces = Vec::new();
    // The name of a file that is gone starts what comes next; that it is called so still tells.
    index.add(link.strip_suffix(DELETED).unwrap_or(link), &mut traces);
    let mut untested = index.untested;
    match script::of(subject, &root) {
        Ok(scripts) => scripts.iter().for_each(|it| index.add(it, &mut traces)),
        Err(why) => untested = Some(why),
    }
    Ok(match untested {
        Some(why) if traces.is_empty() => Outcome::NotTestable(why),
        Some(_) | None => Outcome::of(traces),
    })
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

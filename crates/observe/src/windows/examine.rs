//! Looks into processes: their memory, their threads, their files. Each check says nothing found, found,
//! or not testable; what it means decide rules elsewhere.
//!
//! One file for each check. What cannot be opened is not testable: nothing is claimed of it.

mod code;
mod code_changed;
pub(super) mod copied;
mod display;
mod executable_memory;
pub(super) mod files;
mod kept;
mod mapped_files;
mod other_name;
mod places;
mod program_file;
mod program_mapping;
mod signature;
mod subject;
mod threads;

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Check, Examined, Outcome, Process, Untested};

use self::kept::Kept;
use self::subject::Subject;
use crate::Depth;

/// Threads and windows come and go, and files are replaced.
const KEPT_FOR: Duration = Duration::from_secs(2);

/// Those that find something in a part of the memory, and nothing in all of it.
const OF_ALL_MEMORY: [Check; 5] = [
    Check::CodeChanged,
    Check::ExecutableMemory,
    Check::MappedFiles,
    Check::Places,
    Check::Package,
];

struct Made {
    check: Check,
    depth: Depth,
    make: fn(&Subject, &Kept) -> Outcome,
}

const CHECKS: [Made; 9] = {
    use Check::*;
    use Depth::{Cheap, Whole};
    const fn made(check: Check, depth: Depth, make: fn(&Subject, &Kept) -> Outcome) -> Made {
        Made { check, depth, make }
    }
    [
        made(CodeChanged, Whole, code_changed::check),
        made(Threads, Cheap, threads::check),
        made(ProgramMapping, Cheap, program_mapping::check),
        made(ExecutableMemory, Cheap, executable_memory::check),
        made(ProgramFile, Cheap, program_file::check),
        made(MappedFiles, Whole, mapped_files::check),
        made(Places, Cheap, places::check),
        made(OtherName, Cheap, other_name::check),
        made(Package, Whole, signature::check),
    ]
};

/// See [`crate::examine`].
pub(crate) fn examine(processes: &mut [Process], depth: Depth, until: Instant) -> usize {
    if processes.is_empty() {
        return 0;
    }
    let mut examiner = Examiner::start();
    let mut left = 0_usize;
    for process in processes {
        let is_late = Instant::now() >= until;
        left = left.saturating_add(usize::from(is_late));
        let mut examined = match is_late {
            true => untestable(Untested::NotFinished),
            false => {
                let found = examiner.look(process, depth);
                found.unwrap_or_else(|| untestable(Untested::Ended))
            }
        };
        for made in &CHECKS {
            if examined.outcome(made.check).is_none() {
                examined.put(made.check, Outcome::NotTestable(Untested::NotAsked));
            }
        }
        process.examined = Some(Arc::new(examined));
    }
    left
}

/// Looks into one process after the other.
pub(super) struct Examiner {
    kept: Kept,
    read: Instant,
}

impl Examiner {
    pub(super) fn start() -> Self {
        Self {
            kept: Kept::read(),
            read: Instant::now(),
        }
    }

    /// With the checks of this depth alone. `None`: it has ended, or another has its number by now.
    pub(super) fn look(&mut self, process: &Process, depth: Depth) -> Option<Examined> {
        let pid = process.id.pid;
        if self.read.elapsed() >= KEPT_FOR || self.kept.threads(pid).is_none() {
            self.kept.renew();
            self.read = Instant::now();
        }
        let mut examined = match Subject::open(process) {
            Ok(subject) => look(&subject, &self.kept, depth),
            Err(Untested::Ended) => return None,
            Err(why) => untestable(why),
        };
        examined.display = Some(self.kept.displays.of(process));
        Some(examined)
    }
}

fn look(subject: &Subject, kept: &Kept, depth: Depth) -> Examined {
    let mut examined = Examined::default();
    for made in CHECKS.iter().filter(|made| made.depth <= depth) {
        let outcome = match (made.make)(subject, kept) {
            Outcome::NothingFound if OF_ALL_MEMORY.contains(&made.check) && !subject.is_whole() => {
                Outcome::NotTestable(Untested::TooLarge)
            }
            outcome => outcome,
        };
        examined.put(made.check, outcome);
    }
    let asks_for_package = depth == Depth::Whole || subject.pid == std::process::id();
    if asks_for_package {
        examined.package = signature::of_program(subject, kept);
    }
    examined
}

fn untestable(why: Untested) -> Examined {
    let mut examined = Examined::default();
    for made in &CHECKS {
        examined.put(made.check, Outcome::NotTestable(why));
    }
    examined
}

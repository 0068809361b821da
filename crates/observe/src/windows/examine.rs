//! Looks into processes: their memory, their threads, their files. Each check says nothing found, found,
//! or not testable; what it means decide rules elsewhere.
//!
//! One file for each check. What cannot be opened is not testable: nothing is claimed of it.

mod code_changed;
mod display;
mod executable_memory;
mod files;
mod kept;
mod other_name;
mod places;
mod program_mapping;
mod signature;
mod subject;
mod threads;

use std::sync::Arc;
use std::time::Instant;

use model::{Check, Examined, Outcome, Process, Untested};

use self::kept::Kept;
use self::subject::Subject;
use crate::Depth;

struct Made {
    check: Check,
    depth: Depth,
    make: fn(&Subject, &Kept) -> Outcome,
}

const CHECKS: [Made; 7] = {
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
    let kept = Kept::read();
    let mut left = 0_usize;
    for process in processes {
        let is_late = Instant::now() >= until;
        left = left.saturating_add(usize::from(is_late));
        let mut examined = if is_late {
            untestable(Untested::NotFinished)
        } else {
            match Subject::open(process) {
                Ok(subject) => look(&subject, &kept, depth),
                Err(why) => untestable(why),
            }
        };
        examined.display = Some(kept.displays.of(process));
        process.examined = Some(Arc::new(examined));
    }
    left
}

fn look(subject: &Subject, kept: &Kept, depth: Depth) -> Examined {
    let mut examined = Examined::default();
    for made in &CHECKS {
        let outcome = if made.depth <= depth {
            (made.make)(subject, kept)
        } else {
            Outcome::NotTestable(Untested::NotAsked)
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

//! A thread began in memory that is no loaded program or library (Windows). Ordinary threads begin in a
//! file, also in programs that make code while they run; a thread that another process has put there does
//! not.

use model::{Check, Confidence, Severity, Sign, Trace};

use super::looked::{Looked, facts};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::Threads, Sign::StartedOutside);
    // In executable memory of no file: that is where injected code runs.
    let in_code = traces.iter().find(|it| is_in_code(process, it));
    let severity = match in_code {
        Some(_) => Severity::High,
        None => Severity::Medium,
    };
    let first = in_code.or(traces.first()).map(|first| {
        Reason::new("", (severity, Confidence::High), &["T1055"])
            .raised(Raised::BesideGrave)
            .with(facts(first))
            .count(
                "threads",
                traces.len().saturating_add(process.more(Check::Threads)),
            )
    });
    first.into_iter().collect()
}

fn is_in_code(process: &Looked<'_>, thread: &Trace) -> bool {
    let mut memory = process.traces(Check::ExecutableMemory).iter();
    memory.any(|it| {
        let (Some(from), Some(length), Some(at)) = (it.address, it.length, thread.address) else {
            return false;
        };
        at.checked_sub(from).is_some_and(|into| into < length)
    })
}

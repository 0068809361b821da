//! Threads that began in memory which is no loaded program or library. An ordinary thread begins in a
//! file; one that somebody put into the process begins where he put its code. Who owns a thread can have
//! another address told of it (`NtSetInformationThread`), or have one that began in a file go on elsewhere:
//! nothing found does not say that there is none.

use model::{Outcome, Sign, Trace, Untested};
use windows_sys::Win32::System::Threading::THREAD_QUERY_INFORMATION;

use super::kept::Kept;
use super::subject::Subject;
use crate::windows::handle::{Handle, why_untested};
use crate::windows::memory::Kind;
use crate::windows::native;

const MOST_THREADS: usize = 4096;

pub(super) fn check(subject: &Subject, kept: &Kept) -> Outcome {
    look(subject, kept).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject, kept: &Kept) -> Result<Outcome, Untested> {
    if !native::tells_starts() {
        return Err(Untested::NotHere);
    }
    let threads = kept.threads(subject.pid).ok_or(Untested::Ended)?;
    let mut traces = Vec::new();
    let mut unread = None;
    for thread in threads.iter().take(MOST_THREADS) {
        let start = match start_of(*thread, subject.pid) {
            Ok(start) => start,
            // It has ended meanwhile, as threads do.
            Err(Untested::Ended) => continue,
            Err(why) => {
                unread = Some(why);
                continue;
            }
        };
        if start == 0 {
            // Wine tells none of some of its threads; elsewhere it was wiped out, or is kept back.
            if !kept.is_wine {
                unread = Some(Untested::Unreadable);
            }
            continue;
        }
        let region = subject.region(start)?;
        if region.is_some_and(|it| it.kind == Kind::Image) {
            continue;
        }
        traces.push(Trace {
            address: Some(start),
            length: region.map(|it| it.length),
            bytes: Some(subject.read(start, Trace::MOST_BYTES)).filter(|it| !it.is_empty()),
            ..Trace::new(Sign::StartedOutside)
        });
    }
    match (traces.is_empty(), unread) {
        // What was looked for may be in the others.
        (true, Some(why)) => Err(why),
        (true, None) if threads.len() > MOST_THREADS => Err(Untested::TooLarge),
        _ => Ok(Outcome::of(traces)),
    }
}

fn start_of(thread: u32, pid: u32) -> Result<u64, Untested> {
    let thread = Handle::of_thread(thread, THREAD_QUERY_INFORMATION).ok_or_else(why_untested)?;
    match thread.owner() {
        0 => Err(Untested::Unreadable),
        owner if owner == pid => native::start_of(&thread),
        // Another process has its number by now.
        _ => Err(Untested::Ended),
    }
}

//! Threads that began in memory which is no loaded program or library. An ordinary thread begins in a
//! file; one that somebody put into the process begins where he put its code. Who owns a thread can have
//! another address told of it (`NtSetInformationThread`), or have one that began in a file go on elsewhere:
//! nothing found does not say that there is none.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use model::{Outcome, Sign, Trace, Untested};
use windows_sys::Win32::System::Threading::{OpenThread, THREAD_QUERY_INFORMATION};

use super::kept::{Kept, QueryThread};
use super::subject::{Handle, Kind, Subject, why};

/// `ThreadQuerySetWin32StartAddress` (winternl.h, THREADINFOCLASS).
const START_ADDRESS: i32 = 9;
const MOST_THREADS: usize = 4096;

pub(super) fn check(subject: &Subject, kept: &Kept) -> Outcome {
    look(subject, kept).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject, kept: &Kept) -> Result<Outcome, Untested> {
    let query = kept.query_thread.ok_or(Untested::NotHere)?;
    let threads = kept.threads(subject.pid).ok_or(Untested::Ended)?;
    let mut traces = Vec::new();
    let mut unread = None;
    for thread in threads.iter().take(MOST_THREADS) {
        let start = match start_of(*thread, query) {
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

fn start_of(thread: u32, query: QueryThread) -> Result<u64, Untested> {
    // SAFETY: no pointers.
    let handle = unsafe { OpenThread(THREAD_QUERY_INFORMATION, 0, thread) };
    let handle = Handle::own(handle).ok_or_else(why)?;
    let mut start = 0_usize;
    let room = u32::try_from(size_of::<usize>()).map_err(|_| Untested::Unreadable)?;
    let place = (&raw mut start).cast();
    let thread = handle.raw();
    // SAFETY: `place` has `room` bytes and outlives the call; the length that was written is not asked.
    let status = unsafe { query(thread, START_ADDRESS, place, room, std::ptr::null_mut()) };
    if status < 0 {
        return Err(Untested::Unreadable);
    }
    u64::try_from(start).map_err(|_| Untested::Unreadable)
}

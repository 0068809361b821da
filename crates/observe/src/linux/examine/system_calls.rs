//! Threads that wait in a system call (`/proc/PID/task/TID/syscall`) which an instruction outside of all
//! files has made. Programs call the kernel through the C library; what was put into their memory by
//! others often does it itself.

use std::ffi::CString;

use model::{Outcome, Sign, Trace, Untested};
use rustix::fs::{Dir, Mode, OFlags};

use super::Kept;
use super::memory::Memory;
use super::subject::{Subject, untested};
use crate::parse::memory_map::{Region, regions};
use crate::parse::system_call::system_call;

/// A browser has some 200 threads, a server of Java some 1,000.
const MOST_THREADS: usize = 2048;
const MOST_LINE_BYTES: u64 = 512;
const MOST_MAPS_BYTES: u64 = 16 * 1024 * 1024;
const MOST_REGIONS: usize = 100_000;
/// x86: the length of the instruction that makes a system call. Elsewhere it is not shorter.
const INSTRUCTION: u64 = 2;

pub(super) fn check(subject: &Subject, _: &mut Kept) -> Outcome {
    look(subject).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject) -> Result<Outcome, Untested> {
    let known = subject.regions()?;
    let (places, all) = places(subject)?;
    let mut suspects: Vec<u64> = places
        .into_iter()
        .filter(|at| !is_accounted_for(subject, known, *at))
        .collect();
    suspects.sort_unstable();
    suspects.dedup();
    if suspects.is_empty() {
        return if all {
            Ok(Outcome::NothingFound)
        } else {
            Err(Untested::TooLarge)
        };
    }
    // A library may have been loaded since the regions were read.
    let text = subject.file(c"maps", MOST_MAPS_BYTES)?;
    let now = regions(&text, MOST_REGIONS);
    let memory = Memory::open(subject).ok();
    let mut traces = Vec::new();
    for address in suspects {
        let is_there = now.iter().find(|it| it.has(address));
        // What has gone meanwhile cannot be judged.
        let Some(region) = is_there.filter(|_| !is_accounted_for(subject, &now, address)) else {
            continue;
        };
        let bytes = memory
            .as_ref()
            .map(|it| it.read(address, Trace::MOST_BYTES));
        traces.push(Trace {
            address: Some(address),
            bytes: bytes.filter(|bytes| !bytes.is_empty()),
            name: (!region.name.is_empty()).then(|| region.name.clone()),
            ..Trace::new(Sign::OutsideFiles)
        });
    }
    Ok(Outcome::of(traces))
}

/// Where the system calls were made that its threads wait in, and whether these were all threads.
fn places(subject: &Subject) -> Result<(Vec<u64>, bool), Untested> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(subject.folder(), c"task", flags, Mode::empty());
    let threads = Dir::new(folder.map_err(untested)?).map_err(untested)?;
    let (mut places, mut read, mut refused) = (Vec::new(), 0_usize, None);
    for thread in threads {
        let thread = thread.map_err(untested)?;
        let name = thread.file_name().to_bytes();
        if !name.iter().all(u8::is_ascii_digit) {
            continue;
        }
        if read >= MOST_THREADS {
            return Ok((places, false));
        }
        let path = CString::new([b"task/", name, b"/syscall"].concat());
        let path = path.map_err(|_| Untested::Unreadable)?;
        match subject.file(&path, MOST_LINE_BYTES) {
            Ok(line) => {
                read += 1;
                let found = system_call(&line).map(|call| call.behind);
                // 0: a thread of the kernel that counts as one of the process.
                places.extend(
                    found
                        .filter(|it| *it != 0)
                        .map(|it| it.saturating_sub(INSTRUCTION)),
                );
            }
            Err(Untested::Ended) => {}
            Err(why) => refused = Some(why),
        }
    }
    match refused {
        Some(why) if places.is_empty() && read == 0 => Err(why),
        _ if read == 0 => Err(Untested::Ended),
        _ => Ok((places, true)),
    }
}

/// Whether what is there comes from a file, from the kernel, or from the program itself where that
/// lives in memory only.
fn is_accounted_for(subject: &Subject, regions: &[Region], address: u64) -> bool {
    // They are in order, and do not overlap.
    let at = regions.partition_point(|it| it.end <= address);
    let Some(region) = regions.get(at).filter(|it| it.has(address)) else {
        return false;
    };
    if region.is_of_kernel() || (region.is_of_file() && !region.is_of_memory_file()) {
        return true;
    }
    let program = subject.program();
    program.is_ok_and(|program| {
        region.is_of_file() && (program.device, program.inode) == (region.device, region.inode)
    })
}

//! Executable memory that belongs to no file, with the engines (JIT) that may have made it.
//!
//! Where all of it looks like that of engines which are there, these are named as well. Where some does
//! not, that alone is told: an engine does not account for it.

use model::{Outcome, Sign, Trace, Untested};

use super::engines::{Engines, rooms};
use super::memory::Memory;
use super::{Kept, Subject};
use crate::parse::elf::{ENOUGH, elf, is_elf};
use crate::parse::memory_map::Region;

/// So much room for traces of engines is kept.
const MOST_ENGINES: usize = Outcome::MOST_TRACES / 2;
/// What guards a stack of a thread is not longer.
const LONGEST_GUARD: u64 = 64 * 1024;

pub(super) fn check(subject: &Subject, _: &mut Kept) -> Outcome {
    look(subject).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject) -> Result<Outcome, Untested> {
    let regions = subject.regions()?;
    if !regions.iter().any(may_be_of_nobody) {
        return Ok(Outcome::NothingFound);
    }
    let (engines, rooms) = (Engines::of(regions), rooms(regions));
    let (mut explained, mut others, mut files) = (Vec::new(), Vec::new(), Vec::new());
    let stacks = Stacks::of(subject, regions);
    for (region, room) in regions.iter().zip(rooms) {
        if !is_of_nobody(subject, region, &engines) || stacks.have(region, regions) {
            continue;
        }
        let before = files.len();
        files.extend(engines.of_region(region, room));
        if files.len() > before {
            explained.push(region);
        } else {
            others.push(region);
        }
    }
    if !others.is_empty() {
        return Ok(Outcome::of(others.into_iter().map(trace).collect()));
    }
    files.sort_by_key(|file| file.start);
    files.dedup_by_key(|file| file.start);
    let engines = files.into_iter().map(|file| {
        let path = file.deleted().unwrap_or(file.name.bytes());
        Trace::of_file(Sign::Engine, path)
    });
    // Engines first: what there is no room for is more of the same memory.
    let traces = engines.take(MOST_ENGINES);
    Ok(Outcome::of(
        traces.chain(explained.into_iter().map(trace)).collect(),
    ))
}

fn trace(region: &Region) -> Trace {
    let sign = if region.writable {
        Sign::WritableAndExecutable
    } else {
        Sign::Executable
    };
    Trace {
        address: Some(region.start),
        length: Some(region.length()),
        name: (!region.name.is_empty()).then(|| region.name.clone()),
        ..Trace::new(sign)
    }
}

/// Without asking further.
fn may_be_of_nobody(region: &Region) -> bool {
    let has_a_file = region.is_of_file() && region.deleted().is_none();
    region.executable && !has_a_file && !region.is_of_kernel()
}

fn is_of_nobody(subject: &Subject, region: &Region, engines: &Engines<'_>) -> bool {
    if !may_be_of_nobody(region) {
        return false;
    }
    if !region.is_of_file() {
        return true;
    }
    let is_memfd = region.name.bytes().starts_with(b"/memfd:");
    if is_memfd {
        // The others are found by the check for such files.
        return engines.make_file(region) && begins_as_elf(subject, region) != Some(true);
    }
    // Code that is written into a file without a name, so that it need not be writable and executable
    // at once. A library that was upgraded is none.
    region.is_of_memory_file() || begins_as_elf(subject, region) == Some(false)
}

/// Whether the file of a region is a program or a library, as far as its beginning is in memory.
/// `None`: nobody may read it.
pub(super) fn begins_as_elf(subject: &Subject, region: &Region) -> Option<bool> {
    let memory = Memory::open(subject).ok()?;
    let regions = subject.regions().unwrap_or_default();
    let mut same = regions.iter().filter(|it| {
        let is_same = (it.device, it.inode) == (region.device, region.inode);
        is_same && it.offset == 0
    });
    Some(same.any(|it| is_elf(&memory.read(it.start, 4))))
}

/// Stacks of a program that asks for executable ones (PT_GNU_STACK).
struct Stacks {
    are_executable: bool,
}

impl Stacks {
    fn of(subject: &Subject, regions: &[Region]) -> Self {
        let mut stacks = regions.iter().filter(|it| it.name.bytes() == b"[stack]");
        let are_executable = stacks.any(|it| it.executable) && asks_for_them(subject, regions);
        Self { are_executable }
    }

    /// Whether a region is one: that of the first thread, or one with a guard below it.
    fn have(&self, region: &Region, regions: &[Region]) -> bool {
        let is_guard = |it: &Region| {
            let has_rights = it.readable || it.writable || it.executable;
            it.end == region.start && !has_rights && it.length() <= LONGEST_GUARD
        };
        let is_one = region.name.bytes() == b"[stack]" || regions.iter().any(is_guard);
        self.are_executable && region.writable && is_one
    }
}

fn asks_for_them(subject: &Subject, regions: &[Region]) -> bool {
    let (Ok(program), Ok(memory)) = (subject.program(), Memory::open(subject)) else {
        return false;
    };
    let begins = |it: &&Region| it.offset == 0 && it.inode == program.inode;
    let head = regions.iter().find(begins).map(|it| {
        let head = memory.read(it.start, ENOUGH);
        elf(&head)
    });
    head.flatten()
        .is_some_and(|head| head.wants_executable_stack)
}

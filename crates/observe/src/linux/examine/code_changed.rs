//! Program text that was written to (PAGEMAP_SCAN, linux/fs.h), and how it differs from its file.
//!
//! Text is mapped from a file, and all processes share its pages. One that a process has for itself was
//! written to: by a debugger, or by whoever wanted the program to do something else. Only such pages are
//! compared, with the file that is mapped and not with what lies at its path.
//!
//! Few engines write to code that came from a file: what they have loaded is a picture of their memory, or
//! a piece of their own text is fitted to what they run. That is told apart.

use std::fs::File;
use std::os::unix::fs::FileExt;

use model::{Outcome, Sign, Trace, Untested};

use super::engines::{Engines, fitted};
use super::lookup::Sight;
use super::memory::{Memory, Pages, is_on_memory_device, open_file_of, status_of};
use super::{Kept, Subject};
use crate::parse::elf::{self, Elf};
use crate::parse::memory_map::Region;

/// So many pages of one process are compared at each look.
const MOST_PAGES: usize = 256;
/// Of the table for the loader.
const MOST_TABLE_BYTES: usize = 8192;
/// int3 (Intel SDM, volume 2).
const BREAKPOINT: u8 = 0xcc;

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    look(subject, kept).unwrap_or_else(Outcome::NotTestable)
}

/// Pages of one region that were written to.
struct Written<'a> {
    region: &'a Region,
    runs: Vec<(u64, u64)>,
}

fn look(subject: &Subject, kept: &mut Kept) -> Result<Outcome, Untested> {
    let pages = Pages::open(subject)?;
    let mut written = Vec::new();
    for region in subject.regions()? {
        // The pages of what is shared belong to the file.
        if region.executable && region.is_of_file() && !region.shared {
            let runs = pages.private(region)?;
            if !runs.is_empty() {
                written.push(Written { region, runs });
            }
        }
    }
    if written.is_empty() {
        return Ok(Outcome::NothingFound);
    }
    let sight = kept.sights.of(subject)?;
    let mut comparison = Comparison {
        has_picture: Engines::of(subject.regions()?).load_a_picture(),
        memory: Memory::open(subject).ok(),
        page_size: pages.page_size(),
        left: MOST_PAGES,
        seen: Vec::new(),
        has_gone: false,
    };
    for it in &written {
        comparison.region(subject, it, &sight);
    }
    if comparison.seen.is_empty() && comparison.has_gone {
        return Err(Untested::NotFinished);
    }
    let mut traces: Vec<Trace> = comparison.seen.into_iter().map(Seen::trace).collect();
    // What tells most stands first.
    traces.sort_by_key(|trace| trace.sign);
    Ok(Outcome::of(traces))
}

struct Comparison {
    /// `None`: nobody may read it.
    memory: Option<Memory>,
    page_size: u64,
    /// Pages that may still be compared.
    left: usize,
    /// An engine is there that loads a picture of its memory.
    has_picture: bool,
    seen: Vec<Seen>,
    /// Memory that was written to has gone, or changed its rights, before it could be compared.
    has_gone: bool,
}

/// What is found in one region, of one kind.
#[derive(Default)]
struct Sum {
    address: Option<u64>,
    /// Of the last byte.
    last: u64,
    length: u64,
    bytes: Vec<u8>,
    expected: Vec<u8>,
}

/// What is found in one file, of one kind.
struct Seen {
    trace: Trace,
    /// Where it begins and ends, in bytes of the file.
    from: u64,
    to: u64,
}

impl Seen {
    fn trace(mut self) -> Trace {
        let fitted = self.trace.path.as_ref().and_then(|it| fitted(it.bytes()));
        let is_fitted = fitted.is_some_and(|most| self.to.saturating_sub(self.from) < most);
        if self.trace.sign == Sign::Differs && is_fitted {
            self.trace.sign = Sign::ByEngine;
        }
        self.trace
    }
}

impl Comparison {
    fn region(&mut self, subject: &Subject, written: &Written<'_>, sight: &Sight) {
        let region = written.region;
        if status_of(subject, region).is_ok_and(|status| is_on_memory_device(&status)) {
            return;
        }
        let file = open_file_of(subject, region, sight);
        if matches!(file, Err(Untested::Ended)) {
            self.has_gone = true;
            return;
        }
        let file = file.ok();
        let head = file.as_ref().map(head_of);
        // Programs of Windows are moved by Wine as they are loaded, which changes their text.
        if head.as_ref().is_some_and(|head| head.starts_with(b"MZ")) {
            return;
        }
        let is_text = head.as_ref().is_none_or(|head| elf::is_elf(head));
        // Nobody has loaded that as a program: who put it there writes to it.
        if !is_text && region.is_of_memory_file() {
            return;
        }
        let by_engine = !is_text && self.has_picture;
        let head = head.and_then(|head| elf::elf(&head)).unwrap_or_default();
        // Nor is code that the loader itself has to write to.
        if file.as_ref().is_some_and(|file| moves_text(file, &head)) {
            return;
        }
        let mut sums = [
            (Sign::Differs, Sum::default()),
            (Sign::Breakpoints, Sum::default()),
            (Sign::Restored, Sum::default()),
            (Sign::Written, Sum::default()),
        ];
        for page in self.pages_of(&written.runs) {
            let offset = region.offset.saturating_add(page - region.start);
            let (sign, found) = self.page(file.as_ref(), &head, page, offset);
            let place = sums.iter_mut().find(|(it, _)| *it == sign);
            if let (Some(found), Some((_, sum))) = (found, place) {
                sum.add(found);
            }
        }
        for (sign, sum) in sums {
            let sign = if by_engine { Sign::ByEngine } else { sign };
            if let Some(seen) = sum.seen(sign, region) {
                self.add(seen);
            }
        }
    }

    /// One trace for each file and kind: what was written to is often several regions by then.
    fn add(&mut self, seen: Seen) {
        let (sign, path) = (seen.trace.sign, &seen.trace.path);
        let mut same = self.seen.iter_mut();
        let same = same.find(|it| it.trace.sign == sign && it.trace.path == *path);
        match same {
            Some(before) => {
                let lengths = before.trace.length.iter().chain(&seen.trace.length);
                before.trace.length = lengths.copied().reduce(u64::saturating_add);
                before.from = before.from.min(seen.from);
                before.to = before.to.max(seen.to);
            }
            None => self.seen.push(seen),
        }
    }

    /// The first addresses of those pages, each once.
    fn pages_of(&self, runs: &[(u64, u64)]) -> Vec<u64> {
        let step = usize::try_from(self.page_size).unwrap_or(usize::MAX);
        let pages = runs
            .iter()
            .flat_map(|(from, to)| (*from..*to).step_by(step));
        // What will not be compared is counted, as far as it is not endless.
        pages.take(MOST_PAGES.saturating_mul(16)).collect()
    }

    /// One page. Nothing, where the program itself asks for text that it may write to.
    fn page(
        &mut self,
        file: Option<&File>,
        head: &Elf,
        page: u64,
        offset: u64,
    ) -> (Sign, Option<Sum>) {
        if head.may_be_written(offset) {
            return (Sign::Written, None);
        }
        let length = usize::try_from(self.page_size).unwrap_or(0);
        let unread = Sum {
            address: Some(page),
            last: page.saturating_add(self.page_size - 1),
            length: self.page_size,
            ..Sum::default()
        };
        let (Some(memory), Some(file), true) = (&self.memory, file, self.left > 0) else {
            return (Sign::Written, Some(unread));
        };
        self.left -= 1;
        let has = memory.read(page, length);
        let mut expected = vec![0; has.len()];
        // Behind the end of the file there are zeros.
        if has.is_empty() || file.read_at(&mut expected, offset).is_err() {
            return (Sign::Written, Some(unread));
        }
        compare(page, &has, &expected)
    }
}

fn compare(page: u64, has: &[u8], expected: &[u8]) -> (Sign, Option<Sum>) {
    let pairs = has.iter().zip(expected);
    let mut differing = pairs.enumerate().filter(|(_, (has, other))| has != other);
    let Some((first, (byte, _))) = differing.next() else {
        let same = Sum {
            address: Some(page),
            last: page,
            ..Sum::default()
        };
        return (Sign::Restored, Some(same));
    };
    let (mut length, mut all_breakpoints) = (1_u64, *byte == BREAKPOINT);
    let mut last = first;
    for (at, (byte, _)) in differing {
        last = at;
        length = length.saturating_add(1);
        all_breakpoints &= *byte == BREAKPOINT;
    }
    let from_there = |bytes: &[u8]| {
        let bytes = bytes.iter().skip(first).take(Trace::MOST_BYTES);
        bytes.copied().collect()
    };
    let address = |at| u64::try_from(at).ok().map(|at| page.saturating_add(at));
    let sum = Sum {
        address: address(first),
        last: address(last).unwrap_or(u64::MAX),
        length,
        bytes: from_there(has),
        expected: from_there(expected),
    };
    if all_breakpoints {
        (Sign::Breakpoints, Some(sum))
    } else {
        (Sign::Differs, Some(sum))
    }
}

impl Sum {
    fn add(&mut self, other: Self) {
        let length = self.length.saturating_add(other.length);
        let last = self.last.max(other.last);
        if self.address.is_none() {
            *self = other;
        }
        self.length = length;
        self.last = last;
    }

    /// `None`: there is nothing of it.
    fn seen(self, sign: Sign, region: &Region) -> Option<Seen> {
        let address = self.address?;
        let in_file = |at: u64| {
            let at = at.saturating_sub(region.start);
            region.offset.saturating_add(at)
        };
        let some = |bytes: Vec<u8>| (!bytes.is_empty()).then_some(bytes);
        let trace = Trace {
            address: Some(address),
            length: (self.length > 0).then_some(self.length),
            bytes: some(self.bytes),
            expected: some(self.expected),
            ..Trace::of_file(sign, region.name.clone())
        };
        Some(Seen {
            trace,
            from: in_file(address),
            to: in_file(self.last),
        })
    }
}

fn moves_text(file: &File, head: &Elf) -> bool {
    let Some((offset, length)) = head.dynamic else {
        return false;
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut table = vec![0; length.min(MOST_TABLE_BYTES)];
    let read = file.read_at(&mut table, offset).unwrap_or(0);
    head.moves_text(table.get(..read).unwrap_or_default())
}

fn head_of(file: &File) -> Vec<u8> {
    let mut head = vec![0; elf::ENOUGH];
    let read = file.read_at(&mut head, 0).unwrap_or(0);
    head.truncate(read);
    head
}

//! Program text that was written to (PAGEMAP_SCAN, linux/fs.h), and how it differs from its file.
//!
//! Text is mapped from a file, and all processes share its pages. One that a process has for itself was
//! written to: by a debugger, or by whoever wanted the program to do something else. Only such pages are
//! compared, with the file that is mapped and not with what lies at its path.

use std::fs::File;
use std::os::unix::fs::FileExt;

use model::{Outcome, Sign, Trace, Untested};

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
        memory: Memory::open(subject).ok(),
        page_size: pages.page_size(),
        left: MOST_PAGES,
        traces: Vec::new(),
        has_gone: false,
    };
    for it in &written {
        comparison.region(subject, it, &sight);
    }
    if comparison.traces.is_empty() && comparison.has_gone {
        return Err(Untested::NotFinished);
    }
    // What tells most stands first.
    comparison.traces.sort_by_key(|trace| trace.sign);
    Ok(Outcome::of(comparison.traces))
}

struct Comparison {
    /// `None`: nobody may read it.
    memory: Option<Memory>,
    page_size: u64,
    /// Pages that may still be compared.
    left: usize,
    traces: Vec<Trace>,
    /// Memory that was written to has gone, or changed its rights, before it could be compared.
    has_gone: bool,
}

/// What is found in one region, of one kind.
#[derive(Default)]
struct Sum {
    address: Option<u64>,
    length: u64,
    bytes: Vec<u8>,
    expected: Vec<u8>,
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
        let traces = sums
            .into_iter()
            .filter_map(|(sign, sum)| sum.trace(sign, region));
        for trace in traces {
            self.add(trace);
        }
    }

    /// One trace for each file and kind: what was written to is often several regions by then.
    fn add(&mut self, trace: Trace) {
        let mut same = self.traces.iter_mut();
        let same = same.find(|it| it.sign == trace.sign && it.path == trace.path);
        match same {
            Some(before) => {
                let lengths = before.length.iter().chain(&trace.length);
                before.length = lengths.copied().reduce(u64::saturating_add);
            }
            None => self.traces.push(trace),
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
            ..Sum::default()
        };
        return (Sign::Restored, Some(same));
    };
    let (mut length, mut all_breakpoints) = (1_u64, *byte == BREAKPOINT);
    for (_, (byte, _)) in differing {
        length = length.saturating_add(1);
        all_breakpoints &= *byte == BREAKPOINT;
    }
    let from_there = |bytes: &[u8]| {
        let bytes = bytes.iter().skip(first).take(Trace::MOST_BYTES);
        bytes.copied().collect()
    };
    let sum = Sum {
        address: u64::try_from(first).ok().map(|at| page.saturating_add(at)),
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
        if self.address.is_none() {
            *self = other;
        }
        self.length = length;
    }

    /// `None`: there is nothing of it.
    fn trace(self, sign: Sign, region: &Region) -> Option<Trace> {
        let some = |bytes: Vec<u8>| (!bytes.is_empty()).then_some(bytes);
        Some(Trace {
            address: Some(self.address?),
            length: (self.length > 0).then_some(self.length),
            bytes: some(self.bytes),
            expected: some(self.expected),
            ..Trace::of_file(sign, region.name.clone())
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

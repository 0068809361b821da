//! Code of the program and its libraries in memory, against their files as they would lie there. What the
//! loader writes to by itself is left out, and sections that may be written to. Data that may run is
//! code which its file does not have.

use std::collections::BTreeMap;
use std::time::Instant;

use model::{Outcome, Sign, Text, Trace, Untested};

use super::code::{LONGEST, Loaded, MOST_MODULES};
use super::files;
use super::kept::Kept;
use super::subject::Subject;
use crate::parse::pe::{Pe, Section};
use crate::windows::memory::{Kind, Region};

const AT_ONCE: usize = 64 * 1024;
const PAGE: usize = 4096;
/// Of the instruction set: `int3`.
const BREAKPOINT: u8 = 0xcc;

pub(super) fn check(subject: &Subject, kept: &Kept) -> Outcome {
    look(subject, kept).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject, kept: &Kept) -> Result<Outcome, Untested> {
    let regions = subject.regions()?.iter();
    let mut modules: BTreeMap<u64, Vec<&Region>> = BTreeMap::new();
    for region in regions.filter(|it| it.kind == Kind::Image) {
        modules.entry(region.allocation).or_default().push(region);
    }
    let (mut traces, mut is_unread) = (Vec::new(), modules.len() > MOST_MODULES);
    let began = Instant::now();
    for (base, regions) in modules.into_iter().take(MOST_MODULES) {
        if began.elapsed() > LONGEST {
            is_unread = true;
            break;
        }
        match of_module(subject, kept, (base, &regions)) {
            Some(found) => {
                traces.extend(found.traces);
                is_unread = is_unread || found.is_unread;
            }
            None => is_unread = true,
        }
    }
    if traces.is_empty() && is_unread {
        return Err(Untested::Unreadable);
    }
    Ok(Outcome::of(traces))
}

#[derive(Default)]
struct Found {
    traces: Vec<Trace>,
    /// Some of its code could not be read.
    is_unread: bool,
}

/// `None`: its file could not be read, or is no longer the one that was loaded.
fn of_module(subject: &Subject, kept: &Kept, (base, regions): (u64, &[&Region])) -> Option<Found> {
    let path = files::path_at(subject, base)?;
    let loaded = kept.code.of(&path, base)?;
    if loaded.is_other(subject, base) == Some(true) {
        return None;
    }
    let mut of_it = Found {
        traces: beside_code(subject, &loaded, (base, regions), &path),
        is_unread: false,
    };
    for (section, expected) in &loaded.sections {
        let module = Module {
            subject,
            head: &loaded.head,
            base,
        };
        let (found, is_unread) = module.differing(section, expected);
        of_it.is_unread = of_it.is_unread || is_unread;
        let Some(first) = found.first else {
            continue;
        };
        let sign = match found.is_breakpoints {
            true => Sign::Breakpoints,
            false => Sign::Differs,
        };
        let address = base.saturating_add(section.address.into());
        let address = address.saturating_add(u64::try_from(first).unwrap_or_default());
        let expected = expected.get(first..).unwrap_or_default();
        let expected = expected.iter().copied().take(Trace::MOST_BYTES).collect();
        of_it.traces.push(Trace {
            address: Some(address),
            length: Some(found.count),
            bytes: Some(subject.read(address, Trace::MOST_BYTES)),
            expected: Some(expected),
            ..Trace::of_file(sign, Text::from(path.clone()))
        });
    }
    Some(of_it)
}

/// What may run of it, and is no code in its file.
fn beside_code(
    subject: &Subject,
    loaded: &Loaded,
    (base, regions): (u64, &[&Region]),
    path: &str,
) -> Vec<Trace> {
    let runs = regions.iter().filter(|it| it.executable);
    let beside = runs.filter_map(|region| {
        let from = u32::try_from(region.start.checked_sub(base)?).ok()?;
        let length = u32::try_from(region.length).unwrap_or(u32::MAX);
        let beside = loaded.head.beside_code(from, from.saturating_add(length));
        let (from, to) = beside?;
        let address = base.saturating_add(from.into());
        Some(Trace {
            address: Some(address),
            length: Some(to.saturating_sub(from).into()),
            bytes: Some(subject.read(address, Trace::MOST_BYTES)),
            ..Trace::of_file(Sign::Differs, Text::from(path.to_owned()))
        })
    });
    beside.collect()
}

/// Bytes that are not what they should be.
struct Differing {
    /// Where in the section.
    first: Option<usize>,
    count: u64,
    is_breakpoints: bool,
}

impl Differing {
    const NONE: Self = Self {
        first: None,
        count: 0,
        is_breakpoints: true,
    };

    fn add(&mut self, offset: usize, byte: u8) {
        self.first.get_or_insert(offset);
        self.count = self.count.saturating_add(1);
        self.is_breakpoints = self.is_breakpoints && byte == BREAKPOINT;
    }
}

struct Module<'a> {
    subject: &'a Subject,
    head: &'a Pe,
    base: u64,
}

impl Module<'_> {
    /// And whether some could not be read.
    fn differing(&self, section: &Section, expected: &[u8]) -> (Differing, bool) {
        let (mut found, mut is_unread) = (Differing::NONE, false);
        let start = self.base.saturating_add(section.address.into());
        for (number, piece) in expected.chunks(AT_ONCE).enumerate() {
            let into = number.saturating_mul(AT_ONCE);
            let there = self.subject.read(after(start, into), piece.len());
            // Hardly ever otherwise: one comparison of all spares many.
            if there == piece {
                continue;
            }
            if there.len() == piece.len() {
                self.compare(section, into, (&there, piece), &mut found);
                continue;
            }
            // One page that cannot be read hides none of the others.
            for (number, piece) in piece.chunks(PAGE).enumerate() {
                let into = into.saturating_add(number.saturating_mul(PAGE));
                let there = self.subject.read(after(start, into), piece.len());
                is_unread = is_unread || there.len() != piece.len();
                self.compare(section, into, (&there, piece), &mut found);
            }
        }
        (found, is_unread)
    }

    /// What is there and what should be, from an offset in the section on.
    fn compare(
        &self,
        section: &Section,
        into: usize,
        (there, piece): (&[u8], &[u8]),
        found: &mut Differing,
    ) {
        for (nth, (is, should)) in there.iter().zip(piece).enumerate() {
            let offset = into.saturating_add(nth);
            if is != should && !self.is_written(section, offset) {
                found.add(offset, *is);
            }
        }
    }

    fn is_written(&self, section: &Section, offset: usize) -> bool {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let address = section.address.saturating_add(offset);
        self.head.is_written(address)
    }
}

fn after(start: u64, offset: usize) -> u64 {
    start.saturating_add(u64::try_from(offset).unwrap_or(u64::MAX))
}

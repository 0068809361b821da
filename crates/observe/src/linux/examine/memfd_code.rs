//! Executable memory out of a file that lives in memory only (memfd_create(2)). The program file itself
//! is told by another check where it is one.

use model::{Outcome, Sign, Trace, Untested};

use super::engines::Engines;
use super::executable_memory::begins_as_elf;
use super::{Kept, Subject};

pub(super) fn check(subject: &Subject, _: &mut Kept) -> Outcome {
    look(subject).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject) -> Result<Outcome, Untested> {
    let regions = subject.regions()?;
    let is_memfd = |name: &[u8]| name.starts_with(b"/memfd:");
    let mut found = regions
        .iter()
        .filter(|it| it.executable && it.is_of_memory_file() && is_memfd(it.name.bytes()))
        .peekable();
    if found.peek().is_none() {
        return Ok(Outcome::NothingFound);
    }
    let engines = Engines::of(regions);
    let program = subject.program().ok();
    let program = program.map(|program| (program.device, program.inode));
    let mut traces = Vec::new();
    for region in found.filter(|it| Some((it.device, it.inode)) != program) {
        let sign = if begins_as_elf(subject, region) == Some(true) {
            Sign::ElfInMemory
        } else if engines.make_file(region) {
            // It counts as memory of nobody.
            continue;
        } else {
            Sign::CodeInMemory
        };
        // One trace for each file.
        let mut others = traces.iter_mut();
        let same = others
            .find(|(inode, it): &&mut (u64, Trace)| *inode == region.inode && it.sign == sign);
        match same {
            Some((_, before)) => {
                let length = before.length.unwrap_or(0);
                before.length = Some(length.saturating_add(region.length()));
            }
            None => traces.push((
                region.inode,
                Trace {
                    address: Some(region.start),
                    length: Some(region.length()),
                    ..Trace::of_file(sign, region.name.clone())
                },
            )),
        }
    }
    Ok(Outcome::of(traces.into_iter().map(|(_, it)| it).collect()))
}

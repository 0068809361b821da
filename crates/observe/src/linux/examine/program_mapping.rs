//! Whether the program file is in the memory of its process, and the process began in it (AT_ENTRY of
//! getauxval(3)). A program that was hollowed out runs under the name of a file whose code is gone.

use std::collections::HashSet;

use model::{Outcome, Sign, Trace, Untested};

use super::Kept;
use super::lookup::Identity;
use super::memory::{entry, status_of};
use super::subject::{Program, Subject};
use crate::parse::memory_map::Region;

/// So many files are asked about where the numbers in `maps` are not those of stat(2).
const MOST_FILES: usize = 1024;

pub(super) fn check(subject: &Subject, _: &mut Kept) -> Outcome {
    look(subject).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject) -> Result<Outcome, Untested> {
    let (program, regions) = (subject.program()?, subject.regions()?);
    if regions.is_empty() {
        return Err(Untested::Ended);
    }
    let begin = entry(subject)?;
    let mut own: Vec<&Region> = regions
        .iter()
        .filter(|it| has_number(it, program))
        .collect();
    // Read as the same file, and begun there: nothing more to ask.
    let is_whole = |own: &[&Region]| begin.is_some_and(|at| own.iter().any(|it| it.has(at)));
    if is_whole(&own) {
        return Ok(Outcome::NothingFound);
    }
    // btrfs and overlayfs have other numbers in `maps` than for stat(2).
    own.extend(match by_status(subject, program, regions) {
        Ok(own) => own,
        // Without the right to ask, the name has to do: both are made in the same way.
        Err(_) => {
            let named = regions.iter().filter(|it| it.name == program.link);
            named.collect()
        }
    });
    if own.is_empty() && subject.has_cut_regions() {
        return Err(Untested::TooLarge);
    }
    if own.is_empty() {
        let link = program.link.clone();
        return Ok(Outcome::of(vec![Trace::of_file(Sign::NotMapped, link)]));
    }
    // Where the kernel does not tell, the program has changed it (prctl(2), PR_SET_MM_AUXV), or there is none.
    let Some(address) = begin.filter(|_| !is_whole(&own)) else {
        return Ok(Outcome::NothingFound);
    };
    let there = regions.iter().find(|it| it.has(address));
    let name = there.map(|it| it.name.clone()).filter(|it| !it.is_empty());
    Ok(Outcome::of(vec![Trace {
        address: Some(address),
        name,
        ..Trace::of_file(Sign::EntryElsewhere, program.link.clone())
    }]))
}

fn has_number(region: &Region, program: &Program) -> bool {
    region.is_of_file() && (region.device, region.inode) == (program.device, program.inode)
}

/// The regions whose file the kernel knows to be the program.
fn by_status<'a>(
    subject: &Subject,
    program: &Program,
    regions: &'a [Region],
) -> Result<Vec<&'a Region>, Untested> {
    let expected = Identity {
        device: program.device,
        inode: program.inode,
    };
    let (mut asked, mut same) = (HashSet::new(), HashSet::new());
    for region in regions.iter().filter(|it| it.is_of_file()) {
        let file = (region.device, region.inode, &region.name);
        if asked.len() >= MOST_FILES || !asked.insert(file) {
            continue;
        }
        match status_of(subject, region) {
            Ok(status) if Identity::from(&status) == expected => {
                same.insert(file);
            }
            Err(Untested::NoRights) => return Err(Untested::NoRights),
            _ => {}
        }
    }
    let found = regions.iter().filter(|it| {
        let file = (it.device, it.inode, &it.name);
        it.is_of_file() && same.contains(&file)
    });
    Ok(found.collect())
}

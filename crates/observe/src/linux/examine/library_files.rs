//! Whether the libraries are still there, as `program_file` does for the program. One that was deleted
//! after it was loaded leaves nothing behind that could be looked at.

use std::collections::HashSet;

use model::{Outcome, Sign, Trace, Untested};

use super::executable_memory::begins_as_elf;
use super::lookup::{Identity, Sight};
use super::memory::status_of;
use super::{Kept, Subject};
use crate::parse::memory_map::Region;

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    look(subject, kept).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject, kept: &mut Kept) -> Result<Outcome, Untested> {
    let program = &subject.program()?.link;
    let mut files = HashSet::new();
    let gone = subject.regions()?.iter().filter(|it| {
        let is_library = it.executable && it.is_of_file() && it.name != *program;
        is_library && it.deleted().is_some() && !it.is_of_memory_file() && files.insert(&it.name)
    });
    let gone: Vec<_> = gone.collect();
    if gone.is_empty() {
        return Ok(Outcome::NothingFound);
    }
    let sight = kept.sights.of(subject)?;
    let (mut traces, mut unasked) = (Vec::new(), None);
    for region in gone {
        // What is no library is code that was written into a file without a name.
        if begins_as_elf(subject, region) == Some(false) {
            continue;
        }
        match trace(subject, &sight, region) {
            Ok(found) => traces.extend(found),
            Err(why) => unasked = Some(why),
        }
    }
    match unasked {
        Some(why) if traces.is_empty() => Err(why),
        _ => Ok(Outcome::of(traces)),
    }
}

/// `None`: it is there, under a name that ends as that of a deleted file does.
fn trace(subject: &Subject, sight: &Sight, region: &Region) -> Result<Option<Trace>, Untested> {
    let path = region.deleted().unwrap_or_default();
    if let Some(seen) = sight.at(region.name.bytes())? {
        let own = status_of(subject, region);
        if own.is_ok_and(|own| Identity::from(&own) == Identity::from(&seen)) {
            return Ok(None);
        }
    }
    let sign = match sight.at(path)? {
        Some(_) => Sign::Replaced,
        None => Sign::Deleted,
    };
    Ok(Some(Trace::of_file(sign, path)))
}

//! Whether the code in memory is that of the file which lies at its path. In a mount namespace of its own
//! a process may have been given another library under the name of a good one.
//!
//! Upgrades are not that: the file that was there is deleted then, and `library_files` tells of it.
//! Containers have a root of their own and are compared with what is there.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;

use model::{Outcome, Sign, Trace, Untested};
use rustix::fs::Statx;

use super::lookup::{Identity, Sight};
use super::memory::{open_file_of, status_of};
use super::{Kept, Subject, mounted_alone};
use crate::parse::memory_map::Region;

/// So many files of one process are read at each look, where the numbers of their inodes differ.
const MOST_READ: usize = 8;
/// So much of each.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
const BUFFER: usize = 64 * 1024;
/// A minute, in units of 10 ms since boot.
const EARLY: u64 = 6000;

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    look(subject, kept).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject, kept: &mut Kept) -> Result<Outcome, Untested> {
    let regions = subject.regions()?;
    let sight = kept.sights.of(subject)?;
    let (mut asked, mut read) = (HashSet::new(), 0);
    let (mut traces, mut unasked) = (Vec::new(), None);
    for region in regions.iter().filter(|it| has_path(it)) {
        if !asked.insert((region.device, region.inode, &region.name)) {
            continue;
        }
        match is_another(subject, &sight, region, &mut read) {
            Ok(true) => traces.push(Trace {
                address: Some(region.start),
                ..Trace::of_file(Sign::OtherFile, region.name.clone())
            }),
            Ok(false) => {}
            Err(why) => unasked = Some(why),
        }
    }
    match unasked {
        Some(why) if traces.is_empty() => Err(why),
        _ => Ok(Outcome::of(traces)),
    }
}

fn has_path(region: &Region) -> bool {
    let is_path = region.name.bytes().starts_with(b"/") && region.deleted().is_none();
    region.executable && region.is_of_file() && is_path
}

/// Whether something else lies at the path of a region.
fn is_another(
    subject: &Subject,
    sight: &Sight,
    region: &Region,
    read: &mut usize,
) -> Result<bool, Untested> {
    let path = region.name.bytes();
    // With our root it has our files, but for those that were put over them for it alone.
    let Some(there) = sight.beneath(path)? else {
        return Ok(false);
    };
    let there_is = Identity::from(&there);
    if there_is.inode == region.inode && there_is.device == region.device {
        return Ok(false);
    }
    let mapped = match status_of(subject, region) {
        Ok(mapped) => mapped,
        // The region has gone meanwhile.
        Err(Untested::Ended) => return Ok(false),
        Err(why) => return Err(why),
    };
    let own = Identity::from(&mapped);
    if own == there_is
        || is_of_first_root(subject, sight, &mapped)
        || mounted_alone::is_shown(path) && is_by_its_name(subject, sight, own)
    {
        return Ok(false);
    }
    // A folder may have been mounted over with the same files, as system extensions are.
    if mapped.stx_size != there.stx_size {
        return Ok(true);
    }
    *read += 1;
    if *read > MOST_READ {
        return Err(Untested::NotFinished);
    }
    let mapped = open_file_of(subject, region, sight)?;
    let there = sight.open_beneath(path)?;
    differ(&mapped, &there)
}

/// Whether it was started from the root that the kernel had before the disks were there (initramfs):
/// that has copies of its own, on a mount that is on no list any more.
fn is_of_first_root(subject: &Subject, sight: &Sight, mapped: &Statx) -> bool {
    subject.stat().start_ticks < EARLY && !sight.mounts().has(mapped.stx_mnt_id)
}

/// Whether it is the file that lies where programs of its name do. Here: it may be in a container by now.
fn is_by_its_name(subject: &Subject, sight: &Sight, own: Identity) -> bool {
    mounted_alone::places(subject).iter().any(|place| {
        let there = sight.at_ours(place).unwrap_or(None);
        there.is_some_and(|there| Identity::from(&there) == own)
    })
}

/// Whether two files differ, as far as they are compared.
pub(super) fn differ(one: &File, other: &File) -> Result<bool, Untested> {
    let (mut left, mut right) = (vec![0; BUFFER], vec![0; BUFFER]);
    let mut at = 0;
    while at < MOST_BYTES {
        let from_one = fill(one, &mut left, at)?;
        let from_other = fill(other, &mut right, at)?;
        if from_one != from_other {
            return Ok(true);
        }
        if from_one.is_empty() {
            break;
        }
        at = at.saturating_add(u64::try_from(from_one.len()).unwrap_or(MOST_BYTES));
    }
    Ok(false)
}

/// As much as there is room for, unless the file ends before.
fn fill<'a>(file: &File, room: &'a mut [u8], from: u64) -> Result<&'a [u8], Untested> {
    let mut filled = 0;
    while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let at = from.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        match file.read_at(rest, at).map_err(|_| Untested::Unreadable)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(room.get(..filled).unwrap_or_default())
}

//! Whether the program file is what the process says it runs: the picture of the program that its own
//! block names (PEB, `ImageBaseAddress`) has to be memory of that file. A program that was hollowed out
//! runs under the name of a file whose code is gone. Where the head there says that the program begins,
//! the same file has to be.
//!
//! The block and the head are memory of the process: who leaves the picture of the program where it is, or
//! has the block name it again, and runs elsewhere, is not found here. That other memory is
//! (`executable_memory`), and the thread that began in it (`threads`).

use model::{Outcome, Sign, Text, Trace, Untested};

use super::files;
use super::kept::Kept;
use super::subject::Subject;
use crate::parse::pe::pe;
use crate::windows::local;
use crate::windows::memory::Kind;
use crate::windows::native;

/// Where the block tells it, in bytes from its beginning, in programs of 64 bits (winternl.h: the second of
/// `Reserved3`).
const IMAGE_BASE: u64 = 0x10;
const HEAD: usize = 4096;

pub(super) fn check(subject: &Subject, _: &Kept) -> Outcome {
    look(subject).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject) -> Result<Outcome, Untested> {
    let base = base_told(subject)?;
    let region = subject.region(base)?;
    let is_image = region.is_some_and(|it| it.kind == Kind::Image);
    let there = files::path_at(subject, base);
    let Some(program) = &subject.path else {
        return Err(Untested::Unreadable);
    };
    let is_own = match &there {
        Some(path) => is_same(path, &program.lossy()),
        // Its volume has no letter: nobody can tell by the name.
        None if is_image => return Err(Untested::Unreadable),
        None => false,
    };
    if is_image && is_own {
        return begins_within(subject, base, program);
    }
    Ok(Outcome::of(vec![Trace {
        address: Some(base),
        name: there.map(Text::from),
        ..Trace::of_file(Sign::NotMapped, program.clone())
    }]))
}

/// Where the process itself says that its program lies.
pub(super) fn base_told(subject: &Subject) -> Result<u64, Untested> {
    let block = native::block_of(subject.handle())?;
    let told = subject.read(block.saturating_add(IMAGE_BASE), 8);
    let told = told.first_chunk().ok_or(Untested::Unreadable)?;
    Ok(u64::from_le_bytes(*told))
}

/// Whether the place where the program begins is of the picture that begins at `base`.
fn begins_within(subject: &Subject, base: u64, program: &Text) -> Result<Outcome, Untested> {
    let head = pe(&subject.read(base, HEAD)).ok_or(Untested::Unreadable)?;
    let entry = base.saturating_add(head.entry.into());
    let there = subject.region(entry)?;
    if there.is_some_and(|it| it.kind == Kind::Image && it.allocation == base) {
        return Ok(Outcome::NothingFound);
    }
    Ok(Outcome::of(vec![Trace {
        address: Some(entry),
        ..Trace::of_file(Sign::EntryElsewhere, program.clone())
    }]))
}

/// Drives and shares apart, the same file may be told in two ways: by its name, or a short one.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let plain = |path: &str| {
        let path = path.strip_prefix(r"\\?\").unwrap_or(path);
        path.replace('/', r"\").to_lowercase()
    };
    if plain(one) == plain(other) {
        return true;
    }
    let real = |path: &str| std::fs::canonicalize(local::exact(path)?).ok();
    real(one).is_some_and(|it| Some(it) == real(other))
}

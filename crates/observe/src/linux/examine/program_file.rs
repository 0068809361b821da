//! Whether the program file is still there: it may live in memory only (memfd_create(2)), have been
//! deleted, or another file may lie at its path, as after an upgrade.

use model::{Outcome, Sign, Trace, Untested};
use rustix::fs::{FileType, Mode, OFlags, SealFlags, fcntl_get_seals};

use super::Kept;
use super::lookup::Identity;
use super::subject::{Program, Subject, untested};

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    look(subject, kept).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject, kept: &mut Kept) -> Result<Outcome, Untested> {
    let program = subject.program()?;
    if program.is_overlong {
        return overlong(program);
    }
    let Some(path) = program.link.bytes().strip_suffix(b" (deleted)") else {
        return Ok(Outcome::NothingFound);
    };
    if path.starts_with(b"/memfd:") && program.links == 0 {
        let sign = if is_sealed(subject, program)? {
            Sign::SealedMemfd
        } else {
            Sign::Memfd
        };
        return Ok(found(sign, path));
    }
    let own = Identity {
        device: program.device,
        inode: program.inode,
    };
    let sight = kept.sights.of(subject)?;
    // A name may end so.
    let as_named = sight.at(program.link.bytes())?;
    if as_named.is_some_and(|seen| Identity::from(&seen) == own) {
        return Ok(Outcome::NothingFound);
    }
    let sign = match sight.at(path)? {
        Some(_) => Sign::Replaced,
        None => Sign::Deleted,
    };
    Ok(found(sign, path))
}

/// Nobody can be asked what lies at such a path.
fn overlong(program: &Program) -> Result<Outcome, Untested> {
    let link = program.link.bytes();
    let path = link.strip_suffix(b" (deleted)");
    match (program.links, path) {
        (0, path) => Ok(found(Sign::Deleted, path.unwrap_or(link))),
        // It has that ending as part of its name, or another name as well.
        (_, Some(_)) => Err(Untested::TooLarge),
        (_, None) if link.is_empty() => Err(Untested::TooLarge),
        (_, None) => Ok(Outcome::NothingFound),
    }
}

fn found(sign: Sign, path: &[u8]) -> Outcome {
    Outcome::of(vec![Trace::of_file(sign, path)])
}

/// Whether nobody can change it any more (fcntl(2), F_GET_SEALS).
fn is_sealed(subject: &Subject, program: &Program) -> Result<bool, Untested> {
    if FileType::from_raw_mode(program.mode.into()) != FileType::RegularFile {
        return Err(Untested::Unreadable);
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(subject.folder(), c"exe", flags, Mode::empty());
    let seals = fcntl_get_seals(file.map_err(untested)?).unwrap_or(SealFlags::empty());
    Ok(seals.contains(SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK))
}

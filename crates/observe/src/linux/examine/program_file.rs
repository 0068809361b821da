//! Whether the program file is still there: it may live in memory only (memfd_create(2)), have been
//! deleted, or another file may lie at its path. After an upgrade that one is of a package.

use std::fs::File;
use std::os::unix::fs::FileExt;

use model::{Outcome, PackageState, Sign, Trace, Untested};
use rustix::fs::{FileType, Mode, OFlags, SealFlags, Statx, fcntl_get_seals};

use super::lookup::{Identity, Sight};
use super::mapped_files::differ;
use super::subject::{Program, Subject, untested};
use super::{Kept, package};

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
    Ok(match sight.at(path)? {
        Some(there) => Outcome::of(vec![replaced(subject, &sight, path, &there, kept)]),
        None => found(Sign::Deleted, path),
    })
}

/// What lies at the path of the program now.
fn replaced(
    subject: &Subject,
    sight: &Sight,
    path: &[u8],
    there: &Statx,
    kept: &mut Kept,
) -> Trace {
    let stranger = |name: Option<&str>| Trace {
        name: name.map(Into::into),
        ..Trace::of_file(Sign::ReplacedByStranger, path)
    };
    let kind = match FileType::from_raw_mode(there.stx_mode.into()) {
        FileType::RegularFile => None,
        FileType::Fifo => Some("pipe"),
        FileType::Directory => Some("folder"),
        FileType::Socket => Some("socket"),
        FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Symlink
        | FileType::Unknown => Some("device"),
    };
    if kind.is_some() {
        return stranger(kind);
    }
    // Without the right to read it, nothing more is said of it.
    let file = sight.open(path).ok();
    let is_no_program = file.as_ref().is_some_and(|it| !begins_as_elf(it));
    let state = package::state_at(subject, path, kept);
    let state = state.unwrap_or(PackageState::NotTestable);
    match state {
        PackageState::Intact | PackageState::ThisTool => Trace::of_file(Sign::Replaced, path),
        PackageState::Modified | PackageState::Unpackaged | PackageState::NotTestable
            if is_no_program =>
        {
            stranger(Some("no program"))
        }
        // Whose it is cannot be said.
        PackageState::NotTestable => Trace::of_file(Sign::Replaced, path),
        PackageState::Modified => stranger(Some("modified")),
        PackageState::Unpackaged => {
            let is_copy = file.is_some_and(|it| is_copy(subject, &it));
            stranger(is_copy.then_some("copy"))
        }
    }
}

/// ELF, 1-4.
fn begins_as_elf(file: &File) -> bool {
    let mut magic = [0; 4];
    file.read_exact_at(&mut magic, 0).is_ok() && magic == *b"\x7fELF"
}

/// Whether a file has the same bytes as the one that runs.
fn is_copy(subject: &Subject, other: &File) -> bool {
    let Ok(own) = subject.open_own(c"exe").map(File::from) else {
        return false;
    };
    let length = |file: &File| file.metadata().map(|it| it.len()).ok();
    length(&own) == length(other) && differ(&own, other) == Ok(false)
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::UnixListener;
    use std::path::Path;
    use std::process::Command;

    use super::super::tried::{Folder, Running};
    use super::*;

    /// What is seen when this was done to the file of a program that runs.
    fn check_of(replace: impl FnOnce(&Path), expected: Sign, name: Option<&str>) {
        let folder = Folder::new("program-file");
        let path = folder.0.canonicalize().unwrap().join("copy");
        fs::copy("/bin/sleep", &path).unwrap();
        let running = Running::start(Command::new(&path).arg("1000"), "copy").unwrap();
        let subject = running.subject().unwrap();
        let before = check(&subject, &mut Kept::default());
        assert_eq!(before, Outcome::NothingFound);
        fs::remove_file(&path).unwrap();
        replace(&path);
        let subject = running.subject().unwrap();
        let expected = Trace {
            name: name.map(Into::into),
            ..Trace::of_file(expected, path.to_str().unwrap())
        };
        let found = check(&subject, &mut Kept::default());
        assert_eq!(found, Outcome::of(vec![expected]));
    }

    #[test]
    fn what_lies_in_its_place() {
        let stranger = Sign::ReplacedByStranger;
        let of = |replace: fn(&Path), name| check_of(replace, stranger, name);
        check_of(|_| {}, Sign::Deleted, None);
        of(|it| drop(fs::copy("/bin/sleep", it)), Some("copy"));
        of(|it| drop(fs::copy("/bin/true", it)), None);
        of(|it| fs::create_dir(it).unwrap(), Some("folder"));
        of(
            |it| fs::write(it, "#!/bin/sh\n").unwrap(),
            Some("no program"),
        );
        of(|it| drop(UnixListener::bind(it)), Some("socket"));
        let fifo = |it: &Path| drop(Command::new("mkfifo").arg(it).status());
        of(fifo, Some("pipe"));
    }
}

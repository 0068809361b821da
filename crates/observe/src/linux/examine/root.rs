//! The file system as a process sees it: files are found in it step by step, so that no link leads out
//! of it and no step asks another computer, or a program that answers for files, and waits for it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use model::Untested;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Statx, StatxFlags};
use rustix::io::Errno;

use super::Subject;
use super::subject::untested;
use crate::parse::mount_info::{Provenance, mount, provenance};

const MOST_MOUNTINFO_BYTES: u64 = 16 * 1024 * 1024;
/// A path has some ten, each link brings as many again.
const MOST_STEPS: usize = 256;
const LONGEST_LINK: usize = 4096;

/// The root folder of a process, and what is mounted below it.
#[derive(Debug)]
pub(super) struct Root {
    folder: OwnedFd,
    identity: (u32, u32, u64),
    /// How the kernel writes its path where it is not the root of its mount namespace (chroot).
    prefix: Vec<u8>,
    is_own: bool,
    mounts: Mounts,
}

/// Mounts whose files are not plainly those of this computer, by their number.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    elsewhere: HashMap<u64, Provenance>,
    /// Packages that are file systems themselves, and parts of others (bind mounts).
    special: HashMap<u64, Provenance>,
}

/// A file that was found, opened as a path only: that makes nobody wait.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) file: OwnedFd,
    pub(super) seen: Statx,
    /// Without links.
    pub(super) path: Vec<u8>,
}

/// A folder, and the names of what is in it.
pub(super) type Listing = (Found, Vec<Vec<u8>>);

/// What changes when a file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Version {
    pub(super) device: (u32, u32),
    pub(super) inode: u64,
    pub(super) size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, u32),
    changed: (i64, u32),
}

impl Version {
    pub(super) fn of(seen: &Statx) -> Self {
        let time = |time: rustix::fs::StatxTimestamp| (time.tv_sec, time.tv_nsec);
        Self {
            device: (seen.stx_dev_major, seen.stx_dev_minor),
            inode: seen.stx_ino,
            size: seen.stx_size,
            modified: time(seen.stx_mtime),
            changed: time(seen.stx_ctime),
        }
    }
}

impl Root {
    /// That of this process.
    pub(super) fn own() -> Result<Self, Untested> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open("/", flags, Mode::empty()).map_err(untested)?;
        let own = rustix::fs::open("/proc/self", flags, Mode::empty()).map_err(untested)?;
        Self::new(folder, own.as_fd(), Vec::new(), true)
    }

    /// The one that the program of the process lies in: ours, if it lies there, whatever root folder the
    /// process has made its own since (browsers lock their parts into empty ones).
    pub(super) fn of(subject: &Subject) -> Result<Self, Untested> {
        let own = Self::own()?;
        let program = subject.program()?;
        let found = own.find(program.link.bytes()).unwrap_or(None);
        let is_program = |found: Found| {
            let (major, minor, inode) = identity(&found.seen);
            ((major, minor), inode) == (program.device, program.inode)
        };
        if found.is_some_and(is_program) {
            return Ok(own);
        }
        Ok(Self::other(subject, &own)?.unwrap_or(own))
    }

    /// That of the process. `None`: it is ours. Whoever has a mount namespace of his own may cover lists of
    /// packages, but not those that we see.
    pub(super) fn other(subject: &Subject, own: &Self) -> Result<Option<Self>, Untested> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(subject.folder(), c"root", flags, Mode::empty());
        // A folder that is gone is nobody's any more.
        let gone = |why| {
            if why == Untested::Ended {
                Untested::OtherNamespace
            } else {
                why
            }
        };
        let root = root.map_err(|error| gone(untested(error)))?;
        let seen = status(&root).map_err(|error| gone(untested(error)))?;
        if identity(&seen) == own.identity {
            return Ok(None);
        }
        let mut prefix = subject.link(c"root").map_err(gone)?.bytes().to_vec();
        if prefix == b"/" {
            prefix.clear();
        }
        Self::new(root, subject.folder(), prefix, false).map(Some)
    }

    /// Any folder, as if it were ours.
    #[cfg(test)]
    pub(super) fn at(path: &std::path::Path) -> Self {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty()).unwrap();
        let own = rustix::fs::open("/proc/self", flags, Mode::empty()).unwrap();
        Self::new(folder, own.as_fd(), Vec::new(), true).unwrap()
    }

    fn new(
        folder: OwnedFd,
        process: BorrowedFd<'_>,
        prefix: Vec<u8>,
        is_own: bool,
    ) -> Result<Self, Untested> {
        let mounts = Mounts::of(process)?;
        let seen = status(&folder).map_err(untested)?;
        if mounts.is_elsewhere(&seen) {
            return Err(Untested::Elsewhere);
        }
        Ok(Self {
            identity: identity(&seen),
            folder,
            prefix,
            is_own,
            mounts,
        })
    }

    /// Whether it is ours.
    pub(super) fn is_own(&self) -> bool {
        self.is_own
    }

    pub(super) fn identity(&self) -> (u32, u32, u64) {
        self.identity
    }

    /// The path below this folder of a path that the kernel shows.
    pub(super) fn inside<'a>(&self, path: &'a [u8]) -> &'a [u8] {
        match path.strip_prefix(self.prefix.as_slice()) {
            Some(rest) if rest.starts_with(b"/") => rest,
            Some(_) | None => path,
        }
    }

    /// The file at a path. `None`: there is none.
    pub(super) fn find(&self, path: &[u8]) -> Result<Option<Found>, Untested> {
        let mut opened: Vec<(Vec<u8>, OwnedFd, Statx)> = Vec::new();
        let mut ahead = Vec::new();
        push(&mut ahead, path);
        for _ in 0..MOST_STEPS {
            let Some(name) = ahead.pop() else {
                return self.found(opened).map(Some);
            };
            if name == b".." {
                opened.pop();
                continue;
            }
            let above = opened.last();
            let above = above.map_or(self.folder.as_fd(), |(_, folder, _)| folder.as_fd());
            let Some((file, seen)) = self.step(above, &name)? else {
                return Ok(None);
            };
            if FileType::from_raw_mode(seen.stx_mode.into()) == FileType::Symlink {
                let mut buffer = [0; LONGEST_LINK];
                let length = rustix::fs::readlinkat_raw(&file, c"", &mut buffer[..]);
                let target = buffer.get(..length.map_err(untested)?).unwrap_or_default();
                if target.starts_with(b"/") {
                    opened.clear();
                }
                push(&mut ahead, target);
            } else {
                opened.push((name, file, seen));
            }
        }
        Ok(None)
    }

    fn found(&self, mut opened: Vec<(Vec<u8>, OwnedFd, Statx)>) -> Result<Found, Untested> {
        let mut path = Vec::new();
        for (name, ..) in &opened {
            path.push(b'/');
            path.extend(name);
        }
        if let Some((_, file, seen)) = opened.pop() {
            return Ok(Found { file, seen, path });
        }
        let file = self.folder.try_clone().map_err(|_| Untested::Unreadable)?;
        let seen = status(&file).map_err(untested)?;
        path.push(b'/');
        Ok(Found { file, seen, path })
    }

    /// One step, to a file that is ours.
    fn step(
        &self,
        folder: BorrowedFd<'_>,
        name: &[u8],
    ) -> Result<Option<(OwnedFd, Statx)>, Untested> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(folder, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => return Ok(None),
            Err(error) => return Err(untested(error)),
        };
        let seen = status(&file).map_err(untested)?;
        if self.mounts.is_elsewhere(&seen) {
            return Err(Untested::Elsewhere);
        }
        Ok(Some((file, seen)))
    }

    /// A file in a folder that was found. Links are not followed.
    pub(super) fn find_in(&self, folder: &Found, name: &[u8]) -> Result<Option<Found>, Untested> {
        let Some((file, seen)) = self.step(folder.file.as_fd(), name)? else {
            return Ok(None);
        };
        let mut path = folder.path.clone();
        path.push(b'/');
        path.extend(name);
        Ok(Some(Found { file, seen, path }))
    }

    /// The first `most` bytes of a file. `None`: there is none.
    pub(super) fn read(&self, path: &[u8], most: u64) -> Result<Option<Vec<u8>>, Untested> {
        let found = self.find(path)?;
        found.map(|found| found.read(most)).transpose()
    }

    /// The names of the files in a folder, at most so many. `None`: there is none.
    pub(super) fn list(&self, path: &[u8], most: usize) -> Result<Option<Listing>, Untested> {
        let Some(found) = self.find(path)? else {
            return Ok(None);
        };
        if !found.is_folder() {
            return Ok(None);
        }
        let names = found.names(most)?;
        Ok(Some((found, names)))
    }
}

impl Mounts {
    /// What a process sees mounted.
    pub(super) fn of(process: BorrowedFd<'_>) -> Result<Self, Untested> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let list = rustix::fs::openat(process, c"mountinfo", flags, Mode::empty());
        let list = File::from(list.map_err(untested)?).take(MOST_MOUNTINFO_BYTES);
        let mut mounts = Self::default();
        for line in BufReader::new(list).split(b'\n') {
            let line = line.map_err(|_| Untested::Unreadable)?;
            let (Some(mount), Some(found)) = (mount(&line), provenance(&line)) else {
                continue;
            };
            // What starts an automatic mount makes whoever asks wait for it.
            if mount.is_elsewhere || found.kind == b"autofs" {
                mounts.elsewhere.insert(found.id, found);
            } else if found.kind == b"squashfs" || found.root != b"/" {
                mounts.special.insert(found.id, found);
            }
        }
        Ok(mounts)
    }

    pub(super) fn is_elsewhere(&self, seen: &Statx) -> bool {
        mount_of(seen).is_some_and(|id| self.elsewhere.contains_key(&id))
    }

    /// The mount that it is on, if that one tells more of it than its path.
    pub(super) fn provenance(&self, seen: &Statx) -> Option<&Provenance> {
        let id = mount_of(seen)?;
        self.elsewhere.get(&id).or_else(|| self.special.get(&id))
    }
}

impl Found {
    pub(super) fn is_file(&self) -> bool {
        FileType::from_raw_mode(self.seen.stx_mode.into()) == FileType::RegularFile
    }

    pub(super) fn is_folder(&self) -> bool {
        FileType::from_raw_mode(self.seen.stx_mode.into()) == FileType::Directory
    }

    /// Errors: it is no regular file, or there is no right to.
    pub(super) fn open(&self) -> Result<File, Untested> {
        if !self.is_file() {
            return Err(Untested::Unreadable);
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        open_again(&self.file, flags)
    }

    /// Its first `most` bytes.
    pub(super) fn read(&self, most: u64) -> Result<Vec<u8>, Untested> {
        let mut bytes = Vec::new();
        let mut file = self.open()?.take(most);
        let read = file.read_to_end(&mut bytes);
        read.map_err(|_| Untested::Unreadable)?;
        Ok(bytes)
    }

    /// The names of what is in this folder, at most so many.
    pub(super) fn names(&self, most: usize) -> Result<Vec<Vec<u8>>, Untested> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = open_again(&self.file, flags)?;
        let entries = Dir::new(OwnedFd::from(folder)).map_err(untested)?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(untested)?;
            let name = entry.file_name().to_bytes();
            if names.len() >= most {
                break;
            }
            if name != b"." && name != b".." {
                names.push(name.to_vec());
            }
        }
        Ok(names)
    }
}

/// Something that was opened as a path only, opened for reading.
fn open_again(file: &OwnedFd, flags: OFlags) -> Result<File, Untested> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(untested)?;
    Ok(File::from(file))
}

pub(super) fn status(file: impl AsFd) -> Result<Statx, Errno> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::EMPTY_PATH | AtFlags::NO_AUTOMOUNT;
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
    rustix::fs::statx(file, c"", flags, wanted)
}

fn identity(seen: &Statx) -> (u32, u32, u64) {
    (seen.stx_dev_major, seen.stx_dev_minor, seen.stx_ino)
}

/// `None`: a kernel before 5.8.
fn mount_of(seen: &Statx) -> Option<u64> {
    (seen.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(seen.stx_mnt_id)
}

/// Puts the steps of a path before those that are still ahead, the first at the end.
fn push(ahead: &mut Vec<Vec<u8>>, path: &[u8]) {
    let steps = path.split(|byte| *byte == b'/').rev();
    let steps = steps.filter(|step| !step.is_empty() && *step != b".");
    ahead.extend(steps.map(<[u8]>::to_vec));
}

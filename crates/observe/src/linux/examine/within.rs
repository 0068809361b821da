//! The files of a process by their paths, as it sees them: below its own root, in its own mounts.
//!
//! Nothing here waits: a path is followed only as far as the kernel remembers it (openat2(2),
//! RESOLVE_CACHED), so that no program and no other computer is asked. What has just been used by the
//! process is remembered.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::{AsRawFd, OwnedFd};

use model::{Text, Untested};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::io::Errno;

use super::Subject;
use super::subject::untested;
use crate::parse::mount_info::{Mount, mount};

/// The kernel shows no longer path.
const LONGEST_LINK: usize = 4096;
const MOST_MOUNTINFO_BYTES: u64 = 16 * 1024 * 1024;
/// A change elsewhere in the tree can spoil one try.
const ATTEMPTS: usize = 4;
/// What the kernel puts behind the path of a file whose name is gone (fs/d_path.c).
const DELETED: &[u8] = b" (deleted)";

/// The root of a process.
#[derive(Debug)]
pub(super) struct Within {
    root: OwnedFd,
    /// Its path, as we see it. Empty: it is ours, or looks like it.
    prefix: Vec<u8>,
}

/// What became of a path.
#[derive(Debug)]
pub(super) enum Found {
    Here(Box<Here>),
    Nowhere,
    /// It would have to be looked for on a disk, or elsewhere; or there is no right to.
    NotKnown,
}

/// A file that is there.
#[derive(Debug)]
pub(super) struct Here {
    /// Without links, as the process sees it.
    pub(super) path: Text,
    pub(super) status: Statx,
    /// Opened as a path only.
    pub(super) file: OwnedFd,
}

impl Here {
    pub(super) fn is_regular(&self) -> bool {
        FileType::from_raw_mode(self.status.stx_mode.into()) == FileType::RegularFile
    }

    pub(super) fn is_folder(&self) -> bool {
        FileType::from_raw_mode(self.status.stx_mode.into()) == FileType::Directory
    }
}

impl Within {
    pub(super) fn of(subject: &Subject) -> Result<Self, Untested> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(subject.folder(), c"root", flags, Mode::empty());
        let root = root.map_err(untested)?;
        let mut prefix = subject.link(c"root")?.bytes().to_vec();
        if prefix == b"/" {
            prefix.clear();
        }
        Ok(Self { root, prefix })
    }

    /// The file at a path that begins with a slash; links are followed.
    pub(super) fn find(&self, path: &[u8]) -> Found {
        if path.contains(&0) {
            return Found::Nowhere;
        }
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let how = ResolveFlags::CACHED | ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        for _ in 0..ATTEMPTS {
            match rustix::fs::openat2(&self.root, path, flags, Mode::empty(), how) {
                Ok(file) => {
                    return match self.here(file) {
                        Ok(here) => Found::Here(Box::new(here)),
                        Err(_) => Found::NotKnown,
                    };
                }
                Err(Errno::AGAIN) => {}
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG) => {
                    return Found::Nowhere;
                }
                Err(_) => break,
            }
        }
        Found::NotKnown
    }

    /// A path of the kernel's, as the process sees it, without what is put behind those that are gone.
    pub(super) fn seen<'path>(&self, path: &'path [u8]) -> &'path [u8] {
        let path = without_deleted(path);
        match path.strip_prefix(self.prefix.as_slice()) {
            Some(rest) if rest.starts_with(b"/") => rest,
            Some([]) => b"/",
            Some(_) | None => path,
        }
    }

    /// Whether another computer or a program answers for a file, and may not answer at all.
    pub(super) fn is_elsewhere(subject: &Subject, here: &Here) -> Result<bool, Untested> {
        if here.status.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
            return Ok(false);
        }
        any_mount(subject, |line| {
            let is_it = |mount: &Mount| mount.id == here.status.stx_mnt_id;
            mount(line).filter(is_it).is_some_and(|it| it.is_elsewhere)
        })
    }

    fn here(&self, file: OwnedFd) -> Result<Here, Errno> {
        let flags = AtFlags::STATX_DONT_SYNC | AtFlags::EMPTY_PATH;
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
        let status = rustix::fs::statx(&file, c"", flags, wanted)?;
        let mut buffer = [0; LONGEST_LINK];
        let own = format!("/proc/self/fd/{}", file.as_raw_fd());
        let length = rustix::fs::readlinkat_raw(rustix::fs::CWD, own, &mut buffer[..])?;
        let path = buffer.get(..length).unwrap_or_default();
        Ok(Here {
            path: self.seen(path).into(),
            status,
            file,
        })
    }
}

/// Whether one of the mounts that a process sees is such; they are handed over as lines.
pub(super) fn any_mount(
    subject: &Subject,
    mut is_such: impl FnMut(&[u8]) -> bool,
) -> Result<bool, Untested> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let list = rustix::fs::openat(subject.folder(), c"mountinfo", flags, Mode::empty());
    let list = File::from(list.map_err(untested)?);
    let list = BufReader::new(list.take(MOST_MOUNTINFO_BYTES));
    for line in list.split(b'\n') {
        if is_such(&line.map_err(|_| Untested::Unreadable)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A path without what the kernel puts behind it where the file has no name any more.
pub(super) fn without_deleted(path: &[u8]) -> &[u8] {
    path.strip_suffix(DELETED).unwrap_or(path)
}

/// A path that may begin anywhere, from a folder on; `.` and `..` are left in it.
pub(super) fn joined(folder: &[u8], path: &[u8]) -> Vec<u8> {
    if path.starts_with(b"/") {
        path.to_vec()
    } else {
        [folder, path].join(&b'/')
    }
}

/// A path without `.`, `..` and slashes that stand twice, by its text alone.
pub(super) fn plain(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let mut plain = Vec::with_capacity(path.len());
    for part in parts {
        plain.push(b'/');
        plain.extend(part);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_plain() {
        for (path, expected) in [
            ("/a/./b//c", "/a/b/c"),
            ("/a/../../b", "/b"),
            ("/tmp/x/..", "/tmp"),
            ("", ""),
        ] {
            assert_eq!(plain(path.as_bytes()), expected.as_bytes(), "{path}");
        }
        assert_eq!(joined(b"/a", b"b"), b"/a/b");
        assert_eq!(joined(b"/a", b"/b"), b"/b");
    }
}

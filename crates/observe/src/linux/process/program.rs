//! The program file behind a process.

use std::os::fd::OwnedFd;

use model::{FileIdentity, PathState, Text};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::io::Errno;

/// What the kernel puts behind the path of a file whose name is gone (fs/d_path.c).
const DELETED: &[u8] = b" (deleted)";
/// What it puts before the name of a memfd (mm/memfd.c).
const MEMFD: &[u8] = b"/memfd:";

/// The path of the program of a process, and whether it is still there. The path is the one that
/// the kernel shows; of a process in another mount namespace it is a path there.
///
/// Errors: `NOENT`: it has none (any more); `NAMETOOLONG`: longer than the kernel shows.
pub(super) fn program(process: &OwnedFd, buffer: &mut [u8]) -> Result<(Text, PathState), Errno> {
    let length = rustix::fs::readlinkat_raw(process, c"exe", &mut *buffer)?;
    let link = buffer.get(..length).unwrap_or_default();
    let Some(path) = link.strip_suffix(DELETED) else {
        return Ok((link.into(), PathState::Present));
    };
    Ok(match is_deleted(process, link) {
        Deleted::Yes { links: 0 } if path.starts_with(MEMFD) => (path.into(), PathState::Memfd),
        Deleted::Yes { .. } => (path.into(), PathState::Deleted),
        Deleted::No => (link.into(), PathState::Present),
        Deleted::NotKnown => (link.into(), PathState::Unknown),
    })
}

/// Which file a process runs. `None`: none, or it could not be asked.
pub(super) fn file(process: &OwnedFd) -> Option<FileIdentity> {
    let running = identity(process, c"exe").ok()?;
    let (major, minor) = running.device;
    Some(FileIdentity {
        device: rustix::fs::makedev(major, minor),
        inode: running.inode,
    })
}

/// Whether " (deleted)" is the kernel's word or part of a name.
enum Deleted {
    Yes { links: u32 },
    No,
    NotKnown,
}

/// A file without links is gone. One that has some may still have lost this name: hard links have
/// others, and a file deleted from an overlay (a container's image) lives on below it. Then it is
/// there under the whole text, or it is gone.
fn is_deleted(process: &OwnedFd, link: &[u8]) -> Deleted {
    let Ok(running) = identity(process, c"exe") else {
        return Deleted::NotKnown;
    };
    if running.links == 0 {
        return Deleted::Yes { links: 0 };
    }
    // The path of a running program is in the kernel's cache, else it is not its path. Asking only
    // the cache never waits for a network or FUSE file system, which could be made to hang us.
    let root = rustix::fs::openat(
        process,
        c"root",
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
    );
    let (here, there) = (
        ResolveFlags::CACHED,
        ResolveFlags::CACHED | ResolveFlags::IN_ROOT,
    );
    let found = [
        named(CWD, link, here),
        root.map_or(Ok(None), |root| named(root, link, there)),
    ];
    if found
        .iter()
        .any(|file| matches!(file, Ok(Some(file)) if file.is(&running)))
    {
        Deleted::No
    } else if found.iter().any(Result::is_err) {
        Deleted::NotKnown
    } else {
        Deleted::Yes {
            links: running.links,
        }
    }
}

struct Identity {
    device: (u32, u32),
    inode: u64,
    links: u32,
}

impl Identity {
    fn is(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

fn identity(directory: impl std::os::fd::AsFd, path: &std::ffi::CStr) -> Result<Identity, Errno> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT | AtFlags::EMPTY_PATH;
    let file = rustix::fs::statx(directory, path, flags, StatxFlags::INO | StatxFlags::NLINK)?;
    Ok(Identity {
        device: (file.stx_dev_major, file.stx_dev_minor),
        inode: file.stx_ino,
        links: file.stx_nlink,
    })
}

/// The file of this name. `None`: not in the cache.
///
/// Errors: it could not be asked: `NOSYS` and `INVAL` before Linux 5.12.
fn named(
    directory: impl std::os::fd::AsFd,
    path: &[u8],
    resolve: ResolveFlags,
) -> Result<Option<Identity>, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Also when the name is there, a change elsewhere in the tree can spoil one try.
    for _ in 0..4 {
        match rustix::fs::openat2(&directory, path, flags, Mode::empty(), resolve) {
            Ok(file) => return identity(&file, c"").map(Some),
            Err(Errno::AGAIN) => {}
            Err(Errno::NOENT | Errno::NOTDIR) => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(None)
}

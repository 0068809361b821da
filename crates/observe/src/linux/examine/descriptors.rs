//! The open files of a process: `/proc/PID/fd` (proc_pid_fd(5)).

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use model::{Text, Untested};
use rustix::fs::{AtFlags, Dir, Mode, OFlags, StatxFlags};
use rustix::io::Errno;

use super::subject::untested;

/// So many open files of one process are looked at.
const MOST_FILES: usize = 65_536;
/// So many threads, where the first one has ended.
const MOST_THREADS: usize = 256;
/// The kernel shows no longer path.
const LONGEST_LINK: usize = 4096;

/// The sockets that a process has open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sockets {
    /// Their inodes, in order, each once.
    pub(crate) inodes: Vec<u64>,
    /// It has more open files than were looked at.
    pub(crate) cut: bool,
}

impl Sockets {
    pub(crate) fn has(&self, inode: u64) -> bool {
        self.inodes.binary_search(&inode).is_ok()
    }
}

/// The sockets of the process with this folder in /proc. A thread with a table of open files of its own
/// (unshare(2), CLONE_FILES) is not looked at.
pub(super) fn sockets(process: BorrowedFd<'_>) -> Result<Sockets, Untested> {
    let mut found = Sockets::default();
    let mut left = MOST_FILES;
    walk(process, &mut found, &mut left)?;
    if left == MOST_FILES {
        // The kernel shows none when the first thread has ended.
        for thread in entries(process, c"task", MOST_THREADS)? {
            // It may have ended meanwhile.
            if let Ok(thread) = open(process, c"task", &thread) {
                let _ = walk(thread.as_fd(), &mut found, &mut left);
            }
            if left < MOST_FILES {
                break;
            }
        }
    }
    found.cut = left == 0;
    found.inodes.sort_unstable();
    found.inodes.dedup();
    Ok(found)
}

/// Where a descriptor leads, as the kernel shows it. `None`: it is not open.
pub(super) fn link(process: BorrowedFd<'_>, number: u32) -> Result<Option<Text>, Untested> {
    let mut buffer = [0; LONGEST_LINK];
    match rustix::fs::readlinkat_raw(process, format!("fd/{number}"), &mut buffer[..]) {
        Ok(length) => Ok(Some(buffer.get(..length).unwrap_or_default().into())),
        // Or the process has ended: then its status is gone, too.
        Err(Errno::NOENT) => {
            let (flags, wanted) = (AtFlags::STATX_DONT_SYNC, StatxFlags::TYPE);
            let alive = rustix::fs::statx(process, c"status", flags, wanted);
            alive.map(|_| None).map_err(untested)
        }
        Err(errno) => Err(untested(errno)),
    }
}

/// The inode of a socket, when a link leads to one: `socket:[33322]`.
pub(super) fn socket_inode(link: &[u8]) -> Option<u64> {
    let number = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

fn walk(process: BorrowedFd<'_>, found: &mut Sockets, left: &mut usize) -> Result<(), Untested> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(process, c"fd", flags, Mode::empty()).map_err(untested)?;
    let mut buffer = [MaybeUninit::uninit(); 64];
    for entry in Dir::read_from(&folder).map_err(untested)? {
        let entry = entry.map_err(untested)?;
        if entry.file_name().to_bytes().first() == Some(&b'.') {
            continue;
        }
        if *left == 0 {
            break;
        }
        *left -= 1;
        match rustix::fs::readlinkat_raw(&folder, entry.file_name(), &mut buffer) {
            Ok((link, _)) => found.inodes.extend(socket_inode(link)),
            Err(errno @ (Errno::ACCESS | Errno::PERM)) => return Err(untested(errno)),
            // It was closed meanwhile.
            Err(_) => {}
        }
    }
    Ok(())
}

/// The names in a folder of /proc, at most so many.
pub(super) fn entries(
    process: BorrowedFd<'_>,
    name: &CStr,
    most: usize,
) -> Result<Vec<CString>, Untested> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(process, name, flags, Mode::empty()).map_err(untested)?;
    let mut names = Vec::new();
    for entry in Dir::read_from(&folder).map_err(untested)? {
        let entry = entry.map_err(untested)?;
        if entry.file_name().to_bytes().first() != Some(&b'.') {
            names.push(entry.file_name().to_owned());
        }
        if names.len() >= most {
            break;
        }
    }
    Ok(names)
}

fn open(process: BorrowedFd<'_>, folder: &CStr, name: &CStr) -> Result<OwnedFd, Errno> {
    let path = [folder.to_bytes(), b"/", name.to_bytes()].concat();
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(process, path, flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> OwnedFd {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open("/proc/self", flags, Mode::empty()).unwrap()
    }

    #[test]
    fn finds_a_socket_of_our_own() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let inode = rustix::fs::fstat(&socket).unwrap().st_ino;
        let found = sockets(own().as_fd()).unwrap();
        assert!(found.has(inode) && !found.has(0) && !found.cut);
    }

    #[test]
    fn what_is_not_open_is_none() {
        assert_eq!(link(own().as_fd(), 9_999_999), Ok(None));
        let open = std::fs::File::open("/dev/null").unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&open).unsigned_abs();
        assert_eq!(link(own().as_fd(), number), Ok(Some("/dev/null".into())));
    }

    #[test]
    fn only_sockets_have_an_inode() {
        assert_eq!(socket_inode(b"socket:[33322]"), Some(33322));
        assert_eq!(socket_inode(b"/tmp/socket:[33322]"), None);
        assert_eq!(socket_inode(b"socket:[]"), None);
    }
}

//! The network namespaces of this computer: finds them, and works inside them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::thread;

use model::NetworkNamespace;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::parse::mount_info::namespace_mount;

/// How many ways into one namespace are kept; a process may end before it is used.
const MOST_DOORS: usize = 8;

/// The network namespaces that were found, each with the ways in.
#[derive(Debug)]
pub(crate) struct Namespaces {
    own: NetworkNamespace,
    /// Each a `/proc/PID/ns/net`, or a file that a namespace is mounted on.
    doors: BTreeMap<NetworkNamespace, Vec<PathBuf>>,
    /// Processes whose namespace we may not see.
    pub(crate) hidden_processes: Vec<u32>,
}

impl Namespaces {
    /// Looks at every process of `pids` and at every mounted namespace.
    ///
    /// Error: not even our own namespace can be seen (no /proc).
    pub(crate) fn find(pids: &[u32]) -> io::Result<Self> {
        let own = of_link(Path::new("/proc/self/ns/net"))?;
        let mut found = Self {
            own,
            doors: BTreeMap::from([(own, Vec::new())]),
            hidden_processes: Vec::new(),
        };
        for pid in pids {
            let path = PathBuf::from(format!("/proc/{pid}/ns/net"));
            match of_link(&path) {
                Ok(netns) => found.add(netns, path),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    found
                        .hidden_processes
                        .extend(Some(*pid).filter(|pid| is_program(*pid)));
                }
                // It has ended.
                Err(_) => {}
            }
        }
        for path in mounted() {
            if let Ok(netns) = of_mount(&path) {
                found.add(netns, path);
            }
        }
        Ok(found)
    }

    fn add(&mut self, netns: NetworkNamespace, path: PathBuf) {
        let doors = self.doors.entry(netns).or_default();
        if doors.len() < MOST_DOORS {
            doors.push(path);
        }
    }

    /// The namespace whocalls was started in.
    pub(crate) fn own(&self) -> NetworkNamespace {
        self.own
    }

    pub(crate) fn all(&self) -> Vec<NetworkNamespace> {
        self.doors.keys().copied().collect()
    }

    /// The files that lead into it, besides being in it.
    pub(crate) fn doors(&self, netns: NetworkNamespace) -> &[PathBuf] {
        self.doors.get(&netns).map_or(&[], Vec::as_slice)
    }

    /// Runs `work` inside the namespace: on a thread of its own, unless it is ours.
    ///
    /// Errors: `NotFound`, it is gone or no way into it is known; or we may not enter it.
    pub(crate) fn inside<T: Send>(
        &self,
        netns: NetworkNamespace,
        work: impl FnOnce() -> T + Send,
    ) -> io::Result<T> {
        if netns == self.own {
            return Ok(work());
        }
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "no way into it is known");
        for path in self.doors(netns) {
            match open_door(path, netns) {
                Ok(door) => return enter(&door, work),
                // That it was refused tells more than that a process has ended.
                Err(error) if failed.kind() == io::ErrorKind::NotFound => failed = error,
                Err(_) => {}
            }
        }
        Err(failed)
    }
}

/// Opens a way in, and makes sure that it still leads there: a pid may have been reused.
fn open_door(path: &Path, netns: NetworkNamespace) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let door = rustix::fs::open(path, flags, Mode::empty())?;
    if rustix::fs::fstat(&door)?.st_ino == u64::from(netns.0) {
        Ok(door)
    } else {
        Err(io::Error::new(io::ErrorKind::NotFound, "it is gone"))
    }
}

fn enter<T: Send>(door: &OwnedFd, work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let inside = thread::Builder::new().spawn_scoped(scope, move || {
            move_into_link_name_space(door.as_fd(), Some(LinkNameSpaceType::Network))?;
            Ok(work())
        })?;
        inside
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread inside it panicked")))
    })
}

/// Kernel threads have no arguments, and nothing to hide.
fn is_program(pid: u32) -> bool {
    let mut first = [0];
    let file = File::open(format!("/proc/{pid}/cmdline"));
    file.is_ok_and(|mut file| file.read(&mut first).is_ok_and(|length| length > 0))
}

/// `net:[4026531840]`
fn of_link(path: &Path) -> io::Result<NetworkNamespace> {
    let link = rustix::fs::readlink(path, Vec::new())?;
    let number = link
        .to_str()
        .ok()
        .and_then(|text| text.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok());
    number
        .map(NetworkNamespace)
        .ok_or_else(|| Errno::INVAL.into())
}

/// The inode number of a mounted namespace is its number.
fn of_mount(path: &Path) -> io::Result<NetworkNamespace> {
    let number = rustix::fs::stat(path)?.st_ino;
    u32::try_from(number)
        .map(NetworkNamespace)
        .map_err(io::Error::other)
}

/// Files that a network namespace is mounted on (`ip netns add`, container engines).
fn mounted() -> Vec<PathBuf> {
    let Ok(file) = File::open("/proc/self/mountinfo") else {
        return Vec::new();
    };
    let lines = io::BufReader::new(file).split(b'\n').map_while(Result::ok);
    lines
        .filter_map(|line| namespace_mount(&line).map(|path| OsString::from_vec(path).into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_our_own_namespace() {
        let namespaces = Namespaces::find(&[std::process::id()]).unwrap();
        assert!(namespaces.all().contains(&namespaces.own()));
        assert_eq!(namespaces.inside(namespaces.own(), || 7).unwrap(), 7);
    }
}

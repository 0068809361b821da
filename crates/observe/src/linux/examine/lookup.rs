//! Which file lies at a path, for us and for the process that is examined; and which mounts may let
//! whoever asks wait.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use model::{Text, Untested};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Statx, StatxFlags};
use rustix::io::Errno;

use super::Subject;
use super::subject::untested;
use crate::parse::mount_info::{mount, mounted};

const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// A file, however it was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Identity {
    /// Major and minor number.
    pub(super) device: (u32, u32),
    pub(super) inode: u64,
}

impl From<&Statx> for Identity {
    fn from(status: &Statx) -> Self {
        Self {
            device: (status.stx_dev_major, status.stx_dev_minor),
            inode: status.stx_ino,
        }
    }
}

/// The mounts that a process sees.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    all: HashSet<u64>,
    /// Where another computer or a program answers.
    elsewhere: HashSet<u64>,
    points_elsewhere: Vec<Vec<u8>>,
}

impl Mounts {
    /// Whether a file can be read without waiting for somebody. Of a mount that is on no list nothing
    /// is known, unless it is on a disk.
    pub(super) fn is_near(&self, status: &Statx) -> bool {
        if status.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
            return true;
        }
        let id = status.stx_mnt_id;
        if self.all.contains(&id) {
            !self.elsewhere.contains(&id)
        } else {
            status.stx_dev_major != 0
        }
    }

    pub(super) fn has(&self, id: u64) -> bool {
        self.all.contains(&id)
    }

    /// Whether the way there leads through a mount where somebody else answers. Where that is the root,
    /// we come from there ourselves.
    fn leads_elsewhere(&self, path: &[u8]) -> bool {
        let mut points = self.points_elsewhere.iter();
        points.any(|point| {
            let rest = path.strip_prefix(point.as_slice());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        })
    }

    fn read(file: &File) -> Result<Self, Untested> {
        let mut mounts = Self::default();
        for line in BufReader::new(file.take(MOST_BYTES)).split(b'\n') {
            let line = line.map_err(|_| Untested::Unreadable)?;
            let Some(found) = mount(&line) else {
                continue;
            };
            mounts.all.insert(found.id);
            if found.is_elsewhere {
                mounts.elsewhere.insert(found.id);
                let place = mounted(&line).map(|it| it.point);
                mounts
                    .points_elsewhere
                    .extend(place.filter(|it| it != b"/"));
            }
        }
        Ok(mounts)
    }
}

/// Our own mounts, read again when the kernel says that they have changed.
#[derive(Debug, Default)]
pub(crate) struct Sights {
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    file: File,
    mounts: Arc<Mounts>,
    /// As the link of its namespace is written.
    namespace: Text,
    root: Identity,
}

/// How one process sees files.
#[derive(Debug)]
pub(super) struct Sight {
    ours: Arc<Mounts>,
    its: Arc<Mounts>,
    /// It is in our mount namespace.
    is_ours: bool,
    /// It has our root, be it in a mount namespace of its own.
    has_our_root: bool,
    root: OwnedFd,
}

impl Sights {
    pub(super) fn of(&mut self, subject: &Subject) -> Result<Sight, Untested> {
        let own = self.own()?;
        let namespace = subject.link(c"ns/mnt")?;
        let is_ours = namespace == own.namespace;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(subject.folder(), c"root", flags, Mode::empty());
        let root = root.map_err(untested)?;
        let its_root = Identity::from(&status(root.as_fd(), b"")?);
        let its = if is_ours {
            Arc::clone(&own.mounts)
        } else {
            Arc::new(Mounts::read(&File::from(subject.open_own(c"mountinfo")?))?)
        };
        Ok(Sight {
            ours: Arc::clone(&own.mounts),
            its,
            is_ours,
            has_our_root: its_root == own.root,
            root,
        })
    }

    fn own(&mut self) -> Result<&Own, Untested> {
        if let Some(own) = &mut self.own
            && has_changed(&own.file)
        {
            self.own = None;
        }
        if self.own.is_none() {
            let open = || File::open("/proc/self/mountinfo").map_err(|_| Untested::Unreadable);
            let file = open()?;
            // What is kept open for hearing of changes has to be asked once before it tells of any.
            has_changed(&file);
            let mut buffer = [0; 256];
            let link = rustix::fs::readlinkat_raw(CWD, c"/proc/self/ns/mnt", &mut buffer[..]);
            let length = link.map_err(untested)?;
            self.own = Some(Own {
                mounts: Arc::new(Mounts::read(&open()?)?),
                file,
                namespace: buffer.get(..length).unwrap_or_default().into(),
                root: Identity::from(&status(CWD, b"/")?),
            });
        }
        self.own.as_ref().ok_or(Untested::Unreadable)
    }
}

impl Sight {
    /// The mounts that the process sees.
    pub(super) fn mounts(&self) -> &Mounts {
        &self.its
    }

    /// What lies at a path of `/proc`: the kernel shows paths from our root where they begin there, and
    /// otherwise from that of the mount namespace of the process. `None`: nothing.
    ///
    /// Errors: `Elsewhere`: asking might wait for somebody.
    pub(super) fn at(&self, path: &[u8]) -> Result<Option<Statx>, Untested> {
        if self.is_ours {
            self.at_ours(path)
        } else {
            self.at_its(path)
        }
    }

    /// What lies at a path beneath whatever was mounted for the process alone: with our root, what we
    /// have there. `None`: nothing.
    pub(super) fn beneath(&self, path: &[u8]) -> Result<Option<Statx>, Untested> {
        if self.is_beneath_ours() {
            self.at_ours(path)
        } else {
            self.at_its(path)
        }
    }

    /// The same, open for reading.
    ///
    /// Errors: `Ended`: there is none. `Unreadable`: it is no regular file. `Elsewhere`: reading might
    /// wait for somebody.
    pub(super) fn open_beneath(&self, path: &[u8]) -> Result<File, Untested> {
        self.open_in(self.is_beneath_ours(), path)
    }

    /// What lies at a path of `/proc`, open for reading. Errors: as [`Sight::open_beneath`].
    pub(super) fn open(&self, path: &[u8]) -> Result<File, Untested> {
        self.open_in(self.is_ours, path)
    }

    fn open_in(&self, ours: bool, path: &[u8]) -> Result<File, Untested> {
        let (mounts, folder, below) = if ours {
            (&self.ours, CWD, path)
        } else {
            let below = path.strip_prefix(b"/").unwrap_or(path);
            (&self.its, self.root.as_fd(), below)
        };
        if mounts.leads_elsewhere(path) {
            return Err(Untested::Elsewhere);
        }
        // A file that is opened only as a path makes nobody wait.
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let found = rustix::fs::openat(folder, below, flags, Mode::empty()).map_err(untested)?;
        let seen = status_of_file(&found)?;
        if FileType::from_raw_mode(seen.stx_mode.into()) != FileType::RegularFile {
            return Err(Untested::Unreadable);
        }
        if !mounts.is_near(&seen) {
            return Err(Untested::Elsewhere);
        }
        reopen(&found)
    }

    fn is_beneath_ours(&self) -> bool {
        self.is_ours || self.has_our_root
    }

    /// What we have there. `None`: nothing.
    pub(super) fn at_ours(&self, path: &[u8]) -> Result<Option<Statx>, Untested> {
        if self.ours.leads_elsewhere(path) {
            return Err(Untested::Elsewhere);
        }
        found(status(CWD, path))
    }

    /// What it has there itself.
    fn at_its(&self, path: &[u8]) -> Result<Option<Statx>, Untested> {
        if self.its.leads_elsewhere(path) {
            return Err(Untested::Elsewhere);
        }
        let path = path.strip_prefix(b"/").unwrap_or(path);
        found(status(self.root.as_fd(), path))
    }
}

/// Opens for reading what was opened only as a path, and was found to be a regular file.
pub(super) fn reopen(path: &OwnedFd) -> Result<File, Untested> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let own = format!("/proc/self/fd/{}", path.as_raw_fd());
    let file = rustix::fs::open(own, flags, Mode::empty()).map_err(untested)?;
    Ok(File::from(file))
}

pub(super) fn status_of_file(file: impl AsFd) -> Result<Statx, Untested> {
    status(file, b"")
}

/// proc(5), /proc/PID/mounts: poll(2) tells once of each change.
fn has_changed(mountinfo: &File) -> bool {
    let mut asked = [PollFd::new(mountinfo, PollFlags::PRI)];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    match poll(&mut asked, Some(&at_once)) {
        Ok(_) => asked
            .iter()
            .any(|it| it.revents().intersects(PollFlags::PRI | PollFlags::ERR)),
        Err(_) => true,
    }
}

fn found(status: Result<Statx, Untested>) -> Result<Option<Statx>, Untested> {
    match status {
        Ok(status) => Ok(Some(status)),
        // No such file.
        Err(Untested::Ended) => Ok(None),
        Err(why) => Err(why),
    }
}

fn status(folder: impl AsFd, path: &[u8]) -> Result<Statx, Untested> {
    let mut flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    if path.is_empty() {
        flags |= AtFlags::EMPTY_PATH;
    }
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
    rustix::fs::statx(folder, path, flags, wanted).map_err(|errno| match errno {
        Errno::NOTDIR | Errno::NAMETOOLONG | Errno::LOOP => Untested::Ended,
        other => untested(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::examine::victims::subject_of;

    #[test]
    fn the_own_process_sees_what_we_see() {
        let mut sights = Sights::default();
        let subject = subject_of(std::process::id());
        let sight = sights.of(&subject).unwrap();
        assert!(sight.is_ours && sight.has_our_root);
        let program = subject.program().unwrap();
        let there = sight.at(program.link.bytes()).unwrap().unwrap();
        assert_eq!(Identity::from(&there).inode, program.inode);
        assert!(sight.mounts().is_near(&there));
        assert!(sight.at(b"/no/such/file").unwrap().is_none());
    }

    #[test]
    fn a_path_that_leads_through_a_mount_elsewhere() {
        let mounts = Mounts {
            points_elsewhere: vec![b"/mnt/share".to_vec()],
            ..Mounts::default()
        };
        assert!(mounts.leads_elsewhere(b"/mnt/share/lib.so"));
        assert!(mounts.leads_elsewhere(b"/mnt/share"));
        assert!(!mounts.leads_elsewhere(b"/mnt/shared/lib.so"));
    }
}

//! What is asked of the whole computer, once for all processes that are examined.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use model::Untested;
use rustix::fs::{Mode, OFlags, RawDir};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

use super::display::{Name, Shows};
use super::subject::untested;
use crate::linux::seats::{Seats, Windows};
use crate::parse::mount_info::{Covering, covering};
use crate::parse::proc_pid::conceals_processes;

/// A list of all processes that is older is read again.
const LISTED_FOR: Duration = Duration::from_secs(2);
/// The same, where a process is not in it.
const MISSED_FOR: Duration = Duration::from_millis(20);
const MOST_MOUNTINFO_BYTES: u64 = 16 * 1024 * 1024;
const DIRECTORY_BUFFER: usize = 32 * 1024;
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);

/// The same for all threads.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    /// Our own view of /proc: nobody can mount anything over what is in it. `None`: no right to it, or
    /// a kernel before 5.2.
    proc: Option<OwnedFd>,
    listing: Mutex<Option<Listing>>,
    /// `None`: not read yet, or they have changed.
    coverings: Mutex<Option<Vec<Covering>>>,
    /// Who was found to hide.
    hiding: Mutex<HashSet<u32>>,
    /// `None`: nobody asks displays.
    shows: Option<Mutex<Shows>>,
}

#[derive(Debug)]
struct Listing {
    at: Instant,
    pids: HashSet<u32>,
}

impl Machine {
    /// To be made while there are rights.
    pub(crate) fn new() -> Self {
        Self {
            proc: own_view().ok(),
            ..Self::default()
        }
    }

    /// With whoever asks displays.
    pub(crate) fn asking(mut self, seats: Seats) -> Self {
        self.shows = Some(Mutex::new(Shows::new(seats)));
        self
    }

    pub(crate) fn asks_displays(&self) -> bool {
        self.shows.is_some()
    }

    /// Whose windows a display shows. `None`: it cannot be asked, or cannot tell. Waits for it a little.
    pub(crate) fn windows(&self, display: Name) -> Option<Arc<Windows>> {
        locked(self.shows.as_ref()?).of(display)
    }

    /// `None`: there is no other than /proc.
    pub(crate) fn proc(&self) -> Option<BorrowedFd<'_>> {
        self.proc.as_ref().map(AsFd::as_fd)
    }

    /// Whether /proc, as all programs see it, lists this process.
    pub(crate) fn lists(&self, pid: u32) -> Result<bool, Untested> {
        let mut listing = locked(&self.listing);
        let is_listed = |it: &Option<Listing>| {
            let listing = it.as_ref()?;
            let is_in = listing.pids.contains(&pid);
            let age = listing.at.elapsed();
            let most = if is_in { LISTED_FOR } else { MISSED_FOR };
            (age < most).then_some(is_in)
        };
        if let Some(is_listed) = is_listed(&listing) {
            return Ok(is_listed);
        }
        let pids = listed()?;
        let is_in = pids.contains(&pid);
        let at = Instant::now();
        *listing = Some(Listing { at, pids });
        Ok(is_in)
    }

    /// What is mounted over folders of processes.
    pub(crate) fn coverings(&self) -> Result<Vec<Covering>, Untested> {
        let mut coverings = locked(&self.coverings);
        if let Some(known) = coverings.as_ref() {
            return Ok(known.clone());
        }
        let lines = self.mountinfo()?;
        let found = lines.split(|byte| *byte == b'\n').filter_map(covering);
        let found: Vec<_> = found.collect();
        *coverings = Some(found.clone());
        Ok(found)
    }

    /// Something was mounted, or is no more.
    pub(crate) fn mounts_have_changed(&self) {
        *locked(&self.coverings) = None;
    }

    pub(crate) fn has_found_hiding(&self, pid: u32) -> bool {
        locked(&self.hiding).contains(&pid)
    }

    pub(crate) fn hides(&self, pid: u32) {
        locked(&self.hiding).insert(pid);
    }

    /// Tells, when it is polled, that something was mounted.
    pub(crate) fn open_mountinfo(&self) -> Result<OwnedFd, Untested> {
        let opened = match &self.proc {
            Some(proc) => rustix::fs::openat(proc, c"self/mountinfo", READ, Mode::empty()),
            None => rustix::fs::open(c"/proc/self/mountinfo", READ, Mode::empty()),
        };
        opened.map_err(untested)
    }

    fn mountinfo(&self) -> Result<Vec<u8>, Untested> {
        let mut text = Vec::new();
        let file = File::from(self.open_mountinfo()?);
        let read = file.take(MOST_MOUNTINFO_BYTES).read_to_end(&mut text);
        read.map_err(|_| Untested::Unreadable)?;
        Ok(text)
    }

    /// Whether /proc leaves out processes of others, and does so for us (hidepid).
    pub(crate) fn conceals(&self) -> bool {
        rustix::fs::open(c"/proc/1/stat", READ, Mode::empty()).is_err()
            && self.mountinfo().is_ok_and(|text| conceals_processes(&text))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All processes that /proc lists.
pub(super) fn listed() -> Result<HashSet<u32>, Untested> {
    let flags = READ | OFlags::DIRECTORY;
    let folder = rustix::fs::open(c"/proc", flags, Mode::empty()).map_err(untested)?;
    let mut buffer = Vec::with_capacity(DIRECTORY_BUFFER);
    let mut entries = RawDir::new(&folder, buffer.spare_capacity_mut());
    let mut pids = HashSet::new();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(untested)?;
        let name = entry.file_name().to_str().ok();
        pids.extend(name.and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(pids)
}

/// A mount of its own that has no place in any folder, and ends with its descriptor.
fn own_view() -> rustix::io::Result<OwnedFd> {
    let context = rustix::mount::fsopen(c"proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    rustix::mount::fsconfig_create(&context)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_listed_and_not_covered() {
        let machine = Machine::new();
        let pid = std::process::id();
        assert_eq!(machine.lists(pid), Ok(true));
        assert_eq!(machine.lists(0x3fff_ffff), Ok(false));
        let coverings = machine.coverings().unwrap();
        assert!(coverings.iter().all(|it| it.pid != pid), "{coverings:?}");
        assert!(!machine.has_found_hiding(pid));
        machine.hides(pid);
        assert!(machine.has_found_hiding(pid));
    }
}

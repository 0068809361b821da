//! Where the folder of a case stands while it is written: whoever may write to the folder above it
//! can rename it, or remove it, and what is written goes there all the same.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags};

/// Holds the folder, and can do nothing with it.
#[derive(Debug)]
pub(crate) struct Whereabouts(OwnedFd);

impl Whereabouts {
    pub(super) fn of(folder: BorrowedFd<'_>) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(folder, ".", flags, Mode::empty())?))
    }

    pub(crate) fn path(&self) -> io::Result<Option<PathBuf>> {
        let is_removed = rustix::fs::fstat(&self.0)?.st_nlink == 0;
        let path = fs::read_link(format!("/proc/self/fd/{}", self.0.as_raw_fd()))?;
        Ok((!is_removed).then_some(path))
    }
}

#[cfg(test)]
mod tests {
    use std::env::temp_dir;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn it_is_found_under_another_name_and_known_to_be_gone() {
        let (first, second) = ["first", "second"]
            .map(|name| temp_dir().join(format!("whocalls-{name}-{}", std::process::id())))
            .into();
        fs::create_dir(&first).unwrap();
        let open = fs::File::open(&first).unwrap();
        let whereabouts = Whereabouts::of(open.as_fd()).unwrap();
        let first = first.canonicalize().unwrap();
        assert_eq!(whereabouts.path().unwrap(), Some(first.clone()));
        fs::rename(&first, &second).unwrap();
        // Another one in its place is not taken for it.
        fs::create_dir(&first).unwrap();
        let second = second.canonicalize().unwrap();
        assert_eq!(whereabouts.path().unwrap(), Some(second.clone()));
        fs::remove_dir(&second).unwrap();
        assert_eq!(whereabouts.path().unwrap(), None);
        fs::remove_dir(&first).unwrap();
    }
}

//! Drives that are taken along, and how much room there is.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::io;
use std::path::{Component, Path, PathBuf, Prefix};

use windows_sys::Win32::Storage::FileSystem::{
    GetDiskFreeSpaceExW, GetDriveTypeW, GetLogicalDrives,
};

use super::wide::wide;
use crate::folder::Space;

/// `DRIVE_REMOVABLE` (fileapi.h).
const REMOVABLE: u32 = 2;

/// Sticks and cards; a disk on a cable calls itself a fixed one.
pub(crate) fn is_removable(path: &Path) -> bool {
    let Ok(path) = std::path::absolute(path) else {
        return false;
    };
    let Some(Component::Prefix(prefix)) = path.components().next() else {
        return false;
    };
    match prefix.kind() {
        Prefix::Disk(letter) | Prefix::VerbatimDisk(letter) => is_removable_drive(letter),
        Prefix::Verbatim(_) | Prefix::VerbatimUNC(..) | Prefix::DeviceNS(_) | Prefix::UNC(..) => {
            false
        }
    }
}

pub(crate) fn removable_places() -> Vec<PathBuf> {
    // SAFETY: nothing is passed.
    let drives = unsafe { GetLogicalDrives() };
    let letters = (b'A'..=b'Z')
        .enumerate()
        .filter(|(at, _)| drives & (1 << at) != 0)
        .map(|(_, letter)| letter);
    // The first two are for drives of floppy disks: to ask them is slow and loud.
    let sticks = letters.filter(|letter| *letter > b'B' && is_removable_drive(*letter));
    sticks.map(root).filter(|root| root.is_dir()).collect()
}

fn is_removable_drive(letter: u8) -> bool {
    let root = wide(&root(letter));
    // SAFETY: `root` ends with a zero and outlives the call.
    unsafe { GetDriveTypeW(root.as_ptr()) == REMOVABLE }
}

fn root(letter: u8) -> PathBuf {
    PathBuf::from(format!("{}:\\", char::from(letter)))
}

pub(crate) fn check_folder(path: &Path) -> io::Result<()> {
    match path.metadata()?.is_dir() {
        true => Ok(()),
        false => Err(io::ErrorKind::NotADirectory.into()),
    }
}

pub(crate) fn space(path: &Path) -> io::Result<Option<Space>> {
    let path = wide(path);
    let (mut free, mut total) = (0, 0);
    // SAFETY: `path` ends with a zero; all outlive the call.
    let is_told = unsafe {
        GetDiskFreeSpaceExW(
            path.as_ptr(),
            &raw mut free,
            &raw mut total,
            std::ptr::null_mut(),
        )
    };
    if is_told == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Some(Space {
        free_bytes: free,
        total_bytes: total,
    }))
}

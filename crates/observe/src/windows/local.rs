//! Files of this computer. One that lies on another is never opened: that would send packets, and a proof
//! of who looks that can be misused (NTLM), to whoever owns that computer.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::fs::{self, File};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;

use windows_sys::Win32::Storage::FileSystem::{
    FILE_READ_ATTRIBUTES, GetDriveTypeW, QueryDosDeviceW,
};

use crate::parse::windows_drive::{Device, device, on_drive};

/// `DRIVE_REMOVABLE`, `DRIVE_FIXED`, `DRIVE_CDROM`, `DRIVE_RAMDISK` (fileapi.h).
const OWN_KINDS: [u32; 4] = [2, 3, 5, 6];
/// Drives may stand for folders of one another.
const MOST_DRIVES: usize = 4;
/// Backslashes of `\\?\C:\`.
const OF_ROOT: usize = 4;

/// As it is opened to the letter, blanks and dots at its end among them. `None`: it lies on another
/// computer, a link on the way may lead there, or nobody can tell.
pub(super) fn exact(path: &str) -> Option<String> {
    let found = on_drive(path)?;
    if !is_own(found.letter) {
        return None;
    }
    let exact = format!(r"\\?\{}", found.path);
    let ends = exact.match_indices('\\').skip(OF_ROOT);
    let mut ends = ends.map(|(at, _)| at).chain([exact.len()]);
    let leads_away = ends.any(|end| exact.get(..end).is_none_or(leads_away));
    (!leads_away).then_some(exact)
}

/// Errors: `Unsupported`: it lies on another computer, and was not touched.
pub(super) fn open(path: &str) -> io::Result<File> {
    File::open(local(path)?)
}

/// Only to ask which file it is. Errors: as [`open`].
pub(super) fn open_to_ask(path: &str) -> io::Result<File> {
    let mut options = File::options();
    options.access_mode(FILE_READ_ATTRIBUTES);
    options.open(local(path)?)
}

fn local(path: &str) -> io::Result<String> {
    exact(path).ok_or_else(|| io::ErrorKind::Unsupported.into())
}

/// What a letter stands for, as an object of the kernel: `\Device\HarddiskVolume2`. Nobody is asked outside
/// of this computer. `None`: nothing has this letter.
pub(super) fn device_of(letter: u8) -> Option<String> {
    let drive = [u16::from(letter), u16::from(b':'), 0];
    let mut target = vec![0_u16; 1024];
    let room = u32::try_from(target.len()).ok()?;
    // SAFETY: `drive` ends with a zero; `target` has `room` units to write to.
    let length = unsafe { QueryDosDeviceW(drive.as_ptr(), target.as_mut_ptr(), room) };
    let told = target.get(..usize::try_from(length).ok()?)?;
    let first = told.split(|unit| *unit == 0).next()?;
    (!first.is_empty()).then(|| String::from_utf16_lossy(first))
}

fn is_own(letter: u8) -> bool {
    let mut behind = letter;
    for _ in 0..MOST_DRIVES {
        match device_of(behind).map(|it| device(&it)) {
            Some(Device::Own) => return OWN_KINDS.contains(&kind(letter)),
            Some(Device::Drive(other)) => behind = other,
            Some(Device::Elsewhere) | None => return false,
        }
    }
    false
}

fn kind(letter: u8) -> u32 {
    let root = [letter, b':', b'\\', 0].map(u16::from);
    // SAFETY: `root` ends with a zero and outlives the call.
    unsafe { GetDriveTypeW(root.as_ptr()) }
}

/// The system tells where a program really lies: a link there was made later, and may lead to a share. What
/// stands for a volume leads to a disk.
fn leads_away(path: &str) -> bool {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_symlink() => {
            let target = fs::read_link(path).ok();
            target.is_none_or(|it| !it.to_string_lossy().starts_with(r"\\?\Volume{"))
        }
        Ok(_) => false,
        // Whoever opens it is told so.
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

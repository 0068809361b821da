//! Where a recording says that it runs: in the folder for programs' own data of this user. It shares its
//! file with nobody who would write to it, so that who may open it for writing knows that nobody holds it.

use std::fs::{self, File};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// `FILE_SHARE_READ` (winnt.h).
const OTHERS_READ: u32 = 1;
/// `FILE_SHARE_READ`, `FILE_SHARE_WRITE` and `FILE_SHARE_DELETE`.
const OTHERS_DO_ANYTHING: u32 = 7;
/// `ERROR_SHARING_VIOLATION` (winerror.h).
const IS_HELD: i32 = 32;

pub(crate) fn folders() -> Vec<PathBuf> {
    let data = std::env::var_os("LOCALAPPDATA").map(PathBuf::from);
    let folders = data.filter(|it| it.is_absolute()).into_iter();
    folders
        .map(|data| data.join("whocalls").join("running"))
        .collect()
}

pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

pub(crate) fn trust(folder: &Path) -> io::Result<()> {
    match fs::symlink_metadata(folder)?.is_dir() {
        true => Ok(()),
        false => Err(io::ErrorKind::NotADirectory.into()),
    }
}

pub(crate) fn make_file(path: &Path) -> io::Result<File> {
    File::options()
        .write(true)
        .create_new(true)
        .share_mode(OTHERS_READ)
        .open(path)
}

pub(crate) fn open_file(path: &Path) -> io::Result<(File, Option<u32>)> {
    let to_write = File::options()
        .write(true)
        .share_mode(OTHERS_DO_ANYTHING)
        .open(path);
    let is_held = to_write.is_err_and(|error| error.raw_os_error() == Some(IS_HELD));
    let file = File::options()
        .read(true)
        .share_mode(OTHERS_DO_ANYTHING)
        .open(path)?;
    // The name is the number of who made it.
    let pid = path
        .file_stem()
        .and_then(|stem| stem.to_str()?.parse().ok());
    Ok((file, pid.filter(|_| is_held)))
}

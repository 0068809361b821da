//! Where a process says on this computer that it runs, and who may be believed. Such a file counts
//! as long as the kernel says that a process holds it: so nobody can name the process of somebody
//! else.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::platform;

/// The folders for it, the first that can be written to is to be taken: `/run/whocalls`, which is
/// root's and of services, and those that belong to this user alone. None needs a variable of the
/// environment: su, cron and containers set none.
pub fn folders() -> Vec<PathBuf> {
    platform::runtime::folders()
}

/// Makes one of them, where it is not there yet.
///
/// Errors: it cannot be made; as [`trust`].
pub fn make_folder(folder: &Path) -> io::Result<()> {
    platform::runtime::make_folder(folder)
}

/// Whether what lies in one of them is by whom it should be.
///
/// Errors: somebody else may have put files there; it is not there.
pub fn trust(folder: &Path) -> io::Result<()> {
    platform::runtime::trust(folder)
}

/// Makes a file there that everybody may read who may enter its folder, and holds it until this
/// process ends. It must not be opened a second time: to close that would let go of it.
///
/// Errors: there is such a file already; of the file system.
pub fn make_file(path: &Path) -> io::Result<File> {
    platform::runtime::make_file(path)
}

/// Opens such a file, and tells the number of the process that holds it. `None`: none does.
///
/// Errors: it is no file, or somebody else may have written it; it cannot be read.
pub fn open_file(path: &Path) -> io::Result<(File, Option<u32>)> {
    platform::runtime::open_file(path)
}

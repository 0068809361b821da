//! Where a case may go: beside the program when that lies on a drive that is taken along, and which
//! other such drives there are. Nothing is written.

use std::io;
use std::path::{Path, PathBuf};

use crate::folder::Space;
use crate::platform;

/// The folder that the file of this program is in. `None`: it has none any more.
pub fn program_folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    Some(program.parent()?.to_path_buf())
}

/// Whether it lies on a drive that is taken along: a stick, a card, a drive on a cable. Not the one
/// that the computer itself runs from, whatever kind that is; and not where this cannot be told.
pub fn is_removable(path: &Path) -> bool {
    platform::places::is_removable(path)
}

/// Where such drives can be written to, each once.
pub fn removable_places() -> Vec<PathBuf> {
    platform::places::removable_places()
}

/// Whether something can be made in this folder.
///
/// Errors: why not.
pub fn check_folder(path: &Path) -> io::Result<()> {
    platform::places::check_folder(path)
}

/// How much room there is where this lies. `None`: it cannot be told here.
///
/// Errors: of the file system.
pub fn space(path: &Path) -> io::Result<Option<Space>> {
    platform::places::space(path)
}

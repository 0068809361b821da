//! Removable drives: not on this platform yet.

use std::io;
use std::path::{Path, PathBuf};

use crate::folder::Space;

pub(crate) fn is_removable(_path: &Path) -> bool {
    false
}

pub(crate) fn removable_places() -> Vec<PathBuf> {
    Vec::new()
}

pub(crate) fn check_folder(path: &Path) -> io::Result<()> {
    match path.metadata()?.is_dir() {
        true => Ok(()),
        false => Err(io::ErrorKind::NotADirectory.into()),
    }
}

pub(crate) fn space(_path: &Path) -> io::Result<Option<Space>> {
    Ok(None)
}

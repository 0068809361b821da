//! Removable drives: not on this platform yet.

use std::path::{Path, PathBuf};

pub(crate) fn is_removable(_path: &Path) -> bool {
    false
}

pub(crate) fn removable_places() -> Vec<PathBuf> {
    Vec::new()
}

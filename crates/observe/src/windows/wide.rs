//! Paths as Windows takes them.

use std::os::windows::ffi::OsStrExt as _;
use std::path::Path;

/// UTF-16 with a zero at its end.
pub(super) fn wide(path: &Path) -> Vec<u16> {
    let units = path.as_os_str().encode_wide();
    units.chain(std::iter::once(0)).collect()
}

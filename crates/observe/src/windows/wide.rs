//! Texts as Windows takes them.

use std::ffi::OsStr;
use std::os::windows::ffi::OsStrExt as _;

/// UTF-16 with a zero at its end.
pub(super) fn wide(text: impl AsRef<OsStr>) -> Vec<u16> {
    let units = text.as_ref().encode_wide();
    units.chain(std::iter::once(0)).collect()
}

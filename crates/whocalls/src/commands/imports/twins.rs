//! Files with the same content.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

const AT_ONCE: usize = 1 << 20;

/// Whether both have the same bytes.
///
/// Errors: one of them cannot be read.
pub(super) fn are_equal(one: &Path, other: &Path) -> io::Result<bool> {
    let open = |path: &Path| File::open(path).map(|file| BufReader::with_capacity(AT_ONCE, file));
    let (mut one, mut other) = (open(one)?, open(other)?);
    loop {
        let (first, second) = (one.fill_buf()?, other.fill_buf()?);
        let length = first.len().min(second.len());
        if first.get(..length) != second.get(..length) {
            return Ok(false);
        }
        if length == 0 {
            return Ok(first.len() == second.len());
        }
        one.consume(length);
        other.consume(length);
    }
}

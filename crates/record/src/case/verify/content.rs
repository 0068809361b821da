//! What the content of files comes to: their hash, and how much of an unfinished one is whole.

use std::io::{self, Read};
use std::path::Path;

use model::hex;
use sha2::{Digest, Sha256};

use super::super::name;

/// What a file holds.
pub(in crate::case) struct Hashed {
    pub(in crate::case) sha256: String,
    pub(in crate::case) bytes: u64,
    pub(in crate::case) is_zeros: bool,
}

/// Reads a file from its beginning to its end.
///
/// Errors: of the file system.
pub(in crate::case) fn hash(path: &Path) -> io::Result<Hashed> {
    let mut file = name::open(path)?.ok_or(io::ErrorKind::InvalidData)?;
    let (mut hash, mut bytes, mut is_zeros) = (Sha256::new(), 0, true);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        let read = buffer.get(..read).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        hash.update(read);
        bytes += read.len() as u64;
        is_zeros = is_zeros && read.iter().all(|byte| *byte == 0);
    }
    Ok(Hashed {
        sha256: hex(&hash.finalize()),
        bytes,
        is_zeros: is_zeros && bytes > 0,
    })
}

/// Up to the end of the last line.
pub(in crate::case) fn whole_lines(mut from: impl Read) -> io::Result<u64> {
    let (mut read_before, mut whole) = (0, 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer)?;
        let read = buffer.get(..read).unwrap_or_default();
        if read.is_empty() {
            return Ok(whole);
        }
        if let Some(end) = read.iter().rposition(|byte| *byte == b'\n') {
            whole = read_before + end as u64 + 1;
        }
        read_before += read.len() as u64;
    }
}

/// Up to the end of the last block of a pcapng file of ours (draft-ietf-opsawg-pcapng, 3.1: type,
/// length, body, length; little-endian, as we write it).
pub(in crate::case) fn whole_blocks(mut from: impl Read) -> io::Result<u64> {
    let mut whole = 0;
    loop {
        let mut head = [0; 8];
        if from.read_exact(&mut head).is_err() {
            return Ok(whole);
        }
        let [_, _, _, _, length @ ..] = head;
        let length = u64::from(u32::from_le_bytes(length));
        if length < 12 || !length.is_multiple_of(4) {
            return Ok(whole);
        }
        let body = length - 12;
        let skipped = io::copy(&mut (&mut from).take(body), &mut io::sink())?;
        let mut tail = [0; 4];
        let is_whole = skipped == body
            && from.read_exact(&mut tail).is_ok()
            && u64::from(u32::from_le_bytes(tail)) == length;
        if !is_whole {
            return Ok(whole);
        }
        whole += length;
    }
}

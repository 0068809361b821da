//! Events and packets to and from a case folder: append-only, hashed while written, sealed. What is
//! observed goes in; a folder comes out that can be checked, and read again elsewhere.
#![forbid(unsafe_code)]

pub mod case;
pub mod crypt;
pub mod lines;
pub mod pack;
pub mod pcapng;
pub mod place;
pub mod review;
pub mod system;

use std::io::{self, Read};

use model::hex;
use sha2::{Digest, Sha256};

/// SHA-256 of all that can be read, in hex.
///
/// Errors: of reading.
pub fn sha256(from: &mut dyn Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(from, &mut hash)?;
    Ok(hex(&hash.finalize()))
}

//! SHA-256 of program files.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::time::Instant;

use model::{FileIdentity, Process};
use sha2::{Digest, Sha256};

use super::local;

const CHUNK: usize = 256 * 1024;

/// Each file once. Gives how many processes are left when it is time to stop.
pub(crate) fn hash_programs(processes: &mut [Process], until: Instant) -> usize {
    let mut known: HashMap<FileIdentity, Option<[u8; 32]>> = HashMap::new();
    let mut left = 0;
    for process in processes.iter_mut().filter(|it| it.sha256.is_none()) {
        let (Some(path), Some(file)) = (&process.path, process.file) else {
            continue;
        };
        if let Some(hash) = known.get(&file) {
            process.sha256 = *hash;
            continue;
        }
        match hash(&path.lossy(), until) {
            Ok(Some(hash)) => {
                known.insert(file, Some(hash));
                process.sha256 = Some(hash);
            }
            Ok(None) => left += 1,
            // It may not be read, or lies on another computer.
            Err(_) => {
                known.insert(file, None);
            }
        }
    }
    left
}

/// `None`: it was time to stop.
fn hash(path: &str, until: Instant) -> io::Result<Option<[u8; 32]>> {
    let mut file = local::open(path)?;
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        if Instant::now() >= until {
            return Ok(None);
        }
        match file.read(&mut chunk)? {
            0 => return Ok(Some(hash.finalize().into())),
            length => hash.update(chunk.get(..length).unwrap_or_default()),
        }
    }
}

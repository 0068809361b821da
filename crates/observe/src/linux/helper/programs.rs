//! The program files of a look, hashed with the rights that this process has.

use std::time::Instant;

use model::Process;

use super::file::Hashes;

/// See [`crate::hash_programs`]. What cannot be read has no hash, which says so.
pub(crate) fn hash_programs(processes: &mut [Process], until: Instant) -> usize {
    let mut hashes = Hashes::default();
    let mut left = 0;
    for process in processes {
        let Some(file) = process.file.filter(|_| process.sha256.is_none()) else {
            continue;
        };
        if Instant::now() >= until {
            left += 1;
            continue;
        }
        let hash = hashes.hash(process.id.pid, process.id.start_ticks, file);
        process.sha256 = hash.ok();
    }
    left
}

//! What must hold of every list of sockets.

use std::collections::HashSet;

use ::observe::import::{Import, Options};
use model::Imported;

/// Reads it as each of `kinds`, and as what it looks like.
pub(crate) fn check(data: &[u8], kinds: &[&str]) {
    for kind in kinds.iter().copied().map(Some).chain([None]) {
        let Ok(mut import) = Import::of_bytes(data.to_vec(), kind, Options::default()) else {
            continue;
        };
        let mut seen = Vec::new();
        while import.next(&mut seen).unwrap() {}
        let (mut ids, mut owners, mut processes) = (HashSet::new(), Vec::new(), HashSet::new());
        for seen in seen {
            match seen {
                Imported::Connection(connection) => {
                    assert!(ids.insert(connection.id), "two rows have one id");
                    owners.extend(connection.owner.process());
                    owners.extend(connection.also_held_by);
                }
                Imported::Process(process) => {
                    assert_ne!(process.id.pid, 0);
                    processes.insert(process.id);
                }
                Imported::Name(_)
                | Imported::Device(_)
                | Imported::Gap(_)
                | Imported::Span(..)
                | Imported::Look(_) => {}
            }
        }
        assert!(owners.iter().all(|owner| processes.contains(owner)));
        // What it looks like may be a capture, which has no lines.
        let lines = data.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        assert!(kind.is_none() || import.skipped().count <= lines * 2);
    }
}

//! Copies of program files for the case: those that may be gone when somebody looks for them.

use model::{PathState, Process, Text};

/// Folders that everybody may write to, or that are gone after the next start.
const TEMPORARY: [&[u8]; 6] = [
    b"/tmp/",
    b"/var/tmp/",
    b"/dev/shm/",
    b"/run/user/",
    b"/run/lock/",
    b"/dev/mqueue/",
];

/// Whether its file was deleted or lives in memory only, or lies in a temporary or hidden folder.
pub(super) fn is_suspect(process: &Process) -> bool {
    if process.kernel_thread {
        return false;
    }
    match process.path_state {
        PathState::Deleted | PathState::Memfd => true,
        PathState::Present | PathState::Unknown => process.path.as_ref().is_some_and(is_odd),
    }
}

fn is_odd(path: &Text) -> bool {
    let path = path.bytes();
    let hidden = |part: &[u8]| part.starts_with(b".") && part != b"." && part != b"..";
    TEMPORARY.iter().any(|folder| path.starts_with(folder))
        || path.split(|byte| *byte == b'/').any(hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_and_hidden_places_are_odd() {
        for (path, odd) in [
            ("/tmp/x", true),
            ("/home/lena/.cache/.fonts/updater", true),
            ("/dev/shm/a/b", true),
            ("/usr/bin/.hidden", true),
            ("/usr/bin/curl", false),
            ("/usr/lib/x..y/z", false),
            ("/home/lena/tmp/program", false),
        ] {
            assert_eq!(is_odd(&path.into()), odd, "{path}");
        }
    }
}

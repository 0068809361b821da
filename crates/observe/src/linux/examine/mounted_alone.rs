//! Programs whose file was mounted alone, on a mount that is on no list any more. Container runtimes start
//! themselves so (runc and crun since CVE-2019-5736), that nobody in the container can write to them.
//!
//! The kernel shows `/` as the path of such a file. Where it is the very file that lies where programs of
//! its name do, that is its path.

use super::Subject;

/// What the kernel shows (fs/d_path.c: the path ends at the root of the mount).
const SHOWN: &[u8] = b"/";

const FOLDERS: [&str; 8] = [
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/usr/lib/cri-o-runc/sbin",
    "/bin",
    "/sbin",
];
const LONGEST_NAME: usize = 255;

/// Whether a path of the kernel's is that of a file that was mounted alone.
pub(super) fn is_shown(path: &[u8]) -> bool {
    path == SHOWN
}

/// Where the program would lie by its name. That it is the same file is for the caller to see.
pub(super) fn places(subject: &Subject) -> Vec<Vec<u8>> {
    let arguments = subject.arguments().unwrap_or_default();
    let Some(first) = arguments.first().map(|it| it.bytes()) else {
        return Vec::new();
    };
    let name = first.rsplit(|byte| *byte == b'/').next().unwrap_or(first);
    if name.is_empty() || name.len() > LONGEST_NAME || name.contains(&0) {
        return Vec::new();
    }
    let folders = FOLDERS.iter().map(|folder| folder.as_bytes());
    folders.map(|folder| [folder, name].join(&b'/')).collect()
}

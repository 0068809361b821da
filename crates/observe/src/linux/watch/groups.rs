//! Which unit or container a control group stands for.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::linux::cgroup;
use crate::parse::cgroup::{Place, place};

const MOST_GROUPS: usize = 65_536;
const DEEPEST: usize = 32;
/// The tree is not read again before this time is over.
const REST: Duration = Duration::from_secs(1);

/// The tree of control groups, read when one is asked for that is not known.
#[derive(Default)]
pub(super) struct Groups {
    places: HashMap<u64, Place>,
    read: Option<Instant>,
}

impl Groups {
    /// By the id of the group, which is the inode number of its folder. `None`: not found.
    pub(super) fn place(&mut self, id: u64) -> Option<&Place> {
        if !self.places.contains_key(&id) && self.read.is_none_or(|read| read.elapsed() >= REST) {
            self.read_again();
        }
        self.places.get(&id)
    }

    fn read_again(&mut self) {
        self.places.clear();
        self.read = Some(Instant::now());
        let Some(root) = cgroup::mounted().into_iter().next() else {
            return;
        };
        let mut left = vec![(root.clone(), 0)];
        while let Some((folder, depth)) = left.pop() {
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries.flatten() {
                let is_group = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if !is_group || depth >= DEEPEST || self.places.len() >= MOST_GROUPS {
                    continue;
                }
                let path = entry.path();
                self.places.insert(entry.ino(), place_of(&root, &path));
                left.push((path, depth + 1));
            }
        }
    }
}

/// As a line of /proc/PID/cgroup has it.
fn place_of(root: &PathBuf, path: &Path) -> Place {
    let below = path.strip_prefix(root).unwrap_or(path);
    let line = [b"0::/", below.as_os_str().as_bytes(), b"\n"].concat();
    place(&line)
}

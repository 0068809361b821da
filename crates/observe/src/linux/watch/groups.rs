//! Which unit or container a control group stands for.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
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
    /// `None`: a reading that came after it was first asked for did not find it. No other group
    /// will ever have its id.
    places: HashMap<u64, Option<Place>>,
    read: Option<Instant>,
}

impl Groups {
    /// By the id of the group, which is the inode number of its folder. `None`: not found.
    pub(super) fn place(&mut self, id: u64) -> Option<&Place> {
        self.place_in(id, || cgroup::mounted().into_iter().next())
    }

    fn place_in(&mut self, id: u64, root: impl FnOnce() -> Option<PathBuf>) -> Option<&Place> {
        let rested = self.read.is_none_or(|read| read.elapsed() >= REST);
        if rested && !self.places.contains_key(&id) {
            self.read = Some(Instant::now());
            let found = root().map(|root| read(&root)).unwrap_or_default();
            // Those that are not there any more are forgotten, except that nobody finds them.
            self.places.retain(|_, place| place.is_none());
            if self.places.len() >= MOST_GROUPS {
                self.places.clear();
            }
            let found = found.into_iter().map(|(id, place)| (id, Some(place)));
            self.places.extend(found);
            self.places.entry(id).or_default();
        }
        self.places.get(&id)?.as_ref()
    }
}

/// All groups of a tree, the root among them.
fn read(root: &Path) -> HashMap<u64, Place> {
    let mut places = HashMap::new();
    if let Ok(itself) = fs::metadata(root) {
        places.insert(itself.ino(), place_of(root, root));
    }
    let mut left = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = left.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let is_group = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if !is_group || depth >= DEEPEST || places.len() >= MOST_GROUPS {
                continue;
            }
            let path = entry.path();
            places.insert(entry.ino(), place_of(root, &path));
            left.push((path, depth + 1));
        }
    }
    places
}

/// As a line of /proc/PID/cgroup has it.
fn place_of(root: &Path, path: &Path) -> Place {
    let below = path.strip_prefix(root).unwrap_or(path);
    let line = [b"0::/", below.as_os_str().as_bytes(), b"\n"].concat();
    place(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder in the place of the tree; gone with this value.
    struct Tree(PathBuf);

    impl Tree {
        fn new() -> Self {
            let name = format!("whocalls-groups-{}", std::process::id());
            let tree = Self(std::env::temp_dir().join(name));
            fs::create_dir_all(tree.0.join("system.slice/one.service")).unwrap();
            tree
        }

        fn id(&self, group: &str) -> u64 {
            fs::metadata(self.0.join(group)).unwrap().ino()
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_tree_is_read_for_what_may_be_new_only() {
        let tree = Tree::new();
        let mut groups = Groups::default();
        // What is asked, the unit, and whether the tree is read for it.
        let mut check = |id: u64, unit: Option<&str>, expected: bool| {
            // It has rested.
            groups.read = None;
            let mut read = false;
            let root = || {
                read = true;
                Some(tree.0.clone())
            };
            let found = groups.place_in(id, root);
            assert_eq!(found.is_some(), unit.is_some(), "{id}");
            let found = found.and_then(|place| place.unit.clone());
            let expected_unit = unit.filter(|unit| !unit.is_empty()).map(Into::into);
            assert_eq!(found, expected_unit, "{id}");
            assert_eq!(read, expected, "{id}");
        };
        check(
            tree.id("system.slice/one.service"),
            Some("one.service"),
            true,
        );
        check(
            tree.id("system.slice/one.service"),
            Some("one.service"),
            false,
        );
        // The group of all that are in no other.
        check(tree.id(""), Some(""), false);
        // Nowhere to be found, not even the second time.
        check(1, None, true);
        check(1, None, false);
        fs::create_dir(tree.0.join("two.scope")).unwrap();
        check(tree.id("two.scope"), Some("two.scope"), true);
        check(1, None, false);
    }

    #[test]
    fn the_tree_is_not_read_all_the_time() {
        let mut groups = Groups::default();
        assert_eq!(groups.place_in(1, || None), None);
        let mut read = false;
        let again = groups.place_in(2, || {
            read = true;
            None
        });
        assert_eq!((again, read), (None, false));
        // It may have come since the tree was read.
        assert!(!groups.places.contains_key(&2));
    }
}

//! Rooms for cases, and what is done with a case that lies in one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::program::{Run, WHOCALLS};
use crate::setting::{command, unique};

/// A folder with room for a case, removed at the end. The disk may be nearly full, so it is in
/// memory where that can be.
pub(crate) struct Room(PathBuf);

impl Room {
    pub(crate) fn new() -> Self {
        let name = format!("whocalls-{}", unique());
        let places = [PathBuf::from("/dev/shm"), env::temp_dir()];
        let mut made = places.iter().map(|place| place.join(&name));
        let made =
            made.find(|path| has_room(path.parent().unwrap()) && fs::create_dir(path).is_ok());
        Self(made.expect("a place with room for a case"))
    }

    /// Leaves none behind.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Self(PathBuf::from("/nowhere/at/all")))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The one case in it. `None`: it was not made yet.
    pub(crate) fn case(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut cases = paths.filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            path.is_dir() && name.starts_with("whocalls-")
        });
        let case = cases.next();
        assert!(cases.next().is_none(), "more than one case");
        case
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn has_room(place: &Path) -> bool {
    const LEAST: u64 = 256 << 20;
    rustix::fs::statvfs(place).is_ok_and(|about| {
        let floor = about.f_blocks / 20;
        about.f_bavail.saturating_sub(floor) * about.f_frsize > LEAST
    })
}

/// Runs whocalls with a case: `before` CASE `after`.
pub(crate) fn on(case: &Path, before: &[&str], after: &[&str]) -> Run {
    let mut command = Command::new(WHOCALLS);
    let run = Run::of(command.args(before).arg(case).args(after));
    assert!(!run.talk().contains("panicked"), "{}", run.talk());
    assert!(run.code.is_some(), "a signal ended {before:?}");
    run
}

/// All files below a folder with what is in them; folders and links with nothing.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        // While a recording runs, files come and go.
        let Ok(entries) = fs::read_dir(&next) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let Ok(about) = fs::symlink_metadata(&path) else {
                continue;
            };
            let content = if about.is_file() {
                fs::read(&path).unwrap_or_default()
            } else {
                Vec::new()
            };
            if about.is_dir() {
                folders.push(path.clone());
            }
            all.insert(path, content);
        }
    }
    all
}

pub(crate) fn copy_of(case: &Path, room: &Room) -> PathBuf {
    let copy = room.file(&format!("whocalls-copy-{}", unique()));
    let copied = command("cp").arg("-a").arg(case).arg(&copy).status();
    assert!(copied.unwrap().success());
    copy
}

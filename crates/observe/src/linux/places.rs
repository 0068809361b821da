//! Which drives are taken along: sticks, cards, drives on a cable. The kernel says so of what can be
//! taken out of its slot; of a drive on a USB cable it says the cable, and of a card its kind.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::folder::Space;
use crate::parse::mount_info::{Mounted, mounted};

const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// An encrypted volume on a logical one on a partition is three.
const DEEPEST: usize = 4;
/// What the computer runs from.
const OWN: [&str; 4] = ["/", "/usr", "/home", "/boot"];

pub(crate) fn is_removable(path: &Path) -> bool {
    Places::read().is_removable(path)
}

pub(crate) fn removable_places() -> Vec<PathBuf> {
    Places::read().removable_places()
}

pub(crate) fn check_folder(path: &Path) -> io::Result<()> {
    if !path.metadata()?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(access(path, Access::WRITE_OK | Access::EXEC_OK)?)
}

pub(crate) fn space(path: &Path) -> io::Result<Option<Space>> {
    let seen = rustix::fs::statvfs(path)?;
    Ok(Some(Space {
        free_bytes: seen.f_bavail.saturating_mul(seen.f_frsize),
        total_bytes: seen.f_blocks.saturating_mul(seen.f_frsize),
    }))
}

struct Places {
    mounts: Vec<Mounted>,
    /// sysfs(5)
    sys: PathBuf,
}

impl Places {
    fn read() -> Self {
        let mut mounts = Vec::new();
        if let Ok(list) = File::open("/proc/self/mountinfo") {
            let lines = BufReader::new(list.take(MOST_BYTES)).split(b'\n');
            mounts.extend(
                lines
                    .map_while(Result::ok)
                    .filter_map(|line| mounted(&line)),
            );
        }
        Self {
            mounts,
            sys: "/sys".into(),
        }
    }

    fn is_removable(&self, path: &Path) -> bool {
        let Ok(seen) = path.metadata() else {
            return false;
        };
        let device = seen.dev();
        let device = (rustix::fs::major(device), rustix::fs::minor(device));
        let own = self.own_drives();
        let mut here = self.mounts.iter().filter(|mount| mount.device == device);
        let device = here.next().map_or(Some(device), block_device);
        device.is_some_and(|device| self.may_be_taken(device, &own))
    }

    fn removable_places(&self) -> Vec<PathBuf> {
        let own = self.own_drives();
        let mut seen = HashSet::new();
        let mut places = Vec::new();
        for mount in &self.mounts {
            let Some(device) = block_device(mount).filter(|_| mount.is_writable) else {
                continue;
            };
            // A drive that is mounted in several places is one place.
            if self.may_be_taken(device, &own) && seen.insert(device) {
                let path = std::ffi::OsString::from_vec(mount.point.clone());
                places.push(PathBuf::from(path));
            }
        }
        places
    }

    fn may_be_taken(&self, device: (u32, u32), own: &HashSet<PathBuf>) -> bool {
        let drives = self.drives(device);
        !drives.is_empty()
            && drives
                .iter()
                .all(|drive| !own.contains(drive) && is_taken_along(drive))
    }

    fn own_drives(&self) -> HashSet<PathBuf> {
        let own = |mount: &&Mounted| OWN.iter().any(|own| own.as_bytes() == mount.point);
        let devices = self.mounts.iter().filter(own).filter_map(block_device);
        devices.flat_map(|device| self.drives(device)).collect()
    }

    /// The folders in sysfs of the drives that a block device lies on, not of their partitions.
    fn drives(&self, (major, minor): (u32, u32)) -> Vec<PathBuf> {
        let link = self.sys.join(format!("dev/block/{major}:{minor}"));
        let mut drives = Vec::new();
        if let Ok(device) = link.canonicalize() {
            collect(&device, DEEPEST, &mut drives);
        }
        drives
    }
}

fn collect(device: &Path, deepest: usize, drives: &mut Vec<PathBuf>) {
    let below = device.join("slaves").read_dir();
    let below: Vec<_> = below.into_iter().flatten().flatten().collect();
    if below.is_empty() || deepest == 0 {
        let is_partition = device.join("partition").exists();
        let drive = if is_partition {
            device.parent()
        } else {
            Some(device)
        };
        drives.extend(drive.map(Path::to_path_buf));
    }
    for link in below {
        if let (Ok(device), Some(deeper)) = (link.path().canonicalize(), deepest.checked_sub(1)) {
            collect(&device, deeper, drives);
        }
    }
}

/// The block device of a mount. `None`: it has none.
fn block_device(mount: &Mounted) -> Option<(u32, u32)> {
    // A file system that spans devices, or that a program answers for, has a number of its own.
    if mount.device.0 != 0 {
        return Some(mount.device);
    }
    if !mount.source.starts_with(b"/dev/") {
        return None;
    }
    let source = PathBuf::from(std::ffi::OsString::from_vec(mount.source.clone()));
    let seen = source.metadata().ok()?;
    let number = seen.rdev();
    let is_block = seen.file_type().is_block_device();
    is_block.then(|| (rustix::fs::major(number), rustix::fs::minor(number)))
}

/// Whether a drive can be taken out, as sysfs has it (Documentation/ABI: `removable` of a block
/// device is 1, of a device on a bus `removable`; the `type` of a card is SD).
fn is_taken_along(drive: &Path) -> bool {
    let says = |folder: &Path, name: &str, word: &str| {
        let mut text = String::new();
        let file = File::open(folder.join(name));
        let read = file.and_then(|file| file.take(32).read_to_string(&mut text));
        read.is_ok() && text.trim_end() == word
    };
    if says(drive, "removable", "1") {
        return true;
    }
    drive.ancestors().any(|above| {
        let name = above.file_name().and_then(|name| name.to_str());
        let bus = name.and_then(|name| name.strip_prefix("usb"));
        bus.is_some_and(|bus| !bus.is_empty() && bus.bytes().all(|byte| byte.is_ascii_digit()))
            || says(above, "removable", "removable")
            || (says(above, "type", "SD")
                && above
                    .parent()
                    .is_some_and(|host| host.to_string_lossy().contains("mmc_host")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// A tree as the kernel shows it, and mounts on it.
    struct Tree {
        folder: PathBuf,
        mounts: Vec<Mounted>,
    }

    impl Tree {
        fn new(name: &str) -> Self {
            let name = format!("whocalls-places-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(folder.join("dev/block")).unwrap();
            let folder = folder.canonicalize().unwrap();
            let mounts = Vec::new();
            Self { folder, mounts }
        }

        /// A drive with one partition; `files` lie beside it and above it.
        fn drive(&self, path: &str, minor: u32, files: &[(&str, &str)]) -> &Self {
            let drive = self.folder.join(path);
            fs::create_dir_all(drive.join("part1")).unwrap();
            fs::write(drive.join("part1/partition"), "1\n").unwrap();
            for (name, text) in files {
                fs::write(drive.join(name), text).unwrap();
            }
            let link = |minor| self.folder.join(format!("dev/block/8:{minor}"));
            symlink(&drive, link(minor)).unwrap();
            symlink(drive.join("part1"), link(minor + 1)).unwrap();
            self
        }

        /// A volume on another device.
        fn volume(&self, name: &str, minor: u32, on: &str) {
            let volume = self.folder.join("devices/virtual/block").join(name);
            fs::create_dir_all(volume.join("slaves")).unwrap();
            fs::write(volume.join("removable"), "0\n").unwrap();
            symlink(self.folder.join(on), volume.join("slaves/it")).unwrap();
            let link = self.folder.join(format!("dev/block/8:{minor}"));
            symlink(&volume, link).unwrap();
        }

        fn mount(&mut self, point: &str, minor: u32, is_writable: bool) {
            self.mounts.push(Mounted {
                device: (8, minor),
                point: point.into(),
                source: b"/dev/x".to_vec(),
                is_writable,
            });
        }

        fn check(&self, expected: &[&str]) {
            let places = Places {
                mounts: self.mounts.clone(),
                sys: self.folder.clone(),
            };
            let expected: Vec<_> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(places.removable_places(), expected);
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    const FIXED: &[(&str, &str)] = &[("removable", "0\n")];

    #[test]
    fn sticks_cards_and_drives_on_a_cable_are_taken_along() {
        let mut tree = Tree::new("taken");
        tree.drive("devices/pci0/ata1/block/sda", 0, FIXED);
        tree.drive("devices/pci0/usb2/2-1/block/sdb", 16, FIXED);
        tree.drive("devices/pci0/ata2/block/sdc", 32, &[("removable", "1\n")]);
        let card = [("removable", "0\n"), ("../../type", "SD\n")];
        tree.drive("devices/soc/mmc_host/mmc1/mmc1:1/block/mmcblk1", 48, &card);
        let chip = [("removable", "0\n"), ("../../type", "MMC\n")];
        tree.drive("devices/soc/mmc_host/mmc0/mmc0:1/block/mmcblk0", 64, &chip);
        let port = [("removable", "0\n"), ("../../removable", "removable\n")];
        tree.drive("devices/pci0/pci1/nvme/nvme1/nvme1n1", 80, &port);
        tree.volume("dm-0", 96, "devices/pci0/usb2/2-1/block/sdb/part1");
        for (point, minor) in [
            ("/", 1),
            ("/stick", 17),
            ("/slot", 33),
            ("/card", 49),
            ("/chip", 65),
            ("/port", 81),
            ("/locked", 96),
            ("/unknown", 200),
        ] {
            tree.mount(point, minor, true);
        }
        tree.check(&["/stick", "/slot", "/card", "/port", "/locked"]);
    }

    #[test]
    fn what_the_computer_runs_from_stays() {
        let mut tree = Tree::new("runs");
        let card = [("removable", "0\n"), ("../../type", "SD\n")];
        tree.drive("devices/soc/mmc_host/mmc0/mmc0:1/block/mmcblk0", 0, &card);
        tree.mount("/", 0, true);
        // Another part of the same card.
        tree.mount("/data", 1, true);
        tree.check(&[]);
    }

    #[test]
    fn a_place_is_named_once_and_can_be_written_to() {
        let mut tree = Tree::new("once");
        tree.drive("devices/pci0/usb2/2-1/block/sdb", 16, FIXED);
        tree.drive("devices/pci0/usb2/2-2/block/sr0", 32, FIXED);
        tree.mount("/stick", 17, true);
        tree.mount("/again", 17, true);
        tree.mount("/disc", 32, false);
        tree.check(&["/stick"]);
    }

    #[test]
    fn the_folder_for_temporary_files_is_not_taken_along() {
        assert!(!is_removable(&std::env::temp_dir()));
        assert!(!is_removable(Path::new("/proc")));
        assert!(!is_removable(Path::new("/nowhere")));
    }
}

//! The control groups of this computer (version 2): where programs are attached, and what group a
//! process is in.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

use crate::parse::mount_info::cgroup2_mount;

/// Inode of the first cgroup namespace (PROC_CGROUP_INIT_INO, include/linux/proc_ns.h).
const FIRST_CGROUP_NAMESPACE: &str = "cgroup:[4026531835]";

/// The group that all processes are in. Where no such file system is mounted it is mounted for us
/// alone, at no place.
///
/// Errors: the kernel has none, or no right to mount it.
pub(crate) fn root() -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for path in mounted() {
        if let Ok(root) = rustix::fs::open(&path, flags, Mode::empty()) {
            return Ok(root);
        }
    }
    let system = rustix::mount::fsopen("cgroup2", FsOpenFlags::FSOPEN_CLOEXEC)?;
    rustix::mount::fsconfig_create(&system)?;
    let mounted = rustix::mount::fsmount(
        &system,
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::empty(),
    )?;
    Ok(mounted)
}

/// Whether the groups of processes outside of a container cannot be seen.
pub(crate) fn in_nested_cgroup_namespace() -> bool {
    let link = std::fs::read_link("/proc/self/ns/cgroup");
    link.is_ok_and(|link| link != Path::new(FIRST_CGROUP_NAMESPACE))
}

/// Where the whole tree of groups is mounted.
pub(crate) fn mounted() -> Vec<PathBuf> {
    let Ok(file) = File::open("/proc/self/mountinfo") else {
        return Vec::new();
    };
    let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
    lines
        .filter_map(|line| cgroup2_mount(&line).map(|path| OsString::from_vec(path).into()))
        .collect()
}

//! The program files of processes, read by the helper.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use model::FileIdentity;
use rustix::fs::{AtFlags, FileType, MemfdFlags, Mode, OFlags, Statx, StatxFlags};
use rustix::io::{Errno, retry_on_intr};
use sha2::{Digest, Sha256};

use super::wire::{LONGEST_LINK, ProgramFile, Why};
use crate::parse::mount_info::{Mount, mount};
use crate::parse::proc_pid::stat;

/// Larger files are not read.
const MOST_BYTES: u64 = 1 << 30;
const BUFFER: usize = 256 * 1024;
/// So many hashes are kept.
const MOST_HASHES: usize = 4096;
/// A browser has less.
const MOST_MAPS_BYTES: u64 = 1024 * 1024;
const MOST_MOUNTINFO_BYTES: u64 = 16 * 1024 * 1024;

/// Hashes of files, as long as these are unchanged.
#[derive(Default)]
pub(super) struct Hashes(HashMap<Version, [u8; 32]>);

/// What changes when a file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Version {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, u32),
    changed: (i64, u32),
}

impl Hashes {
    /// SHA-256 of the program file of that run, if it is that file.
    pub(super) fn hash(
        &mut self,
        pid: u32,
        start_ticks: u64,
        wanted: FileIdentity,
    ) -> Result<[u8; 32], Why> {
        let process = process(pid, start_ticks)?;
        // A file that is opened only as a path makes nobody wait.
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let program = rustix::fs::openat(&process, c"exe", flags, Mode::empty())?;
        let seen = status(&program)?;
        if FileType::from_raw_mode(seen.stx_mode.into()) != FileType::RegularFile {
            return Err(Why::NotAFile);
        }
        let version = Version::of(&seen);
        let mount = mount_of(&process, &seen)?;
        let devices = [
            Some(version.device),
            mount.map(|mount| rustix::fs::makedev(mount.device.0, mount.device.1)),
        ];
        // Some file systems show other numbers of devices than the kernel has for them.
        if wanted.inode != version.inode || !devices.contains(&Some(wanted.device)) {
            return Err(Why::OtherFile);
        }
        if mount.is_some_and(|mount| mount.is_elsewhere) {
            return Err(Why::Elsewhere);
        }
        if version.size > MOST_BYTES {
            return Err(Why::TooLarge);
        }
        if let Some(hash) = self.0.get(&version) {
            return Ok(*hash);
        }
        let path = format!("/proc/self/fd/{}", program.as_raw_fd());
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let hash = read(&mut file).map_err(failed)?;
        if Version::of(&status(&file)?) != version {
            return Err(Why::Changed);
        }
        if self.0.len() >= MOST_HASHES {
            self.0.clear();
        }
        self.0.insert(version, hash);
        Ok(hash)
    }
}

impl Version {
    fn of(status: &Statx) -> Self {
        let time = |time: rustix::fs::StatxTimestamp| (time.tv_sec, time.tv_nsec);
        Self {
            device: rustix::fs::makedev(status.stx_dev_major, status.stx_dev_minor),
            inode: status.stx_ino,
            size: status.stx_size,
            modified: time(status.stx_mtime),
            changed: time(status.stx_ctime),
        }
    }
}

/// Which program file that run has.
pub(super) fn program(pid: u32, start_ticks: u64) -> Result<ProgramFile, Why> {
    let process = process(pid, start_ticks)?;
    let mut buffer = [0; LONGEST_LINK];
    let length = rustix::fs::readlinkat_raw(&process, c"exe", &mut buffer[..])?;
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let program = rustix::fs::openat(&process, c"exe", flags, Mode::empty())?;
    let seen = status(&program)?;
    let version = Version::of(&seen);
    Ok(ProgramFile {
        link: buffer.get(..length).unwrap_or_default().into(),
        file: FileIdentity {
            device: version.device,
            inode: version.inode,
        },
        links: seen.stx_nlink.into(),
    })
}

/// The program file of that run, open for reading.
pub(crate) fn open(pid: u32, start_ticks: u64) -> Result<OwnedFd, Why> {
    let process = process(pid, start_ticks)?;
    // A file that is opened only as a path makes nobody wait.
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let program = rustix::fs::openat(&process, c"exe", flags, Mode::empty())?;
    let seen = status(&program)?;
    if FileType::from_raw_mode(seen.stx_mode.into()) != FileType::RegularFile {
        return Err(Why::NotAFile);
    }
    if mount_of(&process, &seen)?.is_some_and(|mount| mount.is_elsewhere) {
        return Err(Why::Elsewhere);
    }
    if seen.stx_size > MOST_BYTES {
        return Err(Why::TooLarge);
    }
    let path = format!("/proc/self/fd/{}", program.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// What that run has in its memory, as text. What is longer is cut off.
pub(crate) fn maps(pid: u32, start_ticks: u64) -> Result<Vec<u8>, Why> {
    let process = process(pid, start_ticks)?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let maps = File::from(rustix::fs::openat(&process, c"maps", flags, Mode::empty())?);
    let mut text = Vec::new();
    maps.take(MOST_MAPS_BYTES)
        .read_to_end(&mut text)
        .map_err(failed)?;
    Ok(text)
}

/// The same in a file that lives in memory only, to be handed over.
pub(super) fn copy_of_maps(pid: u32, start_ticks: u64) -> Result<OwnedFd, Why> {
    let text = maps(pid, start_ticks)?;
    let copy = rustix::fs::memfd_create(c"maps", MemfdFlags::CLOEXEC)?;
    let mut copy = File::from(copy);
    copy.write_all(&text).map_err(failed)?;
    copy.rewind().map_err(failed)?;
    Ok(copy.into())
}

/// The folder of that run in /proc. What is read through it is of the same run, or an error.
fn process(pid: u32, start_ticks: u64) -> Result<OwnedFd, Why> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let process = rustix::fs::open(format!("/proc/{pid}"), flags, Mode::empty())?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&process, c"stat", flags, Mode::empty())?;
    let mut buffer = [0; 4096];
    let length = retry_on_intr(|| rustix::io::read(&file, &mut buffer[..]))?;
    let started = stat(buffer.get(..length).unwrap_or_default()).map(|stat| stat.start_ticks);
    if started == Some(start_ticks) {
        Ok(process)
    } else {
        Err(Why::Gone)
    }
}

fn status(file: impl AsFd) -> Result<Statx, Errno> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::EMPTY_PATH;
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
    rustix::fs::statx(file, c"", flags, wanted)
}

/// Where a file is mounted, as its process sees it. `None`: it is not in that list, as a file that
/// lives in memory only; or a kernel before 5.8.
fn mount_of(process: &OwnedFd, status: &Statx) -> Result<Option<Mount>, Why> {
    if status.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
        return Ok(None);
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let list = rustix::fs::openat(process, c"mountinfo", flags, Mode::empty())?;
    let list = BufReader::new(File::from(list).take(MOST_MOUNTINFO_BYTES));
    for line in list.split(b'\n') {
        let found = mount(&line.map_err(failed)?);
        if let Some(found) = found.filter(|found| found.id == status.stx_mnt_id) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn read(file: &mut File) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    // It may have grown since it was asked for its size.
    let mut file = file.take(MOST_BYTES);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(length) => hash.update(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn failed(error: io::Error) -> Why {
    Errno::from_io_error(&error).unwrap_or(Errno::IO).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> (u32, u64, FileIdentity) {
        let pid = std::process::id();
        let text = std::fs::read("/proc/self/stat").unwrap();
        let seen = rustix::fs::stat("/proc/self/exe").unwrap();
        let file = FileIdentity {
            device: seen.st_dev,
            inode: seen.st_ino,
        };
        (pid, stat(&text).unwrap().start_ticks, file)
    }

    #[test]
    fn hashes_the_file_that_runs() {
        let (pid, start_ticks, file) = own();
        let mut hashes = Hashes::default();
        let hash = hashes.hash(pid, start_ticks, file).unwrap();
        let whole = std::fs::read("/proc/self/exe").unwrap();
        assert_eq!(hash, <[u8; 32]>::from(Sha256::digest(whole)));
        assert_eq!(hashes.hash(pid, start_ticks, file), Ok(hash));
        assert_eq!(hashes.0.len(), 1);
    }

    #[test]
    fn hashes_no_other_run_and_no_other_file() {
        let (pid, start_ticks, file) = own();
        let mut hashes = Hashes::default();
        assert_eq!(hashes.hash(pid, start_ticks + 1, file), Err(Why::Gone));
        assert_eq!(hashes.hash(0x7fff_ffff, 1, file), Err(Why::Gone));
        for other in [
            FileIdentity {
                inode: file.inode + 1,
                ..file
            },
            FileIdentity {
                device: file.device + 1,
                ..file
            },
        ] {
            let hash = hashes.hash(pid, start_ticks, other);
            assert_eq!(hash, Err(Why::OtherFile));
        }
    }

    #[test]
    fn opens_the_file_that_runs_for_reading_only() {
        let (pid, start_ticks, _) = own();
        let mut file = File::from(open(pid, start_ticks).unwrap());
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert!(bytes == std::fs::read("/proc/self/exe").unwrap());
        assert!(file.write_all(b"x").is_err());
        assert_eq!(open(pid, start_ticks + 1).unwrap_err(), Why::Gone);
    }

    #[test]
    fn opens_a_file_that_has_no_name() {
        let memory = rustix::fs::memfd_create(c"hidden", MemfdFlags::CLOEXEC).unwrap();
        let sleep = std::fs::read("/bin/sleep").unwrap();
        File::from(memory.try_clone().unwrap())
            .write_all(&sleep)
            .unwrap();
        let program = format!("/proc/{}/fd/{}", std::process::id(), memory.as_raw_fd());
        let mut child = std::process::Command::new(program)
            .arg("1000")
            .spawn()
            .unwrap();
        let text = std::fs::read(format!("/proc/{}/stat", child.id())).unwrap();
        let start_ticks = stat(&text).unwrap().start_ticks;
        let mut bytes = Vec::new();
        let opened = open(child.id(), start_ticks).unwrap();
        File::from(opened).read_to_end(&mut bytes).unwrap();
        // It counts as started before its memory is filled.
        let mut text = String::new();
        for _ in 0..1000 {
            text.clear();
            let opened = copy_of_maps(child.id(), start_ticks).unwrap();
            File::from(opened).read_to_string(&mut text).unwrap();
            if text.contains("memfd") {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(bytes == sleep);
        assert!(text.contains("/memfd:hidden (deleted)"), "{text}");
        assert_eq!(maps(child.id(), start_ticks).unwrap_err(), Why::Gone);
    }

    #[test]
    fn tells_which_file_runs() {
        let (pid, start_ticks, file) = own();
        let found = program(pid, start_ticks).unwrap();
        let link = std::fs::read_link("/proc/self/exe").unwrap();
        assert_eq!(found.link.lossy(), link.to_str().unwrap());
        assert_eq!(found.file, file);
        assert_eq!(program(pid, start_ticks + 1), Err(Why::Gone));
    }
}

//! The process that is examined: its folder in /proc, held open, and what several checks read of it.

use std::cell::OnceCell;
use std::ffi::CStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use model::{Text, Untested};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::io::Errno;
use rustix::path::DecInt;

use super::descriptors::{self, Sockets};
use super::memory::status_of;
use crate::parse::memory_map::{Region, regions};
use crate::parse::proc_pid::{Stat, arguments, stat};

/// A browser has some 3,000 regions; the kernel allows 65,530, if nobody has raised that.
const MOST_REGIONS: usize = 100_000;
const MOST_MAPS_BYTES: u64 = 16 * 1024 * 1024;
const MOST_TEXT_BYTES: u64 = 256 * 1024;
/// Of arguments, and of the environment. Linux takes up to 6 MiB of both together, where somebody has raised
/// the limit of the stack, and 2 MiB else (fs/exec.c, bprm_stack_limits).
const MOST_STRINGS_BYTES: usize = 1024 * 1024;
const MOST_STRINGS: usize = 65_536;
/// The kernel shows no longer path of a link, and takes none (PATH_MAX, with the NUL).
pub(super) const LONGEST_LINK: usize = 4096;
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// One run of a program. Whatever is read through it is of that run, or an error: the folder is held
/// open, and that of a process that has ended gives nothing.
#[derive(Debug)]
pub(crate) struct Subject {
    pid: u32,
    folder: OwnedFd,
    stat: Stat,
    regions: OnceCell<Result<Regions, Untested>>,
    arguments: OnceCell<Result<Strings, Untested>>,
    environment: OnceCell<Result<Strings, Untested>>,
    status: OnceCell<Result<Vec<u8>, Untested>>,
    program: OnceCell<Result<Program, Untested>>,
    sockets: OnceCell<Result<Sockets, Untested>>,
}

#[derive(Debug)]
struct Regions {
    regions: Vec<Region>,
    /// There are more than were read.
    cut: bool,
}

impl Regions {
    fn of(maps: &[u8], most_bytes: u64, most: usize) -> Self {
        let mut regions = regions(maps, most.saturating_add(1));
        let is_whole = u64::try_from(maps.len()).is_ok_and(|length| length <= most_bytes);
        let cut = !is_whole || regions.len() > most;
        regions.truncate(most);
        Self { regions, cut }
    }
}

/// What a program was started with.
#[derive(Debug)]
struct Strings {
    strings: Vec<Text>,
    /// There are more than were read.
    cut: bool,
}

/// The program file, as the kernel holds it.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// With ` (deleted)` behind it where the kernel says so. Empty: it is overlong, and not in memory.
    pub(crate) link: Text,
    /// Its path is longer than the kernel shows of a link: it was taken from the memory map.
    pub(crate) is_overlong: bool,
    /// Major and minor number.
    pub(crate) device: (u32, u32),
    pub(crate) inode: u64,
    /// How many names it has. 0: it has been deleted, or never had one.
    pub(crate) links: u32,
    /// Type and rights, as in stat(2).
    pub(crate) mode: u16,
}

impl Subject {
    /// Errors: `Ended`: there is no such run.
    #[cfg(test)]
    pub(crate) fn open(pid: u32, start_ticks: u64) -> Result<Self, Untested> {
        Self::open_in(None, pid, start_ticks)
    }

    /// The same in our own view of /proc, where there is one.
    pub(crate) fn open_in(
        proc: Option<BorrowedFd<'_>>,
        pid: u32,
        start_ticks: u64,
    ) -> Result<Self, Untested> {
        let found = Self::find(proc, pid)?;
        if found.stat.start_ticks == start_ticks {
            Ok(found)
        } else {
            Err(Untested::Ended)
        }
    }

    /// The run that has this number now.
    ///
    /// Errors: `Unreadable`: something else is mounted there.
    pub(crate) fn find(proc: Option<BorrowedFd<'_>>, pid: u32) -> Result<Self, Untested> {
        let folder = match proc {
            Some(proc) => {
                let name = DecInt::new(pid);
                rustix::fs::openat(proc, name.as_c_str(), FOLDER, Mode::empty())
            }
            None => open_uncovered(pid),
        };
        let folder = folder.map_err(untested)?;
        let text = read(folder.as_fd(), c"stat", MOST_TEXT_BYTES)?;
        let stat = stat(&text).ok_or(Untested::Unreadable)?;
        Ok(Self {
            pid,
            folder,
            stat,
            regions: OnceCell::new(),
            arguments: OnceCell::new(),
            environment: OnceCell::new(),
            status: OnceCell::new(),
            program: OnceCell::new(),
            sockets: OnceCell::new(),
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn stat(&self) -> &Stat {
        &self.stat
    }

    /// Its folder in /proc, for what only one check reads.
    pub(crate) fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// What it has in its memory, by address.
    pub(crate) fn regions(&self) -> Result<&[Region], Untested> {
        let read = self.regions.get_or_init(|| {
            self.has_memory()?;
            let text = self.file(c"maps", MOST_MAPS_BYTES.saturating_add(1))?;
            Ok(Regions::of(&text, MOST_MAPS_BYTES, MOST_REGIONS))
        });
        let read = read.as_ref().map_err(|why| *why)?;
        Ok(&read.regions)
    }

    /// Whether somebody asked for these, and there are more of them than were read.
    pub(crate) fn has_cut_regions(&self) -> bool {
        let read = self.regions.get();
        read.is_some_and(|read| read.as_ref().is_ok_and(|it| it.cut))
    }

    /// The program's name first. Empty: it has taken them away.
    pub(crate) fn arguments(&self) -> Result<&[Text], Untested> {
        let read = self.arguments_read().as_ref().map_err(|why| *why)?;
        Ok(&read.strings)
    }

    /// False: there are more of them than were read, or they could not be.
    pub(crate) fn has_all_arguments(&self) -> bool {
        self.arguments_read().as_ref().is_ok_and(|it| !it.cut)
    }

    fn arguments_read(&self) -> &Result<Strings, Untested> {
        let read = || self.strings(c"cmdline", arguments);
        self.arguments.get_or_init(read)
    }

    /// As it was started with; what it has changed since is not there.
    pub(crate) fn environment(&self) -> Result<&[Text], Untested> {
        let read = self.environment_read().as_ref().map_err(|why| *why)?;
        Ok(&read.strings)
    }

    /// False: there is more of it than was read, or it could not be.
    pub(crate) fn has_all_environment(&self) -> bool {
        self.environment_read().as_ref().is_ok_and(|it| !it.cut)
    }

    fn environment_read(&self) -> &Result<Strings, Untested> {
        let read = || self.strings(c"environ", settings);
        self.environment.get_or_init(read)
    }

    /// Texts with a NUL behind each. `parse` takes at most so many of them, and says whether there are more.
    fn strings(
        &self,
        name: &CStr,
        parse: fn(&[u8], usize) -> (Vec<Text>, bool),
    ) -> Result<Strings, Untested> {
        self.has_memory()?;
        let most = u64::try_from(MOST_STRINGS_BYTES).unwrap_or(u64::MAX);
        let mut text = self.file(name, most.saturating_add(1))?;
        let is_longer = text.len() > MOST_STRINGS_BYTES;
        if is_longer {
            text.truncate(MOST_STRINGS_BYTES);
            // What is left of the one that was cut through means something else.
            if let Some(last) = text.iter().rposition(|byte| *byte == 0) {
                text.truncate(last.saturating_add(1));
            }
        }
        let (strings, more) = parse(&text, MOST_STRINGS);
        let cut = is_longer || more;
        Ok(Strings { strings, cut })
    }

    /// `/proc/PID/status`, as text.
    pub(crate) fn status(&self) -> Result<&[u8], Untested> {
        let read = self
            .status
            .get_or_init(|| self.file(c"status", MOST_TEXT_BYTES));
        as_slice(read)
    }

    /// Errors: `KernelThread`: it has none.
    pub(crate) fn program(&self) -> Result<&Program, Untested> {
        let read = self.program.get_or_init(|| {
            self.has_memory()?;
            let link = match self.link(c"exe") {
                Err(Untested::TooLarge) => None,
                link => Some(link?),
            };
            let seen = self.seen(c"exe")?;
            let (device, inode) = numbers(&seen);
            Ok(Program {
                is_overlong: link.is_none(),
                link: link.unwrap_or_else(|| self.overlong_link(device, inode)),
                device,
                inode,
                links: seen.stx_nlink,
                mode: seen.stx_mode,
            })
        });
        read.as_ref().map_err(|why| *why)
    }

    /// In the memory map paths stand whole (fs/seq_file.c, seq_path). Empty: the file is not there.
    fn overlong_link(&self, device: (u32, u32), inode: u64) -> Text {
        let is_long = |it: &&Region| it.is_of_file() && it.name.bytes().len() >= LONGEST_LINK;
        // btrfs and overlayfs have other numbers there.
        let is_it = |it: &&Region| {
            let has_number = (it.device, it.inode) == (device, inode);
            has_number || status_of(self, it).is_ok_and(|it| numbers(&it) == (device, inode))
        };
        let regions = self.regions().unwrap_or_default();
        let found = regions.iter().filter(is_long).find(is_it);
        found.map_or_else(Text::default, |it| it.name.clone())
    }

    /// The sockets that it has open. Dear where there are many open files: to be asked only when it matters.
    pub(crate) fn sockets(&self) -> Result<&Sockets, Untested> {
        let read = self.sockets.get_or_init(|| {
            self.has_memory()?;
            descriptors::sockets(self.folder())
        });
        read.as_ref().map_err(|why| *why)
    }

    /// Where one of its descriptors leads, as the kernel shows it. `None`: it is not open.
    pub(crate) fn descriptor(&self, number: u32) -> Result<Option<Text>, Untested> {
        self.has_memory()?;
        descriptors::link(self.folder(), number)
    }

    /// The file behind one of its descriptors.
    pub(crate) fn seen_descriptor(&self, number: u32) -> Result<Statx, Untested> {
        let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
        let wanted = StatxFlags::BASIC_STATS;
        rustix::fs::statx(self.folder(), format!("fd/{number}"), flags, wanted).map_err(untested)
    }

    /// A file below its folder in /proc.
    pub(crate) fn file(&self, name: &CStr, most: u64) -> Result<Vec<u8>, Untested> {
        read(self.folder(), name, most)
    }

    /// A file below its folder that has to stay open. Only for names that the kernel itself answers.
    pub(crate) fn open_own(&self, name: &CStr) -> Result<OwnedFd, Untested> {
        self.has_memory()?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        rustix::fs::openat(self.folder(), name, flags, Mode::empty()).map_err(untested)
    }

    /// Where a link below its folder leads, as the kernel shows it.
    pub(crate) fn link(&self, name: &CStr) -> Result<Text, Untested> {
        let mut buffer = [0; LONGEST_LINK];
        let length =
            rustix::fs::readlinkat_raw(self.folder(), name, &mut buffer[..]).map_err(untested)?;
        Ok(buffer.get(..length).unwrap_or_default().into())
    }

    /// What a link below its folder leads to.
    pub(crate) fn seen(&self, name: &CStr) -> Result<Statx, Untested> {
        let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
        rustix::fs::statx(self.folder(), name, flags, wanted).map_err(untested)
    }

    /// Errors: it has none, or has ended.
    fn has_memory(&self) -> Result<(), Untested> {
        if self.stat.kernel_thread {
            Err(Untested::KernelThread)
        } else if self.stat.dead && self.stat.threads <= 1 {
            Err(Untested::Ended)
        } else {
            Ok(())
        }
    }
}

fn numbers(seen: &Statx) -> ((u32, u32), u64) {
    ((seen.stx_dev_major, seen.stx_dev_minor), seen.stx_ino)
}

/// The settings of an environment, at most so many, and whether there are more.
fn settings(text: &[u8], most: usize) -> (Vec<Text>, bool) {
    let mut parts = text.split(|byte| *byte == 0).filter(|it| !it.is_empty());
    let settings = parts.by_ref().take(most).map(Text::from).collect();
    (settings, parts.next().is_some())
}

/// What is mounted over its folder may say anything.
fn open_uncovered(pid: u32) -> Result<OwnedFd, Errno> {
    let proc = rustix::fs::open("/proc", FOLDER, Mode::empty())?;
    let name = DecInt::new(pid);
    let (flags, none) = (FOLDER, Mode::empty());
    match rustix::fs::openat2(&proc, name.as_c_str(), flags, none, ResolveFlags::NO_XDEV) {
        // Before Linux 5.6.
        Err(Errno::NOSYS | Errno::PERM) => rustix::fs::openat(&proc, name.as_c_str(), flags, none),
        result => result,
    }
}

fn as_slice<T>(read: &Result<Vec<T>, Untested>) -> Result<&[T], Untested> {
    read.as_ref().map(Vec::as_slice).map_err(|why| *why)
}

fn read(folder: BorrowedFd<'_>, name: &CStr, most: u64) -> Result<Vec<u8>, Untested> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty()).map_err(untested)?;
    let mut bytes = Vec::new();
    let read = File::from(file).take(most).read_to_end(&mut bytes);
    read.map_err(|error| untested(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
    Ok(bytes)
}

/// Why something could not be read.
pub(super) fn untested(errno: Errno) -> Untested {
    match errno {
        Errno::NOENT | Errno::SRCH => Untested::Ended,
        Errno::ACCESS | Errno::PERM => Untested::NoRights,
        Errno::NAMETOOLONG => Untested::TooLarge,
        _ => Untested::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::linux::examine::victim::Victim;

    /// One that was started so; `prepare` gives it arguments and settings.
    fn of(prepare: impl FnOnce(&mut Command)) -> Victim {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo ready; read x", "x"]);
        prepare(&mut command);
        Victim::start(&mut command).unwrap()
    }

    #[test]
    fn all_that_a_program_was_started_with() {
        let victim = of(|command| {
            let more = std::iter::repeat_n("y", 3000);
            command.args(more).env_clear().env("LAST", "1");
        });
        let subject = victim.subject();
        assert_eq!(subject.arguments().unwrap().len(), 3 + 1 + 3000);
        assert_eq!(subject.environment(), Ok(&["LAST=1".into()][..]));
        assert!(subject.has_all_arguments() && subject.has_all_environment());
    }

    #[test]
    fn more_than_is_read() {
        let long = "y".repeat(100_000);
        let victim = of(|command| {
            command.args(std::iter::repeat_n("y", 70_000)).env_clear();
            command.envs((0..12).map(|number| (format!("A{number:02}"), &long)));
        });
        let subject = victim.subject();
        assert_eq!(subject.arguments().unwrap().len(), MOST_STRINGS);
        // None is there in part.
        let settings = subject.environment().unwrap();
        assert_eq!(settings.len(), 10);
        assert!(settings.iter().all(|it| it.bytes().len() == 100_004));
        assert!(!subject.has_all_arguments() && !subject.has_all_environment());
    }

    #[test]
    fn more_regions_than_are_read() {
        let line = "7f0000001000-7f0000002000 r-xp 00000000 00:00 0 \n";
        let maps = line.repeat(4);
        let length = u64::try_from(maps.len()).unwrap();
        let check = |most_bytes, most, count, cut| {
            let found = Regions::of(maps.as_bytes(), most_bytes, most);
            assert_eq!((found.regions.len(), found.cut), (count, cut));
        };
        check(length, 4, 4, false);
        check(length, 3, 3, true);
        check(length - 1, 4, 4, true);
        let victim = of(|_| {});
        assert!(!victim.subject().has_cut_regions());
    }

    #[test]
    fn so_many_settings() {
        let text = b"A=1\0\0B=2\0C=3\0";
        let check = |most, count, more| {
            let (found, has_more) = settings(text, most);
            assert_eq!((found.len(), has_more), (count, more), "{most}");
        };
        check(4, 3, false);
        check(3, 3, false);
        check(2, 2, true);
    }
}

//! Who holds the ends of pipes, FIFOs and Unix sockets: of all processes that may be looked into, read when
//! somebody asks, and no more often than every few seconds.

use std::collections::HashMap;
use std::fmt;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use model::Untested;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, StatxFlags};

use super::Subject;
use super::descriptors::socket_inode;
use super::machine::{Machine, listed};
use super::subject::untested;
use crate::linux::netlink::Netlink;
use crate::linux::sock_diag;

/// How long what was read is good for.
const GOOD_FOR: Duration = Duration::from_secs(2);
/// So many open files are looked at: of one process, and of all together.
const MOST_OF_ONE: usize = 4096;
const MOST_FILES: usize = 131_072;
/// fs/proc/fd.c, tid_fd_update_inode: how it was opened stands in the rights of the link.
const READS: u16 = 0o400;
const WRITES: u16 = 0o200;

/// What two processes may talk over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Channel {
    Pipe(u64),
    /// In a folder: device and inode.
    Fifo((u32, u32), u64),
    Socket(u64),
}

/// Who holds an end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) pid: u32,
    pub(super) reads: bool,
    pub(super) writes: bool,
}

pub(crate) struct Channels {
    /// `None`: it could not be opened.
    netlink: Option<Netlink>,
    read: Option<Instant>,
    holders: HashMap<Channel, Vec<Holder>>,
    /// What a process holds that has a name in a folder.
    fifos: HashMap<u32, Vec<(Channel, Holder)>>,
    /// Of a Unix socket, the one that it is connected to.
    peers: HashMap<u64, u64>,
    /// Why not everybody's open files are known.
    untested: Option<Untested>,
}

impl Default for Channels {
    fn default() -> Self {
        Self {
            netlink: sock_diag::open().ok(),
            read: None,
            holders: HashMap::new(),
            fifos: HashMap::new(),
            peers: HashMap::new(),
            untested: None,
        }
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channels")
            .field("holders", &self.holders.len())
            .finish_non_exhaustive()
    }
}

impl Channels {
    /// As it is now, or was just before.
    pub(super) fn current(&mut self, machine: &Machine) -> Result<&Self, Untested> {
        let now = Instant::now();
        let is_fresh = |read: Instant| now.duration_since(read) <= GOOD_FOR;
        if !self.read.is_some_and(is_fresh) {
            self.ask(machine)?;
            self.read = Some(Instant::now());
        }
        Ok(self)
    }

    /// Who holds an end of a channel.
    pub(super) fn holders(&self, channel: Channel) -> &[Holder] {
        self.holders.get(&channel).map_or(&[], Vec::as_slice)
    }

    /// The FIFOs of a process, each with what it may do there.
    pub(super) fn fifos(&self, pid: u32) -> &[(Channel, Holder)] {
        self.fifos.get(&pid).map_or(&[], Vec::as_slice)
    }

    /// Why there may be others.
    pub(super) fn untested(&self) -> Option<Untested> {
        self.untested
    }

    /// Where a descriptor of a process leads, as whoever is at the other end holds it. `None`: to no channel,
    /// or nobody knows where.
    pub(super) fn at(&self, subject: &Subject, number: u32) -> Result<Option<Channel>, Untested> {
        let Some(link) = subject.descriptor(number)? else {
            return Ok(None);
        };
        if let Some(inode) = socket_inode(link.bytes()) {
            return Ok(self.peers.get(&inode).copied().map(Channel::Socket));
        }
        Ok(pipe(link.bytes()).or_else(|| {
            let seen = subject.seen_descriptor(number).ok()?;
            fifo(&seen)
        }))
    }

    fn ask(&mut self, machine: &Machine) -> Result<(), Untested> {
        self.holders.clear();
        self.fifos.clear();
        self.untested = None;
        self.peers = self.netlink.as_mut().map(peers).unwrap_or_default();
        let mut left = MOST_FILES;
        for pid in listed()? {
            let subject = Subject::find(machine.proc(), pid);
            let walked = subject.and_then(|it| self.walk(&it, &mut left));
            if let Err(why @ (Untested::NoRights | Untested::TooLarge)) = walked {
                self.untested = Some(why);
            }
        }
        Ok(())
    }

    /// Errors: `TooLarge`: there are more than were looked at.
    fn walk(&mut self, subject: &Subject, left: &mut usize) -> Result<(), Untested> {
        if subject.stat().kernel_thread {
            return Ok(());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(subject.folder(), c"fd", flags, Mode::empty());
        let folder = folder.map_err(untested)?;
        let mut of_one = MOST_OF_ONE;
        let mut buffer = [MaybeUninit::uninit(); 64];
        for entry in Dir::read_from(&folder).map_err(untested)? {
            let entry = entry.map_err(untested)?;
            let name = entry.file_name();
            if name.to_bytes().starts_with(b".") {
                continue;
            }
            if *left == 0 || of_one == 0 {
                return Err(Untested::TooLarge);
            }
            (*left, of_one) = (*left - 1, of_one - 1);
            // It may have been closed meanwhile. A longer path is cut off: its beginning will do.
            let Ok((link, _)) = rustix::fs::readlinkat_raw(&folder, name, &mut buffer) else {
                continue;
            };
            let (flags, wanted) = (AtFlags::STATX_DONT_SYNC, StatxFlags::BASIC_STATS);
            let channel = if let Some(inode) = socket_inode(link) {
                Some(Channel::Socket(inode))
            } else if link.starts_with(b"/") {
                let seen = rustix::fs::statx(&folder, name, flags | AtFlags::NO_AUTOMOUNT, wanted);
                seen.ok().as_ref().and_then(fifo)
            } else {
                pipe(link)
            };
            let Some(channel) = channel else {
                continue;
            };
            let flags = flags | AtFlags::SYMLINK_NOFOLLOW;
            let mode = match channel {
                Channel::Socket(_) => READS | WRITES,
                Channel::Pipe(_) | Channel::Fifo(..) => {
                    let link = rustix::fs::statx(&folder, name, flags, StatxFlags::MODE);
                    link.map_or(0, |it| it.stx_mode)
                }
            };
            let holder = Holder {
                pid: subject.pid(),
                reads: mode & READS != 0,
                writes: mode & WRITES != 0,
            };
            self.holders.entry(channel).or_default().push(holder);
            if matches!(channel, Channel::Fifo(..)) {
                let own = self.fifos.entry(holder.pid).or_default();
                own.push((channel, holder));
            }
        }
        Ok(())
    }
}

/// Whether a descriptor leads to a channel, without knowing who holds it.
pub(super) fn is_one(subject: &Subject, number: u32) -> Result<bool, Untested> {
    let Some(link) = subject.descriptor(number)? else {
        return Ok(false);
    };
    let link = link.bytes();
    let is_fifo = || {
        let seen = subject.seen_descriptor(number);
        seen.is_ok_and(|seen| fifo(&seen).is_some())
    };
    Ok(pipe(link).is_some() || socket_inode(link).is_some() || is_fifo())
}

/// `pipe:[4711]`
fn pipe(link: &[u8]) -> Option<Channel> {
    let number = link.strip_prefix(b"pipe:[")?.strip_suffix(b"]")?;
    let number = std::str::from_utf8(number).ok()?.parse().ok()?;
    Some(Channel::Pipe(number))
}

fn fifo(seen: &rustix::fs::Statx) -> Option<Channel> {
    let is_fifo = FileType::from_raw_mode(seen.stx_mode.into()) == FileType::Fifo;
    let device = (seen.stx_dev_major, seen.stx_dev_minor);
    is_fifo.then_some(Channel::Fifo(device, seen.stx_ino))
}

/// Which Unix sockets of our network namespace are connected to which.
fn peers(netlink: &mut Netlink) -> HashMap<u64, u64> {
    let sockets = sock_diag::unix(netlink).unwrap_or_default();
    let pairs = sockets.into_iter();
    pairs
        .filter_map(|it| Some((it.inode.into(), it.peer?.into())))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::linux::examine::victim::{Victim, subject};

    #[test]
    fn both_ends_of_a_pipe_and_of_a_pair() {
        let start = |input: Stdio, output: Stdio| {
            let mut command = Command::new("sleep");
            command.arg("1000").stdin(input).stdout(output);
            Victim(command.spawn().unwrap())
        };
        let (reads, writes) = std::io::pipe().unwrap();
        let (one, other) = UnixStream::pair().unwrap();
        let writer = start(std::os::fd::OwnedFd::from(one).into(), Stdio::from(writes));
        let reader = start(Stdio::from(reads), std::os::fd::OwnedFd::from(other).into());
        let (writer, reader) = (writer.0.id(), reader.0.id());
        let mut channels = Channels::default();
        let channels = channels.current(&Machine::default()).unwrap();
        let at = |pid, number| channels.at(&subject(pid), number).unwrap().unwrap();
        assert_eq!(at(writer, 1), at(reader, 0));
        let of_pipe = channels.holders(at(writer, 1));
        let holds = |pid, reads, writes| of_pipe.contains(&Holder { pid, reads, writes });
        assert!(
            holds(writer, false, true) && holds(reader, true, false),
            "{of_pipe:?}"
        );
        let mut at_other_end = channels.holders(at(writer, 0)).iter();
        assert!(at_other_end.any(|it| it.pid == reader));
    }
}

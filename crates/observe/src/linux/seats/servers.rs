//! The X servers that are there when whocalls begins, and what opens each: the cookie in the file that it was
//! started with (`-auth FILE`).

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

use model::{BootId, ProcessId};
use rustix::fs::{FileType, Mode, OFlags};

use super::conversation::{Conversation, Server};
use super::{Windows, windows};
use crate::linux::descriptors;
use crate::linux::displays::{Display, XDisplay, displays};
use crate::parse::proc_pid::{arguments, stat};
use crate::parse::xauthority::{COOKIE, Cookie, cookies};

const MOST_BYTES: u64 = 64 * 1024;
const MOST_ARGUMENTS: usize = 256;

/// One server.
#[derive(Debug)]
struct Known {
    number: u16,
    process: ProcessId,
    /// The owner of the file that the cookie is from.
    user: u32,
    cookie: [u8; COOKIE],
}

#[derive(Debug, Default)]
pub(super) struct Servers(Vec<Known>);

impl Servers {
    /// All whose cookie we may read.
    pub(super) fn find() -> Self {
        let displays = displays().into_iter();
        let displays = displays.filter_map(|display| match display {
            Display::X(display) => Some(display),
            Display::Other => None,
        });
        let displays: Vec<_> = displays.collect();
        if displays.is_empty() {
            return Self::default();
        }
        let with_file: Vec<_> = with_file().collect();
        let runs: Vec<_> = with_file.iter().map(|(run, _)| *run).collect();
        let holders = descriptors::walk(&runs);
        let mut known = Vec::new();
        for XDisplay { number, inode, .. } in displays {
            let holds = |run: &ProcessId| {
                let holders = holders.get(&u64::from(inode));
                holders.is_some_and(|holders| holders.contains(run))
            };
            let mut of_it = with_file.iter().filter(|(run, _)| holds(run));
            known.extend(of_it.find_map(|(process, (user, cookies))| {
                let cookie = cookies.iter().find(|it| it.is_of(number))?;
                Some(Known {
                    number,
                    process: *process,
                    user: *user,
                    cookie: cookie.cookie,
                })
            }));
        }
        Self(known)
    }

    /// Since when nobody has used that display. `None`: it does not let us in, or cannot tell.
    pub(super) fn idle(&self, number: u16, is_abstract: bool) -> Option<Duration> {
        let (_, mut server) = self.enter(number, is_abstract).ok()?;
        server.idle().ok()?
    }

    /// Whose windows that display shows. `None`: it does not let us in, or cannot tell.
    pub(super) fn windows(&self, number: u16, is_abstract: bool) -> Option<Windows> {
        let (user, mut server) = self.enter(number, is_abstract).ok()?;
        let clients = windows::clients(&mut server).ok()??;
        Some(Windows { user, clients })
    }

    /// With the user of the server.
    fn enter(&self, number: u16, is_abstract: bool) -> io::Result<(u32, Conversation)> {
        let server = Server::connect(number, is_abstract)?;
        let (pid, user) = server.peer()?;
        let cookie = self.cookie(number, (pid, user));
        Ok((user, server.greet(cookie)?))
    }

    /// What is shown to the process that listens there. It is shown nothing but what it was started with
    /// itself, out of a file of its own user, unless it is root's: others could say to be a server with the
    /// file of somebody else.
    fn cookie(&self, number: u16, (pid, user): (u32, u32)) -> Option<&[u8; COOKIE]> {
        let known = self.0.iter().find(|it| {
            let same = it.number == number && it.process.pid == pid;
            same && start_of(pid) == Some(it.process.start_ticks)
        });
        let known = known.filter(|it| user == 0 || user == it.user);
        known.map(|it| &it.cookie)
    }
}

/// Processes that were started with a file of cookies; whose it is, and what is in it.
fn with_file() -> impl Iterator<Item = (ProcessId, (u32, Vec<Cookie>))> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| {
        let line = read(&format!("/proc/{pid}/cmdline")).ok()?;
        let (arguments, _) = arguments(&line, MOST_ARGUMENTS);
        let mut rest = arguments.iter().skip_while(|it| it.bytes() != b"-auth");
        let file = rest.nth(1)?.lossy().into_owned();
        let run = ProcessId {
            boot: BootId([0; 16]),
            pid,
            start_ticks: start_of(pid)?,
        };
        let cookies = cookies_in(Path::new(&file))?;
        // It may have ended meanwhile, and another one have its number.
        (start_of(pid) == Some(run.start_ticks)).then_some((run, cookies))
    })
}

/// With the owner of the file. `None`: it is none, or a path from a folder that we do not know.
fn cookies_in(path: &Path) -> Option<(u32, Vec<Cookie>)> {
    let absolute = path.is_absolute().then_some(path)?;
    // What is opened only as a path makes nobody wait, and moves nothing.
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let found = rustix::fs::open(absolute, flags, Mode::empty()).ok()?;
    let about = rustix::fs::fstat(&found).ok()?;
    if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
        return None;
    }
    let bytes = read(&format!("/proc/self/fd/{}", found.as_raw_fd())).ok()?;
    Some((about.st_uid, cookies(&bytes)))
}

fn start_of(pid: u32) -> Option<u64> {
    let stat = stat(&read(&format!("/proc/{pid}/stat")).ok()?)?;
    Some(stat.start_ticks)
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;

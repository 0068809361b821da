//! A process of its own that asks X displays since when nobody has used them, or whose windows they show. It keeps no right, opens no
//! file, and reaches nothing but Unix sockets of displays; it is there only where a display is when whocalls
//! begins. What opens a display (a cookie) it has read before it gave up its rights, and shows it to the very
//! server whose it is.
//!
//! A display sees a client that comes and goes once a minute.

mod answering;
mod conversation;
mod servers;
mod windows;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

pub(crate) use self::answering::helped;
use super::displays::XDisplay;
use super::second;

/// The argument by which our own file knows that it is to ask. Not for people.
const MARK: &str = "--ask-displays";
/// So many displays are asked at once.
pub(crate) const MOST: usize = 16;
/// Number, whether its name is abstract, what of it.
const ASKED: usize = 4;
const SINCE_WHEN: u8 = 0;
/// Of one display at a time.
const WHOSE_WINDOWS: u8 = 1;
/// Milliseconds; [`NOTHING`]: it did not answer. Of windows: the user of the server, then for each client its
/// process and whether it shows one.
const ANSWERED: usize = 8;
const NOTHING: u64 = u64::MAX;
const MOST_ANSWERED: usize = (1 + windows::MOST_CLIENTS) * ANSWERED;

/// The way to it.
pub(crate) struct Seats {
    /// `None`: it has ended.
    socket: Option<OwnedFd>,
    /// `None`: a test answers.
    child: Option<Child>,
}

/// Whose windows a display shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    /// The user of the server.
    pub(crate) user: u32,
    pub(crate) clients: Vec<Client>,
}

/// Who is connected to a display, once for each time that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// The one that has connected, as the server sees its number.
    pub(crate) pid: u32,
    /// It has a window that a person could see, or has put aside.
    pub(crate) shows: bool,
}

impl Seats {
    /// Starts it. To be called while there are rights, by a thread that does not end before us.
    ///
    /// Errors: as [`second::start`].
    pub(crate) fn start() -> io::Result<Self> {
        let (socket, child) = second::start(MARK, |command| {
            command.current_dir("/");
        })?;
        Ok(Self {
            socket: Some(socket),
            child: Some(child),
        })
    }

    /// Asks, without waiting: each of the first [`MOST`] displays. False: it has ended.
    pub(crate) fn ask(&mut self, displays: &[XDisplay]) -> bool {
        let asked = displays.iter().take(MOST);
        let asked = asked.flat_map(|it| question(it.number, it.is_abstract, SINCE_WHEN));
        let packet: Vec<u8> = asked.collect();
        self.send(&packet)
    }

    /// Asks, without waiting, whose windows a display shows. False: it has ended.
    pub(crate) fn ask_windows(&mut self, number: u16, is_abstract: bool) -> bool {
        self.send(&question(number, is_abstract, WHOSE_WINDOWS))
    }

    fn send(&mut self, packet: &[u8]) -> bool {
        let Some(socket) = &self.socket else {
            return false;
        };
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        if rustix::net::send(socket, packet, flags).is_err() {
            self.socket = None;
        }
        self.socket.is_some()
    }

    /// What each display said that was asked; `None`: it did not answer. Outside `None`: they are still
    /// being asked. Does not wait.
    pub(crate) fn answer(&mut self) -> Option<Vec<Option<Duration>>> {
        Some(idle_times(&self.receive()?))
    }

    /// Whose windows the display shows that was asked. `None`: it did not answer, or cannot tell. Outside
    /// `None`: it is still being asked. Waits at most so long.
    pub(crate) fn windows(&mut self, most: Duration) -> Option<Option<Windows>> {
        if let (Some(socket), Ok(most)) = (&self.socket, Timespec::try_from(most)) {
            // Whatever it says: the answer is there or not.
            let _ = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&most));
        }
        Some(Windows::parse(&self.receive()?))
    }

    /// `None`: nothing yet. Empty: it has ended.
    fn receive(&mut self) -> Option<Vec<u8>> {
        let Some(socket) = &self.socket else {
            return Some(Vec::new());
        };
        let mut packet = vec![0; MOST_ANSWERED];
        let flags = RecvFlags::DONTWAIT;
        match rustix::net::recv(socket.as_fd(), &mut packet[..], flags) {
            Ok((length, _)) if length > 0 => {
                packet.truncate(length);
                Some(packet)
            }
            Err(Errno::AGAIN | Errno::INTR) => None,
            Ok(_) | Err(_) => {
                self.socket = None;
                Some(Vec::new())
            }
        }
    }
}

fn question(number: u16, is_abstract: bool, what: u8) -> [u8; ASKED] {
    let [low, high] = number.to_ne_bytes();
    [low, high, is_abstract.into(), what]
}

impl Windows {
    /// `None`: it is that there is nothing to tell.
    fn parse(packet: &[u8]) -> Option<Self> {
        let (words, _) = packet.as_chunks::<4>();
        let mut words = words.iter().copied().map(u32::from_ne_bytes);
        let (user, known) = (words.next()?, words.next()?);
        if known != 1 {
            return None;
        }
        let mut clients = Vec::new();
        while let (Some(pid), Some(shows)) = (words.next(), words.next()) {
            clients.push(Client {
                pid,
                shows: shows == 1,
            });
        }
        Some(Self { user, clients })
    }

    fn bytes(&self) -> Vec<u8> {
        let clients = self.clients.iter();
        let clients = clients.flat_map(|it| [it.pid, u32::from(it.shows)]);
        let words = [self.user, 1].into_iter().chain(clients);
        words.flat_map(u32::to_ne_bytes).collect()
    }
}

fn idle_times(packet: &[u8]) -> Vec<Option<Duration>> {
    let (times, _) = packet.as_chunks::<ANSWERED>();
    let times = times.iter().map(|time| u64::from_ne_bytes(*time));
    times
        .map(|time| (time != NOTHING).then(|| Duration::from_millis(time)))
        .collect()
}

/// One that answers on a thread, with the rights of its test.
#[cfg(test)]
pub(crate) fn of_test() -> Seats {
    let (here, there) = second::pair().expect("a pair of sockets");
    let servers = servers::Servers::find();
    std::thread::spawn(move || answering::answer_all(there.as_fd(), &servers));
    Seats {
        socket: Some(here),
        child: None,
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        self.socket = None;
        // It may not have ended yet; then it is left to whoever waits for what we leave.
        let _ = self.child.as_mut().map(Child::try_wait);
    }
}

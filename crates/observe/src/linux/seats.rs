//! A process of its own that asks X displays since when nobody has used them. It keeps no right, opens no
//! file, and reaches nothing but Unix sockets of displays; it is there only where a display is when whocalls
//! begins. What opens a display (a cookie) it has read before it gave up its rights, and shows it to the very
//! server whose it is.
//!
//! A display sees a client that comes and goes once a minute.

mod answering;
mod conversation;
mod servers;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

pub(crate) use self::answering::helped;
use super::displays::XDisplay;
use super::second;

/// The argument by which our own file knows that it is to ask. Not for people.
const MARK: &str = "--ask-displays";
/// So many displays are asked at once.
pub(crate) const MOST: usize = 16;
/// Number, whether its name is abstract.
const ASKED: usize = 4;
/// Milliseconds; [`NOTHING`]: it did not answer.
const ANSWERED: usize = 8;
const NOTHING: u64 = u64::MAX;

/// The way to it.
pub(crate) struct Seats {
    /// `None`: it has ended.
    socket: Option<OwnedFd>,
    child: Child,
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
            child,
        })
    }

    /// Asks, without waiting: each of the first [`MOST`] displays. False: it has ended.
    pub(crate) fn ask(&mut self, displays: &[XDisplay]) -> bool {
        let asked = displays.iter().take(MOST).flat_map(|display| {
            let is_abstract = u16::from(display.is_abstract);
            [display.number.to_ne_bytes(), is_abstract.to_ne_bytes()]
        });
        let packet: Vec<u8> = asked.flatten().collect();
        let Some(socket) = &self.socket else {
            return false;
        };
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        if rustix::net::send(socket, &packet, flags).is_err() {
            self.socket = None;
        }
        self.socket.is_some()
    }

    /// What each display said that was asked; `None`: it did not answer. Outside `None`: they are still
    /// being asked. Does not wait.
    pub(crate) fn answer(&mut self) -> Option<Vec<Option<Duration>>> {
        let Some(socket) = &self.socket else {
            return Some(Vec::new());
        };
        let mut packet = [0; MOST * ANSWERED];
        let flags = RecvFlags::DONTWAIT;
        match rustix::net::recv(socket.as_fd(), &mut packet[..], flags) {
            Ok((length, _)) if length > 0 => Some(idle_times(packet.get(..length)?)),
            Err(Errno::AGAIN | Errno::INTR) => None,
            Ok(_) | Err(_) => {
                self.socket = None;
                Some(Vec::new())
            }
        }
    }
}

fn idle_times(packet: &[u8]) -> Vec<Option<Duration>> {
    let (times, _) = packet.as_chunks::<ANSWERED>();
    let times = times.iter().map(|time| u64::from_ne_bytes(*time));
    times
        .map(|time| (time != NOTHING).then(|| Duration::from_millis(time)))
        .collect()
}

impl Drop for Seats {
    fn drop(&mut self) {
        self.socket = None;
        // It may not have ended yet; then it is left to whoever waits for what we leave.
        let _ = self.child.try_wait();
    }
}

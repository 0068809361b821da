//! What is said to one X server: who we are, and some questions. It has so much time, and may say so much.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};

use crate::parse::x11::windows::{self, About};
use crate::parse::x11::{self, HEAD, PACKET, Packet, SCREEN_SAVER};
use crate::parse::xauthority::COOKIE;

/// For all of it.
const PATIENCE: Duration = Duration::from_secs(2);
/// What nobody has asked for.
const MOST_EVENTS: usize = 64;
/// Of one answer. What the server says of itself is at most four times as long.
const MOST_BYTES: usize = 64 * 1024;
/// So many questions are asked before the answers are read: what both sides say fits into their sockets.
const AT_ONCE: usize = 64;

pub(super) struct Conversation {
    socket: OwnedFd,
    until: Instant,
    /// The window behind all others.
    root: u32,
    /// `None`: it could not be understood.
    about: Option<About>,
}

/// A server that waits for what is said.
pub(super) struct Server {
    socket: OwnedFd,
    until: Instant,
}

impl Server {
    /// Errors: nobody listens there, or it has too much to do.
    pub(super) fn connect(number: u16, is_abstract: bool) -> io::Result<Self> {
        let path = format!("/tmp/.X11-unix/X{number}");
        let address = match is_abstract {
            true => SocketAddrUnix::new_abstract_name(path.as_bytes())?,
            false => SocketAddrUnix::new(path.as_str())?,
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let kind = SocketType::STREAM;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, kind, flags, None)?;
        rustix::net::connect(&socket, &address)?;
        Ok(Self {
            socket,
            until: Instant::now() + PATIENCE,
        })
    }

    /// The process that listens there, and its effective user, as it was when it began to (unix(7)).
    pub(super) fn peer(&self) -> io::Result<(u32, u32)> {
        let peer = rustix::net::sockopt::socket_peercred(&self.socket)?;
        let pid = u32::try_from(peer.pid.as_raw_nonzero().get()).map_err(io::Error::other)?;
        Ok((pid, peer.uid.as_raw()))
    }

    /// Errors: it lets nobody in, is no X server, or takes too long.
    pub(super) fn greet(self, cookie: Option<&[u8; COOKIE]>) -> io::Result<Conversation> {
        let Self { socket, until } = self;
        let mut conversation = Conversation {
            socket,
            until,
            root: 0,
            about: None,
        };
        conversation.say(&x11::greeting(cookie))?;
        let mut head = [0; HEAD];
        conversation.hear(&mut head)?;
        let length = x11::length_of_about(head).ok_or(io::ErrorKind::PermissionDenied)?;
        let mut about = vec![0; length];
        conversation.hear(&mut about)?;
        conversation.root = x11::root(&about).ok_or(io::ErrorKind::InvalidData)?;
        conversation.about = windows::about(&about);
        Ok(conversation)
    }
}

impl Conversation {
    /// Since when nobody has used the display. `None`: it cannot tell.
    ///
    /// Errors: it is no X server, or takes too long.
    pub(super) fn idle(&mut self) -> io::Result<Option<Duration>> {
        let Some(screen_saver) = self.extension(SCREEN_SAVER)? else {
            return Ok(None);
        };
        let reply = self.ask(&x11::query_idle(screen_saver, self.root))?;
        Ok(reply.and_then(|reply| x11::idle(&reply)))
    }

    /// What the server has said of itself. `None`: it could not be understood.
    pub(super) fn about(&self) -> Option<&About> {
        self.about.as_ref()
    }

    /// By what number an extension is asked. `None`: there is none.
    pub(super) fn extension(&mut self, name: &str) -> io::Result<Option<u8>> {
        let reply = self.ask(&x11::query_extension(name))?;
        Ok(reply.and_then(|reply| x11::extension(&reply)))
    }

    /// One question. `None`: an error.
    pub(super) fn ask(&mut self, question: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.say(question)?;
        self.reply()
    }

    /// As many questions at once as the server takes before it waits for us to listen. Answers are in the
    /// order of questions (X Window System Protocol, section 1).
    pub(super) fn ask_all(&mut self, questions: &[Vec<u8>]) -> io::Result<Vec<Option<Vec<u8>>>> {
        let mut replies = Vec::with_capacity(questions.len());
        for questions in questions.chunks(AT_ONCE) {
            self.say(&questions.concat())?;
            for _ in questions {
                replies.push(self.reply()?);
            }
        }
        Ok(replies)
    }

    /// As a keyboard does (XTEST, FakeInput).
    #[cfg(test)]
    pub(super) fn press_a_key(&mut self) {
        const KEY_PRESS: u8 = 2;
        const KEY_RELEASE: u8 = 3;
        self.say(&x11::query_extension("XTEST")).unwrap();
        let xtest = x11::extension(&self.reply().unwrap().unwrap()).unwrap();
        for kind in [KEY_PRESS, KEY_RELEASE] {
            let mut request = vec![xtest, 2, 9, 0, kind, 38, 0, 0];
            request.resize(36, 0);
            self.say(&request).unwrap();
        }
        // It is done when the next question is answered.
        self.say(&x11::query_extension("XTEST")).unwrap();
        self.reply().unwrap();
    }

    /// The answer to the first question that is open, whole. `None`: an error.
    fn reply(&mut self) -> io::Result<Option<Vec<u8>>> {
        for _ in 0..MOST_EVENTS {
            let mut head = [0; PACKET];
            self.hear(&mut head)?;
            let (is_reply, more) = match x11::packet(&head) {
                Packet::Error => return Ok(None),
                Packet::Reply(more) => (true, more),
                Packet::Event(more) => (false, more),
            };
            if more > MOST_BYTES {
                break;
            }
            let mut packet = head.to_vec();
            packet.resize(PACKET + more, 0);
            self.hear(packet.get_mut(PACKET..).unwrap_or_default())?;
            if is_reply {
                return Ok(Some(packet));
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    fn say(&self, mut words: &[u8]) -> io::Result<()> {
        while !words.is_empty() {
            match rustix::net::send(&self.socket, words, SendFlags::NOSIGNAL) {
                Ok(length) => words = words.get(length..).unwrap_or_default(),
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn hear(&self, mut words: &mut [u8]) -> io::Result<()> {
        while !words.is_empty() {
            match rustix::net::recv(&self.socket, &mut *words, RecvFlags::empty()) {
                Ok((0, _)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok((length, _)) => words = words.get_mut(length..).unwrap_or_default(),
                Err(Errno::AGAIN) => self.wait(PollFlags::IN)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn wait(&self, what: PollFlags) -> io::Result<()> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&self.socket, what)], Some(&left)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

//! A process of its own that opens sockets for packets in network namespaces that appear later, when
//! whocalls has given up the right to. It is there only when packets are captured, answers three
//! requests of fixed size, and takes nothing apart that comes from outside.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, ExitCode};
use std::time::Duration;

use model::NetworkNamespace;
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::linux::netlink::unbound;
use crate::linux::{rights, second};

/// The argument by which our own file knows that it is to open them. Not for people.
const MARK: &str = "--open-for-packets";
/// It waits for no file and no network.
const PATIENCE: Duration = Duration::from_secs(10);
/// Kind, pid, network namespace.
const REQUEST: usize = 12;
const BY_PROCESS: u32 = 1;
const BY_DESCRIPTOR: u32 = 2;
const IS_INSIDE: u32 = 3;
/// An errno; 0: it is done.
const ANSWER: usize = 4;

/// What it takes to capture in one network namespace. Both belong to it.
#[derive(Debug)]
pub(super) struct Sockets {
    /// Of no protocol yet.
    pub(super) packets: OwnedFd,
    /// Of netlink's routing family, without an address.
    pub(super) routes: OwnedFd,
}

impl Sockets {
    /// Opens them in the network namespace of this thread.
    ///
    /// Errors: `PermissionDenied`, no CAP_NET_RAW.
    pub(super) fn open() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (family, kind) = (AddressFamily::PACKET, SocketType::RAW);
        Ok(Self {
            packets: rustix::net::socket_with(family, kind, flags, None)?,
            routes: unbound(None, SocketFlags::empty())?,
        })
    }
}

/// The way to it.
pub(super) struct Opener {
    /// `None`: it has ended, or did not answer in time; a later answer would be taken for another.
    socket: Option<OwnedFd>,
    child: Child,
}

impl Opener {
    /// Starts it. To be called while there are rights, by a thread that does not end before us.
    ///
    /// Errors: as [`second::start`].
    pub(super) fn start() -> io::Result<Self> {
        let (socket, child) = second::start(MARK, |command| {
            command.current_dir("/");
        })?;
        Self::over(socket, child)
    }

    fn over(socket: OwnedFd, child: Child) -> io::Result<Self> {
        for timeout in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(&socket, timeout, Some(PATIENCE))?;
        }
        let socket = Some(socket);
        Ok(Self { socket, child })
    }

    pub(super) fn has_ended(&self) -> bool {
        self.socket.is_none()
    }

    /// Opens sockets in this namespace, in which that process is.
    ///
    /// Errors: `NotFound`, it is not there (any more); those of the kernel; `BrokenPipe`, nobody
    /// answers any more.
    pub(super) fn by_process(&mut self, pid: u32, netns: NetworkNamespace) -> io::Result<Sockets> {
        self.ask(BY_PROCESS, pid, netns, None)?
            .ok_or_else(|| Errno::BADMSG.into())
    }

    /// The same, by a descriptor of the namespace.
    pub(super) fn by_descriptor(
        &mut self,
        door: BorrowedFd<'_>,
        netns: NetworkNamespace,
    ) -> io::Result<Sockets> {
        self.ask(BY_DESCRIPTOR, 0, netns, Some(door))?
            .ok_or_else(|| Errno::BADMSG.into())
    }

    /// Whether that process is in this namespace.
    pub(super) fn is_inside(&mut self, pid: u32, netns: NetworkNamespace) -> bool {
        self.ask(IS_INSIDE, pid, netns, None).is_ok()
    }

    fn ask(
        &mut self,
        kind: u32,
        pid: u32,
        netns: NetworkNamespace,
        door: Option<BorrowedFd<'_>>,
    ) -> io::Result<Option<Sockets>> {
        let socket = self.socket.as_ref().ok_or(Errno::PIPE)?;
        let numbers = [kind, pid, netns.0];
        let request: Vec<u8> = numbers.into_iter().flat_map(u32::to_ne_bytes).collect();
        let doors: Vec<_> = door.into_iter().collect();
        match exchange(socket.as_fd(), &request, &doors) {
            Ok((0, sockets)) => Ok(sockets),
            Ok((errno, _)) => Err(io::Error::from_raw_os_error(errno)),
            Err(_) => {
                self.socket = None;
                Err(Errno::PIPE.into())
            }
        }
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        self.socket = None;
        // It may not have ended yet; then it is left to whoever waits for what we leave.
        let _ = self.child.try_wait();
    }
}

/// Errors: of the socket; or what came was no answer.
fn exchange(
    socket: BorrowedFd<'_>,
    request: &[u8],
    doors: &[BorrowedFd<'_>],
) -> Result<(i32, Option<Sockets>), Errno> {
    transmit(socket, request, doors)?;
    let mut bytes = [0; ANSWER + 1];
    let (length, mut passed) = receive(socket, &mut bytes)?;
    let answer = bytes.get(..length).ok_or(Errno::BADMSG)?;
    let errno = i32::from_ne_bytes(answer.try_into().map_err(|_| Errno::BADMSG)?);
    let (routes, packets) = (passed.pop(), passed.pop());
    let sockets = packets
        .zip(routes)
        .map(|(packets, routes)| Sockets { packets, routes });
    Ok((errno, sockets))
}

fn transmit(socket: BorrowedFd<'_>, packet: &[u8], passed: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !passed.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(passed));
    }
    let slices = [IoSlice::new(packet)];
    retry_on_intr(|| {
        rustix::net::sendmsg(socket, &slices, &mut control, SendFlags::NOSIGNAL).map(drop)
    })
}

/// The length of a packet, and the descriptors that came with it. 0: there will be no more.
fn receive(socket: BorrowedFd<'_>, packet: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    loop {
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut slices = [IoSliceMut::new(packet)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let received = match rustix::net::recvmsg(socket, &mut slices, &mut control, flags) {
            Ok(received) => received,
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno),
        };
        let mut passed = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                passed.extend(descriptors);
            }
        }
        return Ok((received.bytes, passed));
    }
}

/// See [`second::helped`].
pub(crate) fn helped() -> Option<ExitCode> {
    second::helped(MARK, help)
}

/// Errors: nobody asks, it cannot give up rights, or what was asked is no question.
fn help() -> io::Result<()> {
    second::make_alone()?;
    second::be_called("opens");
    let home = open("/proc/self/ns/net")?;
    rights::keep_for_opener()?;
    // The end of the socket says the same, but not in the middle of an answer.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    answer_all(io::stdin().as_fd(), &home)
}

fn answer_all(socket: BorrowedFd<'_>, home: &OwnedFd) -> io::Result<()> {
    // One byte more tells whether it was longer.
    let mut packet = [0; REQUEST + 1];
    loop {
        let (length, passed) = receive(socket, &mut packet)?;
        if length == 0 {
            return Ok(());
        }
        let request = packet.get(..length).and_then(request);
        let (kind, pid, netns) = request.ok_or(io::ErrorKind::InvalidData)?;
        let door = match kind {
            BY_DESCRIPTOR => passed.into_iter().next().ok_or(Errno::BADF),
            _ => open(&format!("/proc/{pid}/ns/net")),
        };
        let door = door.and_then(|door| leads_to(&door, netns).map(|()| door));
        let sockets = match door {
            Ok(_) if kind == IS_INSIDE => Ok(None),
            Ok(door) => inside(&door, home)?.map(Some),
            Err(errno) => Err(errno),
        };
        let errno = sockets
            .as_ref()
            .err()
            .map_or(0, |errno| errno.raw_os_error());
        let opened = sockets.ok().flatten();
        let passed: Vec<_> = opened
            .iter()
            .flat_map(|sockets| [sockets.packets.as_fd(), sockets.routes.as_fd()])
            .collect();
        transmit(socket, &errno.to_ne_bytes(), &passed)?;
    }
}

/// `None`: that is none.
fn request(bytes: &[u8]) -> Option<(u32, u32, u32)> {
    let (numbers, []) = bytes.as_chunks() else {
        return None;
    };
    let [kind, pid, netns] = *numbers else {
        return None;
    };
    let [kind, pid, netns] = [kind, pid, netns].map(u32::from_ne_bytes);
    let is_known = [BY_PROCESS, BY_DESCRIPTOR, IS_INSIDE].contains(&kind);
    let is_pid = i32::try_from(pid).is_ok_and(|pid| (pid > 0) != (kind == BY_DESCRIPTOR));
    (is_known && is_pid).then_some((kind, pid, netns))
}

/// A process may have gone elsewhere, and another one may have its number.
fn leads_to(door: &OwnedFd, netns: u32) -> Result<(), Errno> {
    let is_it = rustix::fs::fstat(door)?.st_ino == u64::from(netns);
    is_it.then_some(()).ok_or(Errno::NOENT)
}

/// Opens sockets inside it. What is no network namespace the kernel refuses.
///
/// Errors of the outside: there is no way back.
fn inside(door: &OwnedFd, home: &OwnedFd) -> io::Result<Result<Sockets, Errno>> {
    let network = Some(LinkNameSpaceType::Network);
    if let Err(errno) = move_into_link_name_space(door.as_fd(), network) {
        return Ok(Err(errno));
    }
    let sockets = Sockets::open();
    move_into_link_name_space(home.as_fd(), network)?;
    Ok(sockets.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO)))
}

fn open(path: &str) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

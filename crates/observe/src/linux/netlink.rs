//! Questions to the kernel over a netlink socket, and news it tells of its own accord (RFC 3549,
//! include/uapi/linux/netlink.h).

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::fs::fstat;
use rustix::io::Errno;
use rustix::net::{
    self, AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, sockopt,
};

use crate::parse::attributes::{u16_at, u32_at};
use crate::parse::netlink_sockets::dropped;

const HEADER: usize = 16;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// The kernel fills at most 32 KiB at once.
const BUFFER: usize = 64 * 1024;
/// How much news is read in one go, so that what it becomes has a limit.
const MOST_AT_ONCE: usize = 32 * 1024;

/// A netlink socket. It belongs to the network namespace of the thread that opened it.
pub(crate) struct Netlink {
    socket: OwnedFd,
    buffer: Vec<u8>,
    sequence: u32,
}

/// Whether a dump is one consistent picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dump {
    Consistent,
    /// The table changed while it was read; entries may be missing or twice.
    Interrupted,
}

impl Netlink {
    /// Opens a socket of one netlink family: `netlink::SOCK_DIAG`, `netlink::GENERIC` ...
    pub(crate) fn open(family: Protocol) -> io::Result<Self> {
        Self::of(Some(family))
    }

    /// Opens a socket of the family NETLINK_ROUTE, whose number is zero.
    pub(crate) fn open_route() -> io::Result<Self> {
        Self::of(None)
    }

    fn of(family: Option<Protocol>) -> io::Result<Self> {
        Self::over(unbound(family, SocketFlags::empty())?, 0)
    }

    /// Takes a socket that was opened for a family, in whatever network namespace, and joins groups:
    /// a bit for each, the first group lowest. What is told to them stands in front of answers, and
    /// is passed over there.
    pub(crate) fn over(socket: OwnedFd, groups: u32) -> io::Result<Self> {
        net::bind(&socket, &netlink::SocketAddrNetlink::new(0, groups))?;
        Ok(Self {
            socket,
            buffer: vec![0; BUFFER],
            sequence: 0,
        })
    }

    /// Reads, without waiting, what has been told to its groups, and forgets it. Whether there was
    /// any, or may have been.
    pub(crate) fn has_news(&mut self) -> bool {
        let mut any = false;
        for _ in 0..MOST_AT_ONCE {
            match net::recv(&self.socket, &mut *self.buffer, RecvFlags::DONTWAIT) {
                Ok(_) | Err(Errno::NOBUFS) => any = true,
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        any
    }

    /// Asks for a whole table and hands each entry to `entry` as message type and body.
    ///
    /// Errors: those of the kernel (`ENOENT`: it has no such table; `EPERM`).
    pub(crate) fn dump(
        &mut self,
        kind: u16,
        body: &[u8],
        mut entry: impl FnMut(u16, &[u8]),
    ) -> io::Result<Dump> {
        self.send(kind, NLM_F_REQUEST | NLM_F_DUMP, body)?;
        let mut consistency = Dump::Consistent;
        loop {
            if self.receive(&mut consistency, &mut entry)? {
                return Ok(consistency);
            }
        }
    }

    /// Asks for one answer, as [`Netlink::dump`] does for many.
    pub(crate) fn ask(
        &mut self,
        kind: u16,
        body: &[u8],
        mut entry: impl FnMut(u16, &[u8]),
    ) -> io::Result<()> {
        self.send(kind, NLM_F_REQUEST | NLM_F_ACK, body)?;
        let mut consistency = Dump::Consistent;
        while !self.receive(&mut consistency, &mut entry)? {}
        Ok(())
    }

    /// Forgets what was told.
    pub(crate) fn forget(&mut self) {
        self.buffer.fill(0);
        // Nobody reads it any more: it might be left out.
        std::hint::black_box(&self.buffer);
    }

    fn send(&mut self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        send(&self.socket, kind, flags, self.sequence, body)
    }

    /// Reads one datagram; true when it ends the answer.
    fn receive(
        &mut self,
        consistency: &mut Dump,
        entry: &mut impl FnMut(u16, &[u8]),
    ) -> io::Result<bool> {
        let Some(datagram) = receive(&self.socket, &mut self.buffer)? else {
            return Ok(false);
        };
        for message in messages(datagram) {
            if message.sequence != self.sequence {
                continue;
            }
            if message.flags & NLM_F_DUMP_INTR != 0 {
                *consistency = Dump::Interrupted;
            }
            match message.kind {
                // Both carry a negative errno, or 0: a dump that fails may end, too.
                NLMSG_DONE | NLMSG_ERROR => {
                    let code = u32_at(message.body, 0).map_or(0, u32::cast_signed);
                    return if code < 0 {
                        Err(io::Error::from_raw_os_error(-code))
                    } else {
                        Ok(true)
                    };
                }
                kind => entry(kind, message.body),
            }
        }
        Ok(false)
    }
}

/// How much news was lost since it was last asked.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Where the kernel's count cannot be read, one stands for some.
    pub(crate) messages: u64,
}

/// A netlink socket that hears what the kernel tells to groups, without waiting. It belongs to the
/// network namespace of the thread that opened it, and can be read on every thread.
pub(crate) struct Listener {
    socket: OwnedFd,
    buffer: Vec<u8>,
    /// `/proc/net/netlink` of its namespace, where what was dropped is counted.
    sockets: Option<File>,
    /// Some was dropped, and what came before that is not all read yet: the kernel keeps on
    /// dropping until it is.
    dropping: bool,
    dropped: u64,
}

impl Listener {
    /// Joins groups: a bit for each, the first group lowest. The kernel keeps so many bytes of
    /// what was not read yet, of which a short message takes about a thousand; it may give less
    /// room to who has no rights.
    ///
    /// Errors: `PermissionDenied`, or the kernel has no such family.
    pub(crate) fn open(family: Protocol, groups: u32, room: usize) -> io::Result<Self> {
        let socket = unbound(Some(family), SocketFlags::NONBLOCK)?;
        // The kernel doubles the number; who has no rights may not go beyond its limit.
        if sockopt::set_socket_recv_buffer_size_force(&socket, room / 2).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, room / 2)?;
        }
        net::bind(&socket, &netlink::SocketAddrNetlink::new(0, groups))?;
        Ok(Self {
            socket,
            buffer: vec![0; BUFFER],
            sockets: File::open("/proc/thread-self/net/netlink").ok(),
            dropping: false,
            dropped: 0,
        })
    }

    #[cfg(test)]
    pub(crate) fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.socket)
    }

    /// Tells the kernel something.
    pub(crate) fn tell(&self, body: &[u8]) -> io::Result<()> {
        send(&self.socket, NLMSG_DONE, 0, 0, body)
    }

    /// Hands each message that has come to `entry` as its body; after many, the rest waits for the
    /// next call.
    pub(crate) fn read(&mut self, mut entry: impl FnMut(&[u8])) -> io::Result<Lost> {
        let mut all_read = false;
        for _ in 0..MOST_AT_ONCE {
            match receive(&self.socket, &mut self.buffer) {
                Ok(None) => {}
                Ok(Some(datagram)) => messages(datagram).for_each(|message| entry(message.body)),
                Err(Errno::AGAIN) => {
                    all_read = true;
                    break;
                }
                Err(Errno::NOBUFS) => self.dropping = true,
                Err(error) => return Err(error.into()),
            }
        }
        let mut lost = Lost::default();
        if self.dropping {
            let before = self.dropped;
            self.dropped = self.count_dropped().unwrap_or(before.saturating_add(1));
            lost.messages = self.dropped.saturating_sub(before);
            self.dropping = !all_read;
        }
        Ok(lost)
    }

    /// How many messages the kernel has dropped for want of room.
    fn count_dropped(&mut self) -> Option<u64> {
        let inode = fstat(&self.socket).ok()?.st_ino;
        let sockets = self.sockets.as_ref()?;
        let mut table = Vec::new();
        loop {
            let at = u64::try_from(table.len()).ok()?;
            let length = sockets.read_at(&mut self.buffer, at).ok()?;
            if length == 0 {
                return dropped(&table, inode);
            }
            table.extend(self.buffer.get(..length)?);
        }
    }
}

/// A socket of a netlink family that has no address yet.
pub(crate) fn unbound(family: Option<Protocol>, flags: SocketFlags) -> io::Result<OwnedFd> {
    let flags = flags | SocketFlags::CLOEXEC;
    Ok(net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        flags,
        family,
    )?)
}

/// Sends one message to the kernel.
fn send(socket: &OwnedFd, kind: u16, flags: u16, sequence: u32, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(HEADER + body.len()).map_err(io::Error::other)?;
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend(sequence.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    message.extend(body);
    let kernel = netlink::SocketAddrNetlink::new(0, 0);
    net::sendto(socket, &message, SendFlags::empty(), &kernel)?;
    Ok(())
}

/// Reads one datagram; `None` when it does not come from the kernel.
fn receive<'buffer>(
    socket: &OwnedFd,
    buffer: &'buffer mut [u8],
) -> Result<Option<&'buffer [u8]>, Errno> {
    let (length, _, sender) =
        rustix::io::retry_on_intr(|| net::recvfrom(socket, &mut *buffer, RecvFlags::empty()))?;
    // Other programs can send to this socket, too; the kernel's number is 0.
    let sender = sender.and_then(|sender| netlink::SocketAddrNetlink::try_from(sender).ok());
    if sender.is_none_or(|sender| sender.pid() != 0) {
        return Ok(None);
    }
    Ok(Some(buffer.get(..length).unwrap_or_default()))
}

/// A `struct nlmsghdr` and what follows it.
struct Message<'datagram> {
    kind: u16,
    flags: u16,
    sequence: u32,
    body: &'datagram [u8],
}

/// The messages of a datagram; ends at the first that is cut short.
fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(u32_at(datagram, 0)?).ok()?;
        let message = Message {
            kind: u16_at(datagram, 4)?,
            flags: u16_at(datagram, 6)?,
            sequence: u32_at(datagram, 8)?,
            body: datagram.get(HEADER..length)?,
        };
        datagram = datagram
            .get(length.next_multiple_of(4)..)
            .unwrap_or_default();
        Some(message)
    })
}

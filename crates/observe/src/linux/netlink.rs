//! Questions to the kernel over a netlink socket (RFC 3549, include/uapi/linux/netlink.h).

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::{
    self, AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, netlink,
};

use crate::parse::attributes::{u16_at, u32_at};

const HEADER: usize = 16;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// The kernel fills at most 32 KiB at once.
const BUFFER: usize = 64 * 1024;

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
        let socket = net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            family,
        )?;
        net::bind(&socket, &netlink::SocketAddrNetlink::new(0, 0))?;
        Ok(Self {
            socket,
            buffer: vec![0; BUFFER],
            sequence: 0,
        })
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

    fn send(&mut self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let length = u32::try_from(HEADER + body.len()).map_err(io::Error::other)?;
        let mut message = Vec::with_capacity(HEADER + body.len());
        message.extend(length.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend(self.sequence.to_ne_bytes());
        message.extend(0_u32.to_ne_bytes());
        message.extend(body);
        let kernel = netlink::SocketAddrNetlink::new(0, 0);
        net::sendto(&self.socket, &message, SendFlags::empty(), &kernel)?;
        Ok(())
    }

    /// Reads one datagram; true when it ends the answer.
    fn receive(
        &mut self,
        consistency: &mut Dump,
        entry: &mut impl FnMut(u16, &[u8]),
    ) -> io::Result<bool> {
        let (length, _, sender) = rustix::io::retry_on_intr(|| {
            net::recvfrom(&self.socket, self.buffer.as_mut_slice(), RecvFlags::empty())
        })?;
        // Other programs can send to this socket, too; the kernel's number is 0.
        let sender = sender.and_then(|sender| netlink::SocketAddrNetlink::try_from(sender).ok());
        if sender.is_none_or(|sender| sender.pid() != 0) {
            return Ok(false);
        }
        let mut rest = self.buffer.get(..length).unwrap_or_default();
        while let (Some(length), Some(kind), Some(flags), Some(sequence)) = (
            u32_at(rest, 0),
            u16_at(rest, 4),
            u16_at(rest, 6),
            u32_at(rest, 8),
        ) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let Some(body) = rest.get(HEADER..length) else {
                break;
            };
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            if sequence != self.sequence {
                continue;
            }
            if flags & NLM_F_DUMP_INTR != 0 {
                *consistency = Dump::Interrupted;
            }
            match kind {
                // Both carry a negative errno, or 0: a dump that fails may end, too.
                NLMSG_DONE | NLMSG_ERROR => {
                    let code = u32_at(body, 0).map_or(0, u32::cast_signed);
                    return if code < 0 {
                        Err(io::Error::from_raw_os_error(-code))
                    } else {
                        Ok(true)
                    };
                }
                _ => entry(kind, body),
            }
        }
        Ok(false)
    }
}

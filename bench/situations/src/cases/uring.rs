//! io_uring: the kernel makes the calls, in the program's thread, in a worker or in a thread that
//! polls for work. No system call of the program names the socket's peer.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use io_uring::squeue::{Entry, Flags};
use io_uring::types::Fd;
use io_uring::{IoUring, opcode};
use socket2::{SockAddr, Socket};

use crate::exchange::{CONTENT, MIB, patient, tcp_socket};
use crate::lab::{Lab, SINK, SOURCE, far};
use crate::truth::{Act, End};

const BYTES: usize = 2 * MIB;

pub fn send(lab: &Lab) -> io::Result<()> {
    let plain = ring(&IoUring::builder())?;
    upload(lab, plain, Flags::empty())?;
    // Straight to a worker thread of the kernel.
    let plain = ring(&IoUring::builder())?;
    upload(lab, plain, Flags::ASYNC)?;
    let polling = ring(IoUring::builder().setup_sqpoll(100))?;
    upload(lab, polling, Flags::empty())
}

fn upload(lab: &Lab, mut ring: Ring, flags: Flags) -> io::Result<()> {
    let (mut act, socket) = open(&mut ring, flags, far(SINK))?;
    let descriptor = Fd(socket.as_raw_fd());
    while act.bytes_sent < Some(BYTES as u64) {
        let entry = opcode::Send::new(descriptor, CONTENT.as_ptr(), CONTENT.len() as u32);
        act.sent(ring.run(entry.build().flags(flags))?);
    }
    let entry = opcode::Shutdown::new(descriptor, libc::SHUT_WR);
    ring.run(entry.build())?;
    drain(&mut act, &mut ring, descriptor)?;
    drop(socket);
    lab.record(act)
}

pub fn receive(lab: &Lab) -> io::Result<()> {
    let mut ring = ring(&IoUring::builder())?;
    let (mut act, socket) = open(&mut ring, Flags::empty(), far(SOURCE))?;
    let descriptor = Fd(socket.as_raw_fd());
    let request = (BYTES as u64).to_be_bytes();
    let entry = opcode::Send::new(descriptor, request.as_ptr(), request.len() as u32);
    act.sent(ring.run(entry.build())?);
    drain(&mut act, &mut ring, descriptor)?;
    drop(socket);
    lab.record(act)
}

/// Reads until the other end closes.
fn drain(act: &mut Act, ring: &mut Ring, descriptor: Fd) -> io::Result<()> {
    let mut room = vec![0; 65_536];
    loop {
        let entry = opcode::Recv::new(descriptor, room.as_mut_ptr(), room.len() as u32);
        match ring.run(entry.build())? {
            0 => return Ok(()),
            received => act.received(received),
        }
    }
}

/// Makes a socket and connects it, both by the ring.
fn open(ring: &mut Ring, flags: Flags, remote: SocketAddr) -> io::Result<(Act, Socket)> {
    let mut act = Act::begin("tcp", Some(End::new(remote)))?;
    let entry = opcode::Socket::new(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
    let socket = match ring.run(entry.build().flags(flags)) {
        // SAFETY: the kernel has just put this descriptor into our table, and nobody else owns it.
        Ok(descriptor) => Socket::from(unsafe { OwnedFd::from_raw_fd(descriptor as i32) }),
        // Kernels before 5.19 cannot.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => tcp_socket(remote)?,
        Err(error) => return Err(error),
    };
    let socket = patient(socket)?;
    let address = SockAddr::from(remote);
    let entry = opcode::Connect::new(
        Fd(socket.as_raw_fd()),
        address.as_ptr().cast(),
        address.len(),
    );
    ring.run(entry.build().flags(flags))?;
    act.local_of(&socket);
    Ok((act, socket))
}

struct Ring(IoUring);

fn ring(builder: &io_uring::Builder) -> io::Result<Ring> {
    // Turned off by kernel.io_uring_disabled, or not built in.
    let unusable = [Some(libc::EPERM), Some(libc::ENOSYS)];
    builder
        .build(8)
        .map(Ring)
        .map_err(|error| match unusable.contains(&error.raw_os_error()) {
            true => crate::lab::not_offered("io_uring is turned off here"),
            false => error,
        })
}

impl Ring {
    /// Has one thing done and waits for it. Gives what the system call would.
    fn run(&mut self, entry: Entry) -> io::Result<usize> {
        // SAFETY: what the entry points to is kept by our callers until this has come back, and
        // nothing else is ever under way on this ring.
        unsafe { self.0.submission().push(&entry) }.map_err(io::Error::other)?;
        self.0.submit_and_wait(1)?;
        let result = loop {
            if let Some(done) = self.0.completion().next() {
                break done.result();
            }
            std::thread::yield_now();
        };
        usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result))
    }
}

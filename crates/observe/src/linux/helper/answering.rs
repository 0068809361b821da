//! The helper itself: makes itself small, then answers until nobody asks any more.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::ExitCode;

use model::NetworkNamespace;
use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, netlink};
use rustix::process::{Signal, nice, set_parent_process_death_signal};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::file::{self, Hashes};
use super::wire::{Request, Why, receive_request, send_answer};
use super::{Answer, MARK};
use crate::linux::{rights, second};

/// Whoever waits for a line on the screen comes first.
const NICER: i32 = 10;

/// To be called before anything else. `Some`: this process was started to help, its work is over,
/// and it is to end with this code.
pub(crate) fn helped() -> Option<ExitCode> {
    second::helped(MARK, help)
}

/// Errors: nobody asks, it cannot give up rights, or what was asked is no question.
fn help() -> io::Result<()> {
    second::make_alone()?;
    second::be_called("helper");
    let home = open(c"/proc/self/ns/net")?;
    // Without it the others wait a little longer.
    let _ = nice(NICER);
    rights::keep_for_helper()?;
    // The end of the socket says the same, but not in the middle of an answer.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    answer_all(io::stdin().as_fd(), &home)
}

pub(super) fn answer_all(socket: BorrowedFd<'_>, home: &OwnedFd) -> io::Result<()> {
    let mut hashes = Hashes::default();
    while let Some(request) = receive_request(socket)? {
        let answer = match request {
            Request::Hash {
                pid,
                start_ticks,
                file,
            } => Answer::Hash(request, hashes.hash(pid, start_ticks, file)),
            Request::Program { pid, start_ticks } => {
                Answer::Program(request, file::program(pid, start_ticks))
            }
            Request::File { pid, start_ticks } => {
                Answer::Open(request, file::open(pid, start_ticks))
            }
            Request::Maps { pid, start_ticks } => {
                Answer::Open(request, file::copy_of_maps(pid, start_ticks))
            }
            Request::Namespace { pid } => Answer::Namespace(request, namespace(pid, home)?),
        };
        send_answer(socket, &answer)?;
    }
    Ok(())
}

/// Opens a socket in the network namespace of a process.
///
/// Errors of the outside: there is no way back.
fn namespace(pid: u32, home: &OwnedFd) -> io::Result<Result<(NetworkNamespace, OwnedFd), Why>> {
    let number = match enter(pid) {
        Ok(number) => number,
        Err(why) => return Ok(Err(why)),
    };
    let socket = diagnosis();
    move_into_link_name_space(home.as_fd(), Some(LinkNameSpaceType::Network))?;
    Ok(socket.map(|socket| (number, socket)))
}

fn enter(pid: u32) -> Result<NetworkNamespace, Why> {
    let path = format!("/proc/{pid}/ns/net");
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let door = rustix::fs::open(path, flags, Mode::empty())?;
    let number = u32::try_from(rustix::fs::fstat(&door)?.st_ino).map_err(|_| Why::NotAFile)?;
    move_into_link_name_space(door.as_fd(), Some(LinkNameSpaceType::Network))?;
    Ok(NetworkNamespace(number))
}

fn diagnosis() -> Result<OwnedFd, Why> {
    let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
    let protocol = Some(netlink::SOCK_DIAG);
    let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, protocol)?;
    rustix::net::bind(&socket, &netlink::SocketAddrNetlink::new(0, 0))?;
    Ok(socket)
}

fn open(path: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

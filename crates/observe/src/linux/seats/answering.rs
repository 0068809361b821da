//! The process itself: reads cookies, makes itself small, then asks until nobody wants to know any more.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ExitCode;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use rustix::process::{Signal, set_parent_process_death_signal};

use super::servers::Servers;
use super::{ANSWERED, ASKED, MARK, MOST, NOTHING, WHOSE_WINDOWS, Windows};
use crate::linux::{rights, second};

/// To be called before anything else. `Some`: this process was started to ask displays, its work is
/// over, and it is to end with this code.
pub(crate) fn helped() -> Option<ExitCode> {
    second::helped(MARK, help)
}

/// Errors: nobody asks, it cannot give up rights, or what was asked is no question.
fn help() -> io::Result<()> {
    second::make_alone()?;
    second::be_called("seats");
    let servers = Servers::find();
    rights::drop_for_seats()?;
    // The end of the socket says the same, but not in the middle of an answer.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    answer_all(io::stdin().as_fd(), &servers)
}

pub(super) fn answer_all(socket: BorrowedFd<'_>, servers: &Servers) -> io::Result<()> {
    let mut packet = [0; MOST * ASKED];
    loop {
        let length = match rustix::net::recv(socket, &mut packet[..], RecvFlags::empty()) {
            Ok((0, _)) => return Ok(()),
            Ok((length, _)) => length,
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        let (asked, rest) = packet
            .get(..length)
            .unwrap_or_default()
            .as_chunks::<ASKED>();
        if !rest.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let answers = asked.iter().flat_map(|[low, high, is_abstract, what]| {
            let (number, is_abstract) = (u16::from_ne_bytes([*low, *high]), *is_abstract != 0);
            if *what == WHOSE_WINDOWS {
                let windows = servers.windows(number, is_abstract);
                let nothing = || vec![0; ANSWERED];
                windows.as_ref().map_or_else(nothing, Windows::bytes)
            } else {
                let idle = servers.idle(number, is_abstract);
                idle.map_or(NOTHING, millis).to_ne_bytes().to_vec()
            }
        });
        let answers: Vec<u8> = answers.collect();
        rustix::net::send(socket, &answers, SendFlags::NOSIGNAL)?;
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(NOTHING)
}

//! Very many of the same, as fast as they go: nothing may be missed then either.

use std::io;
use std::process::Child;

use crate::exchange::{connect_for, drain, send, tcp_socket};
use crate::lab::{ANSWER, ANSWER_BYTES, Lab, SINK, far};
use crate::sys;
use crate::truth::{Act, End, Identity};

/// How many children run at a time.
const AT_ONCE: usize = 8;
/// Truth is written when there is this much of it: not in the middle of what is measured.
const LINES: usize = 1 << 20;

pub fn one_process(lab: &Lab) -> io::Result<()> {
    connections(lab, lab.times(1000))
}

/// Short connections, one after the other, over all the server's ports in turn.
fn connections(lab: &Lab, count: usize) -> io::Result<()> {
    let identity = Identity::own()?;
    let mut lines = String::new();
    for port in ANSWER.cycle().take(count) {
        let remote = far(port);
        let act = Act::begin_as(identity.clone(), "tcp", Some(End::new(remote)));
        let (mut act, socket) = connect_for(act, tcp_socket(remote)?, remote)?;
        send(&mut act, &socket, ANSWER_BYTES)?;
        drain(&mut act, &socket)?;
        drop(socket);
        lines.push_str(&act.line(&lab.case)?);
        if lines.len() > LINES {
            lab.write(&lines)?;
            lines.clear();
        }
    }
    lab.write(&lines)
}

/// Each process runs a program of its own for its share.
pub fn many_processes(lab: &Lab) -> io::Result<()> {
    if lab.part.is_some() {
        return connections(lab, lab.times(1));
    }
    let shares = shares(lab.times(1000), lab.processes);
    programs(lab, shares)
}

/// Each process is a fork of this one.
pub fn many_forks(lab: &Lab) -> io::Result<()> {
    let mut running = 0;
    for share in shares(lab.times(1000), lab.processes) {
        if running == AT_ONCE {
            sys::wait(-1)?;
            running -= 1;
        }
        sys::fork(|| connections(lab, share))?;
        running += 1;
    }
    sys::wait_for_all()
}

/// One datagram a process; the process is gone as soon as it has left.
pub fn udp_senders(lab: &Lab) -> io::Result<()> {
    match lab.part.is_some() {
        true => super::datagrams::one_datagram(lab, far(SINK)),
        false => programs(lab, std::iter::repeat_n(1, lab.processes)),
    }
}

fn shares(count: usize, processes: usize) -> impl Iterator<Item = usize> {
    (0..processes).map(move |process| count / processes + usize::from(process < count % processes))
}

/// Runs the other part of this case once for each share, some at a time.
fn programs(lab: &Lab, shares: impl Iterator<Item = usize>) -> io::Result<()> {
    let mut running: std::collections::VecDeque<Child> = Default::default();
    for share in shares {
        if running.len() == AT_ONCE {
            ended(running.pop_front())?;
        }
        let mut command = lab.program("child")?;
        running.push_back(command.arg("--count").arg(share.to_string()).spawn()?);
    }
    while !running.is_empty() {
        ended(running.pop_front())?;
    }
    Ok(())
}

fn ended(child: Option<Child>) -> io::Result<()> {
    match child.map(|mut child| child.wait()).transpose()? {
        Some(status) if !status.success() => Err(io::Error::other("a child ended badly")),
        _ => Ok(()),
    }
}

//! Processes that come, change and go faster than anyone looks.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::thread;

use crate::exchange::{connect, finish, send, short};
use crate::lab::{ANSWER, Lab, PAUSE, SINK, far, wrong};
use crate::sys;
use crate::truth::{Act, Identity, now};

const PIECE: usize = 1000;

pub fn short_lived(lab: &Lab) -> io::Result<()> {
    if lab.part.is_some() {
        return short(lab, far(ANSWER.start));
    }
    for _ in 0..lab.times(50) {
        let status = lab.same_program("child")?.status()?;
        if !status.success() {
            return Err(io::Error::other("a child ended badly"));
        }
    }
    Ok(())
}

/// The child becomes another program, which connects; another child's program gets a connection
/// that is already open.
pub fn fork_then_exec(lab: &Lab) -> io::Result<()> {
    match lab.part.as_deref() {
        None => {}
        Some("heir") => return inherit(lab),
        Some(_) => return short(lab, far(ANSWER.start)),
    }
    for _ in 0..lab.times(1) {
        let mut child = lab.program("child")?;
        sys::wait(sys::fork(|| Err(child.exec()))?)?;

        let (mut act, socket) = connect(far(SINK))?;
        let from = now();
        send(&mut act, &socket, PIECE)?;
        act.hand_on(from);
        socket.set_cloexec(false)?;
        let mut heir = lab.program("heir")?;
        heir.arg("--told");
        heir.arg(format!(
            "{} {}",
            socket.as_raw_fd(),
            serde_json::to_string(&act)?
        ));
        let child = sys::fork(|| Err(heir.exec()))?;
        drop(socket);
        sys::wait(child)?;
    }
    Ok(())
}

fn inherit(lab: &Lab) -> io::Result<()> {
    let told = lab.told.as_deref().unwrap_or_default();
    let (descriptor, act) = told
        .split_once(' ')
        .ok_or_else(|| wrong("no act was told"))?;
    let descriptor = descriptor
        .parse()
        .map_err(|_| wrong("no descriptor was told"))?;
    let socket = sys::inherited(descriptor)?.into();
    go_on(lab, serde_json::from_str(act)?, socket)
}

/// What an heir does with a connection: sends, closes, writes down what all of its owners did.
pub fn go_on(lab: &Lab, mut act: Act, socket: socket2::Socket) -> io::Result<()> {
    act.take_over(Identity::own()?);
    thread::sleep(PAUSE);
    let from = now();
    send(&mut act, &socket, PIECE)?;
    finish(&mut act, &socket)?;
    thread::sleep(PAUSE);
    act.hand_on(from);
    drop(socket);
    lab.record(act)
}

pub fn fork_then_exit(lab: &Lab) -> io::Result<()> {
    sys::adopt_orphans()?;
    for _ in 0..lab.times(1) {
        sys::fork(|| {
            let (mut act, socket) = connect(far(SINK))?;
            let from = now();
            send(&mut act, &socket, PIECE)?;
            act.hand_on(from);
            sys::fork(|| go_on(lab, act, socket)).map(drop)
        })?;
        sys::wait_for_all()?;
    }
    Ok(())
}

/// Forks, begins a session, forks again; the one between is gone before the first packet.
pub fn double_fork(lab: &Lab) -> io::Result<()> {
    sys::adopt_orphans()?;
    for _ in 0..lab.times(1) {
        sys::fork(|| {
            sys::new_session()?;
            let daemon = sys::fork(|| {
                thread::sleep(PAUSE);
                short(lab, far(ANSWER.start))
            });
            daemon.map(drop)
        })?;
        sys::wait_for_all()?;
    }
    Ok(())
}

//! Much over one connection.

use std::io;
use std::net::SocketAddr;

use crate::exchange::{self, MIB, ask, connect, drain, finish, send};
use crate::lab::{ECHO, Lab, SINK, SOURCE, far, far_v6};

pub fn down(lab: &Lab) -> io::Result<()> {
    let (mut act, socket) = connect(far(SOURCE))?;
    ask(&mut act, &socket, 8 * MIB)?;
    drain(&mut act, &socket)?;
    drop(socket);
    lab.record(act)
}

pub fn up(lab: &Lab) -> io::Result<()> {
    let (mut act, socket) = connect(far(SINK))?;
    send(&mut act, &socket, 8 * MIB)?;
    finish(&mut act, &socket)?;
    drop(socket);
    lab.record(act)
}

pub fn both(lab: &Lab) -> io::Result<()> {
    echo(lab, far(ECHO), 4 * MIB)
}

pub fn ipv6(lab: &Lab) -> io::Result<()> {
    echo(lab, far_v6(ECHO), 2 * MIB)
}

/// To an echo and back, written down.
pub fn echo(lab: &Lab, remote: SocketAddr, bytes: usize) -> io::Result<()> {
    let (mut act, socket) = connect(remote)?;
    exchange::echo(&mut act, &socket, bytes)?;
    finish(&mut act, &socket)?;
    drop(socket);
    lab.record(act)
}

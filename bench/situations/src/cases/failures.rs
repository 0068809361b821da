//! Attempts from which nothing comes. Each checks that it failed as it was meant to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::thread;

use socket2::Socket;

use crate::exchange::{CONTENT, connect_for, finish, send, tcp_socket, udp_socket};
use crate::lab::{
    BLACKHOLE, BLACKHOLE_V6, CLOSED, FAR, FAR_V6, Lab, NO_NEIGHBOUR, NO_ROUTE, NO_ROUTE_V6,
    PATIENCE, PAUSE, PROHIBITED, PROHIBITED_V6, ROUTER_SAYS_NO, SILENT, SINK, UNREACHABLE,
    UNREACHABLE_V6, at, far,
};
use crate::sys;
use crate::truth::{Act, End, Outcome, Phase};

pub fn no_route(lab: &Lab) -> io::Result<()> {
    no_route_v4(lab)?;
    no_route_v6(lab)
}

pub fn no_route_v4(lab: &Lab) -> io::Result<()> {
    attempts(lab, NO_ROUTE, 3, libc::ENETUNREACH, Phase::Connect)
}

pub fn no_route_v6(lab: &Lab) -> io::Result<()> {
    attempts(lab, NO_ROUTE_V6, 3, libc::ENETUNREACH, Phase::Connect)
}

pub fn unreachable(lab: &Lab) -> io::Result<()> {
    unreachable_v4(lab)?;
    attempts(lab, UNREACHABLE_V6, 3, libc::EHOSTUNREACH, Phase::Connect)
}

pub fn unreachable_v4(lab: &Lab) -> io::Result<()> {
    attempts(lab, UNREACHABLE, 3, libc::EHOSTUNREACH, Phase::Connect)
}

pub fn prohibited(lab: &Lab) -> io::Result<()> {
    attempts(lab, PROHIBITED, 3, libc::EACCES, Phase::Connect)?;
    attempts(lab, PROHIBITED_V6, 3, libc::EACCES, Phase::Connect)
}

pub fn blackhole(lab: &Lab) -> io::Result<()> {
    attempts(lab, BLACKHOLE, 3, libc::EINVAL, Phase::Connect)?;
    attempts(lab, BLACKHOLE_V6, 3, libc::EINVAL, Phase::Connect)
}

pub fn refused(lab: &Lab) -> io::Result<()> {
    attempts(lab, FAR, 3, libc::ECONNREFUSED, Phase::Handshake)?;
    match lab.count {
        Some(_) => Ok(()),
        None => attempts(lab, FAR_V6, 3, libc::ECONNREFUSED, Phase::Handshake),
    }
}

pub fn scan(lab: &Lab) -> io::Result<()> {
    attempts(lab, FAR, 100, libc::ECONNREFUSED, Phase::Handshake)
}

pub fn router_unreachable(lab: &Lab) -> io::Result<()> {
    attempts(lab, ROUTER_SAYS_NO, 3, libc::EHOSTUNREACH, Phase::Handshake)
}

pub fn timed_out(lab: &Lab) -> io::Result<()> {
    slow_attempts(lab, SILENT, 3, 1, libc::ETIMEDOUT)
}

pub fn neighbour_silent(lab: &Lab) -> io::Result<()> {
    // Asked often enough that the question for the neighbour ends first.
    slow_attempts(lab, NO_NEIGHBOUR, 3, 6, libc::EHOSTUNREACH)
}

/// One after the other; the remote port tells them apart.
fn attempts(
    lab: &Lab,
    ip: impl Into<IpAddr>,
    usual: usize,
    errno: i32,
    phase: Phase,
) -> io::Result<()> {
    let ip = ip.into();
    for remote in (CLOSED..).take(lab.times(usual)).map(|port| at(ip, port)) {
        let mut act = Act::begin("tcp", Some(End::new(remote)))?;
        let socket = tcp_socket(remote)?;
        expect(socket.connect(&remote.into()), errno)?;
        act.failed(Some(errno), phase);
        act.local_of(&socket);
        drop(socket);
        lab.record(act)?;
    }
    Ok(())
}

/// All at once, since each takes seconds.
fn slow_attempts(
    lab: &Lab,
    ip: impl Into<IpAddr>,
    usual: usize,
    syn_retries: i32,
    errno: i32,
) -> io::Result<()> {
    let ip = ip.into();
    let mut waiting = Vec::new();
    for remote in (CLOSED..).take(lab.times(usual)).map(|port| at(ip, port)) {
        let mut act = Act::begin("tcp", Some(End::new(remote)))?;
        let socket = tcp_socket(remote)?;
        sys::set_syn_retries(&socket, syn_retries)?;
        begin_connect(&socket, remote)?;
        act.local_of(&socket);
        waiting.push((act, socket));
    }
    for (mut act, socket) in waiting {
        sys::wait_writable(&socket, PATIENCE)?;
        expect(socket.take_error()?.map_or(Ok(()), Err), errno)?;
        act.failed(Some(errno), Phase::Handshake);
        drop(socket);
        lab.record(act)?;
    }
    Ok(())
}

fn begin_connect(socket: &Socket, remote: SocketAddr) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    expect(socket.connect(&remote.into()), libc::EINPROGRESS)
}

pub fn given_up(lab: &Lab) -> io::Result<()> {
    for remote in (CLOSED..).take(lab.times(3)).map(|port| at(SILENT, port)) {
        let mut act = Act::begin("tcp", Some(End::new(remote)))?;
        let socket = tcp_socket(remote)?;
        begin_connect(&socket, remote)?;
        act.local_of(&socket);
        thread::sleep(PAUSE * 15);
        act.failed(None, Phase::Handshake);
        drop(socket);
        lab.record(act)?;
    }
    Ok(())
}

/// The same socket tries again: each try is an attempt of its own.
pub fn retries(lab: &Lab) -> io::Result<()> {
    let socket = tcp_socket(far(SINK))?;
    let tries = [
        (at(NO_ROUTE, CLOSED), libc::ENETUNREACH, Phase::Connect),
        (at(FAR, CLOSED), libc::ECONNREFUSED, Phase::Handshake),
    ];
    for (remote, errno, phase) in tries {
        let mut act = Act::begin("tcp", Some(End::new(remote)))?;
        expect(socket.connect(&remote.into()), errno)?;
        act.failed(Some(errno), phase);
        act.local_of(&socket);
        lab.record(act)?;
    }
    let remote = far(SINK);
    let (mut act, socket) =
        connect_for(Act::begin("tcp", Some(End::new(remote)))?, socket, remote)?;
    send(&mut act, &socket, 10_000)?;
    finish(&mut act, &socket)?;
    drop(socket);
    lab.record(act)
}

/// Connected and not, so that both ways of the kernel are taken.
pub fn no_route_udp(lab: &Lab) -> io::Result<()> {
    for ip in [IpAddr::from(NO_ROUTE), IpAddr::from(NO_ROUTE_V6)] {
        for (port, connected) in [(CLOSED, true), (CLOSED + 1, false)] {
            let remote = at(ip, port);
            let mut act = Act::begin("udp", Some(End::new(remote)))?;
            let socket = udp_socket(remote)?;
            let tried = match connected {
                true => socket.connect(remote),
                false => socket.send_to(&CONTENT[..100], remote).map(drop),
            };
            expect(tried, libc::ENETUNREACH)?;
            act.failed(Some(libc::ENETUNREACH), Phase::Connect);
            act.local_of(&socket);
            drop(socket);
            lab.record(act)?;
        }
    }
    Ok(())
}

/// The datagram leaves; a message comes back that nobody listens.
pub fn refused_udp(lab: &Lab) -> io::Result<()> {
    for ip in [IpAddr::from(FAR), IpAddr::from(FAR_V6)] {
        let remote = at(ip, CLOSED);
        let mut act = Act::begin("udp", Some(End::new(remote)))?;
        let socket = udp_socket(remote)?;
        socket.connect(remote)?;
        act.sent(socket.send(&CONTENT[..100])?);
        act.local_of(&socket);
        expect(socket.recv(&mut [0; 100]).map(drop), libc::ECONNREFUSED)?;
        act.failed(Some(libc::ECONNREFUSED), Phase::Send);
        act.result = Outcome::Error;
        drop(socket);
        lab.record(act)?;
    }
    Ok(())
}

/// It must fail, and in this way.
fn expect(result: io::Result<()>, errno: i32) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(errno) => Ok(()),
        other => {
            let wanted = io::Error::from_raw_os_error(errno);
            Err(io::Error::other(format!(
                "wanted: {wanted}; came: {other:?}"
            )))
        }
    }
}

//! UDP, connected and not, one datagram a call and many.

use std::io;
use std::net::SocketAddr;

use crate::exchange::{CONTENT, echo_datagrams, request, udp_socket};
use crate::lab::{DNS, ECHO, Lab, QUIC, SINK, SOURCE, far, far_v6};
use crate::sys;
use crate::truth::{Act, End};

/// How many one call of sendmmsg or recvmmsg moves.
const AT_ONCE: usize = 32;

fn begin(remote: SocketAddr) -> io::Result<Act> {
    Act::begin("udp", Some(End::new(remote)))
}

pub fn both(lab: &Lab) -> io::Result<()> {
    let remote = far(ECHO);
    let (mut act, socket) = (begin(remote)?, udp_socket(remote)?);
    echo_datagrams(&mut act, &socket, Some(remote), 2000, 1000)?;
    drop(socket);
    lab.record(act)
}

pub fn quic(lab: &Lab) -> io::Result<()> {
    for remote in [far(QUIC), far_v6(QUIC)] {
        let (mut act, socket) = (begin(remote)?, udp_socket(remote)?);
        socket.connect(remote)?;
        echo_datagrams(&mut act, &socket, None, 1000, 1200)?;
        drop(socket);
        lab.record(act)?;
    }
    Ok(())
}

pub fn small_flood(lab: &Lab) -> io::Result<()> {
    let remote = far(DNS);
    let (mut act, socket) = (begin(remote)?, udp_socket(remote)?);
    for _ in 0..2000 {
        act.sent(socket.send_to(&CONTENT[..40], remote)?);
    }
    act.local_of(&socket);
    drop(socket);
    lab.record(act)
}

pub fn one_shot(lab: &Lab) -> io::Result<()> {
    for _ in 0..lab.times(10) {
        one_datagram(lab, far(SINK))?;
    }
    Ok(())
}

/// A socket, a datagram, and nothing more; written down.
pub fn one_datagram(lab: &Lab, remote: SocketAddr) -> io::Result<()> {
    let (mut act, socket) = (begin(remote)?, udp_socket(remote)?);
    act.sent(socket.send_to(&CONTENT[..100], remote)?);
    act.local_of(&socket);
    drop(socket);
    lab.record(act)
}

/// Connects one socket to two peers in turn: each is a connection of its own.
pub fn connected(lab: &Lab) -> io::Result<()> {
    let socket = udp_socket(far(ECHO))?;
    for remote in [far(ECHO), far(QUIC)] {
        let mut act = begin(remote)?;
        socket.connect(remote)?;
        echo_datagrams(&mut act, &socket, None, 200, 500)?;
        lab.record(act)?;
    }
    Ok(())
}

pub fn sendmmsg(lab: &Lab) -> io::Result<()> {
    let remote = far(SINK);
    let (mut act, socket) = (begin(remote)?, udp_socket(remote)?);
    for _ in 0..64 {
        let sent = sys::send_many(&socket, &remote.into(), &CONTENT[..1000], AT_ONCE)?;
        act.sent(sent * 1000);
    }
    act.local_of(&socket);
    drop(socket);
    lab.record(act)
}

pub fn recvmmsg(lab: &Lab) -> io::Result<()> {
    ask_and_read(lab, far(SOURCE))
}

pub fn ipv6_down(lab: &Lab) -> io::Result<()> {
    ask_and_read(lab, far_v6(SOURCE))
}

/// Asks once, reads 1,000 datagrams: many a call over IPv4, one a call over IPv6.
fn ask_and_read(lab: &Lab, remote: SocketAddr) -> io::Result<()> {
    let (count, size) = (1000, 1200);
    let (mut act, socket) = (begin(remote)?, udp_socket(remote)?);
    act.sent(socket.send_to(&request(count, size), remote)?);
    act.local_of(&socket);
    let (mut left, mut room) = (count, [0; 2048]);
    while left > 0 {
        let received = match remote.is_ipv4() {
            true => sys::receive_many(&socket, AT_ONCE),
            false => socket.recv(&mut room).map(|length| vec![length]),
        };
        match received {
            Ok(lengths) => {
                left = left.saturating_sub(lengths.len());
                act.received(lengths.iter().sum());
            }
            // The rest was lost; what counts is what came.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    drop(socket);
    lab.record(act)
}

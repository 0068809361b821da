//! TCP in other clothes, and SCTP.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::net::UnixStream;

use socket2::{Domain, Protocol, Socket, Type};

use super::bulk;
use crate::exchange::{
    CONTENT, MIB, connect, connect_for, drain, echo, finish, patient, receive, send,
};
use crate::lab::{ECHO, FAR, FAST_ECHO, Lab, MULTIPATH_ECHO, PAUSE, at, far, not_offered};
use crate::sys;
use crate::truth::{Act, Direction, End};

pub fn sctp(lab: &Lab) -> io::Result<()> {
    let remote = far(ECHO);
    let socket = match Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::SCTP)) {
        Ok(socket) => patient(socket)?,
        Err(error) if error.raw_os_error() == Some(libc::EPROTONOSUPPORT) => {
            return Err(not_offered("this kernel has no SCTP"));
        }
        Err(error) => return Err(error),
    };
    // The server stands in this same program then: over loopback.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::SCTP))?;
    let here = at(Ipv4Addr::LOCALHOST, remote.port());
    listener.bind(&here.into())?;
    listener.listen(1)?;
    let act = Act::begin("sctp", Some(End::new(here)))?;
    let (mut act, socket) = connect_for(act, socket, here)?;
    let (other, _) = listener.accept()?;
    let mut theirs = Act::begin("sctp", None)?;
    send(&mut act, &socket, 10_000)?;
    receive(&mut theirs, &other, 10_000)?;
    lab.record(act)
}

pub fn multipath(lab: &Lab) -> io::Result<()> {
    let remote = far(MULTIPATH_ECHO);
    let socket = match Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::MPTCP)) {
        Ok(socket) => patient(socket)?,
        Err(error) if error.raw_os_error() == Some(libc::EPROTONOSUPPORT) => {
            return Err(not_offered("this kernel has no MPTCP"));
        }
        Err(error) => return Err(error),
    };
    let (mut act, socket) =
        connect_for(Act::begin("mptcp", Some(End::new(remote)))?, socket, remote)?;
    echo(&mut act, &socket, 100_000)?;
    finish(&mut act, &socket)?;
    drop(socket);
    lab.record(act)
}

/// Three times: the first brings a cookie, the others send their content with the SYN.
pub fn fast_open(lab: &Lab) -> io::Result<()> {
    let remote = far(FAST_ECHO);
    let mut fast = false;
    for _ in 0..3 {
        let mut act = Act::begin("tcp", Some(End::new(remote)))?;
        let socket = crate::exchange::tcp_socket(remote)?;
        act.sent(socket.send_to_with_flags(
            &CONTENT[..1000],
            &remote.into(),
            libc::MSG_FASTOPEN,
        )?);
        receive(&mut act, &socket, 1000)?;
        fast = sys::was_fast(&socket)?;
        act.local_of(&socket);
        finish(&mut act, &socket)?;
        drop(socket);
        lab.record(act)?;
    }
    match fast {
        true => Ok(()),
        false => Err(not_offered(
            "TCP Fast Open is turned off, or the other end is",
        )),
    }
}

pub fn mapped(lab: &Lab) -> io::Result<()> {
    let remote: SocketAddr = at(FAR.to_ipv6_mapped(), ECHO);
    bulk::echo(lab, remote, MIB)?;
    let mut act = Act::begin("udp", Some(End::new(remote)))?;
    let socket = std::net::UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
    socket.set_read_timeout(Some(crate::lab::PATIENCE))?;
    crate::exchange::echo_datagrams(&mut act, &socket, Some(remote), 100, 1000)?;
    drop(socket);
    lab.record(act)
}

/// Two processes of this program; each writes down its own end.
pub fn loopback(lab: &Lab) -> io::Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    let server = sys::fork(|| {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        io::Write::write_all(&mut &theirs, &port.to_be_bytes())?;
        let (stream, from) = listener.accept()?;
        let mut act = Act::begin("tcp", Some(End::new(from)))?;
        act.direction = Direction::Inbound;
        act.local_of(&stream);
        let stream = patient(stream.into())?;
        receive(&mut act, &stream, MIB)?;
        send(&mut act, &stream, MIB)?;
        drain(&mut act, &stream)?;
        drop(stream);
        lab.record(act)
    })?;
    drop(theirs);
    let mut port = [0; 2];
    io::Read::read_exact(&mut &ours, &mut port)?;
    std::thread::sleep(PAUSE);
    let (mut act, socket) = connect(at(Ipv4Addr::LOCALHOST, u16::from_be_bytes(port)))?;
    send(&mut act, &socket, MIB)?;
    receive(&mut act, &socket, MIB)?;
    finish(&mut act, &socket)?;
    drop(socket);
    lab.record(act)?;
    sys::wait(server)
}
